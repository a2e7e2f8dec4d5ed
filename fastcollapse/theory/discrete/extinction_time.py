"""Law of the generation in which a symbol that occurs c times in a large corpus is forgotten (replace)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require
from fastcollapse.theory.discrete.collapse_constants import C_G, g_at, g_inverse


def forgetting_cdf(c: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return Pr(T_c <= k) = e^{-c g_k}, T_c the generation in which a symbol of count c is forgotten.

    Parameters
    ----------
    c : its number of copies, above 0, broadcast against `k`.
    k : generation, at least 0.

    Returns
    -------
    float64, broadcast shape; the law for c and k well below the corpus size n (`survival_bounds` with
        p0 = c/n holds at any n).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Theorem 2 of arXiv:2412.17646 (exact in the Poisson model).

    Examples
    --------
    >>> forgetting_cdf(100, [0, 100, 286]).round(4)
    array([0.    , 0.1417, 0.5002])
    """
    return np.exp(-reals("c", c, 0, np.inf, closed=False) * g_at(integers("k", k, 0)))


def forgetting_quantile(c: ArrayLike, q: ArrayLike) -> NDArray[np.int64]:
    """Return the smallest k with Pr(T_c <= k) >= q, that is g_k <= ln(1/q)/c.

    Parameters
    ----------
    c : number of copies, above 0, broadcast against `q`.
    q : strictly between 0 and 1; c/ln(1/q) at most 1e15.

    Returns
    -------
    int64, broadcast shape; cost does not depend on the answer.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked against the recursion in tests/theory/test_forgetting.py.

    Examples
    --------
    >>> forgetting_quantile([1, 100, 10**9], 0.5).tolist()
    [2, 286, 2885390074]
    """
    count, level = reals("c", c, 0, np.inf, closed=False), reals("q", q, 0, 1, closed=False)
    ratio = -np.log(level) / count
    require(ratio >= 1e-15, "c/ln(1/q)", "at most 1e15", 1 / ratio)
    return g_inverse(ratio)


def forgetting_median_law(c: ArrayLike) -> NDArray[np.float64]:
    """Return 2c/ln 2, the leading term of the median: 2.885 generations for each copy.

    Parameters
    ----------
    c : number of copies, any shape, above 0.

    Returns
    -------
    float64, shape of `c`.

    Raises
    ------
    InputError
        if an entry is not above 0.

    References
    ----------
    Derived; checked against `forgetting_quantile` in tests/theory/test_forgetting.py. The limit law of T_c/c
    has no mean: compare quantiles only.

    Examples
    --------
    >>> float(forgetting_median_law(100).round(1))
    288.5
    """
    return 2 * reals("c", c, 0, np.inf, closed=False) / np.log(2)


def forgetting_quantile_expansion(c: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Return 2c/L - ln(2c/L)/3 - 2 C_g with L = ln(1/q), the quantile q of T_c before rounding up.

    Parameters
    ----------
    c : number of copies, above 0, broadcast against `q`; the error is O(1/c).
    q : strictly between 0 and 1.

    Returns
    -------
    float64, broadcast shape.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked against `forgetting_quantile` in tests/theory/test_forgetting.py.

    Examples
    --------
    >>> float(forgetting_quantile_expansion(100, 0.5).round(3))
    285.852
    """
    count, level = reals("c", c, 0, np.inf, closed=False), reals("q", q, 0, 1, closed=False)
    leading = -2 * count / np.log(level)
    return leading - np.log(leading) / 3 - 2 * C_G
