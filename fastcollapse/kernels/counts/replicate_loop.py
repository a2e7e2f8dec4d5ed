"""Replicate-parallel resampling: one thread runs all generations of a replicate, without barriers.

The work on one block of symbols is that of `refit_counts.refit_and_draw`, with the loops over generations and
replicates exchanged. The bits are the same, because streams, sums and lists belong to a replicate and a block.
"""

import numpy as np

from fastcollapse.kernels.counts.count_sums import N_SUMS, add_blocks
from fastcollapse.kernels.counts.live_counts import compact_blocks, copy_counts, with_counts
from fastcollapse.kernels.counts.multinomial import Draw, draw_block, split_correction
from fastcollapse.kernels.counts.refit_counts import refit_block
from fastcollapse.kernels.counts.workspace import thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import generation_key


@kernel
def _resample(replicate, live, first, sizes, key, truth, tables, workspace, sums):
    """Resample one replicate `sizes.shape[0]` times; the arguments are those of `resample_replicates`.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    n_steps = sizes.shape[0]
    n_blocks = live.lengths.shape[1]
    partial = np.zeros((n_blocks, N_SUMS))
    corrections, block_sums, weight_sums, home, no_law = (
        first.corrections,
        first.sums,
        first.weight_sums,
        live.counts,
        np.empty(0),
    )
    draw = Draw(home, no_law, first.weight_total, home, first.n_tokens, corrections, block_sums, weight_sums)
    upcoming = Draw(
        first.weights, first.law, first.weight_total, first.drawn, sizes[0], corrections, block_sums, weight_sums
    )
    for step in range(n_steps + 1):
        this = generation_key(key, key.generation + np.uint64(step), key.purpose)
        following = generation_key(key, this.generation + np.uint64(1), key.purpose)
        for block in range(n_blocks):
            if draw.n_tokens >= 0:
                for k in range(N_SUMS):
                    partial[block, k] = 0.0
                if live.lengths[replicate, block] > 0:
                    refit_block(draw, replicate, block, this, live, truth, workspace, partial[block])
            if upcoming.n_tokens >= 0:
                start, length = live.starts[replicate, block], live.lengths[replicate, block]
                draw_block(upcoming, replicate, block, start, length, following, tables, workspace)
        compact_blocks(replicate, live, upcoming.drawn, truth.probability)
        if step > 0:
            add_blocks(partial, live.lost[replicate], sums[step - 1, replicate])
        if step == n_steps:
            break
        split_correction(upcoming, replicate, following)
        spare = live.counts
        draw = upcoming
        live = with_counts(live, draw.drawn)
        n_next = sizes[step + 1] if step + 1 < n_steps else first.n_tokens
        total_now = np.float64(draw.n_tokens)
        upcoming = Draw(draw.drawn, no_law, total_now, spare, n_next, corrections, block_sums, weight_sums)
    if n_steps % 2 == 1:
        copy_counts(replicate, live, home)


@parallel_kernel
def resample_replicates(live, first, sizes, key, truth, tables, workspace, sums):
    """Resample every replicate B times and write the sums of each state: ``...,(B)->(B,R,6)``.

    Parameters
    ----------
    live : `LiveCounts`, updated.
    first : `Draw` with the weights of the first generation; `drawn` is the second array of counts, `n_tokens` is -1.
    sizes : int64 (B), the tokens of each generation.
    key : `StreamKey` of the generation before the first.
    truth, tables, workspace : as in `refit_and_draw`.
    sums : float64 (B, R, 6), see `segment_sums` and `LiveCounts.lost`.
    """
    n_replicates = live.lengths.shape[0]
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, np.int64(thread))
        for replicate in range(thread, n_replicates, n_threads):
            _resample(replicate, live, first, sizes, key, truth, tables, mine, sums)
