"""Exact moments of the error of least squares refitted to its own labels, at finite sample size, for any covariance.

Generator m is fitted to T0 rows with labels <x, w_{m-1}> + N(0, sigma0^2). Its excess error |w_n - w0|_Sigma^2
is (sum_m sigma0^2/g_m) chi2_d with independent g_m ~ chi2_{T0-d+1} ("independent"), or (n sigma0^2/g_1) chi2_d
("dependent"). A least-squares fit to T rows with labels of generator n adds one more term.

Notation
--------
d : number of dimensions, 1 to 10**9.
T0 : rows of a generator, at least d: one number, or for independent generators a vector with entry m-1 for
    generator m.
n : number of generators, any shape, at least 0, and at most the length of the vector `T0`.
sigma0 : standard deviation of the noise on the labels of the generators, 0 to 1e30.
T, sigma : rows of the downstream fit, at least d, and the standard deviation of the noise on its labels; None and 0
    for the error of the generator itself.
design : "independent" (new rows for each generator) or "dependent" (the same rows for all generators).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import (
    coordinates,
    covariance_spectrum,
    downstream_fit,
    generators,
    integer,
    over_fits,
    real,
    require,
)

MAX_DIMENSIONS = 10**9


def ols_error_mean(
    d: int, T0: ArrayLike, n: ArrayLike, sigma0: float, T: int | None = None, sigma: float = 0.0
) -> NDArray[np.float64]:
    """Return the expected error of generator n, or of a least-squares fit to T rows of its labels.

    It is sum_m sigma0^2 d/(T0_m-d-1) + sigma^2 d/(T-d-1), the same for independent and dependent generators.

    Parameters
    ----------
    d, T0, n, sigma0, T, sigma : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf for d or d+1 rows with noise.

    References
    ----------
    arXiv:2402.07712; constants at finite sample size derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> ols_error_mean(20, 40, [0, 1, 5], 0.5).round(5)
    array([0.     , 0.26316, 1.31579])
    >>> ols_error_mean(20, [21, 40], [0, 1], 0.5, T=30, sigma=0.5).round(5)
    array([0.55556,     inf])
    """
    return _law(d, T0, n, sigma0, T, sigma, "independent").mean


def ols_error_variance(
    d: int,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    T: int | None = None,
    sigma: float = 0.0,
    design: str = "independent",
) -> NDArray[np.float64]:
    """Return the variance of the error whose mean is `ols_error_mean`.

    It is [Var q + (E q)^2] d(d+2) - (d E q)^2, with q = sum_m sigma0^2/g_m + sigma^2/g.

    Parameters
    ----------
    d, T0, n, sigma0, T, sigma, design : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf for fewer than d+4 rows with noise.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> ols_error_variance(20, 40, [0, 1, 5], 0.5).round(5)
    array([0.     , 0.01589, 0.21794])
    >>> ols_error_variance(20, 40, [0, 1, 5], 0.5, design="dependent").round(5)
    array([0.     , 0.01589, 0.39718])
    """
    return _law(d, T0, n, sigma0, T, sigma, design).variance


def ols_norm_moments(
    spectrum: ArrayLike, w0: ArrayLike, T0: ArrayLike, n: ArrayLike, sigma0: float, design: str = "independent"
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the means and variances of the overlap <w_n, w0> and of the squared norm |w_n|^2 of generator n.

    Both are Euclidean.

    Parameters
    ----------
    spectrum : [d], eigenvalues of Sigma, 1e-40 to 1e40.
    w0 : [d], coordinates of the truth in the eigenbasis of Sigma, -1e30 to 1e30.
    T0, n, sigma0, design : see `Notation` of the module.

    Returns
    -------
    overlap, overlap_variance, squared_norm, squared_norm_variance : float64, shape of `n`, exact; inf for fewer
        than d+2 rows with noise, the last one for fewer than d+4.

    References
    ----------
    Derived from w_n - w0 = sqrt(q) Sigma^{-1/2} N(0, I); checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> for moment in ols_norm_moments([2.0, 0.5], [1.0, 1.0], 12, [0, 1], 1.0):
    ...     print(moment.round(5))
    [2. 2.]
    [0.      0.27778]
    [2.      2.27778]
    [0.      1.26808]
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth = coordinates("w0", w0, values.size)
    law = _law(values.size, T0, n, sigma0, None, 0.0, design)
    trace, trace_square, length = (1 / values).sum(), (1 / values**2).sum(), (truth**2).sum()
    stretched = (truth**2 / values).sum()
    overlap_variance = law.mean_q * stretched if stretched > 0 else np.zeros(law.mean_q.shape)
    finite = np.isfinite(law.variance_q)
    mean_q, variance_q = np.where(finite, law.mean_q, 0.0), np.where(finite, law.variance_q, 0.0)
    spread = 2 * trace_square * (variance_q + mean_q**2) + trace**2 * variance_q + 4 * mean_q * stretched
    return (
        np.full(law.mean_q.shape, length),
        overlap_variance,
        length + law.mean_q * trace,
        np.where(finite, spread, np.inf),
    )


@dataclass(frozen=True)
class _Law:
    """The error is q chi2_d: moments of q, infinite where they are."""

    d: int
    mean_q: NDArray[np.float64]
    variance_q: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.d * self.mean_q

    @property
    def variance(self) -> NDArray[np.float64]:
        finite = np.isfinite(self.variance_q)
        mean, variance = np.where(finite, self.mean_q, 0.0), np.where(finite, self.variance_q, 0.0)
        return np.where(finite, variance * self.d * (self.d + 2) + 2 * self.d * mean**2, np.inf)


def _law(d: int, T0: ArrayLike, n: ArrayLike, sigma0: float, T: int | None, sigma: float, design: str) -> _Law:
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    sizes, fits, dependent = generators(T0, n, design)
    require(sizes >= dimensions, "T0", f"at least d = {dimensions}", T0)
    means, variances = _inverse_chi2(sizes.astype(np.float64) - dimensions + 1, real("sigma0", sigma0, 0, 1e30))
    mean_q, variance_q = _sum(means, fits), _sum(variances, fits.astype(np.float64) ** 2 if dependent else fits)
    rows, noise = downstream_fit(T, sigma)
    if rows is None:
        return _Law(dimensions, mean_q, variance_q)
    require(rows >= dimensions, "T", f"at least d = {dimensions}", T)
    mean, variance = _inverse_chi2(np.asarray(rows, dtype=np.float64) - dimensions + 1, noise)
    return _Law(dimensions, mean_q + mean, variance_q + variance)


def _inverse_chi2(nu: NDArray[np.float64], noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of noise^2/chi2_nu."""
    if noise == 0:
        return np.zeros(nu.shape), np.zeros(nu.shape)
    mean = np.where(nu > 2, noise**2 / np.where(nu > 2, nu - 2, 1.0), np.inf)
    safe = np.where(nu > 4, nu, 5.0)
    return mean, np.where(nu > 4, 2 * noise**4 / ((safe - 2) ** 2 * (safe - 4)), np.inf)


def _sum(each: NDArray[np.float64], fits: NDArray[Any]) -> NDArray[np.float64]:
    """Return `over_fits`, 0 for no fits even where one is infinite."""
    infinite = over_fits(np.where(np.isinf(each), 1.0, 0.0), fits) > 0
    return np.where(infinite, np.inf, over_fits(np.where(np.isinf(each), 0.0, each), fits))
