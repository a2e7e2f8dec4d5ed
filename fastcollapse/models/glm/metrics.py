"""Metrics of generalised linear models: functions of `GlmQuantities`.

After a separation a model has no coefficients: its errors are infinite.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.models.glm.setting import GlmSetting
from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, Unanswered
from fastcollapse.variables import Metric, Variable, metric_table

# Number of predictors that are computed at a time.
_CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class GlmQuantities:
    """The states of a block.

    Parameters
    ----------
    coefficients : float64 (R, B, p).
    separated : float64 (R, B), 1 after a fit to separated labels.
    setting : rows, truth and information of the run.
    """

    coefficients: np.ndarray
    separated: np.ndarray
    setting: GlmSetting

    def error(self, values: np.ndarray) -> np.ndarray:
        """Return values (R, B), infinite where the labels are separated."""
        return np.where(self.separated > 0, math.inf, values)


def squared_error(quantities: GlmQuantities, truth: Any) -> np.ndarray:
    """Return the squared distance between the coefficients and the true ones."""
    return quantities.error(((quantities.coefficients - quantities.setting.truth) ** 2).sum(axis=-1))


def information_error(quantities: GlmQuantities, truth: Any) -> np.ndarray:
    """Return e'Je for the error e of the coefficients and the Fisher information J of one label of each row."""
    gaps = quantities.coefficients - quantities.setting.truth
    # Not a BLAS product: its rounding depends on the number of errors.
    return quantities.error((np.einsum("rbj,jk->rbk", gaps, quantities.setting.factor) ** 2).sum(axis=-1))


def separated(quantities: GlmQuantities, truth: Any) -> np.ndarray:
    """Return 1 from the first generation on whose labels are separated, otherwise 0."""
    return quantities.separated


def excess_risk(quantities: GlmQuantities, truth: Any) -> np.ndarray:
    """Return the mean over rows of the Kullback-Leibler divergence of the law of a label from the true law."""
    setting = quantities.setting
    out = np.empty(quantities.separated.shape)
    flat, found = quantities.coefficients.reshape(-1, len(setting.truth)), out.reshape(-1)
    length = max(1, _CHUNK // len(setting.design))
    for start in range(0, len(flat), length):
        chosen = slice(start, start + length)
        # Not a BLAS product: its rounding depends on the number of models.
        predictors = np.einsum("kj,nj->kn", flat[chosen], setting.design)
        with np.errstate(invalid="ignore"):  # after a fit that failed
            found[chosen] = setting.divergence(predictors).mean(axis=1)
    return quantities.error(out)


_ERRORS = (math.inf,)
METRICS = metric_table(
    Metric(
        "squared_error",
        Variable("squared distance of the coefficients to the true ones", limits=_ERRORS),
        squared_error,
    ),
    Metric(
        "information_error",
        Variable("squared error of the coefficients, weighted by the information of one label a row", limits=_ERRORS),
        information_error,
    ),
    Metric("separated", Variable("1 from the first fit to separated labels on"), separated),
    Metric(
        "excess_risk",
        Variable("divergence of the law of a label from the true one, mean over rows", "nats", limits=_ERRORS),
        excess_risk,
        on_request=True,
    ),
)

_LIMITS = {
    "replace": (Limit(True, "for large samples its mean grows as t (pathway_factors)"),),
    "accumulate": (
        Limit(False, "for large samples its mean is at most pi^2/6 of that of the first fit (pathway_factors)"),
    ),
}
ROLES: dict[str, Role] = {
    "risk": (
        Reading(("squared_error",), "squared error of the coefficients", limits=_LIMITS),
        Reading(("information_error",), "squared error of the coefficients, by information", limits=_LIMITS),
    ),
    "variance": Unanswered("the variance of labels depends on the row; separation is the loss of all of it"),
    "scaling": NO_SIZES,
    "tails": Excluded("the law of a label has the support of the truth in every generation with finite coefficients"),
    "modes": Excluded("the law of a label has the modes of its family"),
    "invented": Excluded("the truth has mass at every label"),
}
