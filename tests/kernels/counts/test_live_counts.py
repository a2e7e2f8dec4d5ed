"""Passes over live symbols, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.config.workflows import Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.kernels.counts.count_sums import N_SUMS, SUMS_BUFFER, segment_sums
from fastcollapse.kernels.counts.live_counts import copy_rows, list_all
from fastcollapse.kernels.counts.multinomial import block_grid, new_draw, poisson_pass
from fastcollapse.kernels.counts.refit_counts import add_to_pool, refit_and_draw, refit_dense
from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace
from fastcollapse.kernels.random.poisson_table import poisson_tables
from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.variables import CountRows

N_SYMBOLS = BLOCK + 37
N_REPLICATES = 3
THREADS = 2


def truth_table(probability):
    """Return the table in the layout of the model."""
    truth = CategoricalDistribution(None, None, probability, "a test")
    return Discrete(truth, DiscreteParameters(), Replace(n_samples=1).schedule(1, None))._truth


def refit(live, total, truth, sums, upcoming=None, parents=None):
    """Refit to the counts of `live` at generation 4, drawn from `parents`, with no missing tokens."""
    n_blocks = live.lengths.shape[1]
    draw = new_draw(live.counts if parents is None else parents, 1.0, live.counts, total, n_blocks)
    upcoming = upcoming or new_draw(live.counts, 1.0, np.zeros_like(live.counts), -1, n_blocks)
    key = StreamKey(*np.array([1, 0, 4, 1], np.uint64))
    refit_and_draw(draw, upcoming, key, truth_table(truth), poisson_tables(), new_workspace(THREADS), live, sums)


def live_of(states):
    """Return LiveCounts of dense counts (R, K)."""
    n_replicates, n_symbols = states.shape
    probability = np.ones(n_symbols)
    counts = np.zeros(states.shape, np.int32)
    live = list_all(counts, *block_grid(n_replicates, n_symbols), probability, n_symbols // 2 + 1)
    for replicate in range(n_replicates):
        for block in range(live.lengths.shape[1]):
            start = block * BLOCK
            symbols = start + np.flatnonzero(states[replicate, start : start + BLOCK])
            live.symbols[replicate, start : start + len(symbols)] = symbols
            live.counts[replicate, start : start + len(symbols)] = states[replicate, symbols]
            live.lengths[replicate, block] = live.alive[replicate, block] = len(symbols)
    return live


def dense_of(live):
    """Return dense counts (R, K) of LiveCounts; symbols must ascend."""
    states = np.zeros(live.counts.shape, np.int64)
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


def expected_sums(states, truth, listed=True):
    """Return the sums of dense counts (R, K); only symbols that were `listed` (R, K) before can be lost."""
    total = states.sum(axis=1, keepdims=True)
    live = states > 0
    logs = np.log(np.maximum(states, 1))
    return np.column_stack(
        [
            live.sum(axis=1),
            (states * (total - states).astype(float)).sum(axis=1),
            (states * (np.log(total) - logs)).sum(axis=1),
            np.where(live, np.abs(states / total - truth), 0).sum(axis=1),
            np.where(live, states * (logs - np.log(total * truth)) - states + total * truth, 0).sum(axis=1),
            np.where(listed & ~live, truth, 0).sum(axis=1),
        ]
    )


def test_segment_sums__equal_definition():
    states, truth = random_states(1)
    state = states[0]
    state[0] += 5000
    # A symbol with count zero changes nothing, for any truth.
    listed = np.r_[np.flatnonzero(state), 0].astype(np.int32)
    counts = np.r_[state[listed[:-1]], 0].astype(np.int32)
    cached = np.r_[truth[listed[:-1]], 0]
    expected = expected_sums(state[None], truth)[0, :-1]
    for probability in (cached, np.empty(0)):  # from the cache, and looked up
        for m in (len(counts), 40):  # few symbols have a loop of their own
            got, mine = np.zeros(N_SUMS), np.zeros_like(state)
            np.add.at(mine, listed[:m], counts[:m])
            part = expected_sums(mine[None], truth)[0, :-1] if m == 40 else expected
            total = float(mine.sum())
            segment_sums(counts[:m], listed[:m], probability[:m], total, truth_table(truth), np.empty(SUMS_BUFFER), got)
            np.testing.assert_allclose(got[:-1], part, rtol=1e-11)


@pytest.mark.parametrize("wanted", [{"with_entropy"}, {"with_distance"}, {"with_divergence"}, set()])
def test_segment_sums__that_are_not_needed_change_no_others(wanted):
    states, truth = random_states(9)
    counts, symbols = states[0].astype(np.int32), np.arange(N_SYMBOLS, dtype=np.int32)
    table = truth_table(truth)
    flags = ("with_entropy", "with_distance", "with_divergence")
    some, every = np.zeros(N_SUMS), np.zeros(N_SUMS)
    segment_sums(counts, symbols, np.empty(0), 2e4, table, np.empty(SUMS_BUFFER), every)
    segment_sums(
        counts,
        symbols,
        np.empty(0),
        2e4,
        table._replace(**{name: name in wanted for name in flags}),
        np.empty(SUMS_BUFFER),
        some,
    )
    kept = [True, True, *(name in wanted for name in flags), True]
    np.testing.assert_array_equal(some, np.where(kept, every, 0.0))


@given(st.integers(0, 2**32), st.permutations(range(12)))
def test_segment_sums__do_not_depend_on_the_order_of_symbols(seed, order):
    rng = np.random.default_rng(seed)
    counts, truth = rng.integers(1, 3000, 12).astype(np.int32), rng.dirichlet(np.ones(12))
    table, symbols = truth_table(truth), np.arange(12, dtype=np.int32)
    order = np.array(order)
    plain, permuted = np.zeros(N_SUMS), np.zeros(N_SUMS)
    segment_sums(counts, symbols, np.empty(0), float(counts.sum()), table, np.empty(SUMS_BUFFER), plain)
    segment_sums(
        counts[order], symbols[order], np.empty(0), float(counts.sum()), table, np.empty(SUMS_BUFFER), permuted
    )
    np.testing.assert_allclose(permuted, plain, rtol=1e-11)


@pytest.mark.parametrize("rate", [0.8, 3.0], ids=["many die", "few die"])
def test_refit_and_draw__keeps_drawn_symbols(rate):
    states, truth = random_states(2)
    states[:, 0] += 1
    live = live_of(states)
    wanted, parents = np.zeros(states.shape, np.int64), live.counts.copy()
    rng = np.random.default_rng(3)
    for replicate, lengths in enumerate(live.lengths):
        for block, length in enumerate(lengths):
            start = live.starts[replicate, block]
            mine = slice(start, start + length)
            wanted[replicate, live.symbols[replicate, mine]] = rng.poisson(rate, length)
            live.counts[replicate, mine] = wanted[replicate, live.symbols[replicate, mine]]
    # The samplers give every replicate the same number of tokens.
    totals = wanted.sum(axis=1)
    wanted[:, 0] += totals.max() - totals
    live.counts[:, 0] = wanted[:, 0]
    total = int(totals.max())
    sums = np.empty((N_REPLICATES, N_SUMS))
    refit(live, total, truth, sums, parents=parents)
    np.testing.assert_array_equal(dense_of(live), wanted)
    np.testing.assert_array_equal(live.alive.sum(axis=1), (wanted > 0).sum(axis=1))
    np.testing.assert_allclose(sums, expected_sums(wanted, truth, states > 0), rtol=1e-11)
    lost = (states > 0) & (wanted == 0)
    assert (live.forgotten[lost] == 4).all()
    assert (live.forgotten[states == 0] == -1).all()
    # Lists are compacted when an eighth of their symbols is extinct.
    assert (8 * (live.lengths - live.alive) <= live.lengths).all()


def test_refit_and_draw__compacting_keeps_sums():
    states, truth = random_states(2, total=3000)
    live = live_of(states)
    sums = np.empty((2, N_REPLICATES, N_SUMS))
    for k in range(2):
        refit(live, 3000, truth, sums[k])
    assert live.packed.all()
    assert (live.starts[:, 1] < BLOCK).all()
    np.testing.assert_array_equal(dense_of(live), states)
    np.testing.assert_array_equal(sums[0], sums[1])


def test_refit_and_draw__draws_same_counts_as_poisson_pass():
    states, truth = random_states(3)
    sums = np.empty((N_REPLICATES, N_SUMS))
    live, other = live_of(states), live_of(states)
    upcoming, expected = (
        new_draw(x.counts, 20_000.0, np.zeros_like(x.counts), 7000, x.lengths.shape[1]) for x in (live, other)
    )
    refit(live, 20_000, truth, sums, upcoming)
    key = StreamKey(*np.array([1, 0, 5, 1], np.uint64))
    poisson_pass(expected, other.starts, other.lengths, key, poisson_tables(), new_workspace(1))
    # Compared by symbol: the refit compacts the blocks and the drawn counts with them.
    assert live.packed.all()
    assert not other.packed.any()
    got = dense_of(live._replace(counts=upcoming.drawn))
    np.testing.assert_array_equal(got, dense_of(other._replace(counts=expected.drawn)))
    np.testing.assert_array_equal(upcoming.corrections, expected.corrections)
    assert (upcoming.sums.sum(axis=1) + upcoming.corrections.sum(axis=1) == 7000).all()


def test_refit_dense__symbols_may_reappear():
    states, truth = random_states(4)
    other, _ = random_states(5)
    live = live_of(states)
    live.forgotten[0, :10] = 2
    sums = np.empty((N_REPLICATES, N_SUMS))
    refit_dense(other.astype(np.int32), 20_000, 7, truth_table(truth), new_workspace(THREADS), live, sums)
    np.testing.assert_array_equal(dense_of(live), other)
    np.testing.assert_allclose(sums, expected_sums(other, truth), rtol=1e-11)
    expected = np.where(other == 0, 7, -1)
    expected[0, :10] = 2
    np.testing.assert_array_equal(live.forgotten, expected)


def test_copy_rows__appends_one_row_per_replicate():
    states, _ = random_states(6)
    live = live_of(states)
    # Symbols that became extinct since the last compaction are skipped.
    dead = live.symbols[:, 3]
    states[np.arange(N_REPLICATES), dead] = 0
    live.counts[:, 3] = 0
    live.alive[:, 0] -= 1
    n_cells = int((states > 0).sum())
    rows = CountRows(
        np.zeros(2 * N_REPLICATES + 1, np.int64),
        np.empty(2 * n_cells, np.int32),
        np.empty(2 * n_cells, np.int64),
    )
    for first_row in (0, N_REPLICATES):
        copy_rows(live, first_row, THREADS, rows)
    for row in range(2 * N_REPLICATES):
        mine = slice(rows.indptr[row], rows.indptr[row + 1])
        expected = states[row % N_REPLICATES]
        np.testing.assert_array_equal(rows.indices[mine], np.flatnonzero(expected))
        np.testing.assert_array_equal(rows.data[mine], expected[expected > 0])


def test_add_to_pool__adds_drawn_and_real_tokens():
    states, _ = random_states(7)
    real, _ = random_states(8)
    live = live_of(states)
    drawn = live.counts.copy()
    none = np.zeros((0, 0), np.int32)
    for keep in (True, False):
        for some_real in (none, real.astype(np.int32)):
            pool = np.full(states.shape, 3, np.int32)
            merged = np.full(states.shape, -1, np.int32)
            add_to_pool(drawn.copy(), live, keep, some_real, pool, merged)
            expected = 3 * keep + states + (some_real if some_real.size else 0)
            np.testing.assert_array_equal(pool, expected)
            np.testing.assert_array_equal(merged, expected)
