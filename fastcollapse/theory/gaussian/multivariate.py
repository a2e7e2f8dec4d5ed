"""Covariance of the refitted Gaussian in d dimensions (replace): its determinant, trace and eigenvalues.

Sigma_{k+1} given Sigma_k is Wishart(Sigma_k, nu)/D, with nu = n-1 and the divisor D of the estimator. Each
coordinate of the mean obeys `fastcollapse.theory.gaussian.univariate`. All results are exact.

Notation
--------
d : number of dimensions, 1 to n-1; the determinant is 0 in more dimensions.
n : samples per generation, at least 2: one number, or a vector with entry s-1 for fit s.
k : number of fits, any shape, at least 0, and at most the length of the vector `n`.
estimator : "unbiased" (D = n-1) or "mle" (maximum likelihood, D = n).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import (
    integer,
    integers,
    is_unbiased,
    over_fits,
    reals,
    require,
    sizes_and_fits,
)
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_variance

# Maximum number of terms of a sum over dimensions.
MAX_DIMENSIONS = 10**6
# Maximum number of dimensions times sizes.
MAX_CELLS = 10**7


def log_det_mean(d: int, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected logarithm of the determinant, E ln det Sigma_k - ln det Sigma_0.

    Parameters
    ----------
    d, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`: k sum_{i<d} [psi((nu-i)/2) + ln(2/D)].

    References
    ----------
    Derived (Bartlett's factors); checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_det_mean(3, 10, [1, 100], "unbiased").round(4)
    array([ -0.7641, -76.4087])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    freedom = _degrees(d, sizes)
    each = (2 * log_chi_mean(freedom) + np.log(freedom / _divisor(sizes, estimator))).sum(axis=0)
    return over_fits(each, index)


def log_det_variance(d: int, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of ln det Sigma_k, which is the same for both estimators.

    Parameters
    ----------
    d, n, k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`: k sum_{i<d} psi_1((nu-i)/2).

    References
    ----------
    Derived (Bartlett's factors); checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_det_variance(3, 10, [1, 100]).round(4)
    array([ 0.8629, 86.2906])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    return over_fits(4 * log_chi_variance(_degrees(d, sizes)).sum(axis=0), index)


def log_pseudo_det_mean(d: int, n: int, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the expected logarithm of the product of the positive eigenvalues of Sigma_k, for Sigma_0 = I.

    From the first fit on n-1 eigenvalues are positive. For Sigma_0 = c I add (n-1) ln c.

    Parameters
    ----------
    d : number of dimensions, n-1 to 10**6.
    n : samples per generation, 2 to 10**6.
    k : number of fits, any shape, at least 1.
    estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`.

    References
    ----------
    Derived: the first fit is Wishart_{n-1}(I, d)/D in its span, later fits are Wishart_{n-1}(., n-1)/D; checked
    in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_pseudo_det_mean(20, 5, [1, 10], "unbiased").round(4)
    array([  5.8976, -37.7887])
    """
    size, fits = integer("n", n, 2, MAX_DIMENSIONS), integers("k", k, 1)
    divisor = _divisor(np.float64(size), estimator)
    first, later = _spanned(d, size)
    start = (2 * log_chi_mean(first) + np.log(first / divisor)).sum()
    return start + (fits - 1) * (2 * log_chi_mean(later) + np.log(later / divisor)).sum()


