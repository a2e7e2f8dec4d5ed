"""Numbers of symbols by Poisson count, against the Poisson and the binomial law, for every method."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams
from fastcollapse.kernels.spectrum.bag import empty, new_bags
from fastcollapse.kernels.spectrum.split import N_PROBABILITIES, split_class
from tests._goodness_of_fit import chi_square_p

# 12 cases x 2 tests, 2e-6 each: 5e-5 in all.
P_LIMIT = 2e-6


@kernel
def _repeat(n_repeats, n_symbols, mean, stream, scratch, bag, values, numbers, ends):
    """More than eight arguments, because the scratch arrays are groups of the test."""
    weights, tails, guide = scratch
    position = np.int64(0)
    for i in range(n_repeats):
        split_class(n_symbols, mean, stream, weights, tails, guide, bag)
        position = empty(bag, position, values, numbers)
        ends[i] = position


def splits(n_repeats, n_symbols, mean, seed=1):
    """Return (values, numbers, ends) of repeated splits."""
    stream = np.zeros(streams.STREAM_WORDS, np.uint64)
    streams.open_stream(*(np.uint64(part) for part in (seed, 1, 2, 3, 4)), stream)
    bags = new_bags(1, 1 << 12, 1 << 16)
    bag = type(bags)(*(array[0] for array in bags))
    scratch = (np.empty(N_PROBABILITIES), np.empty(N_PROBABILITIES), np.empty(N_PROBABILITIES, np.int32))
    values, numbers = np.zeros((2, 4_000_000), np.int64)
    ends = np.zeros(n_repeats, np.int64)
    _repeat(n_repeats, n_symbols, mean, stream, scratch, bag, values, numbers, ends)
    assert not bag.cells.any()
    return values[: ends[-1]], numbers[: ends[-1]], ends


# One variate a symbol, look-ups, and chains of binomials; far values of a window of 4,096 cells in the last cases.
CASES = [
    *[(5, 0.3), (5, 3.0), (100, 3.0), (1000, 3.0), (1000, 0.02), (30, 0.0)],
    *[(20, 400.5), (150, 400.5), (900, 400.5), (2000, 400.5), (40, 1e7), (3000, 90_000.0)],
]


@pytest.mark.parametrize(("n_symbols", "mean"), CASES)
def test_split__numbers_follow_the_poisson_law(n_symbols, mean):
    n_repeats = max(60, 200_000 // n_symbols)
    values, numbers, ends = splits(n_repeats, n_symbols, mean)
    starts = np.concatenate([[0], ends[:-1]])
    np.testing.assert_array_equal(np.add.reduceat(numbers, starts), n_symbols)
    if mean == 0.0:
        assert not values.any()
        return

    def p_value(mean):
        law = stats.poisson(mean)
        low, high = int(law.ppf(1e-9)), int(law.ppf(1 - 1e-9)) + 1
        edges = np.unique(np.linspace(low, high, 200).astype(int))
        probability = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
        cells = np.searchsorted(edges, values, side="left")
        return chi_square_p(np.bincount(cells, numbers, len(edges) + 1), probability)

    assert p_value(mean) > P_LIMIT
    assert p_value(mean + 0.05 * mean**0.5) < P_LIMIT
    # The number of symbols below the median is binomial: its variance shows dependent draws.
    median = stats.poisson(mean).median()
    share = stats.poisson(mean).cdf(median)
    below = np.add.reduceat(np.where(values <= median, numbers, 0), starts)
    statistic = ((below - n_symbols * share) ** 2).sum() / (n_symbols * share * (1 - share))
    if n_symbols * share * (1 - share) > 10:
        assert 2 * min(stats.chi2(n_repeats).sf(statistic), stats.chi2(n_repeats).cdf(statistic)) > P_LIMIT


def test_split__law_of_a_mean_beyond_the_table():
    values, numbers, _ = splits(1, 60_000, 1e14 + 0.25)
    z = (np.repeat(values, numbers) - int(1e14)) / 1e7
    assert stats.kstest(z, stats.norm.cdf).pvalue > P_LIMIT
    assert stats.kstest(z + 0.05, stats.norm.cdf).pvalue < P_LIMIT
