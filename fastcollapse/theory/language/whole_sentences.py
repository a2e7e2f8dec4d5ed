"""Resampling of whole sentences: the n-gram model whose context is all that came before (order infinity).

The S sentences are the alleles of a Wright-Fisher chain, and an n-gram is alive while one of the sentences that have it
is: their number is a binomial chain.
"""

import numpy as np
from numpy.typing import ArrayLike

from fastcollapse.theory.arguments import integer, integers, require
from fastcollapse.theory.discrete.survival import Pair, survival_bounds


def sentences_alive_bounds(holders: ArrayLike, S: int, k: ArrayLike, n: int | None = None) -> Pair:
    """Return bounds of the expected number of words, or other n-grams, alive after k resamplings of sentences.

    Parameters
    ----------
    holders : any shape, 1 to S, the number of sentences that have each n-gram; a sentence counts once.
    S : sentences of the corpus, at least 1.
    k : [B] or scalar, number of resamplings, 0 to 10**7.
    n : sentences of each generation, at least 1; None for S.

    Returns
    -------
    lower, upper : float64, shape of `k`; the sums of `survival_bounds` with p0 = holders/S.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> lower, upper = sentences_alive_bounds([1, 2, 10], 10, [0, 1, 10])
    >>> lower.round(3), upper.round(3)
    (array([3.   , 2.544, 1.455]), array([3.   , 2.544, 1.592]))
    """
    sentences, generations = integer("S", S, 1), integers("k", k, 0)
    size = sentences if n is None else integer("n", n, 1)
    numbers = integers("holders", holders, 1)
    require(numbers.size, "holders", "of at least one n-gram", holders)
    require(numbers <= sentences, "holders", f"at most S = {sentences}", numbers)
    different, copies = np.unique(numbers, return_counts=True)
    lower, upper = survival_bounds(different[:, None] / sentences, size, generations.ravel())
    return (copies @ lower).reshape(generations.shape), (copies @ upper).reshape(generations.shape)
