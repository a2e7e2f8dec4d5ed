"""Counts of a range of nearly equal weights, against tokens drawn one by one."""

import numpy as np
import pytest

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams
from fastcollapse.kernels.spectrum.bag import empty, new_bags
from fastcollapse.kernels.spectrum.even_range import draw_even_range, new_even_bag, new_even_scratch, pays
from fastcollapse.kernels.spectrum.law_sample import Law, range_sum, relative_weight
from tests._goodness_of_fit import two_sample_p
from tests.naive import discrete as naive
from tests.naive.spectrum import spectrum

# 4 cases, 1e-6 each.
P_LIMIT = 1e-6
N = 8000


@kernel
def _draw(law, first, end, n_tokens, error, stream, bag, values, numbers, ends):
    """More than eight arguments, because the rows of all repetitions are written; `error` is added to the share."""
    work, inner, position = new_even_scratch(), new_even_bag(), np.int64(0)
    weight = range_sum(law, first, end)
    share = 1.0 - (end - first) * relative_weight(law, first, end - 1) / weight + error
    n_extinct = np.int64(0)
    for i in range(ends.shape[0]):
        n_extinct += draw_even_range(law, first, end, n_tokens, share, stream, work, inner, bag)
        position = empty(bag, position, values, numbers)
        ends[i] = position
    return n_extinct


@pytest.mark.parametrize(
    ("a", "first", "end", "n_tokens"), [(1.0, 5, 12, 9), (0.4, 40, 60, 5), (2.0, 3, 8, 14), (1.0, 1, 4, 30)]
)
def test_even_range__has_the_law_of_single_tokens(a, first, end, n_tokens):
    rows, n_extinct = even_ranges(a, first, end, n_tokens)
    assert all((row[:, 0] @ row[:, 1]) == n_tokens for row in rows)
    assert n_extinct + sum(row[:, 1].sum() for row in rows) == N * (end - first)
    got = np.array([hash(row.tobytes()) for row in rows])

    def twins(a, seed):
        rng, weights = np.random.default_rng(seed), np.arange(first, end) ** -a
        return np.array([hash(spectrum(naive.multinomial(weights, n_tokens, rng)).tobytes()) for _ in range(N)])

    assert two_sample_p(got, twins(a, 1)) > P_LIMIT
    if first < 40:  # over twenty symbols from 40 on the exponent hardly shows
        assert two_sample_p(got, twins(a + 2.0, 2)) < P_LIMIT


def test_even_range__of_equal_weights_has_no_excess():
    """Rounding of a long sum leaves a share of 1e-15 of up to 1e15 tokens; no symbol has more weight than another."""
    rows, _ = even_ranges(1e-18, 1, 30, 60, error=0.01)
    assert all((row[:, 0] @ row[:, 1]) == 60 for row in rows)


def even_ranges(a, first, end, n_tokens, error=0.0):
    """Return N spectra of a range, and the number of its symbols without a count in all of them."""
    stream = np.zeros(streams.STREAM_WORDS, np.uint64)
    streams.open_stream(*(np.uint64(part) for part in (5, 1, 2, 3, 4)), stream)
    bags = new_bags(1, 64, 4096)
    bag = type(bags)(*(array[0] for array in bags))
    values, numbers = np.zeros((2, N * 40), np.int64)
    ends = np.zeros(N, np.int64)
    n_extinct = _draw(Law(a, 0.0, 100), first, end, n_tokens, error, stream, bag, values, numbers, ends)
    return np.split(np.column_stack([values, numbers])[: ends[-1]].astype(float), ends[:-1]), n_extinct


def test_pays__for_many_symbols_that_differ_little():
    assert pays(100_000, 5_000_000.0, 1.0 - 1e-4)
    assert not pays(100_000, 5_000_000.0, 0.9)  # too many tokens of the excess
    assert not pays(20, 1000.0, 1.0)
    assert not pays(100_000, 1e12, 1.0)  # the counts do not fit
