"""Passes over the live symbols of every replicate: refit to drawn counts, reduce to sums, copy out as sparse rows.

The live symbols of a block (a fixed range of BLOCK symbols) stand together, ascending, as a symbol number and a count. Counts are
whole numbers up to 1e15 held in float64, exactly, because the samplers take weights.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse._jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.sampling import BLOCK

# What `segment_sums` writes for each state, n its tokens, x its counts, p the truth.
SUM_SUPPORT, SUM_SQUARES, SUM_X_LOG_X, SUM_DISTANCE, SUM_X_LOG_P, SUM_TRUTH = range(6)
N_SUMS = 6

_TABLED = 2048
_X_LOG_X = np.array([0.0] + [x * math.log(x) for x in range(1, _TABLED)])


class LiveCounts(NamedTuple):
    """Live symbols of R replicates over K symbols in N blocks.

    counts: float64 (R, K), whole; symbols: int32 (R, K); starts, lengths: int64 (R, N), the column where a block begins and its
    live symbols; forgotten: int32 (R, K), the generation at which a symbol was first absent, or -1; packed: int64 (R), 1 once the
    blocks were moved together; near: float64 (R, K // 4 + 1, 2), then the truth's pairs of the live symbols, beside them.
    """

    counts: np.ndarray
    symbols: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    forgotten: np.ndarray
    packed: np.ndarray
    near: np.ndarray


class TruthTable(NamedTuple):
    """The truth: `weights` float64 (1, K), counts or probabilities; `pairs` float64 (K, 2), a probability beside its logarithm."""

    weights: np.ndarray
    pairs: np.ndarray


class Rows(NamedTuple):
    """CSR rows: `starts` int64 (rows + 1), `indices` int32 and `data` int64 of the room given."""

    starts: np.ndarray
    indices: np.ndarray
    data: np.ndarray


@kernel
def segment_sums(counts, symbols, pairs, aligned, total, out):
    """Write the sums of one block's live symbols to `out`: ``(n),(n),(m,2),(),()->(6)``, O(n).

    `pairs` are those of these symbols where `aligned`, of all symbols else. The sums are: support, sum x^2, sum x ln x, sum |x/total - p|, sum x ln p, sum p. Blocks are added in ascending order, so that a bit never
    depends on who computes them.
    """
    squares = 0.0
    x_log_x = 0.0
    for i in range(counts.shape[0]):
        x = counts[i]
        squares += x * x
        if x < _TABLED:
            x_log_x += _X_LOG_X[np.uint64(x)]
        else:
            x_log_x += x * math.log(x)
    # A loop of its own: short, so that the processor has many of its cache misses under way at a time.
    share = 1.0 / total
    distance = 0.0
    x_log_p = 0.0
    covered = 0.0
    for i in range(counts.shape[0]):
        x = counts[i]
        row = np.uint64(i) if aligned else np.uint64(symbols[i])
        p = pairs[row, 0]
        distance += abs(x * share - p)
        x_log_p += x * pairs[row, 1]
        covered += p
    out[SUM_SUPPORT] = counts.shape[0]
    out[SUM_SQUARES] = squares
    out[SUM_X_LOG_X] = x_log_x
    out[SUM_DISTANCE] = distance
    out[SUM_X_LOG_P] = x_log_p
    out[SUM_TRUTH] = covered


@kernel
def _keep_live(drawn, generation, counts, symbols, forgotten, packed, near):
    """Move the symbols with a drawn count to the front of their block and mark the others forgotten; return how many live."""
    kept = 0
    for i in range(drawn.shape[0]):
        x = drawn[i]
        if x > 0:
            counts[kept] = x
            symbols[kept] = symbols[i]
            if packed:
                near[kept, 0] = near[i, 0]
                near[kept, 1] = near[i, 1]
            kept += 1
        elif forgotten[np.uint32(symbols[i])] < 0:
            forgotten[np.uint32(symbols[i])] = generation
    return kept


@kernel
def _collect_live(trained, first_symbol, generation, counts, symbols, forgotten):
    """List the symbols with a count in `trained`, all symbols of a block; return how many there are."""
    kept = 0
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
def _pack(replicate, live, pairs):
    """Move the blocks of a replicate together once they fill less than a quarter of their room, and the truth's pairs beside them.

    Late in a run the live symbols of a large vocabulary are far apart in the truth, and each look-up there is a cache miss: at 1e6
    symbols and 100 generations half of the time.
    """
    counts, symbols, near = live.counts[replicate], live.symbols[replicate], live.near[replicate]
    starts, lengths = live.starts[replicate], live.lengths[replicate]
    last = lengths.shape[0] - 1
    if 4 * lengths.sum() > starts[last] + lengths[last]:
        return
    packed = live.packed[replicate] != 0
    position = 0
    for block in range(last + 1):
        start = starts[block]
        starts[block] = position
        for i in range(start, start + lengths[block]):
            counts[position] = counts[i]
            symbols[position] = symbols[i]
            near[position] = near[i] if packed else pairs[symbols[i]]
            position += 1
    live.packed[replicate] = 1


@parallel_kernel
def refit(drawn, dense, total, generation, truth, n_threads, live, sums):
    """Make the drawn counts the new state and write its sums: ``(R,K),...->(R,6)``.

    Parameters
    ----------
    drawn: int64 (R, K), aligned with the live symbols, or, where `dense`, with all symbols
    total: tokens of a new state
    sums: float64 (R, 6), see `segment_sums`
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = drawn.shape[1]
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_SUMS))
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = live.starts[replicate, block]
            if dense:
                stop = min(start + BLOCK, n_symbols)
                length = _collect_live(
                    drawn[replicate, start:stop],
                    start,
                    generation,
                    live.counts[replicate, start:stop],
                    live.symbols[replicate, start:stop],
                    live.forgotten[replicate, start:stop],
                )
            else:
                stop = start + live.lengths[replicate, block]
                length = _keep_live(
                    drawn[replicate, start:stop],
                    generation,
                    live.counts[replicate, start:stop],
                    live.symbols[replicate, start:stop],
                    live.forgotten[replicate],
                    live.packed[replicate] != 0,
                    live.near[replicate, start:stop],
                )
            _store(live.lengths, replicate, block, length)
            if length > 0:
                aligned = live.packed[replicate] != 0
                segment_sums(
                    live.counts[replicate, start : start + length],
                    live.symbols[replicate, start : start + length],
                    live.near[replicate, start : start + length] if aligned else truth.pairs,
                    aligned,
                    total,
                    partial[replicate, block],
                )
    if not dense:
        for replicate in prange(n_replicates):
            _pack(replicate, live, truth.pairs)
    for replicate in range(n_replicates):
        for k in range(N_SUMS):
            total_sum = 0.0
            for block in range(n_blocks):
                total_sum += partial[replicate, block, k]
            sums[replicate, k] = total_sum


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
        position += live.lengths[replicate, unit - replicate * n_blocks]
        rows.starts[first_row + replicate + 1] = position
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = live.starts[replicate, block]
            counts = live.counts[replicate, start : start + live.lengths[replicate, block]]
            symbols = live.symbols[replicate, start : start + live.lengths[replicate, block]]
            indices = rows.indices[positions[unit] : positions[unit] + counts.shape[0]]
            data = rows.data[positions[unit] : positions[unit] + counts.shape[0]]
            for i in range(counts.shape[0]):
                indices[i] = symbols[i]
                data[i] = np.int64(counts[i])


@parallel_kernel
def pool_up(drawn, live, keep, real, n_threads, pool, merged):
    """Put the drawn counts and the real ones into the pool and write the pool out densely.

    ``pool <- keep * pool + drawn (by live symbol) + real``, each of R rows; `real` is int64 (R, K), or (0, 0) for none.
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
            merged[replicate, start + i] = np.int64(mine[i])
