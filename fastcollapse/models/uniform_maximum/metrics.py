"""Metrics of uniform laws: functions of the state `log_ratio` (R, B) and of the truth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, variance_left
from fastcollapse.variables import Metric, Variable, metric_table


def log_ratio(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return ln(theta/theta_0)."""
    return states["log_ratio"]


def theta(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return theta, the largest value of the law."""
    return truth.theta * np.exp(states["log_ratio"])


def total_variation(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the total variation distance to the truth, 1 - theta/theta_0."""
    return -np.expm1(states["log_ratio"])


def squared_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (theta/theta_0 - 1)^2."""
    return np.expm1(states["log_ratio"]) ** 2


METRICS = metric_table(
    Metric("log_ratio", Variable("log of theta over the true one"), log_ratio),
    Metric("theta", Variable("theta, the largest value of the law"), theta),
    Metric("total_variation", Variable("total variation distance to the truth"), total_variation),
    Metric("squared_error", Variable("squared relative error of theta"), squared_error),
)

ROLES: dict[str, Role] = {
    "risk": (Reading(("squared_error",), "squared relative error of theta", bound="theta is at most the true one"),),
    "variance": (
        Reading(
            ("log_ratio",),
            "variance over the true one",
            variance_left,
            {
                "replace": (Limit(True, "theta vanishes with probability 1 (uniform_maximum_moments)"),),
                "accumulate": (Limit(False, "theta stays that of the first fit (uniform_maximum_moments)"),),
            },
        ),
    ),
    "scaling": NO_SIZES,
    "tails": (Reading(("total_variation",), "true probability above theta"),),
    "modes": Excluded("a uniform law has no mode"),
    "invented": Excluded("theta is at most the true one"),
}
