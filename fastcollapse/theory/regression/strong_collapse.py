"""Strong collapse: ridge regression on real and synthetic rows together.

Of T rows with covariance Sigma, T2 have synthetic labels, of weights w0 + delta, and the others have real ones, of w0.
The fit is (S + ridge)^{-1} X'y/T. Its excess error is bias + variance + zeta + cross: zeta is quadratic in delta, and
cross is the product of bias and synthetic part. zeta does not vanish for many rows, so that the error has a plateau,
share^2 |delta|_Sigma^2 without a ridge, share = T2/T. The best ridge is slightly below it.

The equivalents have a relative error O(1/d). Without a ridge, and with at least as many rows as dimensions, they are
replaced by exact values.

Notation
--------
spectrum : [d], eigenvalues lambda_j of Sigma, 1e-40 to 1e40.
w0 : [d], coordinates of the truth in the eigenbasis of Sigma, -1e30 to 1e30.
delta : [d], expected synthetic weights less w0 in this basis, -1e30 to 1e30.
T, T2 : number of rows of the fit, at least 1, and how many of them are synthetic, 0 to T; broadcast against `ridge`.
ridge : ridge of the fit, 0 to 1e40.
sigma : standard deviation of the noise on real labels, 0 to 1e30.
sigma2 : of the noise on synthetic labels; by default `sigma`.
delta_square : [d], expected squares of synthetic weights less w0; by default those of `delta`. A random delta of mean 0
    has `delta` 0 and its variances here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import (
    coordinates,
    covariance_spectrum,
    real,
    reals,
    require,
    together,
)
from fastcollapse.theory.mixed_row_counts import mixed_row_counts
from fastcollapse.theory.regression.effective_ridge import effective_ridge, rows_left
from fastcollapse.theory.regression.mixed_rows import mixed_rows_factor
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents
from fastcollapse.theory.regression.ridge_search import RidgeSearch

# Number of (row, dimension) values that are computed at once.
_CHUNK = 1_000_000


class MixedParts(NamedTuple):
    """The parts of the error of a fit to real and synthetic rows, float64 arrays of one shape."""

    bias: NDArray[np.float64]
    variance: NDArray[np.float64]
    zeta: NDArray[np.float64]
    cross: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """The sum of the parts; cross is at least minus the bias and zeta together."""
        return self.bias + self.variance + self.zeta + self.cross


def mixed_row_parts(
    spectrum: ArrayLike,
    w0: ArrayLike,
    delta: ArrayLike,
    T: ArrayLike,
    T2: ArrayLike,
    ridge: ArrayLike,
    sigma: float,
    sigma2: float | None = None,
    delta_square: ArrayLike | None = None,
) -> MixedParts:
    """Return the parts of the error of a ridge fit to real and synthetic rows.

    With share = T2/T, q_j = lambda_j/(lambda_j + kappa) and u = df_2(kappa)/T

    - bias and variance are those of `ridge_equivalents`, the noise being (1 - share) sigma^2 + share sigma2^2;
    - zeta = sum_j lambda_j E[delta_j^2] [share^2 (q_j - u)^2 + share u (1 - share u)]/(1-u);
    - cross = -2 share sum_j lambda_j w0_j E[delta_j] (1 - q_j) (q_j - u)/(1-u).

    Parameters
    ----------
    spectrum, w0, delta, T, T2, ridge, sigma, sigma2, delta_square : see `Notation` of the module.

    Returns
    -------
    bias, variance, zeta, cross : float64, broadcast shape of `T`, `T2` and `ridge`, asymptotic in d; with the sum as
        `error`. At ridge 0 exact for T >= d, where variance and zeta are inf for d and d+1 rows.

    References
    ----------
    Decomposition: Dohmatob, Feng, Subramonian, Kempe, arXiv:2410.04840. Closed form and exact values: derived; checked
    in tests/verification/test_strong_collapse.py.

    Examples
    --------
    >>> parts = mixed_row_parts([1.0] * 100, [0.1] * 100, [-0.05] * 100, 200, 60, 0.1, 0.2)
    >>> [part.round(6).tolist() for part in parts]
    [0.034522, 0.022762, 0.046477, 0.034143]
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth, mean = coordinates("w0", w0, values.size), coordinates("delta", delta, values.size)
    square = _squares(mean, delta_square)
    rows, synthetic, penalty = mixed_row_counts(T, T2, ridge)
    noise = _noise(synthetic / rows, sigma, sigma2)
    bias, variance, _ = ridge_equivalents(values, truth, rows, penalty)
    variance = np.multiply(noise, variance, where=noise > 0, out=np.zeros(variance.shape))
    kappa = effective_ridge(values, rows, penalty)
    parts = np.zeros((2, rows.size))
    step = max(1, _CHUNK // values.size)
    for first in range(0, rows.size, step):
        part = slice(first, first + step)
        share, kappas = (synthetic / rows).ravel()[part], kappa.ravel()[part]
        left = _left(values, rows.ravel()[part], kappas)
        parts[:, part] = _synthetic_parts(values, truth, mean, square, share, kappas, left)
    no_ridge = (penalty == 0) & (rows >= values.size)
    factor, scale = mixed_rows_factor(values.size, rows, synthetic), float(values @ square)
    exact = np.multiply(scale, factor, where=scale > 0, out=np.zeros(factor.shape))
    zeta, cross = parts.reshape(2, *rows.shape)
    return MixedParts(bias, variance, np.where(no_ridge, exact, zeta), np.where(no_ridge, 0.0, cross))


def strong_collapse_plateau(
    spectrum: ArrayLike,
    w0: ArrayLike,
    delta: ArrayLike,
    share: ArrayLike,
    ridge: ArrayLike,
    delta_square: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the error in the limit of many rows, at a fixed share of synthetic rows and a fixed ridge.

    It is sum_j lambda_j E(share q_j delta_j - (1 - q_j) w0_j)^2 with q_j = lambda_j/(lambda_j + ridge). Without a ridge
    it is share^2 |delta|_Sigma^2. For Sigma = I and delta of mean 0 the best ridge is P/|w0|^2 and gives
    P |w0|^2/(P + |w0|^2), P = share^2 E|delta|^2.

    Parameters
    ----------
    share : T2/T, 0 to 1; broadcast against `ridge`.
    spectrum, w0, delta, ridge, delta_square : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `share` and `ridge`, exact.

    References
    ----------
    Plateau: arXiv:2410.04840. Formula: derived; checked in tests/verification/test_strong_collapse.py.

    Examples
    --------
    >>> strong_collapse_plateau([1.0] * 100, [0.1] * 100, [0.0] * 100, [0.0, 0.1], 0.0, [0.005] * 100)
    array([0.   , 0.005])
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth, mean = coordinates("w0", w0, values.size), coordinates("delta", delta, values.size)
    square = _squares(mean, delta_square)
    shares, penalty = together(share=reals("share", share, 0, 1), ridge=reals("ridge", ridge, 0, 1e40))
    found = np.zeros(shares.size)
    step = max(1, _CHUNK // values.size)
    for first in range(0, shares.size, step):
        p, kappa = shares.ravel()[first : first + step, None], penalty.ravel()[first : first + step, None]
        q, shrunk = values / (values + kappa), kappa / (values + kappa)
        terms = (p * q) ** 2 * square - 2 * p * q * shrunk * mean * truth + shrunk**2 * truth**2
        found[first : first + step] = terms @ values
    return found.reshape(shares.shape)


def best_mixed_ridge(
    spectrum: ArrayLike,
    w0: ArrayLike,
    delta: ArrayLike,
    T: ArrayLike,
    T2: ArrayLike,
    sigma: float,
    sigma2: float | None = None,
    delta_square: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ridge that minimises the error of `mixed_row_parts`, and that error.

    Parameters
    ----------
    spectrum, w0, delta, T, T2, sigma, sigma2, delta_square : see `Notation` of the module. 10**15 rows give the limit
        of many rows.

    Returns
    -------
    ridge, error : float64, broadcast shape of `T` and `T2`, asymptotic in d; the ridge is 0 where no ridge is best,
        and inf where the best fit is 0.

    References
    ----------
    Derived; checked in tests/verification/test_strong_collapse.py.

    Examples
    --------
    >>> d = 100
    >>> best_mixed_ridge([1.0] * d, [0.1] * d, [0.0] * d, 1000, 100, 0.2, None, [0.005] * d)[1].round(10)
    np.float64(0.0142316963)
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth, mean = coordinates("w0", w0, values.size), coordinates("delta", delta, values.size)
    square = _squares(mean, delta_square)
    rows, synthetic, _ = mixed_row_counts(T, T2, 0.0)
    noise = _noise(synthetic / rows, sigma, sigma2)
    ridge, error = np.zeros(rows.size), np.zeros(rows.size)
    for i in range(rows.size):
        given = (sigma, sigma2, square)
        at_0 = mixed_row_parts(values, truth, mean, rows.flat[i], synthetic.flat[i], 0.0, *given).error
        share = float(synthetic.flat[i]) / float(rows.flat[i])
        search = _Search(values, truth, mean, square, int(rows.flat[i]), share, float(noise.flat[i]), float(at_0))
        ridge[i], error[i] = search.minimum()
    return ridge.reshape(rows.shape), error.reshape(rows.shape)


class _Search(RidgeSearch):
    """The error of a fit to real and synthetic rows."""

    def __init__(
        self,
        values: NDArray[np.float64],
        truth: NDArray[np.float64],
        mean: NDArray[np.float64],
        square: NDArray[np.float64],
        rows: int,
        share: float,
        noise: float,
        without_ridge: float,
    ) -> None:
        super().__init__(values, values * truth**2, rows)
        self.quadratic, self.linear = values * square, values * truth * mean
        self.share, self.noise, self._without_ridge = share, noise, without_ridge

    def without_ridge(self) -> float:
        """Return the error at ridge 0."""
        return self._without_ridge

    def errors(self, log_kappa: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the error and its derivative for each ln kappa."""
        error, slope, share = np.zeros(log_kappa.size), np.zeros(log_kappa.size), self.share
        step = max(1, _CHUNK // self.values.size)
        for first in range(0, log_kappa.size, step):
            part = slice(first, first + step)
            kappa = np.exp(log_kappa[part])
            # With respect to ln kappa: dp = pq and dq = -pq.
            p, q = kappa[:, None] / (self.values + kappa[:, None]), self.values / (self.values + kappa[:, None])
            left = _left(self.values, np.array(self.rows), kappa)
            u, du = (q**2).sum(axis=1) / self.rows, -2 * (q**2 * p).sum(axis=1) / self.rows
            gap, gap_slope = q - u[:, None], -p * q - du[:, None]
            total, total_slope = p**2 @ self.signal + self.noise * u, 2 * (p**2 * q) @ self.signal + self.noise * du
            total += share**2 * gap**2 @ self.quadratic + share * u * (1 - share * u) * self.quadratic.sum()
            total_slope += 2 * share**2 * (gap * gap_slope) @ self.quadratic
            total_slope += share * (1 - 2 * share * u) * du * self.quadratic.sum()
            total -= 2 * share * (p * gap) @ self.linear
            total_slope -= 2 * share * (p * q * gap + p * gap_slope) @ self.linear
            error[part] = total / left
            slope[part] = total_slope / left + total * du / left**2
        return error, slope


def _left(values: NDArray[np.float64], rows: NDArray[np.int64], kappa: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 - u without loss of digits."""
    return rows_left(values, rows, kappa)[1] / rows


def _synthetic_parts(
    values: NDArray[np.float64],
    truth: NDArray[np.float64],
    mean: NDArray[np.float64],
    square: NDArray[np.float64],
    share: NDArray[np.float64],
    kappa: NDArray[np.float64],
    left: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return zeta and cross for each share and kappa; inf where as many rows as dimensions leave nothing."""
    q, p = values / (values + kappa[:, None]), kappa[:, None] / (values + kappa[:, None])
    u = 1 - left
    gap = q - u[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        zeta = share**2 * (gap**2 @ (values * square)) + share * u * (1 - share * u) * (values @ square)
        cross = -2 * share * ((p * gap) @ (values * truth * mean))
        return np.where(zeta > 0, zeta / left, 0.0), np.where(cross != 0, cross / left, 0.0)


def _squares(mean: NDArray[np.float64], delta_square: ArrayLike | None) -> NDArray[np.float64]:
    """Return the expected squares of delta, [d]."""
    if delta_square is None:
        return mean**2
    square = coordinates("delta_square", delta_square, mean.size)
    # Rounding of a variance of 0.
    enough = square >= mean**2 * (1 - 1e-9)
    require(bool(enough.all()), "delta_square", "at least the squares of delta", delta_square)
    return square


def _noise(share: NDArray[np.float64], sigma: float, sigma2: float | None) -> NDArray[np.float64]:
    """Return the mean variance of the noise of labels."""
    first = real("sigma", sigma, 0, 1e30)
    second = first if sigma2 is None else real("sigma2", sigma2, 0, 1e30)
    return (1 - share) * first**2 + share * second**2
