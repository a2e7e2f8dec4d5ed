"""The largest weights, against a sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.kernels.counts.largest_weights import keep_largest

WEIGHTS = st.lists(st.one_of(st.integers(0, 4), st.floats(0, 1), st.floats(1e-300, 1e300)), min_size=1, max_size=40)


def kept(weights, n=0, share=0.0, split=None):
    weights = np.array(weights, float)
    split = len(weights) if split is None else split
    starts, lengths = np.array([0, split]), np.array([split, len(weights) - split])
    keep_largest(starts, lengths, n, share, weights)
    return weights


@settings(deadline=None)
@given(WEIGHTS, st.integers(1, 45), st.integers(0, 40))
def test_keep_largest__number(weights, n, split):
    weights = np.array(weights, float)
    expected = weights.copy()
    expected[np.argsort(-weights, kind="stable")[n:]] = 0
    np.testing.assert_array_equal(kept(weights, n, split=min(split, len(weights))), expected)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any), st.floats(1e-6, 1))
def test_keep_largest__share_of_whole_weights(weights, share):
    weights = np.array(weights, float)
    order = np.argsort(-weights, kind="stable")
    n = np.argmax(np.cumsum(weights[order]) >= share * weights.sum() * (1 - 1e-12)) + 1
    expected = weights.copy()
    expected[order[n:]] = 0
    np.testing.assert_array_equal(kept(weights, share=share), expected)


def test_keep_largest__of_equal_weights_the_first_are_kept():
    np.testing.assert_array_equal(kept([1, 2, 2, 2, 1], 2), [0, 2, 2, 0, 0])
    np.testing.assert_array_equal(kept([1, 1, 1, 1], share=0.5), [1, 1, 0, 0])
    assert not np.array_equal(kept([1, 2, 2, 2, 1], 2), [0, 0, 2, 2, 0])  # negative control: the last


@pytest.mark.parametrize("share", [0.1, 0.07, 0.7, 0.9])
def test_keep_largest__share_is_reached_up_to_rounding(share):
    """0.07 * 100 is above 7 in float64: rounding must not keep one symbol more."""
    assert np.count_nonzero(kept(np.ones(100), share=share)) == round(100 * share)
    assert np.count_nonzero(kept(np.full(100, 1 / 3), share=share)) == round(100 * share)


def test_keep_largest__full_share_keeps_all():
    weights = np.random.default_rng(1).dirichlet(np.ones(1000))
    np.testing.assert_array_equal(kept(weights, share=1.0)[weights > 1e-9], weights[weights > 1e-9])
