"""Sums over rows against a plain definition over the symbols."""

import numpy as np
import pytest

from fastcollapse.kernels.spectrum.rows import N_SUMS, new_rows, sum_rows


def test_sum_rows__is_the_sum_over_the_symbols():
    rows = new_rows(5)
    rows.counts[:] = [0, 1, 7, 30, 99]
    rows.numbers[:] = [4, 500, 2, 1, 1000]
    sums = np.zeros(N_SUMS)
    sum_rows(rows.counts, rows.numbers, 4, sums)  # the last row is not in use
    x = np.repeat([1.0, 7.0, 30.0], [500, 2, 1])
    n = x.sum()
    assert sums == pytest.approx([503, (x * np.log(n / x)).sum(), (x * (n - x)).sum()], rel=1e-12)
