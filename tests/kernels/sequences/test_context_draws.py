"""Multinomials with fixed totals, one a context."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace, thread_workspace
from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.sequences.context_draws import draw_contexts
from fastcollapse.kernels.sequences.urns import CellTable
from tests._goodness_of_fit import chi_square_p

P_LIMIT = 1e-6


def table_of(rows):
    """Return a table with a context for each row of counts."""
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    counts = np.concatenate(rows).astype(np.int32)
    words = np.concatenate([np.arange(len(row)) for row in rows]).astype(np.int32)
    return CellTable(offsets, words, np.zeros_like(words), counts, max(map(len, rows)))


def drawn_of(table, sizes, generation=1, temperature=1.0, parts=1):
    drawn, n = np.zeros(len(table.words), np.int32), len(sizes)
    workspace = thread_workspace(new_workspace(1), 0)
    key = StreamKey(np.uint64(3), np.uint64(0), np.uint64(generation), np.uint64(1))
    for part in range(parts):
        contexts = n * part // parts, n * (part + 1) // parts
        draw_contexts(table, table.counts, temperature, np.array(sizes), contexts, key, 0, workspace, drawn)
    return drawn


# Few tokens, many tokens, and one of the cells without a count.
ROWS = ([5, 3, 2], [1, 0, 4, 1], [9])


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("sizes", [(4, 3, 2), (1000, 300, 7)])
def test_draws__are_multinomial_in_each_context(sizes, temperature):
    table = table_of(ROWS)
    draws = np.array([drawn_of(table, sizes, t, temperature) for t in range(2000)])
    start = 0
    for row, size in zip(ROWS, sizes, strict=True):
        mine, weights = draws[:, start : start + len(row)], np.array(row) ** (1 / temperature)
        assert (mine.sum(axis=1) == size).all()
        assert not mine[:, np.array(row) == 0].any()
        start += len(row)
        if len(row) > 1:
            for cell in np.flatnonzero(row):
                law = stats.binom.pmf(np.arange(size + 1), size, weights[cell] / weights.sum())
                assert chi_square_p(np.bincount(mine[:, cell], minlength=size + 1), law) > P_LIMIT
    # Contexts are independent: the correlation of two of them.
    assert abs(np.corrcoef(draws[:, 0], draws[:, 3])[0, 1]) < 5 / np.sqrt(2000)
    assert np.corrcoef(draws[:, 0], draws[:, 1])[0, 1] < -5 / np.sqrt(2000)  # negative control: one context


def test_draws__do_not_depend_on_parts():
    rng = np.random.default_rng(1)
    table = table_of([rng.integers(0, 4, size=rng.integers(1, 9)) for _ in range(40)])
    sizes = rng.integers(0, 9, size=40)
    expected = drawn_of(table, sizes)
    for parts in (2, 7, 40):
        np.testing.assert_array_equal(drawn_of(table, sizes, parts=parts), expected)


def test_draws__of_a_long_context_are_multinomial():
    counts = np.ones(2 * BLOCK + 100, int)
    counts[::2] = 3
    drawn = drawn_of(table_of([counts]), [400_000])
    assert drawn.sum() == 400_000
    even = drawn[::2].sum()
    blocks = np.add.reduceat(drawn, [0, BLOCK, 2 * BLOCK])
    assert chi_square_p([even, 400_000 - even], [0.75, 0.25]) > P_LIMIT
    assert chi_square_p(blocks, np.add.reduceat(counts, [0, BLOCK, 2 * BLOCK]) / counts.sum()) > P_LIMIT


def test_draws__without_live_cells_or_tokens_are_none():
    assert not drawn_of(table_of([[0, 0], [1, 2]]), [5, 0]).any()
