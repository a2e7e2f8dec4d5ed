"""Rows, true coefficients and Fisher information of a run of a generalised linear model."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import linprog
from scipy.special import expit

from fastcollapse.errors import InputError
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.kernels.regression.newton_glm import LOGISTIC, POISSON
from fastcollapse.models.glm.truth import FixedRows

# The fit to labels of the user: from such a predictor on they may be separated; the last change of one; steps.
_FAR, _LAST_STEP, _MOST_STEPS = 12.0, 1e-7, 1000
# The least sum of x d, each at most 1 in size, that is not rounding of the linear program.
_SEPARATED = 1e-7
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
        start, mean, _ = law_of(self.response, true)
        return law_of(self.response, predictors)[0] - start - mean * (predictors - true)


def law_of(response: str, predictors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cumulant, minus the log-likelihood apart from label times predictor; and mean and variance of labels.

    Examples
    --------
    >>> [values.round(4).tolist() for values in law_of("logistic", np.array([0.0]))]
    [[0.6931], [0.5], [0.25]]
    """
    if response == "logistic":
        mean = expit(predictors)
        return np.logaddexp(0, predictors), mean, mean * expit(-predictors)
    if response == "poisson":
        with np.errstate(over="ignore"):
            mean = np.exp(predictors)
        return mean, mean, mean
    return 0.5 * predictors**2, predictors, np.ones_like(predictors)


def given_coefficients(truth: FixedRows) -> str:
    """Return what gives the true coefficients, in the words of a message."""
    return "truth.coefficients and truth.norm" if truth.labels is None else "the fit to the labels of the truth"


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
            given = "truth.coefficients and truth.norm" if truth.labels is None else "the labels of the truth"
            raise InputError(f"{given} must give rates of at most 1e15, got the predictor {predictors.max():.3g}")
        weights = law_of(response, predictors)[2]
        information = truth.design.T @ (weights[:, None] * truth.design)
        try:
            factor = np.linalg.cholesky(information)
        except np.linalg.LinAlgError:
            largest = np.abs(predictors).max()
            raise InputError(
                f"{given_coefficients(truth)} must give labels that determine the coefficients, got predictors "
                f"up to {largest:.3g}, whose labels have no variance"
            ) from None
    return GlmSetting(truth.design, response, coefficients, factor)


def _fit(design: np.ndarray, labels: np.ndarray, response: str) -> np.ndarray:
    """Return the coefficients of maximum likelihood of the labels of the user, float64 (p), by Newton's method."""
    _check_labels(labels, response)
    if response == "gaussian":
        return np.linalg.lstsq(design, labels, rcond=None)[0]
    found, is_far = np.zeros(design.shape[1]), False
    for _ in range(_MOST_STEPS):
        predictors = design @ found
        if not is_far and np.abs(predictors).max() > _FAR:
            is_far = True
            if is_separated(design, labels, response):
                problem = "that no linear function of the inputs separates, so that their fit has finite coefficients"
                raise InputError(f"the labels of the truth must be such {problem}; truth.columns takes fewer inputs")
        cumulants, mean, weights = law_of(response, predictors)
        try:
            step = np.linalg.solve(design.T @ (weights[:, None] * design), design.T @ (labels - mean))
        except np.linalg.LinAlgError:
            break
        changes, share = design @ step, 1.0
        if not np.isfinite(changes).all():
            break
        # A step that changes no predictor by more than 1 raises the likelihood.
        while share * np.abs(changes).max() > 1:
            rises = law_of(response, predictors + share * changes)[0] - cumulants - share * labels * changes
            if rises.sum() < 0:
                break
            share /= 2
        found = found + share * step
        if np.abs(changes).max() < _LAST_STEP:
            return found
    raise InputError("the labels of the truth must have a fit that Newton's method finds, got a singular one")


def is_separated(design: np.ndarray, labels: np.ndarray, response: str) -> bool:
    """Whether the likelihood of labels has no maximum, by a linear program.

    Logistic labels are separated if a direction d has x d >= 0 where the label is 1, x d <= 0 where it is 0, and not
    x d = 0 in all rows; counts, if a direction has x d = 0 where they are positive, x d <= 0 where they are 0, and not
    always x d = 0.

    References
    ----------
    Albert and Anderson, Biometrika 71 (1984).
    """
    # The solver takes small entries for 0.
    side = np.where(labels > 0, 1.0, -1.0)[:, None] * (design / np.abs(design).max(axis=0))
    most = np.where((labels > 0) & (response == "poisson"), 0.0, 1.0)
    constraints = {"A_ub": np.vstack([side, -side]), "b_ub": np.concatenate([most, np.zeros(len(labels))])}
    found = linprog(-side.sum(axis=0), **constraints, bounds=(None, None), method="highs")
    return found.status == 0 and -found.fun > _SEPARATED


def _check_labels(labels: np.ndarray, response: str) -> None:
    """Refuse labels that are not those of the response, or are all equal without a fit."""
    allowed, wrong = {
        "logistic": ("0 or 1 for a logistic response; truth.above sets a threshold", ~np.isin(labels, (0, 1))),
        "poisson": ("counts, whole numbers from 0, for a Poisson response", (labels < 0) | (labels % 1 != 0)),
    }.get(response, ("numbers", np.zeros(len(labels), bool)))
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(f"the labels of the truth must be {allowed}, got {labels[i]:g} in row {i + 1}")
    has_fit = response == "gaussian" or (response == "poisson" and labels[0] > 0)
    if (labels == labels[0]).all() and not has_fit:
        raise InputError(f"the labels of the truth must not be all equal, got {len(labels)} times {labels[0]:g}")
