"""Classes of the symbols of a truth: symbols with equal probabilities, and groups of classes by original count."""

from typing import Any, NamedTuple

import numpy as np

from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw

# Original counts up to this have a group of their own. Larger ones share a group with those up to 2^(1/8) times theirs.
_OWN_GROUP = 64
_GROUPS_PER_OCTAVE = 8


class Classes(NamedTuple):
    """Classes of symbols of one weight, in ascending order.

    Attributes
    ----------
    weights : float64 (C), above 0, whole counts if the truth has them.
    numbers : int64 (C), number of symbols, at least 1.
    """

    weights: np.ndarray
    numbers: np.ndarray


def truth_classes(truth: Any) -> Classes:
    """Return the classes of a `CountSpectrum` or a `CategoricalDistribution`."""
    if isinstance(truth, CountSpectrum):
        return Classes(truth.counts.astype(np.float64), truth.n_symbols)
    values = truth.probabilities if truth.counts is None else truth.counts
    weights, numbers = np.unique(values[values > 0], return_counts=True)
    return Classes(weights.astype(np.float64), numbers.astype(np.int64))


def original_groups(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest count of each group of original counts, and the group of each count.

    Parameters
    ----------
    counts : int64 (C), ascending, at least 1.

    Returns
    -------
    tuple of ndarray
        int64 (G), ascending, and int32 (C).

    Examples
    --------
    >>> original_groups(np.array([1, 2, 64, 100, 101, 120]))
    (array([  1,   2,  64, 100, 120]), array([0, 1, 2, 3, 3, 4], dtype=int32))
    """
    octaves = np.floor(_GROUPS_PER_OCTAVE * np.log2(counts / _OWN_GROUP))
    labels = np.where(counts <= _OWN_GROUP, counts, _OWN_GROUP + 1 + octaves.astype(np.int64))
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    groups = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(counts)))
    return counts[starts], groups.astype(np.int32)


def truth_metrics(truth: Any) -> dict[str, float]:
    """Return the label-free metrics of generation 0."""
    if isinstance(truth, ZipfMandelbrotLaw):
        probability, numbers = truth.classes()
    else:
        weights, numbers = truth_classes(truth)
        probability = weights / (weights @ numbers)
    live = probability > 0.0
    probability, numbers = probability[live], np.asarray(numbers, np.float64)[live]
    size = float(truth.size) if isinstance(truth, ZipfMandelbrotLaw) else float(numbers.sum())
    return {
        "support_size": size,
        "entropy": float(-(numbers @ (probability * np.log(probability)))) + 0.0,
        "heterozygosity": float(numbers @ (probability * (1.0 - probability))),
    }
