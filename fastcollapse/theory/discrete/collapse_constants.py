"""The constants g_k of the discrete collapse law.

s independent Poisson families are all extinct after k refits with the probability e^{-s g_k}.

Notation
--------
k : number of refits, any shape, at least 1.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, reals

# 1/g_k = k/2 + ln(k)/6 + C_G + o(1), computed from 1e5 steps of the recursion in 40-digit arithmetic.
C_G = 0.39912407711569383
_ABEL_CONSTANT = 2 * C_G + math.log(2) / 3
# Index beyond which the error of the expansion `_abel` is below 1e-13, the rounding error of the recursion.
_TABLE_SIZE = 4096


def g(k_max: int) -> NDArray[np.float64]:
    """Return the constants g_0..g_{k_max} by their recursion.

    g_0 = inf, g_1 = 1 and g_{k+1} = 1 - exp(-g_k), so that g_k ~ 2/k.

    Parameters
    ----------
    k_max : 0 to 10**7. Cost O(k_max), at most about a second; `g_at` has no such bound.

    Returns
    -------
    float64 [k_max+1], strictly decreasing.

    References
    ----------
    Theorem 1 of arXiv:2412.17646.

    Examples
    --------
    >>> g(3).round(6)
    array([     inf, 1.      , 0.632121, 0.468536])
    """
    values = np.empty(integer("k_max", k_max, 0, MAX_GENERATIONS) + 1)
    value = values[0] = math.inf
    for k in range(1, values.size):
        value = -math.expm1(-value)
        values[k] = value
    return values


def g_at(k: ArrayLike) -> NDArray[np.float64]:
    """Return g_k for any k, without the recursion if k is large.

    Parameters
    ----------
    k : number of refits, any shape, 0 to 2**53.

    Returns
    -------
    float64, shape of `k`; the relative error is below 1e-13.

    References
    ----------
    Derived: y = 1/g_k obeys y' = y + 1/2 + 1/(12 y) - ..., and its Abel function is expanded in 1/y; checked
    against the recursion in tests/theory/discrete/test_collapse_constants.py.

    Examples
    --------
    >>> g_at([1, 10**9]).round(15)
    array([1.e+00, 2.e-09])
    """
    index = integers("k", k, 0)
    small = _TABLE[np.minimum(index, _TABLE_SIZE)]
    if not np.any(index > _TABLE_SIZE):
        return small
    target = np.maximum(index, _TABLE_SIZE) + _ABEL_CONSTANT
    y = target / 2
    for _ in range(4):
        y = y - (_abel(y) - target) / (2 - 1 / (3 * y))
    return np.where(index > _TABLE_SIZE, 1 / y, small)


def g_inverse(x: ArrayLike) -> NDArray[np.int64]:
    """Return the smallest k >= 0 with g_k <= x.

    Parameters
    ----------
    x : any shape, at least 1e-15.

    Returns
    -------
    int64, shape of `x`, exact. The cost does not depend on the result.

    References
    ----------
    Derived, as `g_at`; checked in tests/theory/discrete/test_collapse_constants.py.

    Examples
    --------
    >>> g_inverse([1.0, 0.5, 1e-9]).tolist()
    [1, 3, 1999999993]
    """
    level = reals("x", x, 1e-15, np.inf)
    # The number of entries above the level; the negative table increases.
    k = np.searchsorted(-_TABLE, -level, side="left").astype(np.int64)
    beyond_table = k > _TABLE_SIZE
    if np.any(beyond_table):
        y = 1 / np.where(beyond_table, level, _TABLE[-1])
        guess = np.ceil(_abel(y) - _ABEL_CONSTANT).astype(np.int64)
        # A level that equals some g_k is rounded; the result must agree with g_at.
        guess = np.where(g_at(guess) > level, guess + 1, guess)
        guess = np.where(g_at(guess - 1) <= level, guess - 1, guess)
        k = np.where(beyond_table, guess, k)
    return np.asarray(k, dtype=np.int64)


def g_bounds_published(k: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the published bounds of g_k, 1/k and 3/k.

    Parameters
    ----------
    k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`.

    References
    ----------
    Theorem 1 of arXiv:2412.17646.

    Examples
    --------
    >>> [float(b) for b in g_bounds_published(4)]
    [0.25, 0.75]
    """
    index = integers("k", k, 1)
    return 1 / index, 3 / index


def g_bounds(k: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sharp bounds of g_k.

    2/(k+1+(H_k-1)/3) <= g_k <= 2/(k+1), with the harmonic number H_k.

    Parameters
    ----------
    k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`; the lower bound is within 0.31 % of g_k.

    References
    ----------
    Derived from 1/(1-e^{-x}) = 1/x + 1/2 + theta x/12, 0 < theta < 1; checked against `g` in
    tests/theory/discrete/test_collapse_constants.py.

    Examples
    --------
    >>> lower, upper = g_bounds(10)
    >>> bool(lower <= g(10)[10] <= upper)
    True
    """
    index = integers("k", k, 1)
    harmonic = digamma(index + 1.0) + np.euler_gamma
    return 2 / (index + 1 + (harmonic - 1) / 3), 2 / (index + 1)


def _abel(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return A(y) with A(1/g_{k+1}) = A(1/g_k) + 1, up to O(y^-3)."""
    return 2 * y - np.log(y) / 3 + 1 / (36 * y) + 1 / (540 * y * y)


_TABLE = g(_TABLE_SIZE)
