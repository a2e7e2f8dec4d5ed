"""Optimal ridge for labels of the truth and for labels of a generator, in the limit of many dimensions.

Notation
--------
T : number of rows of the fit, at least 1; broadcast against `generator_error`.
sigma : standard deviation of the noise on the labels of the fit, 0 to 1e30.
generator_error : error D of the generator of the labels, the same in all directions, 0 to 1e60: 0 for the truth,
    `ols_error_mean` for a chain of least-squares generators.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from fastcollapse.theory.arguments import (
    coordinates,
    covariance_spectrum,
    integer,
    integers,
    real,
    reals,
    together,
)
from fastcollapse.theory.regression.effective_ridge import rows_left
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents
from fastcollapse.theory.regression.ridge_search import RidgeSearch

MAX_DIMENSIONS = 10**9
# Number of (kappa, dimension) values that are computed at once.
_CHUNK = 1_000_000


def optimal_ridge(
    spectrum: ArrayLike, w0: ArrayLike, T: ArrayLike, sigma: float, generator_error: ArrayLike = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ridge that minimises the error of `ridge_equivalents`, and that error.

    The error is bias + sigma^2 variance + synthetic D.

    Parameters
    ----------
    spectrum : [d], eigenvalues of Sigma, 1e-40 to 1e40.
    w0 : [d], coordinates of the truth in the eigenbasis of Sigma, -1e30 to 1e30.
    T : number of rows of the fit, at least 1; broadcast against `generator_error`. 10**15 rows give the limit
        of many rows, a plateau of the error for D > 0.
    sigma, generator_error : see `Notation` of the module.

    Returns
    -------
    ridge, error : float64, broadcast shape of `T` and `generator_error`, asymptotic in d; the ridge is 0 where
        no ridge is optimal, and inf where the best fit is 0.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> ridge, error = optimal_ridge([1.0] * 300, [300**-0.5] * 300, 1000, 0.5, [0.0, 1.0])
    >>> ridge.round(5), error.round(5)
    (array([0.075  , 0.95952]), array([0.0934 , 0.55941]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth = coordinates("w0", w0, values.size)
    noise = real("sigma", sigma, 0, 1e30)
    rows, synthetic = together(
        T=integers("T", T, 1), generator_error=reals("generator_error", generator_error, 0, 1e60)
    )
    ridge, error = np.zeros(rows.size), np.zeros(rows.size)
    for i in range(rows.size):
        search = _Search(values, truth, int(rows.flat[i]), noise, float(synthetic.flat[i]))
        ridge[i], error[i] = search.minimum()
    return ridge.reshape(rows.shape), error.reshape(rows.shape)


def isotropic_optimal_ridge(
    d: int, T: ArrayLike, sigma: float, w0_square: float, generator_error: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Return the optimal ridge for Sigma = I.

    It is the root of ridge (|w0|^2 + D) = sigma^2 d/T + D (1+kappa) (1-u)^2, with kappa and u of
    `isotropic_equivalents`. For D = 0 this is sigma^2 d/(T |w0|^2), and (sigma^2 d/T + D)/|w0|^2 for T much
    larger than d.

    Parameters
    ----------
    d : number of dimensions, 1 to 10**9.
    w0_square : |w0|^2, 1e-60 to 1e60.
    T, sigma, generator_error : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `generator_error`; exact for D = 0, otherwise asymptotic in d.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> isotropic_optimal_ridge(300, 1000, 0.5, 1.0, [0.0, 1.0]).round(5)
    array([0.075  , 0.95952])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    length = real("w0_square", w0_square, 1e-60, 1e60)
    rows, synthetic = together(
        T=integers("T", T, 1), generator_error=reals("generator_error", generator_error, 0, 1e60)
    )
    ridge = np.zeros(rows.size)
    for i, (size, error) in enumerate(zip(rows.flat, synthetic.flat, strict=True)):
        phi = dimensions / float(size)
        ridge[i] = _isotropic_root(phi, noise**2 * phi / length, float(error) / length)
    return ridge.reshape(rows.shape)


def _isotropic_root(phi: float, clean: float, error: float) -> float:
    """Return the root of ridge (1 + error) = clean + error (1+kappa) (1-u)^2."""

    def excess(ridge: float) -> float:
        half = (ridge + phi - 1) / 2
        root = float(np.hypot(half, np.sqrt(ridge)))
        kappa = half + root if half >= 0 else ridge / (root - half)
        # (1+kappa)(1-u) = 2 root, by the derivative of ridge with respect to kappa.
        return ridge - clean + error * (ridge - 4 * root**2 / (1 + kappa))

    # Due to rounding either end may be the root.
    high = clean + error * (1 + phi)
    if excess(clean) >= 0:
        return clean
    return float(brentq(excess, clean, high, xtol=1e-300, rtol=1e-14, maxiter=2000)) if excess(high) > 0 else high


class _Search(RidgeSearch):
    """The error of a fit to labels of the truth or of a generator."""

    def __init__(
        self, values: NDArray[np.float64], truth: NDArray[np.float64], rows: int, noise: float, synthetic: float
    ) -> None:
        super().__init__(values, values * truth**2, rows)
        self.truth = truth
        self.noise_variance, self.error_per_dimension = noise**2, synthetic / values.size

    def without_ridge(self) -> float:
        """Return the error at ridge 0."""
        bias, variance, synthetic = ridge_equivalents(self.values, self.truth, self.rows, 0.0)
        noise_part = self.noise_variance * float(variance) if self.noise_variance > 0 else 0.0
        return float(bias) + noise_part + float(synthetic) * self.error_per_dimension * self.values.size

    def errors(self, log_kappa: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the error and its derivative for each ln kappa."""
        error, slope = np.zeros(log_kappa.size), np.zeros(log_kappa.size)
        step = max(1, _CHUNK // self.values.size)
        for first in range(0, log_kappa.size, step):
            part = slice(first, first + step)
            kappa = np.exp(log_kappa[part])[:, None]
            # With respect to ln kappa: dp = pq and dq = -pq.
            p, q = kappa / (self.values + kappa), self.values / (self.values + kappa)
            spare = rows_left(self.values, self.rows, kappa[:, 0])[1]
            bias, bias_slope = p**2 @ self.signal, 2 * (p**2 * q) @ self.signal
            df_2, df_2_slope = (q**2).sum(axis=1), -2 * (q**2 * p).sum(axis=1)
            square, square_slope = (p**2).sum(axis=1), 2 * (p**2 * q).sum(axis=1)
            ratio, ratio_slope = df_2 / spare, df_2_slope * self.rows / spare**2
            leak, leak_slope = (
                bias + self.noise_variance + self.error_per_dimension * square,
                bias_slope + self.error_per_dimension * square_slope,
            )
            error[part] = bias + self.error_per_dimension * df_2 + ratio * leak
            slope[part] = bias_slope + self.error_per_dimension * df_2_slope + ratio_slope * leak + ratio * leak_slope
        return error, slope
