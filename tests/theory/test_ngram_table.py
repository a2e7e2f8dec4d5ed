"""Checked tables of n-grams."""

import numpy as np

from fastcollapse.theory.ngram_table import walk_of
from tests._corpora import table_of, toy


def test_walk__has_word_of_each_context():
    text = toy()
    for order in (2, 3):
        table = table_of(text, order)
        walk = walk_of(**table)
        assert walk.n_sentences == 6
        assert walk.n_words == text.n_words
        got = np.bincount(walk.last_word[1:], weights=walk.rows.totals[1:])
        np.testing.assert_array_equal(got, text.word_counts)
