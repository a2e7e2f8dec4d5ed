"""Kernel that runs a block of generations of a discrete distribution with weights, shares, windows, discounts, maps."""

import numpy as np

from fastcollapse.kernels.counts.live_counts import copy_rows
from fastcollapse.kernels.counts.multinomial import multinomial, poisson_pass, subsample
from fastcollapse.kernels.counts.refit_counts import refit_and_draw, refit_dense
from fastcollapse.kernels.counts.reward_levels import measure_rewards, n_shared_levels
from fastcollapse.kernels.counts.weight_maps import sampling_weights
from fastcollapse.kernels.counts.weighted_pool import refit_weights, weigh_pool
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import PURPOSE_REAL, PURPOSE_SUBSAMPLE, PURPOSE_SYNTHETIC, generation_key
from fastcollapse.models.discrete.kernels import draw_of

_SYNTHETIC = np.uint64(PURPOSE_SYNTHETIC)
_REAL = np.uint64(PURPOSE_REAL)
_SUBSAMPLE = np.uint64(PURPOSE_SUBSAMPLE)


@kernel
def _fit_pool(live, work, totals, inputs, generation, span):
    """Add the drawn and the real tokens of a generation to the pool and write the fit to `work.drawn`."""
    schedule, truth, stages = inputs.schedule, inputs.truth, inputs.stages
    i = generation - 1
    n_real, real = schedule.n_real[i], work.real
    if n_real == 0:
        real = work.real[:0]
    elif not schedule.fixed_real:
        draw = draw_of(truth.counts, truth.law, truth.total, real, n_real, work)
        key = generation_key(span, generation, _REAL)
        multinomial(draw, inputs.starts, inputs.lengths, key, inputs.tables, inputs.workspace)
    slot = i % max(1, work.batches.shape[1])
    weigh_pool(work.drawn, live, stages.decay[i], slot, real, stages.scales[i], work.batches, work.pool)
    totals[1] = schedule.n_kept[i] + schedule.n_synthetic[i] + n_real
    totals[0] = totals[1] if stages.is_whole else 1
    if schedule.n_train[i] > 0:
        totals[0] = schedule.n_train[i]
        key = generation_key(span, generation, _SUBSAMPLE)
        if schedule.replacement:
            draw = draw_of(work.pool, truth.law[:0], totals[1], work.drawn, totals[0], work)
            multinomial(draw, inputs.starts, inputs.lengths, key, inputs.tables, inputs.workspace)
        else:
            subsample(work.drawn, totals[0], key, inputs.workspace, work.drawn)


@kernel
def staged_block(live, work, totals, inputs, span, rows, sums, rewards):
    """Run a block of generations with stages; the state is mapped, sampled, pooled and fitted.

    The fit w c_r/n + (1 - w) c_s/m of n real and m synthetic tokens is a law of its own, from which the next tokens are
    one multinomial draw. That draw has the law of a number B ~ Bin(m, w) of tokens from c_r/n and m - B from c_s/m,
    because the tokens are independent. For the same reason tokens that are real with a given probability are one draw
    from the mixture of the truth and the mapped state.

    Parameters
    ----------
    live, work, totals : `LiveCounts`, `StagedBuffers` and int64 (2) of the state, updated.
    inputs : `StagedInputs`.
    span : `Span` of the block.
    rows : `CountRows` with float64 data, or with one bound for none.
    sums : float64 (B, R, 6).
    rewards : float64 (B, R, 2), E r and E e^r of each state; (B, 0, 2) for none.
    """
    schedule, truth, stages, workspace = inputs.schedule, inputs.truth, inputs.stages, inputs.workspace
    n_replicates = live.lengths.shape[0]
    no_counts = live.counts[:1, :0]
    masses = np.empty((n_replicates, n_shared_levels(inputs.rewards)))
    if totals[0] > 0 and rewards.shape[1] > 0:
        measure_rewards(live, totals[0], inputs.rewards, masses, rewards[0])
    for step in range(span.n_generations):
        generation = span.first + step
        n_synthetic = schedule.n_synthetic[generation - 1]
        share = stages.share[generation - 1] if stages.share.shape[0] > 0 else -1.0
        law = work.weights
        if stages.is_pooled and not stages.is_mapped and totals[0] > 0:
            law = live.counts.reshape(live.counts.size)
        else:
            sampling_weights(live, totals[0], stages.is_whole, truth, inputs.maps, inputs.rewards, masses, share, law)
        key = generation_key(span, generation, _SYNTHETIC)
        if share >= 0.0:
            draw = draw_of(no_counts, work.weights, 1.0, work.drawn, n_synthetic, work)
            multinomial(draw, inputs.starts, inputs.lengths, key, inputs.tables, workspace)
            totals[0] = n_synthetic
            refit_dense(work.drawn, totals[0], generation, truth, workspace, live, sums[step])
        elif not stages.is_pooled:
            # The weights are copies, so the new counts may replace the state.
            draw = draw_of(no_counts, work.weights, 1.0, live.counts, n_synthetic, work)
            none = draw_of(no_counts, work.weights, 1.0, live.counts, np.int64(-1), work)
            poisson_pass(draw, live.starts, live.lengths, key, inputs.tables, workspace)
            totals[0] = n_synthetic
            refit_and_draw(draw, none, key, truth, inputs.tables, workspace, live, sums[step])
        else:
            draw = draw_of(no_counts, law, totals[0], work.drawn, n_synthetic, work)
            multinomial(draw, live.starts, live.lengths, key, inputs.tables, workspace)
            _fit_pool(live, work, totals, inputs, generation, span)
            if stages.is_whole:
                refit_dense(work.drawn, totals[0], generation, truth, workspace, live, sums[step])
            else:
                refit_weights(work.drawn, generation, truth, workspace, live, sums[step])
        if rows.indptr.shape[0] > 1:
            copy_rows(live, step * n_replicates, span.n_threads, rows)
        if rewards.shape[1] > 0:
            measure_rewards(live, totals[0], inputs.rewards, masses, rewards[step])
