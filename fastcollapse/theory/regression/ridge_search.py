"""Search for the best ridge of a fit, as a function of the effective ridge kappa."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from fastcollapse.theory.regression.effective_ridge import effective_ridge, rows_left

# Step of ln kappa in the search. The error has no narrower features: each eigenvalue is shrunk over about a
# decade of kappa.
_STEP = 0.25
# Factor beyond the extreme eigenvalues at which the ridge has no effect, or at which the fit is 0.
_MAX_FACTOR = 1e15


class RidgeSearch(ABC):
    """Minimum of an error as a function of ln kappa; the ridge is an explicit function of kappa.

    Parameters
    ----------
    values : [d], eigenvalues of Sigma.
    signal : [d], eigenvalues times squares of the truth.
    rows : number of rows of the fit.
    """

    def __init__(self, values: NDArray[np.float64], signal: NDArray[np.float64], rows: int) -> None:
        self.values, self.signal, self.rows = values, signal, rows
        self.min_kappa = float(effective_ridge(values, rows, 0.0))

    @abstractmethod
    def without_ridge(self) -> float:
        """Return the error at ridge 0."""

    @abstractmethod
    def errors(self, log_kappa: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the error and its derivative for each ln kappa."""

    def minimum(self) -> tuple[float, float]:
        """Return the optimal ridge and its error; the ridge is 0 or inf at the ends."""
        start = np.log(self.min_kappa) if self.min_kappa > 0 else np.log(self.values.min() / _MAX_FACTOR)
        log_kappa = np.arange(start, np.log(self.values.max() * _MAX_FACTOR), _STEP)
        error, slope = self.errors(log_kappa)
        i = int(np.argmin(error))
        if slope[i] > 0:
            i -= 1
        if i == len(log_kappa) - 1:
            return np.inf, float(self.signal.sum())
        if i < 0:
            return 0.0, self.without_ridge()
        minimum = log_kappa[i]
        if slope[i] < 0 < slope[i + 1]:
            minimum = brentq(
                lambda x: float(self.errors(np.array([x]))[1][0]), log_kappa[i], log_kappa[i + 1], xtol=1e-14
            )
        return self._ridge(float(np.exp(minimum))), float(self.errors(np.array([minimum]))[0][0])

    def _ridge(self, kappa: float) -> float:
        return kappa * max(float(rows_left(self.values, self.rows, kappa)[0]), 0.0) / self.rows
