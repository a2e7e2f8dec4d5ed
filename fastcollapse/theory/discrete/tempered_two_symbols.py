"""Two symbols sampled at a temperature, with noise: n P' ~ Bin(n, F(P)), F(x) = (1-lam) T_beta(x) + lam p0.

T_beta(x) = x^beta/(x^beta + (1-x)^beta) with beta = 1/T: a temperature T below 1 sharpens, one above 1 flattens.

Notation
--------
n : tokens per generation, 2 to 2000; the cost is O(n^3).
T : temperature, from 10**-3 to 10**3.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from fastcollapse.theory.absorbing_chain import MAX_N, absorption, binomial_rows, count_logits
from fastcollapse.theory.arguments import integer, integers, real, require


def tempered_absorption(n: int, T: float, k: ArrayLike) -> NDArray[np.float64]:
    """Return the mean number of refits until one of two symbols is lost, without external data.

    For T > 1 it grows exponentially in n, for T = 1 as n, for T < 1 as ln n.

    Parameters
    ----------
    k : count of one symbol at the start, any shape, 0 to n.
    n, T : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact, with full relative accuracy.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> tempered_absorption(100, 1 / 1.1, [0, 50]).round(10)
    array([ 0.        , 30.13438474])
    """
    rows = _rows(n, T)
    counts = integers("k", k, 0, rows.shape[1] - 1)
    leave = rows[1:-1, 0] + rows[1:-1, -1]
    inner = absorption(rows[1:-1, 1:-1], leave, np.ones((len(leave), 1)))[:, 0]
    return np.concatenate([[0.0], inner, [0.0]])[counts]


def tempered_eigenvalue(n: int, T: float) -> float:
    """Return the factor by which the probability that both of two symbols are alive falls per generation, at last.

    It is the leading eigenvalue of the chain without external data. It tends to T for T < 1, whatever n, and is
    1-1/n for T = 1.

    Parameters
    ----------
    n, T : see `Notation` of the module.

    Returns
    -------
    float, exact.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> round(tempered_eigenvalue(100, 0.5), 6), round(tempered_eigenvalue(100, 1), 6)
    (0.5, 0.99)
    """
    rows = _rows(n, T)
    return float(np.abs(np.linalg.eigvals(rows[1:-1, 1:-1])).max())


def tempered_stationary_variance(n: int, lam: float, T: float, p0: float = 0.5) -> float:
    """Return the variance of the share of one of two symbols after many generations with external data.

    Each token is external with probability lam.

    Parameters
    ----------
    lam : share of external data, from 10**-6 to 1.
    p0 : true probability of the symbol, strictly between 0 and 1.
    n, T : see `Notation` of the module.

    Returns
    -------
    float, exact. Cost O(n^3).

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> f"{tempered_stationary_variance(200, 0.3, 2):.6e}"
    '1.425223e-03'
    """
    size, share, truth = integer("n", n, 2, MAX_N), real("lam", lam, 1e-6, 1), real("p0", p0, 0, 1)
    require(0 < truth < 1, "p0", "strictly between 0 and 1", p0)
    logits = count_logits(size) / real("T", T, 1e-3, 1e3)
    success = (1 - share) * expit(logits) + share * truth
    failure = (1 - share) * expit(-logits) + share * (1 - truth)
    rows = binomial_rows(size, np.log(success) - np.log(failure))
    # law (rows - 1) = 0, with the last column replaced by the sum of the law.
    system = rows - np.eye(size + 1)
    system[:, -1] = 1.0
    law = np.linalg.solve(system.T, np.append(np.zeros(size), 1.0))
    shares = np.arange(size + 1) / size
    mean = float(law @ shares)
    return float(law @ (shares - mean) ** 2)


def _rows(n: int, T: float) -> NDArray[np.float64]:
    """Return the transition probabilities between counts without external data, [n+1, n+1]."""
    size = integer("n", n, 2, MAX_N)
    return binomial_rows(size, count_logits(size) / real("T", T, 1e-3, 1e3))
