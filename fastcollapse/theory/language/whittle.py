"""The exact law of the counts of generated sentences."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from fastcollapse.theory.arguments import integers, require
from fastcollapse.theory.ngram_table import walk_of

# Contexts of the determinant.
_MAX_CONTEXTS = 2000


def whittle_log_probability(
    F: ArrayLike, offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, successors: ArrayLike
) -> float:
    """Return the log probability that S generated sentences have the table F of counts.

    P(F) = det(I - F/N)_{without start} prod_c [N(c)!/prod_w F(c,w)! prod_w p(c,w)^F(c,w)], where N(c) are the visits of
    F. The determinant counts the ways in which the last uses of the contexts lead to the end. Without it, the counts
    would be multinomial in each context, which they are not.

    Parameters
    ----------
    F : [D], counts of the cells, at least 0; S is the number of visits to the start, context 0.
    offsets, words, counts, successors : the fitted table, as in `ngram_alive_one_refit`; at most 2,000 contexts.

    Returns
    -------
    float, exact; -inf for a table that no sentences have.

    References
    ----------
    Whittle (1955), J. R. Statist. Soc. B 17, 235-242; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> table = {"offsets": [0, 1, 3], "words": [0, 0, 1], "counts": [2, 3, 2], "successors": [1, 1, 0]}
    >>> round(float(np.exp(whittle_log_probability([1, 2, 1], **table))), 6)  # one sentence of three words
    0.144
    """
    walk = walk_of(offsets, words, counts, successors)
    rows, n_contexts = walk.rows, walk.rows.totals.size
    require(n_contexts <= _MAX_CONTEXTS, "offsets", f"those of at most {_MAX_CONTEXTS} contexts", n_contexts)
    table = integers("F", F, 0)
    require(table.shape == rows.counts.shape, "F", f"of the shape of counts, {rows.counts.shape}", table)
    visits = np.add.reduceat(table, rows.offsets[:-1])
    if (np.bincount(walk.successors, weights=table, minlength=n_contexts) != visits).any():
        return -math.inf
    visited = np.flatnonzero(visits[1:]) + 1
    matrix = np.zeros((n_contexts, n_contexts))
    np.add.at(matrix, (rows.context, walk.successors), table)
    matrix = np.eye(visited.size) - matrix[np.ix_(visited, visited)] / visits[visited, None]
    sign, log_trees = np.linalg.slogdet(matrix)
    # A loop without an exit has the determinant 0, up to rounding errors.
    if sign <= 0 or log_trees < math.log(1e-13) - gammaln(visits + 1).sum():
        return -math.inf
    log_ways = gammaln(visits + 1).sum() - gammaln(table + 1).sum()
    return float(log_trees + log_ways + table @ np.log(rows.shares))
