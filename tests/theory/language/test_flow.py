"""Means of n-gram counts."""

import numpy as np

from fastcollapse.theory.language.flow import ngram_expected_counts


def test_expected_counts__follow_sentences():
    got = ngram_expected_counts(np.array([[8, 4], [0, 2]]), 4, [4, 4, 8])
    assert got.shape == (3, 2, 2)
    np.testing.assert_array_equal(got[0], [[8, 4], [0, 2]])
    np.testing.assert_array_equal(got[2], [[16, 8], [0, 4]])
