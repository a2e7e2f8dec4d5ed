"""Rows, true coefficients and Fisher information of a run of a generalised linear model."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit

from fastcollapse.errors import InputError
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.kernels.regression.newton_glm import (
    FITTED,
    LOGISTIC,
    POISSON,
    SEPARATED,
    fit,
    new_workspace,
    rows_of,
)
from fastcollapse.models.glm.truth import FixedRows

_KERNEL_RESPONSES = {"logistic": LOGISTIC, "poisson": POISSON}
# The largest predictor of a Poisson label: its mean is 1e15.
_LARGEST_LOG_RATE = 34.5


@dataclass(frozen=True, eq=False)
class GlmSetting:
    """What the chains and the metrics of a run need.

    Parameters
    ----------
    design : float64 (n, p), the rows.
    response : law of the labels.
    truth : float64 (p), true coefficients.
    factor : float64 (p, p), lower-triangular L with L L' = J, the Fisher information of one label of each row.
    """

    design: np.ndarray
    response: str
    truth: np.ndarray
    factor: np.ndarray

    @property
    def kernel_response(self) -> int:
        """Number of the response in kernels."""
        return _KERNEL_RESPONSES[self.response]

    def inverse_factor(self) -> np.ndarray:
        """Return L'^-1, float64 (p, p), which maps an error of the unit information to one of the coefficients."""
        return solve_triangular(self.factor, np.eye(len(self.factor)), lower=True).T

    def divergence(self, predictors: np.ndarray) -> np.ndarray:
        """Return the divergence of labels of predictors from the true law, float64 (..., n)."""
        true = np.einsum("nj,j->n", self.design, self.truth)
        if self.response == "gaussian":
            return 0.5 * (predictors - true) ** 2
        if self.response == "poisson":
            return np.exp(predictors) - np.exp(true) * (1 + predictors - true)
        mean = expit(true)
        return np.logaddexp(0, predictors) - np.logaddexp(0, true) - mean * (predictors - true)


def setting_of(truth: FixedRows, response: str) -> GlmSetting:
    """Return the setting of a run; where the user gives labels, the truth is the fit to them.

    Raises
    ------
    InputError
        The labels are not those of the response, or have no fit.
    """
    with one_blas_thread():
        coefficients = truth.coefficients if truth.labels is None else _fit(truth.design, truth.labels, response)
        assert coefficients is not None
        predictors = truth.design @ coefficients
        if response == "poisson" and predictors.max() > _LARGEST_LOG_RATE:
            raise InputError(
                f"truth.coefficients must give rates of at most 1e15, got the predictor {predictors.max():.3g}"
            )
        mean = expit(predictors) if response == "logistic" else np.exp(predictors)
        weights = {"logistic": mean * expit(-predictors), "poisson": mean}.get(response, np.ones_like(predictors))
        information = truth.design.T @ (weights[:, None] * truth.design)
        try:
            factor = np.linalg.cholesky(information)
        except np.linalg.LinAlgError:
            largest = np.abs(predictors).max()
            raise InputError(
                "truth.coefficients must give labels that determine the coefficients, got predictors "
                f"up to {largest:.3g}, whose labels have no variance"
            ) from None
    return GlmSetting(truth.design, response, coefficients, factor)


def _fit(design: np.ndarray, labels: np.ndarray, response: str) -> np.ndarray:
    """Return the coefficients of maximum likelihood of the labels of the user, float64 (p)."""
    _check_labels(labels, response)
    if response == "gaussian":
        return np.linalg.lstsq(design, labels, rcond=None)[0]
    rows = rows_of(design, _KERNEL_RESPONSES[response])
    found, work = np.zeros(design.shape[1]), new_workspace(*rows.blocks.shape)
    status = fit(rows.blocks, rows.n_rows, rows.response, design.T @ labels, 1.0, work, found)
    if status == SEPARATED:
        problem = "that no linear function of the inputs separates: their fit has no finite coefficients"
        raise InputError(f"the labels of the truth must be such {problem}; truth.columns takes fewer inputs")
    if status != FITTED:
        raise InputError("the labels of the truth must have a fit that Newton's method finds, got none in 1000 steps")
    return found


def _check_labels(labels: np.ndarray, response: str) -> None:
    """Refuse labels that are not those of the response, or are all equal."""
    allowed, wrong = {
        "logistic": ("0 or 1 for a logistic response; truth.above sets a threshold", ~np.isin(labels, (0, 1))),
        "poisson": ("counts, whole numbers from 0, for a Poisson response", (labels < 0) | (labels % 1 != 0)),
    }.get(response, ("numbers", np.zeros(len(labels), bool)))
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(f"the labels of the truth must be {allowed}, got {labels[i]:g} in row {i + 1}")
    if (labels == labels[0]).all():
        raise InputError(f"the labels of the truth must not be all equal, got {len(labels)} times {labels[0]:g}")
