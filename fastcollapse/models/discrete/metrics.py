"""Metrics of discrete distributions, computed from sums over the live symbols.

Each metric takes `CountSums`, computed by the kernels of `fastcollapse.kernels.counts`, and returns float64 (R, B).
"""

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fastcollapse.models.discrete.engine import LABEL_FREE
from fastcollapse.models.roles import (
    NO_SIZES,
    Excluded,
    Limit,
    Reading,
    Role,
    SymbolModes,
    share_left,
    share_lost,
)
from fastcollapse.variables import Metric, Variable, metric_table


class CountSums(NamedTuple):
    """Sums over the symbols of states with n tokens, counts x and true probabilities p.

    All but `lost` are over the live symbols. No term is negative, so that nothing cancels where a state is close to the
    truth or to a single symbol.

    Attributes
    ----------
    support : float64 (R, B), number of live symbols.
    heterozygosity : float64 (R, B), sum x (n - x).
    entropy : float64 (R, B), sum x ln(n/x).
    distance : float64 (R, B), sum |x/n - p|.
    divergence : float64 (R, B), sum (x ln(x/(n p)) - x + n p).
    lost : float64 (R, B), sum p over the symbols without a count.
    total : int64 (B), number of tokens n.
    """

    support: np.ndarray
    heterozygosity: np.ndarray
    entropy: np.ndarray
    distance: np.ndarray
    divergence: np.ndarray
    lost: np.ndarray
    total: np.ndarray


def support_size(states: CountSums) -> np.ndarray:
    """Return the number of live symbols."""
    return states.support


def entropy(states: CountSums) -> np.ndarray:
    """Return the Shannon entropy of the state in nats, without a bias correction."""
    return np.maximum(0.0, states.entropy / states.total)


def heterozygosity(states: CountSums) -> np.ndarray:
    """Return 1 - sum p^2, the probability that two random tokens of the state differ."""
    total = states.total.astype(np.float64)
    return states.heterozygosity / total / total


def total_variation(states: CountSums) -> np.ndarray:
    """Return the total variation distance to the truth, half of the sum of |state - truth| over all symbols."""
    return np.clip(0.5 * (states.distance + states.lost), 0.0, 1.0)


def kl_divergence(states: CountSums) -> np.ndarray:
    """Return KL(state || truth) in nats; it is finite, because the truth contains all symbols of a state.

    It is sum p ((1 + r) ln(1 + r) - r) with r = x/(n p) - 1. The term of a lost symbol is p.
    """
    return np.maximum(0.0, states.divergence / states.total + states.lost)


def lost_mass(states: CountSums) -> np.ndarray:
    """Return the true probability of the symbols that are absent from the state."""
    return np.clip(states.lost, 0.0, 1.0)


METRICS = metric_table(
    Metric("support_size", Variable("number of live symbols"), support_size),
    Metric("entropy", Variable("Shannon entropy", "nat"), entropy),
    Metric("heterozygosity", Variable("heterozygosity 1 - sum p^2"), heterozygosity),
    Metric("total_variation", Variable("total variation distance to the truth"), total_variation),
    Metric("kl_divergence", Variable("Kullback-Leibler divergence KL(state || truth)", "nat"), kl_divergence),
    Metric("lost_mass", Variable("true probability of the lost symbols"), lost_mass),
)

# Metrics of runs with curation, which the model computes: means over the symbols of a state.
REWARD_METRICS = metric_table(
    Metric("expected_reward", Variable("expected reward E r of a token")),
    Metric("expected_exp_reward", Variable("expected exponential E e^r of the reward of a token")),
)

# Metrics of the spectrum engine: functions of the spectrum, and two that need the original counts of symbols.
SPECTRUM_METRICS = {name: METRICS[name] for name in LABEL_FREE} | metric_table(
    dataclasses.replace(METRICS["lost_mass"], on_request=True),
    Metric(
        "survival",
        Variable("share of the symbols of an original count that are alive", dims=("original_count",)),
        on_request=True,
    ),
)

ROLES: dict[str, Role] = {
    "risk": (
        Reading(("kl_divergence",), "KL(state || truth)", bound="it is at most ln(1/p) of the rarest symbol"),
        Reading(("total_variation",), "total variation distance to the truth", bound="it is at most 1"),
    ),
    "variance": (
        Reading(
            ("heterozygosity",),
            "heterozygosity 1 - sum p^2, the variance of a symbol's indicator vector, over the true one",
            share_left,
            {
                "replace": (Limit(True, "one symbol is left with probability 1 (heterozygosity_replace)"),),
                "accumulate": (Limit(False, "its mean tends to a positive limit (accumulate_limit)"),),
            },
        ),
    ),
    "scaling": NO_SIZES,
    "tails": (
        Reading(("lost_mass",), "true probability of the lost symbols"),
        Reading(("support_size",), "lost share of the symbols", share_lost),
    ),
    "modes": SymbolModes(),
    "invented": Excluded("a symbol without true probability is never drawn"),
}


def metrics_of(states: CountSums, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), from the sums of a block."""
    functions = {name: METRICS[name].function for name in names}
    return {name: np.ascontiguousarray(function(states)) for name, function in functions.items() if function}


def metrics_of_truth(probability: np.ndarray) -> dict[str, float]:
    """Return all metrics of generation 0, which is the truth `probability`, float64 (K).

    Examples
    --------
    >>> metrics_of_truth(np.array([0.5, 0.5]))["heterozygosity"]
    0.5
    """
    present = probability > 0.0
    live = probability if present.all() else probability[present]
    values = dict.fromkeys(METRICS, 0.0)
    values["support_size"] = float(live.shape[0])
    terms = np.log(live)  # one array of terms: a vocabulary may be large
    terms *= live
    # Adding 0.0 avoids -0.0 for one symbol.
    values["entropy"] = float(-terms.sum()) + 0.0
    np.subtract(1.0, live, out=terms)
    terms *= live
    values["heterozygosity"] = float(terms.sum())
    return values
