"""Closed forms of the expected heterozygosity of a refitted discrete distribution, by workflow.

The heterozygosity of probabilities p is H = 1 - sum p^2. H_0 is that of the truth. The factors of `accumulate`
and `accumulate_subsample` are in `fastcollapse.theory.workflow_factors`.

Notation
--------
h1 : heterozygosity of the real tokens, within [0, 1].
n_real : number of real tokens, at least 1.
n : number of synthetic tokens per generation, at least 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, reals, require, sizes_and_fits


def heterozygosity_replace(h0: ArrayLike, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return the expected heterozygosity after k refits (replace).

    It is H_0 (1-1/n)^k for a constant size n, and H_0 prod_{s<=k} (1-1/n_s) for sizes n_s.

    Parameters
    ----------
    h0 : heterozygosity of the truth, within [0, 1]; broadcast against `k`.
    n : samples per generation, at least 1: one number, or a vector with entry s-1 for generation s.
    k : number of refits, at least 0, and at most the length of the vector `n`.

    Returns
    -------
    float64, broadcast shape of `h0` and `k`, exact. For a vector the limit is positive if and only if sum 1/n_s
        is finite.

    References
    ----------
    arXiv:2404.05090 for constant n; derived for sizes that grow; checked in
    tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> heterozygosity_replace(0.75, 10, [0, 1, 2]).round(5)
    array([0.75  , 0.675 , 0.6075])
    """
    start, (sizes, index) = reals("h0", h0, 0, 1), sizes_and_fits(n, k, 1)
    if sizes.ndim == 0:
        return start * (1 - 1 / sizes) ** index
    return start * np.append(1.0, np.cumprod(1 - 1 / sizes))[index]


def fresh_limit(n: ArrayLike, m_s: ArrayLike) -> NDArray[np.float64]:
    """Return the limit of E H_t/H_0 when some tokens of each generation are fresh real ones.

    Each generation has n tokens: m_s synthetic ones and n - m_s fresh real ones. The limit is 1 - n/(n^2 - m_s
    (m_s-1)).

    Parameters
    ----------
    n : tokens per generation, at least 1; broadcast against `m_s`.
    m_s : number of synthetic tokens among them, 0 to n.

    Returns
    -------
    float64, broadcast shape, exact.

    References
    ----------
    Derived; checked in tests/theory/discrete/test_heterozygosity.py.

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
    """Return V_m = E ||p_m - p_1||^2 when the same real tokens stay in every fit.

    p_1 is the empirical distribution of the real tokens. Refit m+1 uses them and n new synthetic tokens drawn
    from p_m. State t of `expected_heterozygosity` with a fixed set that is the truth is p_{t+1}.

    Parameters
    ----------
    m : number of fits, any shape, at least 1.
    h1, n_real, n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `m`, exact. V_1 = 0 and E H(p_m) = h1 - V_m.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/theory/discrete/test_heterozygosity.py.

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
    """Return the limit of `seddik_partial_variance` for many fits.

    The limit is h1 n/(n_real^2 + 2 n_real n + n).

    Parameters
    ----------
    h1, n_real, n : see `Notation` of the module.

    Returns
    -------
    float, exact. It is below h1/(2 n_real + 1) for every `n`.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> round(seddik_partial_limit(0.75, 10, 10), 5)
    0.02419
    """
    start, fixed, size = real("h1", h1, 0, 1), integer("n_real", n_real, 1), integer("n", n, 1)
    return start * size / (fixed * fixed + 2 * fixed * size + size)
