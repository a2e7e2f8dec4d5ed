"""Subsamples, against the uniform law on subsets, and moments of a sample, against NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastcollapse.kernels.random import streams as rng
from fastcollapse.kernels.random.subsample import choose_first, copy_chosen, longest, mean_and_squares
from tests._goodness_of_fit import chi_square_p

P_LIMIT = 1e-5


def stream_of(seed):
    stream = np.zeros(rng.STREAM_WORDS, np.uint64)
    rng.open_stream(*(np.uint64(part) for part in (seed, 1, 2, 3, 4)), stream)
    return stream


def test_choose_first__subsets_are_equally_likely():
    subsets = {chosen: i for i, chosen in enumerate(itertools.combinations(range(6), 3))}
    stream, pool = stream_of(1), np.arange(8.0)
    seen = np.zeros(len(subsets))
    for _ in range(20_000):
        choose_first(pool, 6, 3, stream)
        seen[subsets[tuple(sorted(pool[:3]))]] += 1
    assert chi_square_p(seen, np.full(len(subsets), 1 / len(subsets))) > P_LIMIT
    wrong = np.linspace(0.8, 1.2, len(subsets))
    assert chi_square_p(seen, wrong / wrong.sum()) < P_LIMIT
    np.testing.assert_array_equal(np.sort(pool), np.arange(8))
    np.testing.assert_array_equal(pool[6:], [6, 7])


@pytest.mark.parametrize("replacement", [False, True])
def test_copy_chosen__point_counts_have_exact_law(replacement):
    stream, out = stream_of(2), np.empty(4)
    counts = np.zeros(5)
    for _ in range(20_000):
        copy_chosen(np.arange(5.0), 5, replacement, stream, out)
        counts[int((out == 0).sum())] += 1
    without = np.array([0.2, 0.8, 0, 0, 0])
    with_it = np.array([0.8**4, 4 * 0.2 * 0.8**3, 6 * 0.04 * 0.64, 4 * 0.008 * 0.8, 0.2**4])
    expected, wrong = (with_it, without) if replacement else (without, with_it)
    assert chi_square_p(counts, expected) > P_LIMIT
    assert replacement or counts[2:].sum() == 0
    assert chi_square_p(counts, np.maximum(wrong, 1e-6)) < P_LIMIT


@given(arrays.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1, 1)), st.floats(-1e8, 1e8))
def test_mean_and_squares__equal_numpy(x, shift):
    mean, squares = mean_and_squares(x + shift)
    np.testing.assert_allclose(mean, (x + shift).mean(), rtol=1e-13, atol=1e-300)
    exact = x + shift - shift
    np.testing.assert_allclose(squares, len(x) * exact.var(), rtol=1e-7, atol=1e-13)


def test_longest__reads_the_generations_of_a_block():
    sizes = np.array([9, 3, 5, 4, 8])
    assert [longest(sizes, first, 3) for first in (1, 2, 3)] == [9, 5, 8]
    assert longest(np.zeros(2, np.int64), 1, 2) == 1
