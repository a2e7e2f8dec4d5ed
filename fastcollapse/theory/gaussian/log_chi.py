"""Moments of ln sqrt(chi2_nu/nu), the step of the logarithm of a refitted standard deviation.

Notation
--------
nu : degrees of freedom, any shape, at least 1.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bernoulli, digamma, loggamma, polygamma

from fastcollapse.theory.arguments import integers, reals, require

# For x from here on and |a| up to x/20 the series of ln Gamma(x+a) - ln Gamma(x) is accurate to 1e-16. The
# difference of the two functions loses all digits as x grows.
_SERIES_FROM = 20.0
_LARGEST_POWER = 1e15
_N_TERMS = 15
_BERNOULLI = bernoulli(12)


def log_chi_mean(nu: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of ln sqrt(chi2_nu/nu).

    Parameters
    ----------
    nu : see `Notation` of the module.

    Returns
    -------
    float64, shape of `nu`: [psi(nu/2) - ln(nu/2)]/2, about -1/(2 nu). The relative error is below 1e-12.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_log_chi.py.

    Examples
    --------
    >>> log_chi_mean([9, 10**12])
    array([-5.76032352e-02, -5.00000000e-13])
    """
    x = integers("nu", nu, 1) / 2
    large = x >= _SERIES_FROM
    return np.where(large, _coefficient(1, np.where(large, x, _SERIES_FROM)), digamma(x) - np.log(x)) / 2


def log_chi_variance(nu: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of ln sqrt(chi2_nu/nu).

    Parameters
    ----------
    nu : see `Notation` of the module.

    Returns
    -------
    float64, shape of `nu`: psi_1(nu/2)/4, about 1/(2 nu), exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_log_chi.py.

    Examples
    --------
    >>> log_chi_variance([9, 99]).round(6)
    array([0.062181, 0.005102])
    """
    return polygamma(1, integers("nu", nu, 1) / 2) / 4


def log_chi_moment(s: ArrayLike, nu: ArrayLike) -> NDArray[Any]:
    """Return the logarithm of the moment, ln E (chi2_nu/nu)^{s/2}.

    It is ln Gamma((nu+s)/2) - ln Gamma(nu/2) - (s/2) ln(nu/2). For s = i t the moment is the characteristic
    function of ln sqrt(chi2_nu/nu).

    Parameters
    ----------
    s : power, real or complex, at most 1e15, with a real part above -nu; broadcast against `nu`.
    nu : see `Notation` of the module.

    Returns
    -------
    float64 or complex128, broadcast shape, exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_log_chi.py.

    Examples
    --------
    >>> log_chi_moment([1.0, 2.0], 9).round(6)
    array([-0.027721,  0.      ])
    """
    freedom = integers("nu", nu, 1)
    power = np.asarray(s)
    if power.dtype.kind == "c":
        reals("s", power.imag, -_LARGEST_POWER, _LARGEST_POWER)
        real = reals("s", power.real, -_LARGEST_POWER, _LARGEST_POWER)
    else:
        power = real = reals("s", s, -_LARGEST_POWER, _LARGEST_POWER)
    require(real + freedom > 0, "s", "above -nu", s)
    return _log_gamma_growth(power / 2, freedom / 2)


def _log_gamma_growth(a: NDArray[Any], x: NDArray[np.float64]) -> NDArray[Any]:
    """Return ln Gamma(x+a) - ln Gamma(x) - a ln x."""
    large = (x >= _SERIES_FROM) & (np.abs(a) <= x / _SERIES_FROM)
    series = direct = np.zeros(np.broadcast_shapes(a.shape, x.shape))
    if large.any():
        large_x = np.where(x >= _SERIES_FROM, x, _SERIES_FROM)
        ratio = np.where(large, a, 0) / large_x
        series = np.zeros_like(ratio)
        for j in range(_N_TERMS, 0, -1):
            series = series * ratio + _coefficient(j, large_x)
        series = series * a
    if not large.all():
        direct = loggamma(x + a) - loggamma(x) - a * np.log(x)
    return np.where(large, series, direct)


def _coefficient(j: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficient of a (a/x)^{j-1}: sum_i (-1)^{i+j} B_i C(i+j, j) x^-i / ((i+j-1)(i+j))."""
    total = np.zeros_like(x)
    for i, number in enumerate(_BERNOULLI):
        if number != 0 and i + j >= 2:
            weight = math.comb(i + j, j) / ((i + j - 1) * (i + j))
            total = total + (-1) ** (i + j) * number * weight * x ** (-float(i))
    return total
