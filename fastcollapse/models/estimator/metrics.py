"""Metrics of estimators: moments of the points of each fit, and the held-out likelihood that the estimator gives."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import Reading, Role, Unanswered, share_left
from fastcollapse.variables import Metric, Variable, metric_table

MEAN = Variable("mean of the points that the generation is fitted to", dims=("component",))
COVARIANCE = Variable(
    "covariance of the points that the generation is fitted to, divisor N", dims=("component", "other_component")
)


def within_variance(quantities: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the variance of the points, with divisor N, averaged over the coordinates."""
    return quantities["covariance"].diagonal(axis1=2, axis2=3).mean(axis=2)


def centre(quantities: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the squared distance of the mean of the points from the mean of the truth."""
    gap = quantities["mean"] - quantities["mean_of_truth"]
    return (gap * gap).sum(axis=2)


METRICS = metric_table(
    Metric("mean", MEAN, lambda quantities, truth: quantities["mean"]),
    Metric("covariance", COVARIANCE, lambda quantities, truth: quantities["covariance"]),
    Metric(
        "nll",
        Variable("mean negative log density of held-out real points", "nat", limits=(np.inf,), missing=True),
    ),
    Metric("within_variance", Variable("variance of a coordinate of the points"), within_variance),
    Metric("centre", Variable("squared distance of the mean of the points to that of the truth"), centre),
)
_UNKNOWN = "what the estimator of the user does is not known"
ROLES: dict[str, Role] = {
    "risk": (
        Reading(("nll",), "negative log density of held-out points"),
        Reading(("centre",), "squared distance of the mean to the true one"),
    ),
    "variance": (Reading(("within_variance",), "variance of the points over the true one", share_left),),
    "scaling": Unanswered("a run has one n_samples a generation; a sweep has a grid"),
    "tails": Unanswered(_UNKNOWN),
    "modes": Unanswered(_UNKNOWN),
    "invented": Unanswered(_UNKNOWN),
}
