"""Refits of discrete distributions to drawn counts: corrected draws, lists, sums and pools."""

import numpy as np

from fastcollapse.kernels.counts.count_sums import N_SUMS, add_blocks, segment_sums
from fastcollapse.kernels.counts.live_counts import compact, compact_blocks, list_block, mark_extinct
from fastcollapse.kernels.counts.multinomial import apply_correction, draw_block, split_correction, weights_of
from fastcollapse.kernels.counts.workspace import BLOCK, thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import StreamKey

# A list is compacted once an eighth of its symbols is dead.
_COMPACT_AT = 8


@kernel
def refit_block(draw, replicate, block, key, live, truth, workspace, out):
    """Correct the draw of one block, whose `drawn` are the counts of `live`, update its list, and write its sums."""
    start, length = live.starts[replicate, block], live.lengths[replicate, block]
    apply_correction(draw, start, length, replicate, block, key, workspace)
    counts = live.counts[replicate, start : start + length]
    symbols = live.symbols[replicate, start : start + length]
    n_cached = length if live.packed[replicate] != 0 and live.probability.shape[1] > 0 else 0
    cached = live.probability[replicate, start : start + n_cached]
    n_dead, lost = mark_extinct(
        counts,
        weights_of(draw, replicate, start, length),
        np.int64(key.generation),
        symbols,
        truth.probability,
        live.lost[replicate, block],
        live.forgotten[replicate],
        workspace.deferred,
    )
    live.lost[replicate, block] = lost
    if n_dead * _COMPACT_AT > length:
        compact(counts, symbols, cached)
        length -= n_dead
        live.lengths[replicate, block] = length
        n_dead = 0
    live.alive[replicate, block] = length - n_dead
    if length > 0:
        segment_sums(counts[:length], symbols, cached, draw.n_tokens, truth, workspace.values[1], out)


@parallel_kernel
def refit_and_draw(draw, upcoming, key, truth, tables, workspace, live, sums):
    """Refit to one draw and start the next in a single pass over memory: ``...->(R,6)``, O(listed symbols).

    Each block is corrected, summed, and drawn from while it is in the first-level cache.

    Parameters
    ----------
    draw : `Draw` of the last call, whose `drawn` are the counts of `live`; `n_tokens` < 0 if there is none.
    upcoming : `Draw` of the next generation, whose weights are the counts of `live`; `n_tokens` < 0 if there is none.
    key : `StreamKey` of `draw`; its generation is recorded for the symbols that become extinct.
    truth : `TruthTable`.
    tables : `PoissonTables`.
    workspace : `Workspace`, a row for each thread.
    live : `LiveCounts`, updated.
    sums : float64 (R, 6), see `segment_sums` and `LiveCounts.lost`.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_SUMS))
    # Constructed here, because a `prange` body takes no tuple that another function returned.
    next_key = StreamKey(key.seed, key.first_replicate, key.generation + np.uint64(1), key.purpose)
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, np.int64(thread))
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            if draw.n_tokens >= 0 and live.lengths[replicate, block] > 0:
                refit_block(draw, replicate, block, key, live, truth, mine, partial[replicate, block])
            if upcoming.n_tokens >= 0:
                start, length = live.starts[replicate, block], live.lengths[replicate, block]
                draw_block(upcoming, replicate, block, start, length, next_key, tables, mine)
    for replicate in prange(n_replicates):
        compact_blocks(np.int64(replicate), live, upcoming.drawn, truth.probability)
        if upcoming.n_tokens >= 0:
            split_correction(upcoming, np.int64(replicate), next_key)
    for replicate in range(n_replicates):
        add_blocks(partial[replicate], live.lost[replicate], sums[replicate])


@parallel_kernel
def refit_dense(trained, total, generation, truth, workspace, live, sums):
    """Refit to dense counts: list the symbols with a count and write their sums: ``(R,K),...->(R,6)``, O(K).

    Parameters
    ----------
    trained : counts (R, K) over all symbols.
    total : the tokens of each replicate.
    generation : recorded for the symbols that become extinct.
    truth, workspace, live, sums : as in `refit_and_draw`.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = trained.shape[1]
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_SUMS))
    n_threads = workspace.deferred.shape[0]
    no_cache = np.empty(0)
    for thread in prange(n_threads):
        buffer = workspace.values[thread, 1]
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            stop = min(start + BLOCK, n_symbols)
            dense, probability = trained[replicate, start:stop], truth.probability[start:stop]
            length = list_block(dense, probability, generation, replicate, block, start, live)
            if length > 0:
                counts = live.counts[replicate, start : start + length]
                symbols = live.symbols[replicate, start : start + length]
                segment_sums(counts, symbols, no_cache, total, truth, buffer, partial[replicate, block])
    for replicate in range(n_replicates):
        add_blocks(partial[replicate], live.lost[replicate], sums[replicate])


@parallel_kernel
def add_to_pool(drawn, live, keep, real, pool, merged):
    """Add drawn and real counts to the pool and write the pool out densely: ``(R,K),...,(R,K)->(R,K),(R,K)``, O(K).

    ``pool <- keep * pool + drawn (by live symbol) + real``, all counts.

    Parameters
    ----------
    drawn : (R, K), aligned with the lists of `live`.
    live : `LiveCounts`.
    keep : whether the pool of the generation before stays.
    real : (R, K), or (0, 0) for none.
    pool : (R, K), updated.
    merged : (R, K), receives the pool; may be `drawn`.
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
            for i in range(stop - start):
                mine[i] = 0
        for i in range(start, start + live.lengths[replicate, block]):
            mine[live.symbols[replicate, i] - start] += drawn[replicate, i]
        if real.shape[0] > 0:
            for i in range(stop - start):
                mine[i] += real[replicate, start + i]
        for i in range(stop - start):
            merged[replicate, start + i] = mine[i]
