"""Metrics of discrete distributions: functions of the sums that a pass over the live symbols leaves.

Each takes `CountSums`, which `fastcollapse.kernels.counts.live_counts.segment_sums` leaves, and returns float64 (R, B).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fastcollapse.variables import Metric, Variable, metric_table


class CountSums(NamedTuple):
    """Sums over the live symbols of states of `total` tokens, x the counts and p the truth.

    Each is float64 (R, B): the number of live symbols, sum x^2, sum x ln x, sum |x/total - p|, sum x ln p, sum p;
    `total` is (B).
    """

    support: np.ndarray
    squares: np.ndarray
    x_log_x: np.ndarray
    distance: np.ndarray
    x_log_p: np.ndarray
    covered: np.ndarray
    total: np.ndarray


def support_size(states: CountSums) -> np.ndarray:
    """Return the number of symbols that are still alive."""
    return states.support


def entropy(states: CountSums) -> np.ndarray:
    """Return the Shannon entropy of the state, in nats (that of the distribution itself, no bias correction)."""
    return np.maximum(0.0, np.log(states.total) - states.x_log_x / states.total)


def heterozygosity(states: CountSums) -> np.ndarray:
    """Return 1 - sum p^2, the chance that two tokens of the state differ."""
    total = states.total.astype(np.float64)
    return np.maximum(0.0, 1.0 - states.squares / total / total)


def total_variation(states: CountSums) -> np.ndarray:
    """Return the total variation distance to the truth, half the sum of |state - truth| over all symbols."""
    return np.clip(0.5 * (states.distance + lost_mass(states)), 0.0, 1.0)


def kl_divergence(states: CountSums) -> np.ndarray:
    """Return KL(state || truth) in nats; finite, for a state has no symbol that the truth lacks."""
    return np.maximum(0.0, (states.x_log_x - states.x_log_p) / states.total - np.log(states.total))


def lost_mass(states: CountSums) -> np.ndarray:
    """Return the probability that the truth gives to symbols the state has lost."""
    return np.clip(1.0 - states.covered, 0.0, 1.0)


METRICS = metric_table(
    Metric("support_size", Variable("number of live symbols"), support_size),
    Metric("entropy", Variable("Shannon entropy", "nat"), entropy),
    Metric("heterozygosity", Variable("heterozygosity 1 - sum p^2"), heterozygosity),
    Metric("total_variation", Variable("total variation distance to the truth"), total_variation),
    Metric("kl_divergence", Variable("Kullback-Leibler divergence KL(state || truth)", "nat"), kl_divergence),
    Metric("lost_mass", Variable("true probability of the lost symbols"), lost_mass),
)


def metrics_of(states: CountSums, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), of the sums of a block."""
    functions = {name: METRICS[name].function for name in names}
    return {name: np.ascontiguousarray(function(states)) for name, function in functions.items() if function}


def metrics_of_truth(probability: np.ndarray) -> dict[str, float]:
    """Return every metric of generation 0, the truth itself, float64 (K).

    Examples
    --------
    >>> metrics_of_truth(np.array([0.5, 0.5]))["heterozygosity"]
    0.5
    """
    live = probability[probability > 0.0]
    values = dict.fromkeys(METRICS, 0.0)
    values["support_size"] = float(live.shape[0])
    # Of one symbol it is 0.0, not -0.0.
    values["entropy"] = float(-(live * np.log(live)).sum()) + 0.0
    values["heterozygosity"] = float(1.0 - (live * live).sum())
    return values
