"""Refits."""

import numpy as np

from fastcollapse.kernels.counts.count_sums import N_SUMS, add_blocks, sums_of_block
from fastcollapse.kernels.counts.live_counts import collect_live, compact, compact_blocks, mark_extinct
from fastcollapse.kernels.counts.multinomial import apply_correction, draw_block, split_correction
from fastcollapse.kernels.counts.workspace import BLOCK, thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import StreamKey

_COMPACT_AT = 8


@kernel
def _store(array, i, j, value):
    """Write one entry by a call: Numba drops a plain assignment to a field of a tuple inside `prange` as dead code."""
    array[i, j] = value


@kernel
def refit_block(draw, replicate, block, key, live, truth, workspace, out):
    """Settle a block of a draw, whose `drawn` are the counts of `live`, and write its sums."""
    start, length = live.starts[replicate, block], live.lengths[replicate, block]
    apply_correction(draw, start, length, replicate, block, key, workspace)
    counts = live.counts[replicate, start : start + length]
    symbols = live.symbols[replicate, start : start + length]
    n_dead = mark_extinct(counts, np.int64(key.generation), symbols, live.forgotten[replicate], workspace.deferred)
    if n_dead * _COMPACT_AT > length:
        packed = live.packed[replicate]
        compact(counts, symbols, live.truth_cache[replicate, :, start * packed : (start + length) * packed])
        length -= n_dead
        live.lengths[replicate, block] = length
        n_dead = 0
    live.alive[replicate, block] = length - n_dead
    if length > 0:
        sums_of_block(replicate, start, length, draw.n_tokens, truth, live, workspace.scratch, out)


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
    # The constructor itself: Numba takes no other tuple into a `prange` body.
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
            length = collect_live(
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
                sums_of_block(replicate, start, length, total, truth, live, scratch, partial[replicate, block])
    for replicate in range(n_replicates):
        add_blocks(partial[replicate], sums[replicate])


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
