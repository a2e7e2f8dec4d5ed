"""Metrics of exponential laws: functions of the state `log_ratio` (R, B) and of the truth."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, Unanswered, variance_left
from fastcollapse.variables import Metric, Variable, metric_table


def log_ratio(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return ln(mean/mean_0)."""
    return states["log_ratio"]


def mean(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the mean of the law."""
    with np.errstate(over="ignore"):
        return truth.mean * np.exp(states["log_ratio"])


def squared_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (mean/mean_0 - 1)^2."""
    with np.errstate(over="ignore"):
        return np.expm1(states["log_ratio"]) ** 2


def theta_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return theta/theta_0 - 1 for theta = 1/mean."""
    with np.errstate(over="ignore"):
        return np.expm1(-states["log_ratio"])


METRICS = metric_table(
    Metric("log_ratio", Variable("log of the mean over the true one"), log_ratio),
    Metric("mean", Variable("mean of the law", limits=(math.inf,)), mean),
    Metric("squared_error", Variable("squared relative error of the mean", limits=(math.inf,)), squared_error),
    Metric("theta_error", Variable("relative error of theta = 1/mean", limits=(math.inf,)), theta_error),
)

ROLES: dict[str, Role] = {
    "risk": (
        Reading(
            ("squared_error",),
            "squared relative error of the mean",
            limits={
                "replace": (Limit(True, "its mean is (1 + 1/n)^t - 1 (exponential_mean_square)"),),
                "accumulate": (Limit(False, "its mean has a limit (exponential_mean_square_limit)"),),
            },
        ),
    ),
    "variance": (
        Reading(
            ("log_ratio",),
            "variance over the true one",
            variance_left,
            {"replace": (Limit(True, "the mean vanishes with probability 1 (exponential_mean_square)"),)},
        ),
    ),
    "scaling": NO_SIZES,
    "tails": Unanswered("the law has tails at every positive mean; the variance says how far they reach"),
    "modes": Excluded("an exponential law has one mode, at 0"),
    "invented": Excluded("the density of the truth is positive wherever that of a fit is"),
}
