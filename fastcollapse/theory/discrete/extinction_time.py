"""Law of the extinction time of a symbol that occurs c times in a large corpus (replace).

T_c is the generation in which the symbol is absent for the first time. The limit law of T_c/c has no mean:
compare quantiles only.

Notation
--------
c : number of copies of the symbol in the corpus, above 0; broadcast against the other argument.
q : probability of the quantile, strictly between 0 and 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require
from fastcollapse.theory.discrete.collapse_constants import C_G, g_at, g_inverse


def forgetting_cdf(c: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the probability Pr(T_c <= k) that the symbol is extinct after k generations.

    It is e^{-c g_k}.

    Parameters
    ----------
    k : generation, at least 0.
    c : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, asymptotic for c and k well below the corpus size n. `survival_bounds` with
        p0 = c/n holds for every n.

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
    """Return the quantile of the extinction time, the smallest k with Pr(T_c <= k) >= q.

    This is the smallest k with g_k <= ln(1/q)/c.

    Parameters
    ----------
    q : probability of the quantile, strictly between 0 and 1; c/ln(1/q) is at most 1e15.
    c : see `Notation` of the module.

    Returns
    -------
    int64, broadcast shape, exact for the law of `forgetting_cdf`. The cost does not depend on the result.

    References
    ----------
    Derived; checked against the recursion in tests/theory/discrete/test_extinction_time.py.

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
    """Return the leading term of the median extinction time, 2c/ln 2.

    This is 2.885 generations for each copy.

    Parameters
    ----------
    c : see `Notation` of the module.

    Returns
    -------
    float64, shape of `c`, asymptotic in c.

    References
    ----------
    Derived; checked against `forgetting_quantile` in tests/theory/discrete/test_extinction_time.py.

    Examples
    --------
    >>> float(forgetting_median_law(100).round(1))
    288.5
    """
    return 2 * reals("c", c, 0, np.inf, closed=False) / np.log(2)


def forgetting_quantile_expansion(c: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Return an expansion of the quantile of the extinction time, before it is rounded up.

    The expansion is 2c/L - ln(2c/L)/3 - 2 C_g with L = ln(1/q).

    Parameters
    ----------
    c, q : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, asymptotic in c; the error is O(1/c).

    References
    ----------
    Derived; checked against `forgetting_quantile` in tests/theory/discrete/test_extinction_time.py.

    Examples
    --------
    >>> float(forgetting_quantile_expansion(100, 0.5).round(3))
    285.852
    """
    count, level = reals("c", c, 0, np.inf, closed=False), reals("q", q, 0, 1, closed=False)
    leading = -2 * count / np.log(level)
    return leading - np.log(leading) / 3 - 2 * C_G
