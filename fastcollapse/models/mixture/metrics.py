"""Metrics of symmetric Gaussian mixtures.

They are functions of the states `mu` and `log_sigma` (R, B), and of `mu` and `sigma` of the truth.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.variables import Metric, Variable, metric_table


def mu(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return half the distance between the two means."""
    return states["mu"]


def log_sigma(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the log of the standard deviation of each component."""
    return states["log_sigma"]


def squared_error_mu(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (mu - mu_0)^2 in squared units of the data."""
    gap = states["mu"] - truth.mu
    return gap * gap


def squared_error_sigma(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return (sigma - sigma_0)^2 in squared units of the data."""
    gap = np.exp(states["log_sigma"]) - truth.sigma
    return gap * gap


METRICS = metric_table(
    Metric("mu", Variable("half the distance of the means"), mu),
    # A subsample with replacement may contain one point only; its deviation is then 0.
    Metric("log_sigma", Variable("log of the standard deviation of a half", limits=(-np.inf,)), log_sigma),
    Metric("squared_error_mu", Variable("squared distance of mu to that of the truth"), squared_error_mu),
    Metric("squared_error_sigma", Variable("squared distance of sigma to that of the truth"), squared_error_sigma),
)