def log_pseudo_det_variance(d: int, n: int, k: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of the logarithm whose mean is `log_pseudo_det_mean`.

    Parameters
    ----------
    d : number of dimensions, n-1 to 10**6.
    n : samples per generation, 2 to 10**6.
    k : number of fits, any shape, at least 1.

    Returns
    -------
    float64, shape of `k`, the same for both estimators.

    References
    ----------
    Derived, as `log_pseudo_det_mean`; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> log_pseudo_det_variance(20, 5, [1, 10]).round(4)
    array([ 0.4585, 73.8938])
    """
    size, fits = integer("n", n, 2, MAX_DIMENSIONS), integers("k", k, 1)
    first, later = _spanned(d, size)
    return 4 * log_chi_variance(first).sum() + (fits - 1) * 4 * log_chi_variance(later).sum()


def elementary_symmetric_factor(j: int, n: ArrayLike, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the factor of an elementary symmetric function of the eigenvalues of Sigma_k.

    E e_j(Sigma_k)/e_j(Sigma_0) = [prod_{i<j} (nu-i)/D]^k, for every number of dimensions.

    Parameters
    ----------
    j : order, 1 to 10**6; order 1 is the trace and order d the determinant.
    n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`; 0 for j >= n and k >= 1, where the rank is below j.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> elementary_symmetric_factor(1, 10, [1, 10], "mle").round(4)
    array([0.9   , 0.3487])
    >>> elementary_symmetric_factor(3, 10, [1, 10], "unbiased").round(4)
    array([0.6914, 0.0249])
    """
    sizes, index = sizes_and_fits(n, k, 2)
    order = integer("j", j, 1, MAX_DIMENSIONS)
    require(
        order * sizes.size <= MAX_CELLS, "j", f"at most {MAX_CELLS // max(sizes.size, 1)} for {sizes.size} sizes", j
    )
    divisor = _divisor(sizes, estimator)
    freedom = sizes - 1 - np.arange(order).reshape(-1, *(1,) * sizes.ndim)
    positive = np.where(freedom > 0, freedom, divisor)
    each = np.log(positive / divisor).sum(axis=0)
    vanishes = over_fits(np.where(sizes <= order, 1.0, 0.0), index) > 0
    return np.where(vanishes, 0.0, np.exp(over_fits(each, index)))


def trace_moments(
    trace_of_square: float, square_of_trace: float, n: ArrayLike, k: ArrayLike, estimator: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected trace of Sigma_k^2 and the expected square of the trace of Sigma_k.

    One fit multiplies the pair by [[1+1/nu, 1/nu], [2/nu, 1]] (nu/D)^2, whose eigenvalues are (1+2/nu) (nu/D)^2
    and (1-1/nu) (nu/D)^2. This holds for every number of dimensions.

    Parameters
    ----------
    trace_of_square : tr(Sigma_0^2), positive; d for the identity.
    square_of_trace : (tr Sigma_0)^2, at least `trace_of_square`; d^2 for the identity.
    n, k, estimator : see `Notation` of the module.

    Returns
    -------
    of_square, of_trace : float64, shape of `k`.

    References
    ----------
    Derived (Wishart moments); checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> of_square, of_trace = trace_moments(3, 9, 10, [0, 1, 10], "unbiased")
    >>> of_square.round(4), of_trace.round(4)
    (array([ 3.    ,  4.3333, 36.578 ]), array([ 9.    ,  9.6667, 38.4257]))
    """
    sizes, index = sizes_and_fits(n, k, 2)
    first = reals("trace_of_square", trace_of_square, 0, np.inf, closed=False)
    second = reals("square_of_trace", square_of_trace, 0, np.inf, closed=False)
    require(first.ndim == 0, "trace_of_square", "a single number", trace_of_square)
    require(second.ndim == 0 and second >= first, "square_of_trace", "at least trace_of_square", square_of_trace)
    nu = sizes - 1
    divided = 2 * np.log(nu / _divisor(sizes, estimator))
    # A fit multiplies 2 tr S^2 + (tr S)^2 by 1+2/nu and (tr S)^2 - tr S^2 by 1-1/nu, which is 0 for two points.
    with np.errstate(over="ignore"):
        grown = (2 * first + second) * np.exp(over_fits(np.log1p(2 / nu) + divided, index))
        safe = np.log1p(-1 / np.maximum(nu, 2))
        vanishes = over_fits(np.where(nu == 1, 1.0, 0.0), index) > 0
        shrunk = (second - first) * np.where(vanishes, 0.0, np.exp(over_fits(safe + divided, index)))
    return (grown - shrunk) / 3, (grown + 2 * shrunk) / 3


def lyapunov_exponents(d: int, n: int, estimator: str) -> NDArray[np.float64]:
    """Return the almost sure limits of ln(eigenvalue)/k of Sigma_k, largest first.

    The limits are psi((nu-i)/2) - ln(D/2) for i = 0..d-1. They are about -(i+1)/nu for "unbiased", so that
    neighbouring eigenvalues separate by e^{-k/nu} and one direction dominates.

    Parameters
    ----------
    d : number of dimensions, 1 to n-1, at most 10**6.
    n : samples per generation, at least 2.
    estimator : see `Notation` of the module.

    Returns
    -------
    float64 [d].

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> lyapunov_exponents(3, 10, "unbiased").round(4)
    array([-0.1152, -0.248 , -0.4009])
    """
    size = np.float64(integer("n", n, 2))
    freedom = _degrees(d, size)
    return 2 * log_chi_mean(freedom) + np.log(freedom / _divisor(size, estimator))


def _divisor(sizes: NDArray[np.float64] | np.float64, estimator: str) -> NDArray[np.float64]:
    return np.asarray(sizes - is_unbiased(estimator))


def _degrees(d: int, sizes: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Return nu, nu-1, ..., nu-d+1 along axis 0, for each size."""
    sizes = np.asarray(sizes)
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    require(sizes > dimensions, "d", f"at most n-1 = {sizes.min(initial=np.inf) - 1:g}", d)
    require(
        dimensions * sizes.size <= MAX_CELLS,
        "d",
        f"at most {MAX_CELLS // max(sizes.size, 1)} for {sizes.size} sizes",
        d,
    )
    return sizes - 1 - np.arange(dimensions).reshape(-1, *(1,) * sizes.ndim)


def _spanned(d: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the degrees of freedom of the n-1 factors at the first fit and at later ones."""
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    require(dimensions >= n - 1, "d", f"at least n-1 = {n - 1}", d)
    below = np.arange(float(n - 1))
    return dimensions - below, n - 1 - below
