"""One refit of an n-gram model to S' sentences that it has generated: what is alive, and variances.

G = (I - P)^-1 is over contexts, where P is the fitted chain without the ends of sentences: G_cd is the expected number
of visits to d from c, the start included. A sentence visits context c at least once with the probability
N(c)/(S G_cc), and cell g = (c, w) with N(g)/(S (1 + p_g G_dc)), where d is the context after g.

Notation
--------
offsets : [C+1], rising; the cells of context c are offsets[c] to offsets[c+1] - 1. Context 0 is the start.
words : [D], symbol of each cell; the largest symbol is the end of a sentence.
counts : [D], number of times of each cell in the corpus, at least 1.
successors : [D], context after each cell, 0 after the end.
n_sentences : sentences S' that are generated, at least 1; None for as many as the corpus has.
"""

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, require
from fastcollapse.theory.ngram_table import Walk, rows_of, walk_of, words_of

# Contexts of a dense solve: the matrix has 200 MB, and its inverse takes about 15 s of one core.
MAX_CONTEXTS = 5000
# Steps of the iteration for lengths: each is a pass over the cells.
_MOST_STEPS = 20_000


def ngram_word_probabilities(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, successors: ArrayLike
) -> NDArray[np.float64]:
    """Return the probability that a generated sentence has a word, for each word.

    A word is the set of contexts that end with it; one linear system has the first visits to the set.

    Parameters
    ----------
    offsets, words, counts, successors : see `Notation` of the module; at most 5,000 contexts. The cost is O(C^3).

    Returns
    -------
    float64 [V], exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> ngram_word_probabilities([0, 1, 3, 4], [0, 1, 2, 2], [2, 1, 1, 1], [1, 2, 0, 0])  # the sentences a b, a
    array([1. , 0.5])
    """
    walk = walk_of(offsets, words, counts, successors)
    return _probabilities(walk, _visits(walk))[0]


def ngram_cell_probabilities(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, successors: ArrayLike
) -> NDArray[np.float64]:
    """Return the probability that a generated sentence has a cell, a context and its next symbol, for each cell.

    Parameters
    ----------
    offsets, words, counts, successors : see `Notation` of the module; at most 5,000 contexts. The cost is O(C^3).

    Returns
    -------
    float64 [D], exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> ngram_cell_probabilities([0, 1, 3], [0, 0, 1], [2, 3, 2], [1, 1, 0])
    array([1. , 0.6, 1. ])
    """
    walk = walk_of(offsets, words, counts, successors)
    return _probabilities(walk, _visits(walk))[1]


def ngram_alive_one_refit(
    offsets: ArrayLike,
    words: ArrayLike,
    counts: ArrayLike,
    successors: ArrayLike,
    n_sentences: int | None = None,
) -> tuple[float, float, float]:
    """Return the expected numbers of words, cells and contexts that are alive after one refit.

    Parameters
    ----------
    offsets, words, counts, successors, n_sentences : see `Notation` of the module; at most 5,000 contexts. The cost
        is O(C^3).

    Returns
    -------
    words, cells, contexts : float, exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> alive = ngram_alive_one_refit([0, 1, 3], [0, 0, 1], [2, 3, 2], [1, 1, 0])
    >>> [round(number, 4) for number in alive]
    [1.0, 2.84, 2.0]
    """
    walk = walk_of(offsets, words, counts, successors)
    size = _size(walk, n_sentences)
    found = _probabilities(walk, _visits(walk))
    with np.errstate(divide="ignore"):
        each = [float(-np.expm1(size * np.log1p(-np.minimum(h, 1))).sum()) for h in found]
    return each[0], each[1], each[2]


def ngram_alive_one_refit_poisson(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, n_sentences: int | None = None
) -> tuple[float, float, float]:
    """Return the numbers of `ngram_alive_one_refit` as if all counts were Poisson variates.

    Returns within a sentence are neglected, so that the numbers are a little too large: by less than 0.1 % for bigrams
    of a text.

    Parameters
    ----------
    offsets, words, counts, n_sentences : see `Notation` of the module.

    Returns
    -------
    words, cells, contexts : float, asymptotic for large texts.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> alive = ngram_alive_one_refit_poisson([0, 1, 3], [0, 0, 1], [2, 3, 2])
    >>> [round(number, 4) for number in alive]
    [0.9933, 2.6795, 1.8579]
    """
    rows = rows_of(offsets, counts)
    symbols, total = words_of(words, rows), int(rows.totals[0])
    ratio = (total if n_sentences is None else integer("n_sentences", n_sentences, 1)) / total
    of_words = np.bincount(symbols, weights=rows.counts)[:-1]
    each = [float(-np.expm1(-ratio * expected).sum()) for expected in (of_words, rows.counts, rows.totals)]
    return each[0], each[1], each[2]


