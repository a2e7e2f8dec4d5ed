"""Is a results file this experiment? What differs by key, and the truth that a file holds."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.config.fields import show
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.results import Results

_ABSENT = object()


def recorded_truth(results: Results) -> CategoricalDistribution | None:
    """Return the law of generation 0 as it was recorded, if it is one over symbols; None: to be loaded again."""
    try:
        return results.truth
    except InputError:
        return None


def with_seed_of(experiment: Experiment, results: Results) -> Experiment:
    """Return the experiment with the seed of a file, if it has none of its own."""
    if experiment.run.seed is not None:
        return experiment
    return dataclasses.replace(experiment, run=dataclasses.replace(experiment.run, seed=results.experiment.run.seed))


def experiment_diff(
    experiment: Experiment,
    results: Results,
    truth: Any = None,
    first_replicate: int = 0,
) -> list[str]:
    """Return what differs between an experiment and a file, a key each with both values; nothing if they are the same.

    Parameters
    ----------
    truth : what the experiment's truth is, if it is loaded: its data file may have changed since.
    first_replicate : see `simulate`.
    """
    # model.family is the first of all keys
    old, new = _flat(results.experiment.to_mapping()), _flat(experiment.to_mapping())
    found = [
        f"{key} is {_shown(old.get(key, _ABSENT))} there, {_shown(new.get(key, _ABSENT))} here"
        for key in dict.fromkeys((*old, *new))
        if old.get(key, _ABSENT) != new.get(key, _ABSENT)
    ]
    if experiment.family != results.experiment.family:
        return found[:1]  # the other keys are those of the families
    if results.first_replicate != first_replicate:
        found.append(f"first_replicate is {results.first_replicate} there, {first_replicate} here")
    if not found and isinstance(truth, CategoricalDistribution) and not _same_truth(truth, results.truth):
        found.append(f"the data of [truth] are not what they were ({results.truth.source})")
    return found


def check_same_experiment(
    experiment: Experiment,
    results: Results,
    truth: Any = None,
    first_replicate: int = 0,
) -> None:
    """Refuse an experiment that is not the file's; see `experiment_diff`.

    Raises
    ------
    InputError
        Naming every key that differs, with both values.
    """
    found = experiment_diff(experiment, results, truth, first_replicate)
    if found:
        raise InputError(f"{results.path} holds another experiment: {'; '.join(found)}")


def check_coordinates(coordinates: Mapping[str, Any], results: Results) -> None:
    """Refuse a model whose coordinates are not the file's: what a truth reads from data files shows in them.

    The last digits may differ: eigenvalues round by the processor.

    Parameters
    ----------
    coordinates : name -> `Coordinate`, of the model.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    for name, coordinate in coordinates.items():
        there = results.coordinates[name].values if name in results.coordinates else np.empty(0)
        here = coordinate.values
        if there.shape != here.shape or not np.allclose(there, here, rtol=1e-6, atol=1e-9 * np.abs(here).max()):
            raise InputError(f"{results.path} holds another experiment: {name} of the data of [truth] has changed")


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted keys and values of nested mappings."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else show(value)


def _same_truth(one: CategoricalDistribution, other: CategoricalDistribution) -> bool:
    counts = (one.counts, other.counts)
    if (one.counts is None) != (other.counts is None):
        return False
    return (
        one.labels == other.labels
        and np.array_equal(one.probabilities, other.probabilities)
        and (one.counts is None or np.array_equal(*counts))  # type: ignore[arg-type]
    )
