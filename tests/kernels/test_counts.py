"""Passes over live symbols against plain NumPy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.datasets import Truth
from fastcollapse.kernels.counts import (
    N_SUMS,
    LiveCounts,
    Rows,
    copy_rows,
    pool_up,
    refit,
    segment_sums,
)
from fastcollapse.kernels.sampling import BLOCK, block_grid
from fastcollapse.models.discrete import Discrete
from fastcollapse.workflows import Replace

N_SYMBOLS = BLOCK + 37
N_REPLICATES = 3
THREADS = 2


def truth_table(probability):
    """Return the table as the model lays it out."""
    truth = Truth(None, None, probability, "a test")
    return Discrete(truth, Replace(n_samples=1).schedule(1, None))._truth


def live_of(states):
    """Return LiveCounts of dense counts (R, K)."""
    n_replicates, n_symbols = states.shape
    n_blocks = -(-n_symbols // BLOCK)
    live = LiveCounts(
        np.zeros(states.shape),
        np.zeros(states.shape, np.int32),
        *block_grid(n_replicates, n_symbols),
        np.full(states.shape, -1, np.int32),
        np.zeros(n_replicates, np.int64),
        np.zeros((n_replicates, n_symbols // 2 + 1, 2)),
    )
    for replicate in range(n_replicates):
        for block in range(n_blocks):
            start = block * BLOCK
            symbols = start + np.flatnonzero(states[replicate, start : start + BLOCK])
            live.symbols[replicate, start : start + len(symbols)] = symbols
            live.counts[replicate, start : start + len(symbols)] = states[replicate, symbols]
            live.lengths[replicate, block] = len(symbols)
    return live


def dense_of(live):
    """Return dense counts (R, K) of LiveCounts; symbols must ascend."""
    states = np.zeros(live.counts.shape)
    for replicate, lengths in enumerate(live.lengths):
        for block, length in enumerate(lengths):
            start = live.starts[replicate, block]
            mine = slice(start, start + length)
            assert (np.diff(live.symbols[replicate, mine]) > 0).all()
            states[replicate, live.symbols[replicate, mine]] = live.counts[replicate, mine]
    return states


def random_states(seed, total=20_000):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(N_SYMBOLS, 0.3))
    return rng.multinomial(total, p, N_REPLICATES), (p + 1e-9) / (p + 1e-9).sum()


def expected_sums(states, truth):
    total = states.sum(axis=1, keepdims=True)
    live = states > 0
    x_log_x = np.where(live, states * np.log(np.maximum(states, 1)), 0)
    return np.column_stack(
        [
            live.sum(axis=1),
            (states.astype(float) ** 2).sum(axis=1),
            x_log_x.sum(axis=1),
            np.where(live, np.abs(states / total - truth), 0).sum(axis=1),
            (states * np.log(truth)).sum(axis=1),
            np.where(live, truth, 0).sum(axis=1),
        ]
    )


def test_segment_sums__by_definition():
    states, truth = random_states(1)
    state = states[0]
    state[0] += 5000
    symbols = np.flatnonzero(state).astype(np.int32)
    got = np.zeros(N_SUMS)
    segment_sums(state[symbols].astype(float), symbols, truth_table(truth).pairs, False, float(state.sum()), got)
    np.testing.assert_allclose(got, expected_sums(state[None], truth)[0], rtol=1e-11)


@given(st.integers(0, 2**32), st.permutations(range(12)))
def test_segment_sums__do_not_depend_on_the_order_of_symbols(seed, order):
    rng = np.random.default_rng(seed)
    counts, truth = rng.integers(1, 3000, 12).astype(float), rng.dirichlet(np.ones(12))
    order = np.array(order)
    numbers = np.arange(12, dtype=np.int32)
    plain, permuted = np.zeros(N_SUMS), np.zeros(N_SUMS)
    segment_sums(counts, numbers, truth_table(truth).pairs, False, counts.sum(), plain)
    segment_sums(counts[order], numbers, truth_table(truth[order]).pairs, False, counts.sum(), permuted)
    np.testing.assert_allclose(permuted, plain, rtol=1e-11)


def test_refit__keeps_the_symbols_that_were_drawn():
    states, truth = random_states(2)
    states[:, 0] += 1
    live = live_of(states)
    drawn = np.zeros(states.shape, np.int64)
    wanted = np.zeros(states.shape, np.int64)
    rng = np.random.default_rng(3)
    for replicate, lengths in enumerate(live.lengths):
        for block, length in enumerate(lengths):
            start = live.starts[replicate, block]
            mine = slice(start, start + length)
            drawn[replicate, mine] = rng.poisson(0.8, length)
            wanted[replicate, live.symbols[replicate, mine]] = drawn[replicate, mine]
    # The samplers leave every replicate with the same number of tokens.
    totals = wanted.sum(axis=1)
    wanted[:, 0] += totals.max() - totals
    drawn[:, 0] = wanted[:, 0]
    total = int(totals.max())
    sums = np.empty((N_REPLICATES, N_SUMS))
    refit(drawn, False, total, 4, truth_table(truth), THREADS, live, sums)
    np.testing.assert_array_equal(dense_of(live), wanted)
    np.testing.assert_allclose(sums, expected_sums(wanted, truth), rtol=1e-11)
    lost = (states > 0) & (wanted == 0)
    assert (live.forgotten[lost] == 4).all()
    assert (live.forgotten[states == 0] == -1).all()


def test_refit__dense_counts_may_bring_symbols_back():
    states, truth = random_states(4)
    other, _ = random_states(5)
    live = live_of(states)
    live.forgotten[0, :10] = 2
    sums = np.empty((N_REPLICATES, N_SUMS))
    refit(other.astype(np.int64), True, 20_000, 7, truth_table(truth), THREADS, live, sums)
    np.testing.assert_array_equal(dense_of(live), other)
    np.testing.assert_allclose(sums, expected_sums(other, truth), rtol=1e-11)
    expected = np.where(other == 0, 7, -1)
    expected[0, :10] = 2
    np.testing.assert_array_equal(live.forgotten, expected)


def test_copy_rows__appends_one_row_a_replicate():
    states, _ = random_states(6)
    live = live_of(states)
    n_cells = int((states > 0).sum())
    rows = Rows(
        np.zeros(2 * N_REPLICATES + 1, np.int64),
        np.empty(2 * n_cells, np.int32),
        np.empty(2 * n_cells, np.int64),
    )
    for first_row in (0, N_REPLICATES):
        copy_rows(live, first_row, THREADS, rows)
    for row in range(2 * N_REPLICATES):
        mine = slice(rows.starts[row], rows.starts[row + 1])
        expected = states[row % N_REPLICATES]
        np.testing.assert_array_equal(rows.indices[mine], np.flatnonzero(expected))
        np.testing.assert_array_equal(rows.data[mine], expected[expected > 0])


def test_pool_up__adds_drawn_and_real_tokens():
    states, _ = random_states(7)
    real, _ = random_states(8)
    live = live_of(states)
    drawn = live.counts.astype(np.int64)
    none = np.zeros((0, 0), np.int64)
    for keep in (True, False):
        for some_real in (none, real.astype(np.int64)):
            pool = np.full(states.shape, 3.0)
            merged = np.full(states.shape, -1)
            pool_up(drawn.copy(), live, keep, some_real, THREADS, pool, merged)
            expected = 3 * keep + states + (some_real if some_real.size else 0)
            np.testing.assert_array_equal(pool, expected)
            np.testing.assert_array_equal(merged, expected)
