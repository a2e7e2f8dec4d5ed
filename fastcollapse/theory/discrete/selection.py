"""Two symbols under curation with noise: Wright-Fisher with selection, and the probability that the better one stays.

Notation
--------
n : tokens per generation, 2 to 2000 for the exact chain.
s : reward of the better symbol minus that of the other, from 0 to 700.
k : count of the better symbol at the start, any shape, 0 to n.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.absorbing_chain import MAX_N, absorption, binomial_rows, count_logits
from fastcollapse.theory.arguments import integer, integers, real, require
from fastcollapse.theory.discrete.curation import curated_law


def curated_fixation(n: int, s: float, k: ArrayLike, K: object = "infinite") -> NDArray[np.float64]:
    """Return the probability that the better of two symbols is the one that stays, from count k of n.

    The count of the next generation is Bin(n, S(P)), with the soft rule for K samples.

    Parameters
    ----------
    K : number of samples of which one is kept, 1 to 10**6, or "infinite".
    n, s, k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact, with full relative accuracy of both probabilities. Cost O(n^3).

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> curated_fixation(50, 0.1, [10, 25]).round(6)
    array([0.867422, 0.99347 ])
    """
    size, gap = integer("n", n, 2, MAX_N), real("s", s, 0, 700)
    counts = integers("k", k, 0, size)
    shares = np.arange(size + 1) / size
    if isinstance(K, str):
        curated_law([0.5, 0.5], [gap, 0.0], K)  # checks K
        logits = count_logits(size) + gap
    else:
        kept = np.array([curated_law([x, 1 - x], [gap, 0.0], K) for x in shares])
        with np.errstate(divide="ignore"):
            logits = np.log(kept[:, 0]) - np.log(kept[:, 1])
    rows = binomial_rows(size, logits[1:-1])
    leave, won = rows[:, 0] + rows[:, -1], rows[:, -1:]
    inner = absorption(rows[:, 1:-1], leave, won)[:, 0]
    return np.concatenate([[0.0], inner, [1.0]])[counts]


def kimura_fixation(n: float, s: float, k: ArrayLike) -> NDArray[np.float64]:
    """Return Kimura's fixation probability (1-e^(-2sk))/(1-e^(-2ns)) of the better of two symbols, k/n for s = 0.

    The better symbol is lost with probability of about e^(-2sk).

    Parameters
    ----------
    n : tokens per generation, 1 to 10**15.
    k : count of the better symbol at the start, any shape, 0 to n.
    s : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, asymptotic: n large, s small, infinitely many samples of which one is kept.

    References
    ----------
    Kimura (1962), Genetics 47, 713, for a haploid population of n; checked against `curated_fixation` in
    tests/theory/discrete/test_selection.py.

    Examples
    --------
    >>> kimura_fixation(50, 0.1, [10, 25]).round(6)
    array([0.864704, 0.993307])
    """
    size, gap = integer("n", n, 1, 10**15), real("s", s, 0, 700)
    counts = integers("k", k, 0, 10**15)
    require(counts <= size, "k", f"at most {size}", k)
    if gap == 0:
        return np.asarray(counts / size, dtype=np.float64)
    return np.asarray(np.expm1(-2 * gap * counts) / np.expm1(-2 * size * gap), dtype=np.float64)
