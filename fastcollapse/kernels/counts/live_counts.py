"""Passes over the listed symbols of every replicate: refit to drawn counts, reduce to sums, copy out as sparse rows.

The symbols of a block (a fixed range of BLOCK symbols) that may be alive are listed together, ascending, as a symbol
number and a count. A symbol that dies stays on the list, with a count of zero, until an eighth of the list is dead:
closing up costs more than passing by.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.counts.multinomial import apply_correction, draw_block, split_correction
from fastcollapse.kernels.counts.workspace import BLOCK, thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import StreamKey

# What `segment_sums` writes for each state, n its tokens, x its counts, p the truth.
SUM_SUPPORT, SUM_SQUARES, SUM_X_LOG_X, SUM_DISTANCE, SUM_X_LOG_P, SUM_TRUTH = range(6)
N_SUMS = 6

_TABLED = 2048
_X_LOG_X = np.array([0.0] + [x * math.log(x) for x in range(1, _TABLED)])
_LANES = 64
_COMPACT_AT = 8


class LiveCounts(NamedTuple):
    """Listed symbols of R replicates over K symbols in N blocks.

    counts: float64 (R, K), whole; symbols: int32 (R, K); starts, lengths: int64 (R, N), the column where a block begins
    and how many symbols it lists; alive: int64 (R, N), how many of them have a count; forgotten: int32 (R, K), the
    generation at which a symbol was first absent, or -1; packed: int64 (R), 1 once the blocks were moved together;
    near: float64 (R, 2, K // 2 + 1), then the probability and log probability, under the truth, of the listed symbols,
    beside them.
    """

    counts: np.ndarray
    symbols: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    alive: np.ndarray
    forgotten: np.ndarray
    packed: np.ndarray
    truth_cache: np.ndarray


class TruthTable(NamedTuple):
    """The truth: `weights` float64 (1, K), counts or probabilities; `probability` and `log_probability` float64 (K)."""

    weights: np.ndarray
    probability: np.ndarray
    log_probability: np.ndarray


class CountRows(NamedTuple):
    """CSR rows: `starts` int64 (rows + 1), `indices` int32 and `data` uint32 or int64 of the room given."""

    starts: np.ndarray
    indices: np.ndarray
    data: np.ndarray


@parallel_kernel
def init_live_counts(probability, live):
    """List every symbol of every block; those of probability 0 count as forgotten from the start.

    In parallel, because half of it is page faults.
    """
    n_replicates, n_blocks = live.lengths.shape
    for unit in prange(n_replicates * n_blocks):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        start = block * BLOCK
        stop = start + live.lengths[replicate, block]
        _list_block(
            probability[start:stop], start, live.symbols[replicate, start:stop], live.forgotten[replicate, start:stop]
        )


@kernel
def _list_block(probability, start, symbols, forgotten):
    for i in range(probability.shape[0]):
        symbols[i] = start + i
        forgotten[i] = -1 if probability[i] > 0.0 else 0


@kernel
def _few_sums(counts, probability, log_probability, total, out):
    """As `segment_sums`, of fewer symbols than lanes: the same additions without the lanes."""
    share = 1.0 / total
    support = squares = x_log_x = distance = x_log_p = covered = 0.0
    for i in range(counts.shape[0]):
        x = counts[i]
        if x > 0.0:
            support += 1.0
            squares += x * x
            x_log_x += _X_LOG_X[np.uint64(x)] if x < _TABLED else x * math.log(x)
            distance += abs(x * share - probability[i])
            x_log_p += x * log_probability[i]
            covered += probability[i]
    out[SUM_SUPPORT], out[SUM_SQUARES], out[SUM_X_LOG_X] = support, squares, x_log_x
    out[SUM_DISTANCE], out[SUM_X_LOG_P], out[SUM_TRUTH] = distance, x_log_p, covered


@kernel
def segment_sums(counts, probability, log_probability, total, out):
    """Write the sums of one block's listed symbols to `out`: ``(m),(m),(m),()->(6)``, O(m).

    The sums are, over the symbols with a count: their number, sum x^2, sum x ln x, sum |x/total - p|, sum x ln p, sum
    p. Element i is added to lane i mod 64, which vectorises and gives the same bits on every processor; blocks are
    added in ascending order.
    """
    m = counts.shape[0]
    if m < _LANES:
        _few_sums(counts, probability, log_probability, total, out)
        return
    lanes = np.zeros((6, _LANES))
    support, squares, x_log_x, distance, x_log_p, covered = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5]
    share = 1.0 / total
    for start in range(0, m, _LANES):
        stop = min(_LANES, m - start)
        x, p, log_p = (
            counts[start : start + stop],
            probability[start : start + stop],
            log_probability[start : start + stop],
        )
        # One loop a sum: LLVM gives up on the aliases of one loop for all, which then takes three times as long.
        for j in range(stop):
            support[j] += 1.0 if x[j] > 0.0 else 0.0
        for j in range(stop):
            squares[j] += x[j] * x[j]
        for j in range(stop):
            x_log_x[j] += _X_LOG_X[np.uint64(x[j])] if x[j] < _TABLED else x[j] * math.log(x[j])
        for j in range(stop):
            distance[j] += abs(x[j] * share - p[j]) if x[j] > 0.0 else 0.0
        for j in range(stop):
            x_log_p[j] += x[j] * log_p[j] if x[j] > 0.0 else 0.0
        for j in range(stop):
            covered[j] += p[j] if x[j] > 0.0 else 0.0
    for k in range(N_SUMS):
        out[k] = total_of(lanes[k])


@kernel
def _mark_dead(drawn, generation, symbols, forgotten, dead):
    """Note the generation at which symbols are first without a count; return how many listed symbols are."""
    n_dead = np.int64(0)
    for i in range(drawn.shape[0]):
        dead[n_dead] = i
        n_dead += np.int64(drawn[i] == 0.0)
    for j in range(n_dead):
        symbol = np.uint32(symbols[dead[j]])
        if forgotten[symbol] < 0:
            forgotten[symbol] = generation
    return n_dead


@kernel
def _compact(counts, symbols, truth_cache):
    """Move the symbols with a count, and what stands beside them, to the front; a branch would be mispredicted."""
    kept = np.int64(0)
    for i in range(counts.shape[0]):
        x = counts[i]
        counts[kept] = x
        symbols[kept] = symbols[i]
        if truth_cache.shape[1] > 0:
            truth_cache[0, kept] = truth_cache[0, i]
            truth_cache[1, kept] = truth_cache[1, i]
        kept += np.int64(x > 0.0)


@kernel
def _collect_live(trained, first_symbol, generation, counts, symbols, forgotten):
    """List the symbols with a count in `trained`, all symbols of a block; return how many there are."""
    kept = np.int64(0)
    for i in range(trained.shape[0]):
        x = trained[i]
        if x > 0:
            counts[kept] = x
            symbols[kept] = first_symbol + i
            kept += 1
        elif forgotten[i] < 0:
            forgotten[i] = generation
    return kept


@kernel
def _store(array, i, j, value):
    """Write one entry by a call: Numba drops a plain assignment to a field of a tuple inside `prange` as dead code."""
    array[i, j] = value


@kernel
def _gather(table, symbols, out):
    for i in range(symbols.shape[0]):
        out[i] = table[np.uint32(symbols[i])]


@kernel
def _sums_of_block(replicate, start, length, total, truth, live, scratch, out):
    """Write the sums of a block's list; `scratch` (2, BLOCK) is room for a truth that does not stand beside it."""
    counts = live.counts[replicate, start : start + length]
    if live.packed[replicate] != 0:
        truth_cache = live.truth_cache[replicate]
        segment_sums(counts, truth_cache[0, start : start + length], truth_cache[1, start : start + length], total, out)
    else:
        symbols = live.symbols[replicate, start : start + length]
        _gather(truth.probability, symbols, scratch[0])
        _gather(truth.log_probability, symbols, scratch[1])
        segment_sums(counts, scratch[0, :length], scratch[1, :length], total, out)


@kernel
def compact_blocks(replicate, live, drawn, truth):
    """Move the blocks of a replicate together once they fill less than half of their room, and the truth beside them.

    Late in a run the live symbols of a large vocabulary are far apart in the truth, and each look-up there is a cache
    miss: at 1e6 symbols and 100 generations half of the time.
    """
    counts, symbols, truth_cache = live.counts[replicate], live.symbols[replicate], live.truth_cache[replicate]
    starts, lengths = live.starts[replicate], live.lengths[replicate]
    last = lengths.shape[0] - 1
    if 2 * lengths.sum() > starts[last] + lengths[last]:
        return
    packed = live.packed[replicate] != 0
    upcoming = drawn[replicate]
    position = 0
    for block in range(last + 1):
        start = starts[block]
        starts[block] = position
        for i in range(start, start + lengths[block]):
            counts[position] = counts[i]
            symbols[position] = symbols[i]
            upcoming[position] = upcoming[i]
            truth_cache[0, position] = truth_cache[0, i] if packed else truth.probability[symbols[i]]
            truth_cache[1, position] = truth_cache[1, i] if packed else truth.log_probability[symbols[i]]
            position += 1
    live.packed[replicate] = 1


@kernel
def add_blocks(partial, out):
    """Add the sums of a replicate's blocks, in ascending order: ``(N,6)->(6)``."""
    for k in range(N_SUMS):
        total = 0.0
        for block in range(partial.shape[0]):
            total += partial[block, k]
        out[k] = total


@kernel
def copy_counts(replicate, live, to):
    """Copy the counts of a replicate's lists to the same places of another array."""
    for block in range(live.lengths.shape[1]):
        start = live.starts[replicate, block]
        stop = start + live.lengths[replicate, block]
        to[replicate, start:stop] = live.counts[replicate, start:stop]


@kernel
def refit_block(draw, replicate, block, key, live, truth, workspace, out):
    """Settle a block of a draw, whose `drawn` are the counts of `live`, and write its sums."""
    start, length = live.starts[replicate, block], live.lengths[replicate, block]
    apply_correction(draw, start, length, replicate, block, key, workspace)
    counts = live.counts[replicate, start : start + length]
    symbols = live.symbols[replicate, start : start + length]
    n_dead = _mark_dead(counts, np.int64(key.generation), symbols, live.forgotten[replicate], workspace.deferred)
    if n_dead * _COMPACT_AT > length:
        packed = live.packed[replicate]
        _compact(counts, symbols, live.truth_cache[replicate, :, start * packed : (start + length) * packed])
        length -= n_dead
        live.lengths[replicate, block] = length
        n_dead = 0
    live.alive[replicate, block] = length - n_dead
    if length > 0:
        _sums_of_block(replicate, start, length, draw.n_tokens, truth, live, workspace.scratch, out)


@parallel_kernel
def refit_and_draw(draw, upcoming, key, truth, tables, workspace, live, sums):
    """Settle a draw, whose `drawn` are the counts of `live`, write their sums, draw the next one: ``...->(R,6)``.

    One pass over memory: a block is drawn from while it is in the first-level cache.

    Parameters
    ----------
    draw: made by this kernel; `n_tokens` < 0 for none yet
    upcoming: the next generation's draw, its weights the counts of `live`; `n_tokens` < 0 for none
    key: of `draw`; its generation is noted for the symbols that are first without a count
    sums: float64 (R, 6), see `segment_sums`
    """
    n_replicates, n_blocks = live.lengths.shape
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_SUMS))
    scale = upcoming.n_tokens / upcoming.weight_total
    next_key = StreamKey(key.seed, key.first_replicate, key.generation + np.uint64(1), key.purpose)
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, thread)
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            if draw.n_tokens >= 0 and live.lengths[replicate, block] > 0:
                refit_block(draw, replicate, block, key, live, truth, mine, partial[replicate, block])
            if upcoming.n_tokens >= 0:
                start, length = live.starts[replicate, block], live.lengths[replicate, block]
                draw_block(upcoming, scale, replicate, block, start, length, next_key, tables, mine)
    for replicate in prange(n_replicates):
        compact_blocks(replicate, live, upcoming.drawn, truth)
        if upcoming.n_tokens >= 0:
            split_correction(upcoming, replicate, next_key)
    for replicate in range(n_replicates):
        add_blocks(partial[replicate], sums[replicate])


