"""Bounds of the probability Pr(Sigma_k > eps) that the refitted Gaussian is wide after k fits (replace).

Sigma_k is the fitted standard deviation, nu = n-1 and L = ln(sigma_0/eps). The exact law and the time to
collapse are in `fastcollapse.theory.gaussian.collapse_time`. Bounds are cut at 1.

Notation
--------
sigma0 : standard deviation of the truth, positive; broadcast against `eps` and `k`.
eps : threshold, positive.
n : samples per generation, at least 2.
k : number of fits, at least 0.
estimator : "unbiased" (divisor D = n-1) or "mle" (maximum likelihood, D = n).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, polygamma

from fastcollapse.theory.arguments import choice, integer, integers, is_unbiased, reals, require
from fastcollapse.theory.gaussian.log_chi import log_chi_moment

# Logarithm of the largest power; a larger one gives a bound that underflows to 0.
_LARGEST_LOG_POWER = 30.0


def tail_theorem3(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, exponent: str) -> NDArray[np.float64]:
    """Return the published bound (sigma_0/eps) e^{-k/(4n-1)}, or with k/(4n), of Pr(Sigma_k > eps).

    It holds for "unbiased", and so for "mle", whose Sigma_k is smaller.

    Parameters
    ----------
    exponent : "4n-1" (Theorem 3 and the authors' notebook) or "4n" (summaries, and Theorem 4 for mixtures).
    sigma0, eps, n, k : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape.

    References
    ----------
    Theorem 3 of arXiv:2412.17646. It follows from `tail_bertrand`, because ln alpha <= -1/(4n-3); with 4n-4 it
    would be false.

    Examples
    --------
    >>> tail_theorem3(1, 0.1, 10, [1, 100, 200], "4n-1").round(4)
    array([1.    , 0.7699, 0.0593])
    """
    log_ratio, size, index = _arguments(sigma0, eps, n, k)
    published = choice("exponent", exponent, ("4n-1", "4n"))
    return np.exp(np.minimum(0, log_ratio - index / (4 * size - (published == "4n-1"))))


def tail_bertrand(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the bound (sigma_0/eps) alpha^k of Pr(Sigma_k > eps).

    This is Markov's inequality with E Sigma_k = sigma_0 alpha^k.

    Parameters
    ----------
    sigma0, eps, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape.

    References
    ----------
    arXiv:2310.00429 for E Sigma_k; the bound as drawn in arXiv:2412.17646.

    Examples
    --------
    >>> tail_bertrand(1, 0.1, 10, [1, 100, 200], "unbiased").round(4)
    array([1.    , 0.6253, 0.0391])
    """
    return tail_power(1.0, sigma0, eps, n, k, estimator)


def tail_power(
    s: float, sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, estimator: str
) -> NDArray[np.float64]:
    """Return the bound E Sigma_k^s/eps^s of Pr(Sigma_k > eps).

    Parameters
    ----------
    s : power, positive, at most 1e15; 0.7 in the authors' notebook.
    sigma0, eps, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape.

    References
    ----------
    The notebook of arXiv:2412.17646, whose "our upper bound" is s = 0.7 and not its Theorem 3.

    Examples
    --------
    >>> tail_power(0.7, 1, 0.1, 10, [1, 100, 200], "unbiased").round(4)
    array([1.    , 0.391 , 0.0305])
    """
    log_ratio, size, index = _arguments(sigma0, eps, n, k)
    power = reals("s", s, 0, np.inf)
    require(power.ndim == 0 and power > 0, "s", "a single positive number", s)
    return np.exp(np.minimum(0, _log_bound(power, log_ratio, size, index, estimator)))


def tail_chernoff(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the smallest of the bounds `tail_power` over all powers s.

    Parameters
    ----------
    sigma0, eps, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape. Its rate is the true one: for "unbiased" the exponent is about k/(4 nu) (1-2 nu
        L/k)^2.

    References
    ----------
    Derived; checked against the exact law in tests/theory/gaussian/test_tail_bounds.py.

    Examples
    --------
    >>> tail_chernoff(1, 0.1, 10, [1, 100, 200], "unbiased").round(4)
    array([1.    , 0.3739, 0.0295])
    """
    log_ratio, size, index = _arguments(sigma0, eps, n, k)
    power = np.maximum(chernoff_power(sigma0, eps, n, k, estimator), 0)
    bound = np.exp(np.minimum(0, _log_bound(power, log_ratio, size, index, estimator)))
    return np.where(index == 0, np.where(log_ratio < 0, 0.0, 1.0), bound)


def chernoff_power(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the power s for which the bound E Sigma_k^s/eps^s is smallest.

    It is the saddle point of the law of ln Sigma_k. For "unbiased" it is about 1-2 nu L/k. It is negative where
    no bound of this kind is below 1.

    Parameters
    ----------
    k : number of fits, at least 0; 0 gives the power of 1 fit.
    sigma0, eps, n, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, above -nu and at most about 1e13.

    References
    ----------
    Derived: the root of psi((nu+s)/2) = ln(D/2) - 2L/k; checked in tests/theory/gaussian/test_tail_bounds.py.

    Examples
    --------
    >>> chernoff_power(1, 0.1, 10, [100, 1000], "unbiased").round(3)
    array([0.576, 0.94 ])
    """
    log_ratio, size, index = _arguments(sigma0, eps, n, k)
    divisor = size - is_unbiased(estimator)
    level = np.log(divisor / 2) - 2 * log_ratio / np.maximum(index, 1)
    return 2 * _inverse_digamma(np.minimum(level, max(_LARGEST_LOG_POWER, np.log(size) + 1))) - (size - 1)


def _arguments(
    sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    start = reals("sigma0", sigma0, 0, np.inf, closed=False)
    threshold = reals("eps", eps, 0, np.inf, closed=False)
    size, index = integer("n", n, 2), integers("k", k, 0).astype(np.float64)
    log_ratio, index = np.broadcast_arrays(np.log(start) - np.log(threshold), index)
    return log_ratio, float(size), index


def _log_bound(
    power: NDArray[np.float64],
    log_ratio: NDArray[np.float64],
    size: float,
    index: NDArray[np.float64],
    estimator: str,
) -> NDArray[np.float64]:
    divisor = 0.0 if is_unbiased(estimator) else np.log1p(-1 / size) / 2
    return power * log_ratio + index * (log_chi_moment(power, size - 1) + power * divisor)


def _inverse_digamma(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x > 0 with psi(x) = y, by Newton's steps from the two asymptotes; they do not overshoot."""
    x = np.where(y > -2.22, np.exp(y) + 0.5, -1 / (np.minimum(y, -1) + np.euler_gamma))
    for _ in range(6):
        x = x - (digamma(x) - y) / polygamma(1, x)
    return x
