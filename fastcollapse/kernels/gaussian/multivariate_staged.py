"""Refits of a Gaussian law in d dimensions with weights, shares, windows, discounts and maps.

Laws and batches are relative to a frame, see `multivariate_frames`. The frame is the truth while the real points of a
generation, more than d, determine a covariance.
"""

import math

import numpy as np

from fastcollapse.kernels.gaussian.multivariate_batches import add_to_pool
from fastcollapse.kernels.gaussian.multivariate_frames import (
    is_far,
    move_to_law,
    move_to_truth,
    new_staged_workspace,
    real_to_frame,
    set_frame,
    update_law,
)
from fastcollapse.kernels.gaussian.multivariate_map import has_map, map_law
from fastcollapse.kernels.gaussian.weighted_parts import part_shares
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.triangular import add_gram, add_square, clear_upper, factor_upper, transpose
from fastcollapse.kernels.linalg.triangular_updates import multiply_rows, update_upper
from fastcollapse.kernels.random.discrete_variates import binomial
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    generation_stream_pair,
)
from fastcollapse.kernels.random.wishart import bartlett_factor, fill_normals, move_mean, multiply_on, write_factor

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)


@kernel
def _standard_batch(n, normals, workspace, mean, upper):
    """Draw mean and upper factor of the squares of n >= 1 standard normal points: ``->(d),(d,d)``."""
    fill_normals(normals, workspace.words, workspace.streams, mean)
    for i in range(mean.shape[0]):
        mean[i] /= math.sqrt(n)
    bartlett_factor(n - 1, normals, workspace.words, workspace.streams, workspace.factor)
    transpose(workspace.factor, upper)


@parallel_kernel
def draw_fixed_batches(n, state, normals, key):
    """Draw the fixed real batch of every replicate into `state`, n standard normal points each."""
    for replicate in prange(state.real_mean.shape[0]):
        workspace = new_staged_workspace(state.mean.shape[1])
        generation_stream_pair(key, np.int64(replicate), 0, _FIXED_REAL, workspace.streams)
        _standard_batch(n, normals, workspace, state.real_mean[replicate], state.real_upper[replicate])


@kernel
def _draw_real(state, replicate, generation, schedule, stages, normals, span, workspace):
    """Write the real batch of a generation, in units of the truth, to the work space and return its count."""
    t = generation - 1
    m = schedule.n_real[t]
    if m > 0 and schedule.fixed_real:
        d = workspace.real_mean.shape[0]
        for i in range(d):
            workspace.real_mean[i] = state.real_mean[replicate, i]
            for k in range(i, d):
                workspace.real_upper[i, k] = state.real_upper[replicate, i, k]
        return m
    if m > 0 or stages.share.shape[0] > 0:
        generation_stream_pair(span, replicate, generation, _REAL, workspace.streams)
        if stages.share.shape[0] > 0:
            m = binomial(schedule.n_synthetic[t], stages.share[t], workspace.streams[0])
        if m > 0:
            _standard_batch(m, normals, workspace, workspace.real_mean, workspace.real_upper)
    return m


@kernel
def _draw_synthetic(state, replicate, generation, n, source, normals, workspace):
    """Write mean z and lower factor of the squares of n points of the law after its map, in coordinates of the law."""
    d = workspace.z.shape[0]
    z, factor, mapped = workspace.z, workspace.factor, workspace.map_factor
    fill_normals(normals, workspace.words, workspace.streams, z)
    bartlett_factor(n - 1, normals, workspace.words, workspace.streams, factor)
    for i in range(d):
        z[i] /= math.sqrt(n)
    if not has_map(source) or generation < source.first:
        return
    map_law(
        state.mean[replicate], state.unit[replicate], state.log_diagonal[replicate], source, workspace.upper,
        workspace.matrix, workspace.inverse, workspace.shift, mapped,
    )  # fmt: skip
    if source.centre.shape[0] == 0:  # the factor of the map is a number
        for i in range(d):
            z[i] = workspace.shift[i] + mapped[0, 0] * z[i]
            for j in range(i + 1):
                factor[i, j] *= mapped[0, 0]
        return
    for i in range(d - 1, -1, -1):
        total = workspace.shift[i]
        for j in range(i + 1):
            total += mapped[i, j] * z[j]
        z[i] = total
    multiply_rows(mapped, factor, workspace.matrix)
    for i in range(d):
        for j in range(i + 1):
            factor[i, j] = workspace.matrix[i, j]


@kernel
def _refit_alone(state, replicate, divisor, workspace):
    """Refit to the drawn points alone, with no batch that stays: as `multivariate_pooled` does without a pool."""
    unit, logs = state.unit[replicate], state.log_diagonal[replicate]
    move_mean(unit, logs, workspace.z, 1.0, state.mean[replicate])
    multiply_on(unit, logs, workspace.factor, divisor, workspace.bits, workspace.rows)
    set_frame(state, replicate)


@kernel
def _batch_to_frame(state, replicate, n, workspace):
    """Write mean and squares of the drawn points in coordinates of the frame."""
    d = workspace.z.shape[0]
    clear_upper(0.0, workspace.batch)
    if n == 0:
        return
    local = state.local_factor[replicate]
    multiply_rows(local, workspace.factor, workspace.matrix)
    transpose(workspace.matrix, workspace.upper)
    add_gram(workspace.upper, workspace.batch)
    for i in range(d):
        total = state.local_mean[replicate, i]
        for j in range(i + 1):
            total += local[i, j] * workspace.z[j]
        workspace.batch_mean[i] = total


