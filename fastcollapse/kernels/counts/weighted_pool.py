"""Pools of batches with weights, and fits to a pool and real data beside it."""

import numpy as np

from fastcollapse.kernels.counts.live_counts import expand_list, list_block
from fastcollapse.kernels.counts.weight_sums import N_WEIGHT_SUMS, add_weight_blocks, weight_sums
from fastcollapse.kernels.counts.workspace import BLOCK
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange


@kernel
def _renew_batch(batches, slot, batch, pool):
    """Replace the oldest batch of a window, in the ring and in the pool: ``(W,m),(),(m),(m)``."""
    oldest = batches[slot]
    for i in range(batch.shape[0]):
        pool[i] += batch[i] - oldest[i]
        oldest[i] = batch[i]


@parallel_kernel
def weigh_pool(drawn, live, decay, slot, real, scales, batches, pool):
    """Age the pool, add the drawn and the real counts, and write the fit: ``(R,K),...->(R,K),(R,K)``, O(K).

    ``pool <- decay * pool + drawn (by live symbol) - batch that leaves the window``; the fit is ``scales[0] * real +
    scales[1] * pool`` and replaces `drawn`. Where the real data is a part of the pool (`scales[0]` below 0), it is
    added to the pool before.

    Parameters
    ----------
    drawn : float64 (R, K), aligned with the lists of `live`; receives the fit.
    live : `LiveCounts`.
    decay : weight of the older batches relative to the new one; 0.0 drops them.
    slot : the row of `batches` of the oldest batch.
    real : float64 (R, K), or (0, 0) for none.
    scales : float64 (2), the weights of a real token and of a token of the pool.
    batches : float64 (R, W, K), the batches of the window; (0, 0, 0) without a window.
    pool : float64 (R, K), updated; (0, 0) if no generation keeps a pool.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = drawn.shape[1]
    for unit in prange(n_replicates * n_blocks):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        start = block * BLOCK
        stop = min(start + BLOCK, n_symbols)
        fit = drawn[replicate, start:stop]
        mine = pool[replicate, start:stop] if pool.shape[0] > 0 else fit
        if pool.shape[0] == 0:
            expand_list(live.symbols[replicate], start, live.lengths[replicate, block], stop, drawn[replicate])
        elif batches.shape[0] > 0:
            batch = np.zeros(stop - start)
            for i in range(start, start + live.lengths[replicate, block]):
                batch[live.symbols[replicate, i] - start] = drawn[replicate, i]
            if decay == 0.0:
                for i in range(stop - start):
                    mine[i] = 0.0
                for w in range(batches.shape[1]):
                    for i in range(start, stop):
                        batches[replicate, w, i] = 0.0
            _renew_batch(batches[replicate, :, start:stop], slot, batch, mine)
        else:
            for i in range(stop - start):
                mine[i] = decay * mine[i] if decay > 0.0 else 0.0
            for i in range(start, start + live.lengths[replicate, block]):
                mine[live.symbols[replicate, i] - start] += drawn[replicate, i]
        if real.shape[0] == 0:
            for i in range(stop - start):
                fit[i] = scales[1] * mine[i]
        elif scales[0] < 0.0:
            for i in range(stop - start):
                mine[i] += real[replicate, start + i]
                fit[i] = mine[i]
        else:
            for i in range(stop - start):
                fit[i] = scales[0] * real[replicate, start + i] + scales[1] * mine[i]


@parallel_kernel
def refit_weights(fit, generation, truth, workspace, live, sums):
    """Refit to weights of all symbols: list those with a weight and write their sums: ``(R,K),...->(R,6)``, O(K).

    Parameters
    ----------
    fit : float64 (R, K), which sums to 1.
    generation : recorded for the symbols that become extinct.
    truth : `TruthTable`.
    workspace : `Workspace`, a row for each thread.
    live : `LiveCounts`, updated.
    sums : float64 (R, 6), see `weight_sums` and `LiveCounts.lost`.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_symbols = fit.shape[1]
    n_units = n_replicates * n_blocks
    partial = np.zeros((n_replicates, n_blocks, N_WEIGHT_SUMS))
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        buffer = workspace.values[thread, 1]
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            stop = min(start + BLOCK, n_symbols)
            weights, probability = fit[replicate, start:stop], truth.probability[start:stop]
            list_block(weights, probability, generation, replicate, block, start, live)
            weight_sums(weights, probability, truth, buffer, partial[replicate, block])
    for replicate in range(n_replicates):
        add_weight_blocks(partial[replicate], live.lost[replicate], sums[replicate])
