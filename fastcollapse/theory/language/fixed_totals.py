"""One refit of contexts with fixed totals: independent multinomials, one for each context."""

import numpy as np
from numpy.typing import ArrayLike

from fastcollapse.theory.arguments import integers, require
from fastcollapse.theory.language.table import rows_of, words_of


def fixed_totals_alive_one_refit(
    offsets: ArrayLike, words: ArrayLike, counts: ArrayLike, totals: ArrayLike | None = None
) -> tuple[float, float]:
    """Return the expected numbers of words and cells that are alive after one refit with fixed totals.

    Parameters
    ----------
    offsets : [C+1], rising; the cells of context c are offsets[c] to offsets[c+1] - 1.
    words : [D], symbol of each cell; the largest symbol is the end of a sentence, and no word.
    counts : [D], number of times of each cell in the corpus, at least 1.
    totals : [C], number of draws of each context, at least 0; None for its count in the corpus.

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
    symbols = words_of(words, rows)
    draws = rows.totals if totals is None else integers("totals", totals, 0)
    require(draws.shape == rows.totals.shape, "totals", f"of {rows.totals.size} contexts", draws)
    draws_of_cell = draws[rows.context]
    with np.errstate(divide="ignore"):
        log_missed = np.where(draws_of_cell > 0, draws_of_cell * np.log1p(-rows.shares), 0.0)
    of_words = np.bincount(symbols, weights=log_missed)[:-1]
    return float(-np.expm1(of_words).sum()), float(-np.expm1(log_missed).sum())
