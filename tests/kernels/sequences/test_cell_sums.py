"""Sums over cells: those of metrics are tested in `tests/models/ngram/test_metrics.py`."""

import numpy as np

from fastcollapse.kernels.sequences.cell_sums import ENTROPY, N_SUMS, SQUARES, VARIATION, cell_sums
from tests.kernels.sequences.test_urns import COUNTS, table_of


def sums_of(counts, with_distances=True):
    table, out = table_of(COUNTS), np.empty(N_SUMS)
    cell_sums(table, np.array(counts, np.int32), with_distances, np.empty(3, np.uint8), out)
    return out


def test_sums__of_the_truth():
    rows = ([7, 3], [3, 4, 3], [1, 1])
    entropy = sum(-x * np.log(x / sum(row)) for row in rows for x in row)
    mixed = sum(sum(row) * (1 - sum((x / sum(row)) ** 2 for x in row)) for row in rows)
    np.testing.assert_allclose(sums_of(COUNTS), [2, 7, 3, entropy, 22, 4, 22, mixed, 0, 0], rtol=1e-13)


def test_sums__without_distances_leave_them_0():
    assert not sums_of(COUNTS, with_distances=False)[SQUARES - 2 :].any()


def test_sums__of_contexts_without_counts():
    # Words: 0 alone is alive; the contexts 1 and 2 have no law.
    got = sums_of([5, 0, 0, 0, 0, 0, 0])
    squares = 10 * (0.09 + 0.09) + 10 * (0.09 + 0.16 + 0.09) + 2 * (0.25 + 0.25)
    np.testing.assert_allclose(got, [1, 1, 1, 0, 5, 0, 7, 0, 10 * 0.3 + 12, squares], rtol=1e-13)
    assert got[ENTROPY] == 0
    assert sums_of([0] * 7)[VARIATION] == 22


def test_sums__of_counts_beyond_the_table_of_logarithms():
    got = sums_of([70_000, 30_000, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(got[ENTROPY], -70_000 * np.log(0.7) - 30_000 * np.log(0.3), rtol=1e-13)
