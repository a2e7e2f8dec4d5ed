"""Metrics of Poisson laws: functions of the state `rate` (R, B) and of the `rate` of the truth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, Unanswered, share_left
from fastcollapse.variables import Metric, Variable, metric_table


def rate(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the rate, the mean of a count."""
    return states["rate"]


def alive(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return 1 where the rate is positive and 0 where the law is extinct (rate 0)."""
    return (states["rate"] > 0).astype(np.float64)


def squared_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the squared distance between the rate and the true rate."""
    gap = states["rate"] - truth.rate
    return gap * gap


METRICS = metric_table(
    Metric("rate", Variable("rate, the mean of a count"), rate),
    Metric("alive", Variable("1 where the rate is positive"), alive),
    Metric("squared_error", Variable("squared distance of the rate to that of the truth"), squared_error),
)

ROLES: dict[str, Role] = {
    "risk": (
        Reading(
            ("squared_error",),
            "squared error of the rate",
            limits={
                "replace": (Limit(True, "its mean grows as t/n (poisson_rate_variance)"),),
                "accumulate": (
                    Limit(False, "its mean is at most pi^2/6 of that of the first fit (poisson_rate_variance)"),
                ),
            },
        ),
    ),
    "variance": (
        Reading(
            ("rate",),
            "rate, which is the variance, over the true one",
            share_left,
            {"replace": (Limit(True, "the rate is 0 at last with probability 1 (poisson_count_law)"),)},
        ),
    ),
    "scaling": NO_SIZES,
    "tails": Unanswered("a Poisson law has tails at every positive rate; the variance says how far they reach"),
    "modes": Excluded("a Poisson law has one mode, or two neighbours, at every rate"),
    "invented": Excluded("the truth has mass at every count"),
}
