"""Samples of rows: distinct, uniform, and equal for every thread and block."""

import numpy as np
from scipy import stats

from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.row_samples import draw_noise, draw_rows

# Six tests of p-values: 1e-4 each is below 1e-3 in all.
P_LIMIT = 1e-4


def key(first=0, generation=1):
    return StreamKey(np.uint64(5), np.uint64(first), np.uint64(generation), np.uint64(1))


def rows(n_replicates, n, n_rows, replacement=False, block=0, **names):
    out = np.empty((n_replicates, n), np.int64)
    draw_rows(n_rows, replacement, key(**names), np.uint64(block), out)
    return out


def test_rows__are_distinct_and_uniform():
    found = rows(4000, 3, 7)
    assert all(len(set(one)) == 3 for one in found.tolist())
    counts = np.bincount(found.ravel(), minlength=7)
    # Without replacement the counts vary less, by (N - n) / (N - 1).
    assert stats.chi2.sf(((counts - 12000 / 7) ** 2 / (12000 / 7)).sum() * 6 / 4, 6) > P_LIMIT
    assert sorted(rows(1, 7, 7)[0]) == list(range(7))


def test_rows__with_replacement_repeat():
    found = rows(3000, 2, 2, replacement=True)
    assert stats.binomtest(int((found[:, 0] == found[:, 1]).sum()), 3000).pvalue > P_LIMIT


def test_draws__depend_on_replicate_generation_and_block():
    expected = rows(4, 5, 100)
    np.testing.assert_array_equal(rows(2, 5, 100, first=2), expected[2:])
    for other in (rows(4, 5, 100, block=1), rows(4, 5, 100, generation=2)):
        assert not np.array_equal(other, expected)


def test_noise__is_normal():
    out = np.empty((40, 200))
    draw_noise(normal_table(), key(), np.uint64(0), out)
    assert stats.kstest(out.ravel(), "norm").pvalue > P_LIMIT
    other = np.empty((38, 200))
    draw_noise(normal_table(), key(first=2), np.uint64(0), other)
    np.testing.assert_array_equal(other, out[2:])
