"""Metrics of symmetric Gaussian mixtures.

They are functions of the states `mu` and `log_sigma` (R, B), and of `mu` and `sigma` of the truth.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Reading, Role, Unanswered, variance_left
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


def lost_mode(mu: np.ndarray, log_sigma: np.ndarray) -> np.ndarray:
    """Return the lost share of the two modes: the density has one mode where mu <= sigma, and two elsewhere."""
    return np.where(mu <= np.exp(np.minimum(log_sigma, 700.0)), 0.5, 0.0)


ROLES: dict[str, Role] = {
    "risk": (
        Reading(("squared_error_mu",), "squared error of mu"),
        Reading(("squared_error_sigma",), "squared error of sigma"),
    ),
    "variance": (Reading(("log_sigma",), "variance of a component over the true one", variance_left),),
    "scaling": NO_SIZES,
    "tails": Unanswered("a mixture has tails at every positive variance; the variance says how far they reach"),
    "modes": (Reading(("mu", "log_sigma"), "lost share of the two modes, which merge where mu <= sigma", lost_mode),),
    "invented": Excluded("the density of the truth is positive everywhere"),
}
