"""One refit of an n-gram model: golden values of a text, small chains by hand, and checks of the domain."""

import numpy as np
import pytest
import scipy.sparse

from fastcollapse.errors import InputError
from fastcollapse.theory.language import one_refit
from fastcollapse.theory.language.flow import ngram_expected_counts
from fastcollapse.theory.language.one_refit import (
    ngram_alive_one_refit,
    ngram_alive_one_refit_poisson,
    ngram_cell_probabilities,
    ngram_length_variance,
    ngram_word_probabilities,
    ngram_word_variances,
)
from tests._corpora import first, shipped, table_of, toy


def without_successors(table):
    return {name: table[name] for name in ("offsets", "words", "counts")}


def test_one_refit__has_golden_values_of_text():
    text = first(400)
    table = table_of(text, 2)
    words, cells, contexts = ngram_alive_one_refit(**table)
    np.testing.assert_allclose([words, cells], [1590.4161041448, 4173.8738793472], rtol=0, atol=2e-10)
    assert contexts == pytest.approx(words + 1, rel=1e-12)  # at order 2: the words and the start
    poisson = ngram_alive_one_refit_poisson(**without_successors(table))
    np.testing.assert_allclose(poisson[:2], [1591.33, 4176.50], rtol=0, atol=5e-3)
    variances = ngram_word_variances(**table)
    of = dict(zip(text.labels, variances, strict=True))
    assert (round(of["the"], 1), round(of["of"], 1)) == (1433.7, 456.5)


def test_one_refit__poisson_of_whole_text_is_near_unigram():
    text = shipped()
    words, _, _ = ngram_alive_one_refit_poisson(**without_successors(table_of(text, 2)))
    assert words / text.n_words == pytest.approx(0.890210, abs=1e-6)


def test_length_variance__is_that_of_all_words_together():
    # One corpus of one word: the words of a sentence have a geometric law.
    table = {"offsets": [0, 1, 3], "words": [0, 0, 1], "counts": [2, 3, 2], "successors": [1, 1, 0]}
    assert ngram_length_variance(**table) == pytest.approx(2 * 0.6 / 0.4**2, rel=1e-11)
    assert ngram_length_variance(**table, n_sentences=7) == pytest.approx(7 * 0.6 / 0.4**2, rel=1e-11)
    # The whole text: simulated standard deviation of its words 0.66 %.
    text = shipped()
    deviation = np.sqrt(ngram_length_variance(**table_of(text, 2))) / text.n_tokens
    assert deviation == pytest.approx(0.0066857, abs=1e-7)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_one_refit__agrees_with_sentences_without_loops(order):
    """At an order above the longest sentence, a sentence repeats nothing."""
    table = table_of(toy(), order)
    cells, words = ngram_cell_probabilities(**table), ngram_word_probabilities(**table)
    for probabilities in (cells, words):
        assert ((probabilities > 0) & (probabilities <= 1 + 1e-12)).all()
    if order == 4:
        np.testing.assert_allclose(cells, table["counts"] / 6, rtol=1e-12)
        # Four sentences have a, four have b, four have c, one has d.
        np.testing.assert_allclose(np.sort(words), np.array([1, 4, 4, 5]) / 6, rtol=1e-12)
        alive, _, _ = ngram_alive_one_refit(**table)
        assert alive == pytest.approx((1 - (1 - np.array([1, 4, 4, 5]) / 6) ** 6).sum(), rel=1e-12)


def test_one_refit__of_order_3_is_smaller_than_sum_over_contexts():
    table = table_of(first(12), 3)
    words, cells, contexts = ngram_alive_one_refit(**table)
    assert words < contexts < cells
    # The variances of the words, for the sum of the visits to their contexts, against the series of powers of P.
    chain = np.zeros((len(table["offsets"]) - 1,) * 2)
    context = np.repeat(np.arange(len(chain)), np.diff(table["offsets"]))
    totals = np.add.reduceat(table["counts"], table["offsets"][:-1])
    inner = table["successors"] > 0
    np.add.at(chain, (context[inner], table["successors"][inner]), (table["counts"] / totals[context])[inner])
    last = np.full(len(chain), -1)
    last[table["successors"][inner]] = table["words"][inner]
    members = (last[:, None] == np.arange(int(table["words"].max()))).astype(float)
    later, term, chain = members, members, scipy.sparse.csr_array(chain)
    while term.max() > 1e-14:
        term = chain @ term
        later = later + term
    uses = members * totals[:, None] / 12
    mean = uses.sum(axis=0)
    expected = 12 * (2 * (uses * later).sum(axis=0) - mean - mean**2)
    np.testing.assert_allclose(ngram_word_variances(**table), expected, rtol=1e-9, atol=1e-9)


def test_one_refit__domain_is_checked(monkeypatch):
    table = {"offsets": [0, 1, 3], "words": [0, 0, 1], "counts": [2, 3, 2], "successors": [1, 1, 0]}
    with pytest.raises(InputError, match="n_sentences must be a whole number of at least 1, got 0"):
        ngram_alive_one_refit(**table, n_sentences=0)
    with pytest.raises(InputError, match="offsets must be rising numbers from 0 to 3, the number of counts"):
        ngram_alive_one_refit(**table | {"offsets": [0, 1, 1, 3]})
    with pytest.raises(InputError, match="contexts are entered as often as left"):
        ngram_alive_one_refit(**table | {"counts": [2, 3, 1]})
    with pytest.raises(InputError, match="successors must be 0 after the largest symbol"):
        ngram_alive_one_refit(**table | {"successors": [1, 0, 0]})
    with pytest.raises(InputError, match="successors must be below 2"):
        ngram_alive_one_refit(**table | {"successors": [1, 2, 0]})
    with pytest.raises(InputError, match=r"words must be of the shape of counts, \(3,\)"):
        ngram_alive_one_refit_poisson(table["offsets"], [0, 1], table["counts"])
    monkeypatch.setattr(one_refit, "MAX_CONTEXTS", 1)
    with pytest.raises(InputError, match="offsets must be those of at most 1 contexts, got 2"):
        ngram_alive_one_refit(**table)
    monkeypatch.setattr(one_refit, "_MOST_STEPS", 3)
    with pytest.raises(InputError, match="counts must be those of sentences that end within 3 words"):
        ngram_length_variance(**table)
    with pytest.raises(InputError, match="S must be a whole number of at least 1"):
        ngram_expected_counts([1], 0, [1])
