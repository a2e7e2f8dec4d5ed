"""Closed forms of the expected heterozygosity of a discrete distribution, workflow by workflow."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, real, reals, require


def heterozygosity_replace(h0: ArrayLike, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return H_0 (1-1/n)^k, or H_0 prod_{s<=k} (1-1/n_s) for a vector of sizes n_s.

    Parameters
    ----------
    h0 : heterozygosity of the truth, within [0, 1]; broadcast against `k`.
    n : samples per generation, at least 1: one number, or a vector with entry s-1 for generation s.
    k : number of refits, at least 0, and at most the length of the vector `n`.

    Returns
    -------
    float64, broadcast shape of `h0` and `k`. Its limit is positive iff sum 1/n_s is finite.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    arXiv:2404.05090 (constant n); derived for growing n; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> heterozygosity_replace(0.75, 10, [0, 1, 2]).round(5)
    array([0.75  , 0.675 , 0.6075])
    """
    start, sizes, index = reals("h0", h0, 0, 1), integers("n", n, 1), integers("k", k, 0)
    if sizes.ndim == 0:
        return start * (1 - 1 / sizes) ** index
    require(sizes.ndim == 1, "n", "a number or a vector", n)
    require(index <= sizes.size, "k", f"at most {sizes.size}, the number of sizes", k)
    return start * np.append(1.0, np.cumprod(1 - 1 / sizes))[index]


def accumulate_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return prod_{s<=t} (1-1/(n s^2)), the factor of H_0 after t generations of `accumulate`.

    Parameters
    ----------
    n : samples per generation, at least 1; the first batch is kept.
    t : any shape, 0 to 10**7.

    Returns
    -------
    float64, shape of `t`; cost O(max t).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_factor(10, [0, 1, 2]).round(5)
    array([1.    , 0.9   , 0.8775])
    """
    size, index = integer("n", n, 1), integers("t", t, 0, MAX_GENERATIONS)
    s = np.arange(1.0, index.max(initial=0) + 1)
    return np.append(1.0, np.cumprod(1 - 1 / (size * s * s)))[index]


def accumulate_limit(n: ArrayLike) -> NDArray[np.float64]:
    """Return S(n) = sin(pi/sqrt n)/(pi/sqrt n), the limit of `accumulate_factor`.

    Parameters
    ----------
    n : samples per generation, any shape, at least 1.

    Returns
    -------
    float64, shape of `n`.

    Raises
    ------
    InputError
        if an entry is not a whole number of at least 1.

    References
    ----------
    Derived (Euler's product); checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_limit([10, 100]).round(5)
    array([0.84344, 0.98363])
    """
    sizes = integers("n", n, 1)
    return np.where(sizes == 1, 0.0, np.sinc(1 / np.sqrt(sizes)))


def accumulate_subsample_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return the factor of H_0 when n of the n t accumulated tokens are fitted, without replacement.

    Parameters
    ----------
    n : samples per generation and size of the subsample, at least 1; the first batch is kept.
    t : any shape, 0 to 10**7.

    Returns
    -------
    float64, shape of `t`: (1-1/n) prod_{s=2}^t [1-(3n-1)/(n s (n s-1))]; cost O(max t).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_subsample_factor(10, [1, 2, 10**6]).round(5)
    array([0.9    , 0.83132, 0.73899])
    """
    size, index = integer("n", n, 1), integers("t", t, 0, MAX_GENERATIONS)
    total = size * np.arange(2.0, max(2, index.max(initial=0) + 1))
    later = np.cumprod(1 - (3 * size - 1) / (total * (total - 1)))
    return np.concatenate([[1.0, 1.0 - 1 / size], (1 - 1 / size) * later])[index]


def fresh_limit(n: ArrayLike, m_s: ArrayLike) -> NDArray[np.float64]:
    """Return the limit of E H_t/H_0 when m_s of n tokens are synthetic and n - m_s fresh real ones.

    Parameters
    ----------
    n : tokens per generation, at least 1, broadcast against `m_s`.
    m_s : synthetic ones among them, 0..n.

    Returns
    -------
    float64, broadcast shape: 1 - n/(n^2 - m_s (m_s-1)).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> fresh_limit(100, [0, 50, 100]).round(4)
    array([0.99  , 0.9868, 0.    ])
    """
    total, synthetic = integers("n", n, 1), integers("m_s", m_s, 0)
    require(synthetic <= total, "m_s", "at most n", m_s)
    size, part = total.astype(np.float64), synthetic.astype(np.float64)
    return 1 - size / (size * size - part * (part - 1))


def seddik_partial_variance(h1: float, n_real: int, n: int, m: ArrayLike) -> NDArray[np.float64]:
    """Return V_m = E ||p_m - p_1||^2 when the same real tokens stay and n synthetic ones are renewed.

    p_1 is the empirical distribution of the real tokens (m = 1); refit m+1 uses them and n tokens of p_m.

    Parameters
    ----------
    h1 : heterozygosity 1 - sum p_1^2, within [0, 1].
    n_real : real tokens, at least 1.
    n : synthetic tokens per generation, at least 1.
    m : any shape, at least 1.

    Returns
    -------
    float64, shape of `m`; V_1 = 0 and E H(p_m) = h1 - V_m. In the terms of `expected_heterozygosity` with
        a fixed set that is the truth, state t is p_{t+1}.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> seddik_partial_variance(0.75, 10, 10, [1, 2, 100]).round(5)
    array([0.     , 0.01875, 0.02419])
    """
    size, index = integer("n", n, 1), integers("m", m, 1)
    share = size / (integer("n_real", n_real, 1) + size)
    beta = share**2 * (1 - 1 / size)
    return seddik_partial_limit(h1, n_real, n) * (1 - np.power(beta, index - 1))


def seddik_partial_limit(h1: float, n_real: int, n: int) -> float:
    """Return the limit of `seddik_partial_variance`, h1 n/(n_real^2 + 2 n_real n + n).

    Parameters
    ----------
    h1 : heterozygosity 1 - sum p_1^2, within [0, 1].
    n_real : real tokens, at least 1.
    n : synthetic tokens per generation, at least 1.

    Returns
    -------
    float, below h1/(2 n_real + 1) however large `n` is.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> round(seddik_partial_limit(0.75, 10, 10), 5)
    0.02419
    """
    start, fixed, size = real("h1", h1, 0, 1), integer("n_real", n_real, 1), integer("n", n, 1)
    return start * size / (fixed * fixed + 2 * fixed * size + size)
