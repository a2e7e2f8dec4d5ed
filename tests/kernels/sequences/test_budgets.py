"""Budgets of walks: whole sentences, whatever is walked at a time."""

import numpy as np
import pytest

from fastcollapse.kernels.sequences.budgets import sure_sentences, walk_share, walk_words
from fastcollapse.kernels.sequences.walks import new_lanes
from tests.kernels.sequences.test_urns import COUNTS, filled
from tests.kernels.sequences.test_walks import MOST, NONE, key_of, walked


def words(urn, n_words, mean_length=2.0, n_walked=0):
    """Return the counts of a budget of words, of which `n_walked` sentences are walked first."""
    drawn, lengths, lanes = np.zeros(7, np.int32), np.zeros(n_walked, np.int32), new_lanes(256)
    for part in range(3):
        walk_share(urn, n_walked, part, 3, key_of(1), 0, lanes, MOST, drawn, lengths)
    walk_words(urn, n_words, mean_length, n_walked, key_of(1), 0, lanes, MOST, drawn, lengths)
    return drawn


@pytest.mark.parametrize("n_words", [1, 2, 50, 5000])
@pytest.mark.parametrize("mean_length", [0.5, 2.0, 100.0])
def test_words__are_whole_sentences_up_to_the_first_that_reaches_the_budget(n_words, mean_length):
    urn, lengths = filled(COUNTS), np.empty(5000, np.int32)
    walked(urn, (0, 5000), lengths=lengths)
    n_sentences = int(np.searchsorted(np.cumsum(lengths), n_words)) + 1
    expected, _ = walked(urn, (0, n_sentences))
    for n_walked in (0, n_sentences // 2, n_sentences, n_sentences + 30):
        np.testing.assert_array_equal(words(urn, n_words, mean_length, n_walked), expected)


def test_words__of_a_budget_of_0_are_none():
    assert not words(filled(COUNTS), 0).any()


def test_words__that_do_not_end_are_given_up():
    urn = filled([5, 0, 5, 0, 0, 0, 0])
    n = walk_words(urn, 10, 2.0, 0, key_of(1), 0, new_lanes(256), 1000, np.zeros(7, np.int32), NONE)
    assert n > 1000


def test_sure_sentences__stay_below_the_budget():
    assert sure_sentences(10, 20.0, 1000) == 0
    assert sure_sentences(436_577, 21.17, 10**6) == int((436_577 - 4 * np.sqrt(436_577 * 21.17)) / 21.17)
    assert sure_sentences(436_577, 21.17, 100) == 100
