"""Rows of chi variates, against their laws, with and without acceptance by the squeeze."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.chi import fill_chi
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.kernels.random.ziggurat import normal_table

# 21 Kolmogorov-Smirnov tests, 5e-6 each: 1e-4 in all.
P_LIMIT = 5e-6
N_ROWS = 100_000


@kernel
def fill_rows(degrees, normals, words, streams, out):
    for row in out:
        fill_chi(degrees, normals, words, streams, row)


def rows_of(degrees, n, n_rows=N_ROWS):
    streams, out = np.zeros((2, STREAM_WORDS), np.uint64), np.empty((n_rows, n))
    for i in range(2):
        open_stream(*np.array([1, degrees, 2, 3, i], np.uint64), streams[i])
    fill_rows(degrees, normal_table(), np.empty(n, np.uint64), streams, out)
    return out


@pytest.mark.parametrize(("degrees", "n"), [(8, 8), (8, 3), (100, 5), (10**6, 2)])
def test_fill_chi__degrees_decrease_by_one(degrees, n):
    got = rows_of(degrees, n)
    for i in range(n):
        assert stats.kstest(got[:, i], stats.chi(degrees - i).cdf).pvalue > P_LIMIT
    assert stats.kstest(got[:, 0], stats.chi(degrees * (1 + 3 / degrees**0.5)).cdf).pvalue < P_LIMIT
    # Neighbouring variates are independent: z-scores of correlations, below 5.
    correlation = np.corrcoef(got.T)[np.triu_indices(n, 1)]
    assert np.abs(correlation * N_ROWS**0.5).max() < 5


def test_fill_chi__tails():
    # One in 1e5 on each side of 2 million: an error of the squeeze would be visible there.
    got = rows_of(3, 1, 2_000_000)[:, 0]
    for count in ((got < stats.chi(3).ppf(1e-5)).sum(), (got > stats.chi(3).isf(1e-5)).sum()):
        assert stats.poisson(20).cdf(count) > P_LIMIT
        assert stats.poisson(20).sf(count - 1) > P_LIMIT


def test_fill_chi__zero_degrees_give_zero():
    got = rows_of(2, 3, 100)
    assert (got[:, :2] > 0).all()
    assert not got[:, 2].any()
