"""Metrics of symmetric Gaussian mixtures: functions of the states that a model gives, `mu` and `log_sigma` (R, B), and
of the truth's `mu` and `sigma`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def mu(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return half the distance of the two means."""
    return states["mu"]


def log_sigma(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the log of the standard deviation of each half."""
    return states["log_sigma"]


def squared_error_mu(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (mu - mu_0)^2, in squared units of the data."""
    gap = states["mu"] - truth.mu
    return gap * gap


def squared_error_sigma(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (sigma - sigma_0)^2, in squared units of the data."""
    gap = np.exp(states["log_sigma"]) - truth.sigma
    return gap * gap


# Of points that are all the same, as a subsample with replacement may have them, the deviation is 0.
METRICS: dict[str, tuple] = {
    "mu": (mu, "half the distance of the means", "1"),
    "log_sigma": (log_sigma, "log of the standard deviation of a half", "1", (), (-np.inf,)),
    "squared_error_mu": (squared_error_mu, "squared distance of mu to that of the truth", "1"),
    "squared_error_sigma": (squared_error_sigma, "squared distance of sigma to that of the truth", "1"),
}


def metrics_of(block: Any, truth: Any, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), of a block with `states` against the truth."""
    return {name: np.ascontiguousarray(METRICS[name][0](block.states, truth)) for name in names}
