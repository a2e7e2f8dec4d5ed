"""The experiment and the recipe that a results file records, as text."""

import dataclasses
import json
import tomllib

from fastcollapse.config.nested_text import no_collection
from fastcollapse.config.section_base import build
from fastcollapse.config.sections import Recipe
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.number_files import NumberFiles
from fastcollapse.simulation.stop_names import check_stop
from fastcollapse.simulation.version_0_1 import as_version_0_1
from fastcollapse.storage.blocks import Header


def recorded_experiment(header: Header, name: str) -> Experiment:
    """Return the experiment of a run, with its resolved seed.

    Parameters
    ----------
    header : header of the run.
    name : name of the results in messages.

    Raises
    ------
    UnreadableResults
        This version refuses the experiment, or its truth is of another family.
    """
    try:
        no_files = NumberFiles.recorded({}, {})  # the experiment has its numbers
        experiment = Experiment.from_mapping(json.loads(header.experiment_json), numbers=no_files)
        experiment = experiment if header.inputs else as_version_0_1(experiment)
        check_stop(experiment, [name for name, variable in header.metrics.items() if variable.of_user])
    except InputError as error:
        raise UnreadableResults(f"{name}: its experiment is refused: {error}") from error
    if isinstance(header.truth, Sentences) != experiment.truth.has_sentences:
        raise UnreadableResults(f"{name}: is damaged: its truth is not of the {experiment.family} family")
    return dataclasses.replace(experiment, is_recorded=True)


def recorded_recipe(text: str, name: str) -> Recipe | None:
    """Return the section `[recipe]` of an experiment file; None without one.

    Parameters
    ----------
    text : text of the experiment file, or "".
    name : name of the results in messages.

    Raises
    ------
    UnreadableResults
        The text is not TOML, or its section is not a recipe.
    """
    try:
        with no_collection():
            given = tomllib.loads(text).get("recipe") if text else None
        if given is not None and not isinstance(given, dict):
            raise InputError(f"recipe must be a table, got {given!r}")
        return None if given is None else build(Recipe, given)
    except InputError as error:
        raise UnreadableResults(f"{name}: its experiment_text is refused: {error}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableResults(f"{name}: is damaged: its experiment_text is not TOML") from error
