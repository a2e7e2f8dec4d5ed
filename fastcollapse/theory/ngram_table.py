"""Checked tables of n-grams: cells by context, and the closed walk over contexts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, require

# Contexts of at most as many real tokens, and as many synthetic ones, have exact chains: about a second for all.
_SMALL = 50


class Rows(NamedTuple):
    """Counts of cells, in rows of one context each.

    Parameters
    ----------
    offsets : the cells of context c are offsets[c] to offsets[c+1] - 1, int64 [C+1].
    counts : number of times of each cell, int64 [D].
    totals : number of times of each context, int64 [C].
    context : context of each cell, int64 [D].
    """

    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]
    context: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Probability of each cell in its context, [D]."""
        return self.counts / self.totals[self.context]


class Walk(NamedTuple):
    """Sentences as closed walks over contexts that begin in context 0.

    Parameters
    ----------
    rows : the counts.
    words : symbol of each cell, int64 [D]; `n_words` is the end of a sentence.
    successors : context after each cell, int64 [D], 0 for the end of a sentence.
    n_words : number of words V.
    last_word : word that ends each context, int64 [C]; -1 for the start.
    """

    rows: Rows
    words: NDArray[np.int64]
    successors: NDArray[np.int64]
    n_words: int
    last_word: NDArray[np.int64]

    @property
    def n_sentences(self) -> int:
        """Number of sentences S, the number of times of the start."""
        return int(self.rows.totals[0])

    @property
    def is_end(self) -> NDArray[np.bool_]:
        """Whether a cell is the end of a sentence, [D]."""
        return self.successors == 0


def rows_of(offsets: ArrayLike, counts: ArrayLike) -> Rows:
    """Return checked counts by context.

    Examples
    --------
    >>> rows_of([0, 2, 3], [3, 1, 2]).totals
    array([4, 2])
    """
    starts, numbers = integers("offsets", offsets, 0), integers("counts", counts, 1, 2**31)
    require(numbers.ndim == 1 and numbers.size, "counts", "a vector with at least one entry", counts)
    rising = starts.ndim == 1 and starts.size > 1 and bool(np.all(np.diff(starts) > 0))
    limit = f"rising numbers from 0 to {numbers.size}, the number of counts"
    require(rising and starts[0] == 0 and starts[-1] == numbers.size, "offsets", limit, starts)
    context = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    return Rows(starts, numbers, np.add.reduceat(numbers, starts[:-1]), context)


def words_of(words: ArrayLike, rows: Rows) -> NDArray[np.int64]:
    """Return the checked symbols of the cells; the largest is the end of a sentence.

    Examples
    --------
    >>> words_of([0, 1, 1], rows_of([0, 1, 3], [1, 1, 1]))
    array([0, 1, 1])
    """
    symbols = integers("words", words, 0)
    require(symbols.shape == rows.counts.shape, "words", f"of the shape of counts, {rows.counts.shape}", symbols)
    return symbols


def walk_of(offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, successors: ArrayLike) -> Walk:
    """Return a checked walk: every context is entered as often as it is left, and only an end leads to the start.

    Examples
    --------
    >>> walk = walk_of([0, 1, 3], [0, 0, 1], [2, 3, 2], [1, 1, 0])
    >>> walk.n_sentences, walk.rows.totals, walk.last_word
    (2, array([2, 5]), array([-1,  0]))
    """
    rows = rows_of(offsets, counts)
    symbols, after = words_of(words, rows), integers("successors", successors, 0)
    n_contexts, end = rows.totals.size, int(symbols.max())
    require(after.shape == rows.counts.shape, "successors", f"of the shape of counts, {rows.counts.shape}", after)
    require(after < n_contexts, "successors", f"below {n_contexts}, the number of contexts", after)
    require((after == 0) == (symbols == end), "successors", "0 after the largest symbol, the end, alone", after)
    entered = np.bincount(after, weights=rows.counts, minlength=n_contexts)
    require(entered == rows.totals, "counts", "those of sentences: contexts are entered as often as left", counts)
    last_word = np.full(n_contexts, -1)
    last_word[after] = symbols
    last_word[0] = -1
    return Walk(rows, symbols, after, end, last_word)


def are_small(N: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether contexts of N real and n synthetic tokens are exact in `language.contexts_total_variation`.

    Examples
    --------
    >>> are_small(np.array([10, 50, 51]), np.array([111, 51, 1]))
    array([ True, False, False])
    """
    return (N <= _SMALL) & (N * n.astype(np.float64) ** 2 <= _SMALL**3)
