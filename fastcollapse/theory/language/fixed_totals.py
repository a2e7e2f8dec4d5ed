"""Contexts with fixed totals: independent multinomials, one for each context.

Notation
--------
offsets : [C+1], rising; the cells of context c are offsets[c] to offsets[c+1] - 1.
words : [D], symbol of each cell; the largest symbol is the end of a sentence, and no word.
counts : [D], number of times of each cell in the corpus, at least 1.
totals : [C], number of draws of each context in each generation, at least 0; None for its count in the corpus.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, require
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.discrete.survival import survival_bounds
from fastcollapse.theory.ngram_table import Rows, rows_of, words_of

# Contexts of at most as many draws have exact chains, whose matrices take about a second together.
_EXACT_DRAWS, _EXACT_REFITS = 100, 1000


def fixed_totals_alive_one_refit(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, totals: ArrayLike | None = None
) -> tuple[float, float]:
    """Return the expected numbers of words and cells that are alive after one refit with fixed totals.

    Parameters
    ----------
    offsets, words, counts, totals : see `Notation` of the module.

    Returns
    -------
    words, cells : float, exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> fixed_totals_alive_one_refit([0, 2, 4], [0, 1, 1, 2], [1, 1, 1, 2])
    (1.675925925925926, 3.1666666666666665)
    """
    rows = rows_of(offsets, counts)
    symbols, draws = words_of(words, rows), _draws(rows, totals)
    draws_of_cell = draws[rows.context]
    with np.errstate(divide="ignore"):
        log_missed = np.where(draws_of_cell > 0, draws_of_cell * np.log1p(-rows.shares), 0.0)
    of_words = np.bincount(symbols, weights=log_missed)[:-1]
    return float(-np.expm1(of_words).sum()), float(-np.expm1(log_missed).sum())


def fixed_totals_alive_bounds(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, k: ArrayLike, totals: ArrayLike | None = None
) -> tuple[NDArray[np.float64], ...]:
    """Return bounds of the expected numbers of words and cells that are alive after k refits with fixed totals.

    Contexts are independent, so that a word is lost with the product of the probabilities that its cells are lost.

    Parameters
    ----------
    k : [B] or scalar, number of refits, 0 to 10**7.
    offsets, words, counts, totals : see `Notation` of the module.

    Returns
    -------
    words_lower, words_upper, cells_lower, cells_upper : float64, shape of `k`, from `survival_bounds` of each cell.
        Cells in contexts of at most 100 draws are exact, up to 1,000 refits.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> found = fixed_totals_alive_bounds([0, 2, 4], [0, 1, 1, 2], [1, 1, 1, 2], [1, 4])
    >>> [bound.round(3).tolist() for bound in found]
    [[1.676, 1.265], [1.676, 1.265], [3.167, 2.26], [3.167, 2.26]]
    """
    rows, generations = rows_of(offsets, counts), integers("k", k, 0)
    symbols, draws = words_of(words, rows), _draws(rows, totals)
    # Cells of the same count and draws have the same bounds.
    kinds = np.stack([rows.counts, rows.totals[rows.context], draws[rows.context]], axis=1)
    different, which = np.unique(kinds, axis=0, return_inverse=True)
    which, flat = which.ravel(), generations.ravel()
    lost = np.ones((2, len(different), flat.size))
    for size in np.unique(different[:, 2]).tolist():
        members = different[:, 2] == size
        if size:
            shares = different[members, 0] / different[members, 1]
            if size <= _EXACT_DRAWS and flat.max(initial=0) <= _EXACT_REFITS:
                lost[:, members] = exact_chain(shares, size, int(flat.max(initial=0)))[0][:, flat]
                continue
            lower, upper = survival_bounds(shares[:, None], size, flat)
            lost[0, members], lost[1, members] = 1 - lower, 1 - upper
    lost[:, :, flat == 0] = 0
    copies = np.bincount(which)
    found: list[NDArray[np.float64]] = []
    for bound in lost:
        alive = [_words_alive(symbols, bound[which, i]) for i in range(flat.size)]
        found += [np.array(alive).reshape(generations.shape), (copies @ (1 - bound)).reshape(generations.shape)]
    return found[0], found[2], found[1], found[3]


def _draws(rows: Rows, totals: ArrayLike | None) -> NDArray[np.int64]:
    draws = rows.totals if totals is None else integers("totals", totals, 0)
    require(draws.shape == rows.totals.shape, "totals", f"of {rows.totals.size} contexts", draws)
    return draws


def _words_alive(symbols: NDArray[np.int64], lost: NDArray[np.float64]) -> float:
    """Return the expected number of words alive, from the probability that each cell is lost."""
    with np.errstate(divide="ignore"):
        log_lost = np.bincount(symbols, weights=np.log(lost))[:-1]
    return float(-np.expm1(log_lost).sum())
