"""Means of an n-gram model that is refitted to its own sentences.

The end of a sentence leads back to the start, so that the counts are a stationary flow of the fitted chain: a context,
word or shorter n-gram of count N in S sentences has N/S expected uses in a sentence.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers


def ngram_expected_counts(N: ArrayLike, S: int, sizes: ArrayLike) -> NDArray[np.float64]:
    """Return the expected counts after any number of refits, N times sizes/S.

    The mean is kept at every generation, though not in the limit: the final sentence has no loop.

    Parameters
    ----------
    N : counts in the corpus, any shape, at least 0: of cells, words, shorter n-grams, or of all words together.
    S : sentences of the corpus, at least 1.
    sizes : [T+1], sentences of the training data of the fits, at least 0, whole sentences alone; entry t is
        that of generation t, from any workflow, and entry 0 is S for the corpus itself.

    Returns
    -------
    float64 [T+1] + shape of `N`, exact.

    References
    ----------
    Derived (flow balance); checked in tests/verification/test_language.py.

    Examples
    --------
    >>> ngram_expected_counts([30, 5], 10, [10, 20])
    array([[30.,  5.],
           [60., 10.]])
    """
    counts, total, sentences = integers("N", N, 0), integer("S", S, 1), integers("sizes", sizes, 0)
    return np.multiply.outer(sentences / total, counts.astype(np.float64))
