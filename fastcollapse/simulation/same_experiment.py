"""Compare an experiment with the one recorded in a results file."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.config.dotted_keys import flat
from fastcollapse.config.fields import show
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, StoredTruth, ZipfMandelbrotLaw, stored_truth
from fastcollapse.datasets.data_files import changed_files, hash_files
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun

_ABSENT = object()
# The key that `simulate(model=...)` sets.
_CODE = "model.factory"


def recorded_truth(results: RecordedRun) -> StoredTruth | None:
    """Return the recorded truth; None for a family without one in its files, whose truth is loaded again."""
    return None if results.reader.header.truth is None else results.truth


def with_seed_of(experiment: Experiment, results: RecordedRun) -> Experiment:
    """Return the experiment with its own seed, or with the seed of the results."""
    if experiment.run.seed is not None:
        return experiment
    return dataclasses.replace(experiment, run=dataclasses.replace(experiment.run, seed=results.experiment.run.seed))


def experiment_diff(
    experiment: Experiment,
    results: RecordedRun,
    truth: Any = None,
    first_replicate: int = 0,
) -> list[str]:
    """Return the differences between an experiment and the recorded one: a line for each key, with both values.

    Parameters
    ----------
    experiment : the experiment.
    results : results of the recorded experiment.
    truth : the loaded truth of the experiment, or None. It differs if a data file has changed.
    first_replicate : see `simulate`.
    """
    old, new = flat(results.experiment.to_mapping()), flat(experiment.to_mapping())
    differences = [
        f"{key} is {_value_text(old.get(key, _ABSENT))} there, {_value_text(new.get(key, _ABSENT))} here"
        + (" (give model=, the code of the user)" if key == _CODE and key not in new else "")
        for key in dict.fromkeys((*old, *new))
        if old.get(key, _ABSENT) != new.get(key, _ABSENT)
    ]
    if experiment.family != results.experiment.family:
        return differences[:1]  # model.family; the other keys depend on it
    if results.engine and experiment.model.to_mapping().get("engine") == results.engine:
        # A named engine is the one that the rule has chosen there.
        differences = [line for line in differences if not line.startswith("model.engine is absent there")]
    has_same_words = isinstance(truth, StoredTruth) and same_truth(truth, results.truth)
    if has_same_words and not results.inputs:  # version 0.1 had no key for the rule that gives these words
        differences = [line for line in differences if not line.startswith("truth.token_pattern ")]
    if results.first_replicate != first_replicate:
        differences.append(f"first_replicate is {results.first_replicate} there, {first_replicate} here")
    current = dict(experiment.inputs)
    if truth is not None:
        files = experiment.sampling.files if experiment.sampling else ()
        current |= {**truth.inputs, **hash_files(files, experiment.base)}
    differences += changed_files(results.inputs, current)
    # For a file of version 0.1, without hashes, and if this version reads the same data file otherwise.
    if not differences and isinstance(truth, StoredTruth) and not has_same_words:
        differences.append(f"the data of [truth] are not what they were ({results.truth.source})")
    return differences


def check_same_experiment(
    experiment: Experiment,
    results: RecordedRun,
    truth: Any = None,
    first_replicate: int = 0,
    advice: str = "",
) -> None:
    """Refuse an experiment that differs from the recorded one; see `experiment_diff`.

    Parameters
    ----------
    advice : text at the end of the message.

    Raises
    ------
    InputError
        The experiments differ; the message has every key with both values.
    """
    differences = experiment_diff(experiment, results, truth, first_replicate)
    if differences:
        raise InputError(f"{results.path} holds another experiment: {'; '.join(differences)}{advice}")


def check_coordinates(coordinates: Mapping[str, Any], results: RecordedRun) -> None:
    """Refuse a model whose coordinates differ from those of the results, because its data files changed.

    The last digits may differ: the rounding of eigenvalues depends on the processor.

    Parameters
    ----------
    coordinates : name -> coordinate, of the model.
    results : the recorded run.

    Raises
    ------
    InputError
        The coordinates differ; the message names the first.
    """
    for name, coordinate in coordinates.items():
        recorded = results.coordinates[name].values if name in results.coordinates else np.empty(0)
        values = coordinate.values
        if recorded.shape != values.shape or not np.allclose(
            recorded, values, rtol=1e-6, atol=1e-9 * np.abs(values).max()
        ):
            raise InputError(f"{results.path} holds another experiment: {name} of the data of [truth] has changed")


def _value_text(value: Any) -> str:
    return "absent" if value is _ABSENT else show(value)


def same_truth(one: StoredTruth, recorded: StoredTruth) -> bool:
    """Whether a loaded truth is the recorded one: the same sentences, law, or labels, counts and probabilities.

    Parameters
    ----------
    one : the loaded truth, of any form.
    recorded : the form that the engine of the run records.
    """
    if isinstance(one, Sentences) or isinstance(recorded, Sentences):
        return isinstance(one, Sentences) and isinstance(recorded, Sentences) and one.has_same_words(recorded)
    if one.support_size != recorded.support_size:
        return False
    if not isinstance(recorded, CategoricalDistribution):
        one = stored_truth(one, "spectrum") or one
        if isinstance(one, CountSpectrum) and isinstance(recorded, CountSpectrum):
            same_counts = np.array_equal(one.counts, recorded.counts)
            return same_counts and np.array_equal(one.n_symbols, recorded.n_symbols)
        return isinstance(one, ZipfMandelbrotLaw) and one == recorded
    one = one if isinstance(one, CategoricalDistribution) else one.expand()
    if (one.counts is None) != (recorded.counts is None):
        return False
    return (
        one.labels == recorded.labels
        and np.array_equal(one.probabilities, recorded.probabilities)
        and (one.counts is None or np.array_equal(one.counts, recorded.counts))  # type: ignore[arg-type]
    )