def ngram_word_variances(
    offsets: ArrayLike,
    words: ArrayLike,
    counts: ArrayLike,
    successors: ArrayLike,
    n_sentences: int | None = None,
) -> NDArray[np.float64]:
    """Return the variances of the counts of the words after one refit.

    At order 2, the variance of a word of count N is N (2 G_ww - 1 - N/S).

    Parameters
    ----------
    offsets, words, counts, successors, n_sentences : see `Notation` of the module; at most 5,000 contexts. The cost
        is O(C^3).

    Returns
    -------
    float64 [V], exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> ngram_word_variances([0, 1, 3], [0, 0, 1], [2, 3, 2], [1, 1, 0])
    array([7.5])
    """
    walk = walk_of(offsets, words, counts, successors)
    size, visits = _size(walk, n_sentences), _visits(walk)
    uses = walk.rows.totals / walk.n_sentences
    found = np.zeros(walk.n_words)
    for word, members in _contexts_by_word(walk):
        found[word] = _variance(uses[members], visits[np.ix_(members, members)].sum(axis=1))
    return size * found


def ngram_length_variance(
    offsets: ArrayLike,
    words: ArrayLike,
    counts: ArrayLike,
    successors: ArrayLike,
    n_sentences: int | None = None,
) -> float:
    """Return the variance of the number of words after one refit.

    One linear system has the expected length of the rest of a sentence after each context.

    Parameters
    ----------
    offsets, words, counts, successors, n_sentences : see `Notation` of the module, with any number of contexts. The
        cost is O(C + D) times the number of words of the longest loops.

    Returns
    -------
    float, exact up to a relative error of 1e-9.

    Raises
    ------
    InputError
        if loops are so long that 20,000 steps do not leave them.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> round(ngram_length_variance([0, 1, 3], [0, 0, 1], [2, 3, 2], [1, 1, 0]), 6)
    7.5
    """
    walk = walk_of(offsets, words, counts, successors)
    rows, is_end = walk.rows, walk.is_end
    shares = np.where(is_end, 0.0, rows.shares)
    rest = step = np.ones(rows.totals.size)
    for _ in range(_MOST_STEPS):
        step = np.add.reduceat(shares * step[walk.successors], rows.offsets[:-1])
        rest = rest + step
        if step.max() < 1e-12 * rest.min():
            break
    require(
        step.max() < 1e-12 * rest.min(), "counts", f"those of sentences that end within {_MOST_STEPS} words", counts
    )
    # The start is no word: a sentence has as many words as contexts after the start.
    return _size(walk, n_sentences) * _variance(rows.totals[1:] / walk.n_sentences, rest[1:])


def _variance(uses: NDArray[np.float64], later: NDArray[np.float64]) -> float:
    """Return the variance of the visits of a sentence to a set of contexts.

    Parameters
    ----------
    uses : expected visits to each context of the set.
    later : expected visits to the set from each of its contexts on, that visit included.
    """
    mean = float(uses.sum())
    return 2 * float(uses @ later) - mean - mean**2


def _size(walk: Walk, n_sentences: int | None) -> int:
    return walk.n_sentences if n_sentences is None else integer("n_sentences", n_sentences, 1)


def _visits(walk: Walk) -> NDArray[np.float64]:
    """Return G, [C, C]."""
    rows, is_word = walk.rows, ~walk.is_end
    n_contexts = rows.totals.size
    require(n_contexts <= MAX_CONTEXTS, "offsets", f"those of at most {MAX_CONTEXTS} contexts", n_contexts)
    matrix = np.eye(n_contexts)
    # Two cells of a context may lead to one context at no order: the last symbol of the next context is the word.
    matrix[rows.context[is_word], walk.successors[is_word]] -= rows.shares[is_word]
    return np.asarray(scipy.linalg.inv(matrix, overwrite_a=True))


def _probabilities(
    walk: Walk, visits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    rows, uses = walk.rows, walk.rows.totals / walk.n_sentences
    again = np.where(walk.is_end, 0.0, rows.shares * visits[walk.successors, rows.context])
    of_words = np.zeros(walk.n_words)
    for word, members in _contexts_by_word(walk):
        # First visits f to the set obey f G = uses there.
        inside = visits[np.ix_(members, members)]
        first = uses[members] / inside[0] if members.size == 1 else np.linalg.solve(inside.T, uses[members])
        of_words[word] = first.sum()
    return of_words, rows.counts / walk.n_sentences / (1 + again), uses / np.diag(visits)


def _contexts_by_word(walk: Walk) -> list[tuple[int, NDArray[np.int64]]]:
    """Return the contexts that end with each word."""
    order = np.argsort(walk.last_word, kind="stable")[1:]
    found, starts = np.unique(walk.last_word[order], return_index=True)
    return list(zip(found.tolist(), np.split(order, starts[1:]), strict=True))
