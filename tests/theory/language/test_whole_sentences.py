"""Resampling of whole sentences: golden values of the shipped sample."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds
from fastcollapse.theory.language.whole_sentences import sentences_alive_bounds
from tests._corpora import holders_of, shipped

AT = [1, 2, 3, 5, 10, 20, 50, 100, 200]
UNIGRAM = [0.890210, 0.811104, 0.749870, 0.659314, 0.522990, 0.388470, 0.238311, 0.154000, 0.094483]
SENTENCES = [0.887875, 0.807531, 0.745594, 0.654350, 0.517641, 0.383363, 0.234141, 0.150746, 0.092147]


def test_two_ends__have_golden_values():
    text = shipped()
    lower, upper = sentences_alive_bounds(holders_of(text), text.n_sentences, AT)
    assert ((upper - lower) / text.n_words < 3e-4).all()
    np.testing.assert_allclose((lower + upper) / 2 / text.n_words, SENTENCES, atol=2e-6)
    lower, upper = unique_symbols_bounds(text.word_counts / text.n_tokens, text.n_tokens, AT)
    np.testing.assert_allclose((lower + upper) / 2 / text.n_words, UNIGRAM, atol=2e-6)
    # Counts in place of the numbers of sentences are another law.
    counts = np.minimum(text.word_counts, text.n_sentences)
    wrong = sentences_alive_bounds(counts, text.n_sentences, 1)[0] / text.n_words
    assert wrong == pytest.approx(0.8902, abs=1e-4)


def test_sentences__bounds_hold_exact_chain():
    k = np.arange(41)
    holders = np.array([1, 1, 3, 17, 30])
    exact = (1 - exact_chain(holders / 30, 30, 40)[0]).sum(axis=0)
    lower, upper = sentences_alive_bounds(holders, 30, k)
    assert (lower <= exact + 1e-12).all()
    assert (exact <= upper + 1e-12).all()
    np.testing.assert_allclose([lower[:2], upper[:2]], [exact[:2]] * 2, rtol=1e-12)
    # Generations of another size than the corpus.
    lower, upper = sentences_alive_bounds(holders, 30, k, n=50)
    exact = (1 - exact_chain(holders / 30, 50, 40)[0]).sum(axis=0)
    assert (lower <= exact + 1e-12).all()
    assert (exact <= upper + 1e-12).all()


def test_sentences__domain_is_checked():
    with pytest.raises(InputError, match="holders must be at most S = 3"):
        sentences_alive_bounds([4], 3, 1)
    with pytest.raises(InputError, match="holders must be of at least one n-gram"):
        sentences_alive_bounds(np.zeros(0, int), 3, 1)
