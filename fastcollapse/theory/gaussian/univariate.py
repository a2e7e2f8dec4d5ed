"""Moments of the refitted one-dimensional Gaussian (replace): its deviation, its mean and its distance to the truth.

Fit k+1 is to n_{k+1} samples of N(mu_k, sigma_k^2), so that mu_{k+1} = mu_k + sigma_k Z/sqrt n and,
independently, sigma_{k+1}^2 = sigma_k^2 chi2_nu/D, with nu = n-1 and the divisor D of the estimator. All
results are exact, where not stated otherwise.

Notation
--------
n : samples per generation, at least 2: one number, or a vector with entry s-1 for fit s.
k : number of fits, any shape, at least 0, and at most the length of the vector `n`.
estimator : "unbiased" (D = n-1) or "mle" (maximum likelihood, D = n).
sigma0 : standard deviation of the truth, positive, at most 1e150.
s : power, above -(n-1), where the moment becomes infinite, at most 1e15.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import is_unbiased, over_fits, real, require, sizes_and_fits
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_moment, log_chi_variance

_LARGEST_POWER = 1e15
# The square of the largest deviation is a finite float64.
_LARGEST_SIGMA = 1e150


def log_sigma_mean(n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected logarithm E ln(sigma_k/sigma_0), the drift towards collapse.

    Parameters
    ----------
    n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`: (k/2)[psi(nu/2) - ln(nu/2)], plus (k/2) ln(1-1/n) for "mle".

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_sigma_mean(10, [1, 100], "unbiased").round(6)
    array([-0.057603, -5.760324])
    >>> log_sigma_mean([10, 20, 40], [0, 3], "mle").round(6)
    array([ 0.      , -0.188296])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    return over_fits(log_chi_mean(sizes - 1) + _log_divisor(sizes, estimator), index)


def log_sigma_variance(n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of ln sigma_k, which is the same for both estimators.

    Parameters
    ----------
    n, k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`: (k/4) psi_1(nu/2), about k/(2(n-1)).

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_sigma_variance(10, [1, 100]).round(6)
    array([0.062181, 6.218128])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    return over_fits(log_chi_variance(sizes - 1), index)


def log_sigma_moment(s: float, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the logarithm of the relative moment, ln E (sigma_k/sigma_0)^s.

    Parameters
    ----------
    s, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`: k ln[Gamma((nu+s)/2)/Gamma(nu/2) (2/D)^{s/2}].

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_sigma_moment(1, 10, [1, 100], "unbiased").round(6)
    array([-0.027721, -2.772144])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    power = real("s", s, -_LARGEST_POWER, _LARGEST_POWER)
    require(power > -(sizes.min(initial=np.inf) - 1), "s", "above -(n-1)", s)
    return over_fits(log_chi_moment(power, sizes - 1) + power * _log_divisor(sizes, estimator), index)


def sigma_moment(s: float, sigma0: float, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the moment E sigma_k^s of the standard deviation.

    For s = 1 it is sigma_0 alpha^k of Bertrand et al.

    Parameters
    ----------
    s, sigma0, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`; inf or 0 beyond the range of float64.

    References
    ----------
    arXiv:2310.00429 for s = 1; derived otherwise; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> sigma_moment(1, 1, 10, [1, 10, 100], "unbiased").round(6)
    array([0.972659, 0.757892, 0.062528])
    """
    start = np.log(_deviation(sigma0))
    exponent = log_sigma_moment(s, n, k, estimator)
    with np.errstate(over="ignore"):
        return np.exp(exponent + float(s) * start)


def variance_mean(sigma0: float, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected variance E sigma_k^2.

    It is sigma_0^2 for "unbiased", although sigma_k tends to 0, and sigma_0^2 (1-1/n)^k for "mle". The average
    of 100 runs is far below it for large k, because sigma_k^2 is nearly log-normal.

    Parameters
    ----------
    sigma0, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> variance_mean(2, 10, [0, 1, 2], "unbiased"), variance_mean(2, 10, [0, 1, 2], "mle").round(6)
    (array([4., 4., 4.]), array([4.  , 3.6 , 3.24]))
    """
    start = _square(sigma0)
    sizes, index = sizes_and_fits(n, k, 2)
    return start * np.exp(over_fits(2 * _log_divisor(sizes, estimator), index))


def mean_squared_error_of_mean(sigma0: float, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected squared error E (mu_k - mu_0)^2 of the fitted mean.

    It is sigma_0^2 k/n for "unbiased" and sigma_0^2 [1-(1-1/n)^k] for "mle".

    Parameters
    ----------
    sigma0, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> mean_squared_error_of_mean(1, 10, [1, 20], "unbiased")
    array([0.1, 2. ])
    >>> mean_squared_error_of_mean(1, 10, [1, 20], "mle").round(6)
    array([0.1     , 0.878423])
    """
    start = _square(sigma0)
    sizes, index = sizes_and_fits(n, k, 2)
    with np.errstate(over="ignore"):
        if is_unbiased(estimator):
            return start * over_fits(1 / sizes, index)
        return -start * np.expm1(over_fits(2 * _log_divisor(sizes, estimator), index))


def wasserstein2_mean(sigma0: float, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected squared Wasserstein-2 distance between the Gaussian after k fits and the truth.

    With alpha = E sigma_1/sigma_0 it is sigma_0^2 [k/n + 2(1-alpha^k)] for "unbiased", which grows without
    bound, and 2 sigma_0^2 (1-alpha^k) for "mle", which tends to 2 sigma_0^2.

    Parameters
    ----------
    sigma0, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> wasserstein2_mean(1, 10, [1, 1000], "unbiased").round(6)
    array([  0.154681, 102.      ])
    >>> wasserstein2_mean(1, 10, [1, 1000], "mle").round(6)
    array([0.154509, 2.      ])
    """
    start = _square(sigma0)
    shrunk = -2 * np.expm1(log_sigma_moment(1, n, k, estimator))
    sizes, index = sizes_and_fits(n, k, 2)
    with np.errstate(over="ignore"):
        return start * (shrunk + (over_fits(1 / sizes, index) if is_unbiased(estimator) else 0.0))


def shumailov_wasserstein2(sigma0: float, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the first-order approximation of `wasserstein2_mean` for "unbiased".

    It is (3/2) sigma_0^2 sum_{s<=k} 1/n_s. The paper calls the sizes M_i.

    Parameters
    ----------
    sigma0, n, k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`; accurate while it is far below sigma_0^2.

    References
    ----------
    Shumailov et al., Nature 631 (2024); derived from the exact mean; checked in
    tests/theory/gaussian/test_univariate.py.

    Examples
    --------
    >>> shumailov_wasserstein2(1, 1000, [1, 10]).round(6), wasserstein2_mean(1, 1000, 10, "unbiased").round(6)
    (array([0.0015, 0.015 ]), np.float64(0.014999))
    """
    start = _square(sigma0)
    sizes, index = sizes_and_fits(n, k, 2)
    with np.errstate(over="ignore"):
        return 1.5 * start * over_fits(1 / sizes, index)


def _log_divisor(sizes: NDArray[np.float64], estimator: str) -> NDArray[np.float64]:
    """Return ln sqrt(nu/D), what the divisor adds to ln sigma."""
    return np.zeros_like(sizes) if is_unbiased(estimator) else np.log1p(-1 / sizes) / 2


def _deviation(sigma0: float) -> float:
    number = real("sigma0", sigma0, 0, _LARGEST_SIGMA)
    require(number > 0, "sigma0", "positive", sigma0)
    return number


def _square(sigma0: float) -> float:
    return _deviation(sigma0) ** 2
