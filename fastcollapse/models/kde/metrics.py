"""Metrics of density estimates.

The moments are functions of the states `mean` and `variance` (R, B, d) and of `mean_of_truth` (R, 1, d). The model
computes the others, which need the points and the held-out points.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import Excluded, Limit, Reading, Role, Unanswered, share_left
from fastcollapse.variables import Metric, Variable, metric_table


def second_moment(quantities: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the mean squared distance of the points from the mean of the truth, averaged over the coordinates."""
    gap = quantities["mean"] - quantities["mean_of_truth"]
    return (quantities["variance"] + gap * gap).mean(axis=2)


def within_variance(quantities: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the variance of the points, with divisor N, averaged over the coordinates."""
    return quantities["variance"].mean(axis=2)


def centre(quantities: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the squared distance of the mean of the points from the mean of the truth."""
    gap = quantities["mean"] - quantities["mean_of_truth"]
    return (gap * gap).sum(axis=2)


METRICS = metric_table(
    Metric("nll", Variable("mean negative log density of held-out real points", "nat", missing=True)),
    Metric("ise", Variable("integrated squared error of the density", missing=True)),
    Metric("second_moment", Variable("mean square of a coordinate about the mean of the truth"), second_moment),
    Metric("within_variance", Variable("variance of a coordinate of the points"), within_variance),
    Metric("centre", Variable("squared distance of the mean of the points to that of the truth"), centre),
    Metric("w1", Variable("Wasserstein-1 distance to the truth, on a grid", missing=True), on_request=True),
    Metric("mmd", Variable("maximum mean discrepancy to the truth, kernel width 0.5", missing=True), on_request=True),
)


def _has_one_bandwidth(experiment: Any) -> bool:
    """Whether the bandwidth is a number."""
    return isinstance(experiment.model.bandwidth, int | float)


def _is_constant(experiment: Any) -> bool:
    """Whether the bandwidth does not change where all fits have the same size."""
    return _has_one_bandwidth(experiment) or experiment.model.bandwidth in ("scott", "silverman")


_GROWS = "its mean grows without bound{}, as its lower bound does (kde_nll_bounds)"
_BOUNDED = "it is at most (4 pi h^2)^(-d/2) plus the integral of the squared true density (kde_mise)"
ROLES: dict[str, Role] = {
    "risk": (
        Reading(
            ("nll",),
            "negative log density of held-out points",
            limits={
                "replace": (Limit(True, _GROWS.format(""), _is_constant),),
                "accumulate": (Limit(True, _GROWS.format(", as (d/2) ln ln t"), _has_one_bandwidth),),
            },
        ),
        Reading(
            ("ise",),
            "integrated squared error",
            limits={
                "replace": (Limit(False, _BOUNDED, _is_constant),),
                "accumulate": (Limit(False, _BOUNDED, _has_one_bandwidth),),
            },
        ),
    ),
    "variance": (Reading(("within_variance",), "variance of the points over the true one", share_left),),
    "scaling": Unanswered("a run of density estimates has one law of n_samples; a sweep has a grid"),
    "tails": Unanswered("a density estimate with normal kernels has tails at every bandwidth"),
    "modes": Unanswered("the modes of a density estimate are not counted"),
    "invented": Excluded("normal kernels and their truths have mass everywhere"),
}
