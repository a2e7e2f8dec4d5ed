"""Survival of symbols when a discrete distribution is refitted to n of its own samples (replace).

P_k is the fitted probability of a symbol after k refits, and P_0 = p0 is its true probability. The count
n P_{k+1} given P_k is Bin(n, P_k); the counts of all symbols together are Mult(n, P_k). A symbol is alive while
P_k != 0.

Notation
--------
p0 : true probability, within [0, 1]; broadcast against `k`.
n : samples per generation, at least 1.
k : number of refits, at least 0; at k = 0 both bounds are the exact value.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, reals
from fastcollapse.theory.discrete.collapse_constants import g_at

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def survival_bounds_published(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return the published bounds of the probability that a symbol is alive, Pr(P_k != 0).

    Parameters
    ----------
    p0, n, k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape. The upper bound is 1 from about k = 1/(3 p0) on.

    References
    ----------
    Theorem 1 of arXiv:2412.17646.

    Examples
    --------
    >>> lower, upper = survival_bounds_published(0.001, 10_000, [1, 50])
    >>> lower.round(4), upper.round(4)
    (array([1.    , 0.3187]), array([1.    , 0.4413]))
    """
    p, size, index = reals("p0", p0, 0, 1), integer("n", n, 1), integers("k", k, 0)
    exponent = -size * p * np.where(index == 0, 1.0, g_at(index))
    factor = np.maximum(0, 1 - 3 * size * p * p - 3 * index * p)
    lower, upper = -np.expm1(exponent), 1 - factor * np.exp(exponent)
    start = (p > 0) * 1.0
    return np.where(index == 0, start, lower), np.where(index == 0, start, upper)


def survival_bounds(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return sharp bounds of the probability that a symbol is alive, Pr(P_k != 0).

    max(p0, 1-(1-p0 g_k)^n) <= Pr(P_k != 0) <= 1-(1-p0)^{b_{k-1}}, with b_0 = n and
    b_{j+1} = n(1-(1-1/n)^{b_j}). The bounds hold for every n, p0 and k.

    Parameters
    ----------
    p0 : true probability, within [0, 1]; broadcast against `k`. Pass each distinct value once: the cost is
        O(cells + max k).
    k : number of refits, 0 to 10**7; at 0 and 1 both bounds are the exact value.
    n : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape. The largest relative errors of the lower/upper bound are 5 %/2.3 %
        for k <= n/4, 19 %/8 % for k <= n and 30 %/12 % for k <= 1000.

    References
    ----------
    Derived (duality with occupied boxes); checked against the exact chain in
    tests/theory/discrete/test_survival.py.

    Examples
    --------
    >>> lower, upper = survival_bounds(0.001, 10_000, [1, 50])
    >>> lower.round(4), upper.round(4)
    (array([1.    , 0.3187]), array([1.    , 0.3192]))
    """
    p, size, index = reals("p0", p0, 0, 1), integer("n", n, 1), integers("k", k, 0, MAX_GENERATIONS)
    constants = np.where(index == 0, 1.0, g_at(index))
    ancestors = _expected_ancestors(size, int(index.max(initial=0)))[index]
    with np.errstate(divide="ignore"):
        lower = np.log1p(-p * constants)
        upper = ancestors * np.log1p(-p)
    lower = np.maximum(-np.expm1(size * lower), p)
    upper = -np.expm1(upper)
    if np.any(index == 0):
        start = (p > 0) * 1.0
        return np.where(index == 0, start, lower), np.where(index == 0, start, upper)
    return lower, upper


def poisson_survival(n_lambda0: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that a rate of the Poisson model is not 0 after k refits.

    Pr(Lambda_k != 0) = 1 - exp(-n lambda0 g_k).

    Parameters
    ----------
    n_lambda0 : n times the true rate lambda0, at least 0; broadcast against `k`.
    k : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, exact.

    References
    ----------
    Theorem 2 of arXiv:2412.17646.

    Examples
    --------
    >>> poisson_survival(10, [1, 100]).round(4)
    array([1.    , 0.1775])
    """
    rate, index = reals("n_lambda0", n_lambda0, 0, np.inf), integers("k", k, 0)
    alive = -np.expm1(-rate * np.where(index == 0, 1.0, g_at(index)))
    return np.where(index == 0, (rate > 0) * 1.0, alive)


def _expected_ancestors(n: int, k_max: int) -> NDArray[np.float64]:
    """Return [k_max+1]: entry k is b_{k-1}, entry 0 is n (unused)."""
    values = np.empty(k_max + 1)
    values[:2] = n
    log_missed = math.log1p(-1 / n) if n > 1 else -math.inf
    value = float(n)
    for k in range(2, k_max + 1):
        previous, value = value, max(1.0, -n * math.expm1(value * log_missed))
        values[k] = value
        if value == previous:
            values[k:] = value
            break
    return values
