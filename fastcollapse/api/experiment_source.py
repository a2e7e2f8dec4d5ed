"""What a call takes for an experiment: an `Experiment`, a mapping, the path of a TOML file, or the name of a recipe."""

import os
from collections.abc import Mapping
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.path_kinds import call_for
from fastcollapse.sweeps.points import Point, Sweep

ExperimentSource = Experiment | Mapping[str, Any] | str | os.PathLike[str]


def as_experiment(source: ExperimentSource) -> Experiment:
    """Return the experiment of a source.

    Parameters
    ----------
    source : an experiment, its mapping, the path of its TOML file, or the name of a recipe.

    Raises
    ------
    InputError
        The source is something else, the file has cases, or a value is refused; the message names the call that is
        meant.

    Examples
    --------
    >>> as_experiment("sur-uni").family
    'discrete'
    >>> as_experiment(42)
    Traceback (most recent call last):
    ...
    fastcollapse.errors.InputError: experiment must be an Experiment, a mapping of sections, the path of a TOML file \
or the name of a recipe, got 42
    """
    cases = as_cases(source)
    if len(cases) > 1:
        raise InputError(
            f"{show(source)} has {len(cases)} cases: use reproduce({show(source)}) for a recipe, "
            "or simulate each of Experiment.from_toml(PATH).cases()"
        )
    return cases[0]


def as_cases(source: ExperimentSource) -> list[Experiment]:
    """Return the experiments of a source: those of its cases if it is a file or recipe that has some, otherwise one.

    Raises
    ------
    InputError
        See `as_experiment`.
    """
    if isinstance(source, Experiment):
        return [source]
    if isinstance(source, Mapping):
        if "sweep" in source:
            raise InputError("a mapping with a section [sweep] is a sweep: use run_sweep(mapping, FOLDER)")
        return [Experiment.from_mapping(source)]
    if isinstance(source, str | os.PathLike):
        with call_for(source, "experiment", "recipe"):
            experiment = load_experiment(os.fspath(source))
        has_cases = experiment.recipe is not None and experiment.recipe.cases is not None
        return experiment.cases() if has_cases else [experiment]
    if isinstance(source, Sweep):
        raise InputError("experiment must be a single one, got a Sweep: use run_sweep(sweep, FOLDER)")
    if isinstance(source, Point):
        raise InputError("experiment must be an Experiment, got a point of a sweep: use sweep[n].experiment")
    if isinstance(source, RecordedRun):
        raise InputError("experiment must be an Experiment, got Results: use results.experiment")
    raise InputError(
        "experiment must be an Experiment, a mapping of sections, the path of a TOML file or the name of a recipe, "
        f"got {show(source)}"
    )
