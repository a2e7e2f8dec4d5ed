"""Exact probabilities of the binomial chain n P_{k+1} | P_k ~ Bin(n, P_k), by its transition matrix.

Notation
--------
p0 : true probability of a symbol, any shape, within [0, 1].
n : samples per generation, 1 to 3000; the matrix has (n+1)^2 entries.
k_max : number of refits, at least 0; (n+1 + size of `p0`) k_max is at most 5e7.
"""

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, reals, require, symbol_classes

# Largest count: the matrix has 72 MB.
MAX_EXACT_N = 3000
# Maximum of (counts + values of p0) x generations: two arrays of 400 MB.
MAX_CELLS = 50_000_000


def exact_chain(p0: ArrayLike, n: int, k_max: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities that a symbol is lost and that it is the only one, after 0..k_max refits.

    The probabilities are Pr(P_k = 0) and Pr(P_k = 1). The cost is O(n^2 (k_max + 1) + size of p0 x n k_max).

    Parameters
    ----------
    p0, n, k_max : see `Notation` of the module.

    Returns
    -------
    lost, fixed : float64, shape of `p0` + [k_max+1], exact; the absolute rounding error is about 1e-13.

    References
    ----------
    Derived: Pr(P_k = 0 | p0) = Bin(n, p0) . P^{k-1} e_0, with the binomial matrix P; checked in
    tests/verification/test_discrete.py.

    Examples
    --------
    >>> lost, fixed = exact_chain(0.5, 1, 2)
    >>> lost, fixed
    (array([0. , 0.5, 0.5]), array([0. , 0.5, 0.5]))
    """
    p, size, last = reals("p0", p0, 0, 1), integer("n", n, 1), integer("k_max", k_max, 0)
    require(size <= MAX_EXACT_N, "n", f"at most {MAX_EXACT_N} (use exact_survival_truncated for larger n)", n)
    _require_memory(size, p, last)
    lost_from, _ = _lost_from_counts(size, last, size)
    return _start(p, lost_from, size), _start(1 - p, lost_from, size)


def exact_unique_symbols(p: ArrayLike, n: int, k_max: int, copies: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the expected number of distinct symbols after 0..k_max refits.

    Parameters
    ----------
    p : [K], the true probabilities, which sum to 1.
    k_max : number of refits, at least 0; (n+1 + number of distinct p) k_max is at most 5e7.
    copies : [K], number of symbols of each probability, for a truth without an array over symbols; 1 by default.
    n : see `Notation` of the module.

    Returns
    -------
    float64 [k_max+1], exact; entry 0 is the number of symbols in the truth.

    References
    ----------
    Derived, the sum of 1 - `exact_chain` over the symbols; checked in tests/verification/test_discrete.py.

    Examples
    --------
    >>> exact_unique_symbols([0.25] * 4, 4, 2).round(4)
    array([4.    , 2.7344, 2.147 ])
    """
    values, numbers = symbol_classes(p, copies)
    lost, _ = exact_chain(values, n, k_max)
    return np.asarray(numbers @ (1 - lost), dtype=np.float64)


def exact_survival_truncated(
    p0: ArrayLike, n: int, k_max: int, cap: int = 700
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the survival probability after 0..k_max refits with counts up to `cap`, and a bound of its error.

    A family of tokens whose count exceeds `cap` is counted as alive.

    Parameters
    ----------
    p0 : true probability, any shape, within [0, 1]; the error is small if n p0 is well below `cap`.
    n : samples per generation, at least 1, without an upper bound.
    k_max : number of refits, at least 0; (cap+1 + size of `p0`) k_max is at most 5e7.
    cap : largest count in the matrix, 1 to 3000.

    Returns
    -------
    survival, error : float64, shape of `p0` + [k_max+1]. The exact value is in [survival - error, survival], up
        to rounding errors of 1e-13; `error` is the probability that the count has exceeded `cap` by then.

    References
    ----------
    Derived, as `exact_chain`; checked in tests/verification/test_discrete.py.

    Examples
    --------
    >>> survival, error = exact_survival_truncated(0.001, 10_000, 50)
    >>> round(float(survival[50]), 6), bool(error[50] < 1e-9)
    (0.319022, True)
    """
    p, size, last = reals("p0", p0, 0, 1), integer("n", n, 1), integer("k_max", k_max, 0)
    limit = integer("cap", cap, 1)
    require(limit <= MAX_EXACT_N, "cap", f"at most {MAX_EXACT_N}", cap)
    limit = min(limit, size)
    _require_memory(limit, p, last)
    lost_from, above_from = _lost_from_counts(size, last, limit)
    survival = 1 - _start(p, lost_from, size)
    error = np.zeros_like(survival)
    if limit < size and last > 0:
        error[..., 1:] = _start(p, above_from, size)[..., 1:] + scipy.stats.binom.sf(limit, size, p)[..., None]
    return survival, error


def _require_memory(cap: int, p: NDArray[np.float64], k_max: int) -> None:
    max_refits = MAX_CELLS // (cap + 1 + p.size)
    require(k_max <= max_refits, "k_max", f"at most {max_refits} for {cap + 1} counts and p0 of size {p.size}", k_max)


def _lost_from_counts(n: int, k_max: int, cap: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [k_max, cap+1]: from count c, Pr(lost within j refits) and Pr(above cap within j refits)."""
    counts = np.arange(cap + 1)
    lost, above = np.zeros((max(k_max, 0), cap + 1)), np.zeros((max(k_max, 0), cap + 1))
    if k_max > 0:
        lost[0, 0] = 1
    if k_max > 1:
        matrix = scipy.stats.binom.pmf(counts[None, :], n, counts[:, None] / n)
        leave = scipy.stats.binom.sf(cap, n, counts / n)
        for j in range(1, k_max):
            lost[j] = matrix @ lost[j - 1]
            above[j] = leave + matrix @ above[j - 1]
    return lost, above


def _start(p: NDArray[np.float64], from_counts: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the values of k = 0..k_max from the truth p; at k = 0 whether p is 0."""
    counts = np.arange(from_counts.shape[1])
    later = scipy.stats.binom.pmf(counts, n, p[..., None]) @ from_counts.T
    return np.concatenate([(p == 0)[..., None] * 1.0, later], axis=-1)