@parallel_kernel
def refit_dense(trained, total, generation, truth, workspace, live, sums):
    """List the symbols with a count in `trained`, float64 (R, K) over all symbols, and write their sums, as
    `refit_and_draw` does.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = trained.shape[1]
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_SUMS))
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        scratch = workspace.scratch[thread]
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            stop = min(start + BLOCK, n_symbols)
            length = _collect_live(
                trained[replicate, start:stop],
                start,
                generation,
                live.counts[replicate, start:stop],
                live.symbols[replicate, start:stop],
                live.forgotten[replicate, start:stop],
            )
            _store(live.lengths, replicate, block, length)
            _store(live.alive, replicate, block, length)
            if length > 0:
                _sums_of_block(replicate, start, length, total, truth, live, scratch, partial[replicate, block])
    for replicate in range(n_replicates):
        add_blocks(partial[replicate], sums[replicate])


@kernel
def _copy_live(counts, symbols, indices, data):
    kept = np.int64(0)
    for i in range(counts.shape[0]):
        if counts[i] > 0.0:
            indices[kept] = symbols[i]
            data[kept] = np.int64(counts[i])
            kept += 1


@parallel_kernel
def copy_rows(live, first_row, n_threads, rows):
    """Append the live symbols of each replicate to `rows` as one row each, beginning with row `first_row`."""
    n_replicates, n_blocks = live.lengths.shape
    n_units = n_replicates * n_blocks
    positions = np.empty(n_units, np.int64)
    position = rows.starts[first_row]
    for unit in range(n_units):
        replicate = unit // n_blocks
        positions[unit] = position
        position += live.alive[replicate, unit - replicate * n_blocks]
        rows.starts[first_row + replicate + 1] = position
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = live.starts[replicate, block]
            counts = live.counts[replicate, start : start + live.lengths[replicate, block]]
            symbols = live.symbols[replicate, start : start + live.lengths[replicate, block]]
            position = positions[unit]
            _copy_live(counts, symbols, rows.indices[position:], rows.data[position:])


@parallel_kernel
def add_to_pool(drawn, live, keep, real, n_threads, pool, merged):
    """Put the drawn counts and the real ones into the pool and write the pool out densely.

    ``pool <- keep * pool + drawn (by live symbol) + real``, each of R rows; `real` is (R, K), or (0, 0) for none; all
    float64.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = pool.shape[1]
    for unit in prange(n_replicates * n_blocks):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        start = block * BLOCK
        stop = min(start + BLOCK, n_symbols)
        mine = pool[replicate, start:stop]
        if not keep:
            mine[:] = 0.0
        for i in range(start, start + live.lengths[replicate, block]):
            mine[live.symbols[replicate, i] - start] += drawn[replicate, i]
        if real.shape[0] > 0:
            for i in range(stop - start):
                mine[i] += real[replicate, start + i]
        for i in range(stop - start):
            merged[replicate, start + i] = mine[i]