@kernel
def _fit(m, n_pool, full, weight, estimator, workspace, mean, factor):
    """Fit mean and lower factor to the real batch and the pool in the work space.

    `full` says that the squares of the pool have full rank. Few real points are then added by rotations: if the law has
    collapsed they are far away, and a sum of squares would lose the digits of the pool.
    """
    d = mean.shape[0]
    share, of_real, of_pool, of_gap = part_shares(np.float64(m), n_pool, weight, estimator)
    matrix, gap, real = workspace.matrix, workspace.gap, workspace.real_upper
    for i in range(d):
        gap[i] = workspace.real_mean[i] - workspace.pool_mean[i] if n_pool > 0.0 else workspace.real_mean[i]
        mean[i] = (workspace.pool_mean[i] if n_pool > 0.0 else 0.0) + (share * gap[i] if m > 0 else 0.0)
        for k in range(i, d):
            matrix[i, k] = of_pool * workspace.pool[i, k] if n_pool > 0.0 else 0.0
    if m > 0 and of_real > 0.0:
        root = math.sqrt(of_real)
        for i in range(d):
            for k in range(i, d):
                real[i, k] *= root
    if m > 0 and of_real > 0.0 and not (full and m <= d):
        add_gram(real, matrix)
        add_square(of_gap, gap, matrix)
    factor_upper(matrix)
    if m > 0 and of_real + of_gap > 0.0 and full and m <= d:
        for i in range(d):
            gap[i] *= math.sqrt(of_gap)
        update_upper(matrix, gap)
        for j in range(min(m - 1, d)):
            for i in range(d):
                gap[i] = real[j, i] if i >= j else 0.0
            update_upper(matrix, gap)
    for i in range(d):
        for j in range(i + 1):
            factor[i, j] = matrix[j, i]


@kernel
def _run(state, replicate, source, schedule, stages, estimator, normals, span, workspace, out):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d = state.mean.shape[1]
    mean, factor = state.local_mean[replicate], state.local_factor[replicate]
    places = (state.counts[replicate], state.means[replicate], state.squares[replicate])
    window = places[0].shape[0] - 1
    for step in range(span.n_generations):
        generation = span.first + step
        t = generation - 1
        m = _draw_real(state, replicate, generation, schedule, stages, normals, span, workspace)
        n = schedule.n_synthetic[t]
        kept = stages.n_pool[t] > n
        stays = generation < stages.n_pool.shape[0] and stages.n_pool[t + 1] > schedule.n_synthetic[t + 1]
        if stages.share.shape[0] > 0:
            n -= m
        if n > 0:
            generation_stream_pair(span, replicate, generation, _SYNTHETIC, workspace.streams)
            _draw_synthetic(state, replicate, generation, n, source, normals, workspace)
        if m == 0 and not kept and not stays:
            _refit_alone(state, replicate, np.float64(n - estimator.bias), workspace)
        else:
            if m > d and state.is_truth[replicate] == 0:
                move_to_truth(state, replicate, source.factor, places, workspace)
            elif m > 0 and state.is_truth[replicate] == 0:
                real_to_frame(state, replicate, source.factor, workspace)
            _batch_to_frame(state, replicate, n, workspace)
            batch = (np.float64(n), workspace.batch_mean, workspace.batch)
            position = t % window if window > 0 else 0
            n_pool = add_to_pool(
                batch, kept, position, stages.discount, estimator.apart, places,
                (workspace.pool_mean, workspace.pool), workspace.gap,
            )  # fmt: skip
            weight = stages.weight[t] if stages.weight.shape[0] > 0 else -1.0
            _fit(m, n_pool, n > d, weight, estimator, workspace, mean, factor)
            update_law(state, replicate, workspace)
            if m <= d and is_far(mean, factor):
                move_to_law(state, replicate, places, workspace)
        for i in range(d):
            out.mean[replicate, step, i] = state.mean[replicate, i] + source.mean[i]
            out.log_diagonal[replicate, step, i] = state.log_diagonal[replicate, i]
        write_factor(
            state.unit[replicate], state.log_diagonal[replicate], workspace.bits, workspace.rows[0],
            out.factor[replicate, step],
        )  # fmt: skip


@parallel_kernel
def refit_multivariate_staged(state, source, schedule, stages, estimator, normals, span, out):
    """Refit R replicates over B generations: ``...->(R,B,d),(R,B,d,d),(R,B,d)``, O(d^3) a step.

    Parameters
    ----------
    state : `MultivariateLaws`, updated.
    source : `MultivariateSource`.
    schedule : `KernelSchedule`.
    stages : `KernelStages`.
    estimator : `Estimator`.
    normals : the table of the normal law.
    span : `Span`.
    out : `MultivariateStates`.
    """
    n_replicates, d = state.mean.shape
    for thread in prange(span.n_threads):
        workspace = new_staged_workspace(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(state, replicate, source, schedule, stages, estimator, normals, span, workspace, out)
