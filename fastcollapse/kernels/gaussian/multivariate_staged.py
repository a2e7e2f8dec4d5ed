"""Refits of a Gaussian law in d dimensions with weights, shares, windows, discounts and maps.

A law and the batches of its pool are relative to a frame, an origin and a lower factor F: the law has a mean and a
factor in these coordinates. The frame moves to the law when the law is far from it, so that sums of squares have no
condition number that grows over generations, and nothing underflows. It is the truth while the real points of a
generation, more than d, determine a covariance.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.gaussian.multivariate_batches import add_to_pool, move_batches
from fastcollapse.kernels.gaussian.multivariate_map import has_map, map_law
from fastcollapse.kernels.gaussian.weighted_parts import part_shares
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.triangular import (
    add_gram,
    add_square,
    clear_upper,
    factor_upper,
    multiply_lower,
    transpose,
)
from fastcollapse.kernels.linalg.triangular_updates import invert_lower, update_upper
from fastcollapse.kernels.random.discrete_variates import binomial
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream_pair,
)
from fastcollapse.kernels.random.wishart import bartlett_factor, fill_normals, multiply_on, write_factor

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
# The frame moves to the law when a deviation is this factor away, or a mean its square: sums of squares then have
# condition numbers of about 1e5 at most.
_FAR = math.exp(3.0)


class MultivariateLaws(NamedTuple):
    """The fitted laws and the batches of R replicates.

    Attributes
    ----------
    mean, unit, log_diagonal : float64 (R, d), (R, d, d), (R, d), the laws, as in `Gaussians`.
    origin, frame_unit, frame_log : the same of the frames.
    is_truth : int64 (R), 1 where the frame is the truth.
    local_mean, local_factor : float64 (R, d), (R, d, d), the law in the frame.
    counts, means, squares : float64 (R, W+1), (R, W+1, d), (R, W+1, d, d), the pool, see `multivariate_batches`.
    real_mean, real_upper : float64 (Q, d), (Q, d, d), a fixed real batch in units of the truth: its mean and the upper
        factor of its squares; Q = R, or 0 where there is none.
    """

    mean: np.ndarray
    unit: np.ndarray
    log_diagonal: np.ndarray
    origin: np.ndarray
    frame_unit: np.ndarray
    frame_log: np.ndarray
    is_truth: np.ndarray
    local_mean: np.ndarray
    local_factor: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    real_mean: np.ndarray
    real_upper: np.ndarray


class _Workspace(NamedTuple):
    """Work arrays of one thread: words, streams, vectors and matrices."""

    words: np.ndarray
    bits: np.ndarray
    streams: np.ndarray
    rows: np.ndarray
    z: np.ndarray
    shift: np.ndarray
    gap: np.ndarray
    real_mean: np.ndarray
    batch_mean: np.ndarray
    pool_mean: np.ndarray
    factor: np.ndarray
    map_factor: np.ndarray
    upper: np.ndarray
    matrix: np.ndarray
    inverse: np.ndarray
    real_upper: np.ndarray
    batch: np.ndarray
    pool: np.ndarray


@kernel
def _new_workspace(d):
    return _Workspace(
        np.empty(d, np.uint64),
        np.empty(d, np.int64),
        np.empty((2, STREAM_WORDS), np.uint64),
        np.empty((3, d)),
        np.empty(d),
        np.zeros(d),
        np.empty(d),
        np.empty(d),
        np.empty(d),
        np.empty(d),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
    )


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
        workspace = _new_workspace(state.mean.shape[1])
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
def _to_frame(unit, log_diagonal, x):
    """Replace x by F^-1 x, F = U diag(exp l): ``(d,d),(d),(d)``."""
    for i in range(x.shape[0]):
        for j in range(i):
            x[i] -= unit[i, j] * x[j]
    for i in range(x.shape[0]):
        x[i] *= math.exp(-log_diagonal[i])


@kernel
def _real_to_frame(truth_factor, origin, unit, log_diagonal, workspace):
    """Change the coordinates of the real batch from units of the truth to those of the frame: O(d^3)."""
    d = origin.shape[0]
    z, mean, upper = workspace.z, workspace.real_mean, workspace.real_upper
    for column in range(d + 1):
        for i in range(d):
            z[i] = -origin[i] if column == d else 0.0
            for j in range(i + 1):
                z[i] += truth_factor[i, j] * (mean[j] if column == d else (upper[column, j] if j >= column else 0.0))
        _to_frame(unit, log_diagonal, z)
        for i in range(d):
            if column == d:
                mean[i] = z[i]
            elif i >= column:
                upper[column, i] = z[i]


@kernel
def _move_to_truth(state, replicate, truth_factor, places, workspace):
    """Make the truth the frame of a replicate."""
    d = truth_factor.shape[0]
    origin, unit, log_diagonal = state.origin[replicate], state.frame_unit[replicate], state.frame_log[replicate]
    mean, factor = state.local_mean[replicate], state.local_factor[replicate]
    invert_lower(truth_factor, workspace.inverse)
    change, shift = workspace.map_factor, workspace.shift
    for i in range(d):
        shift[i] = 0.0
        for j in range(d):
            change[i, j] = 0.0
        for k in range(i + 1):
            shift[i] += workspace.inverse[i, k] * origin[k]
            for j in range(k + 1):
                change[i, j] += workspace.inverse[i, k] * (unit[k, j] if j < k else 1.0) * math.exp(log_diagonal[j])
    move_batches(change, shift, places, workspace.matrix, workspace.gap)
    for i in range(d - 1, -1, -1):
        total = shift[i]
        for j in range(i + 1):
            total += change[i, j] * mean[j]
        mean[i] = total
    multiply_lower(change, factor, workspace.upper)
    for i in range(d):
        origin[i] = 0.0
        log_diagonal[i] = math.log(truth_factor[i, i])
        for j in range(i + 1):
            factor[i, j] = workspace.upper[j, i]
            unit[i, j] = truth_factor[i, j] / truth_factor[j, j]
    state.is_truth[replicate] = 1


@kernel
def _move_to_law(state, replicate, places, workspace):
    """Make the law the frame of a replicate."""
    d = state.local_mean.shape[1]
    mean, factor = state.local_mean[replicate], state.local_factor[replicate]
    invert_lower(factor, workspace.inverse)
    shift = workspace.shift
    for i in range(d):
        shift[i] = 0.0
        for j in range(i + 1):
            shift[i] -= workspace.inverse[i, j] * mean[j]
    move_batches(workspace.inverse, shift, places, workspace.matrix, workspace.gap)
    for i in range(d):
        state.origin[replicate, i] = state.mean[replicate, i]
        state.frame_log[replicate, i] = state.log_diagonal[replicate, i]
        mean[i] = 0.0
        for j in range(i + 1):
            state.frame_unit[replicate, i, j] = state.unit[replicate, i, j]
            factor[i, j] = 1.0 if i == j else 0.0
    state.is_truth[replicate] = 0


@kernel
def _is_far(mean, factor):
    """Whether a law is far from its frame."""
    for i in range(mean.shape[0]):
        if not (abs(mean[i]) < _FAR * _FAR and 1.0 / _FAR < factor[i, i] < _FAR):
            return True
        for j in range(i):
            if not abs(factor[i, j]) < _FAR:
                return True
    return False


@kernel
def _draw_synthetic(state, replicate, n, source, normals, workspace):
    """Write mean and upper factor of the squares of n points of the law after its map, in the frame."""
    d = workspace.z.shape[0]
    z, factor, mapped = workspace.z, workspace.factor, workspace.map_factor
    fill_normals(normals, workspace.words, workspace.streams, z)
    bartlett_factor(n - 1, normals, workspace.words, workspace.streams, factor)
    for i in range(d):
        z[i] /= math.sqrt(n)
    if has_map(source):
        map_law(
            state.mean[replicate], state.unit[replicate], state.log_diagonal[replicate], source, workspace.upper,
            workspace.matrix, workspace.inverse, workspace.shift, mapped,
        )  # fmt: skip
        for i in range(d - 1, -1, -1):
            total = workspace.shift[i]
            for j in range(i + 1):
                total += mapped[i, j] * z[j]
            z[i] = total
        multiply_lower(mapped, factor, workspace.upper)
        for i in range(d):
            for j in range(i + 1):
                factor[i, j] = workspace.upper[j, i]
    local = state.local_factor[replicate]
    multiply_lower(local, factor, workspace.upper)
    for i in range(d):
        total = state.local_mean[replicate, i]
        for j in range(i + 1):
            total += local[i, j] * z[j]
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
def _update_law(state, replicate, workspace):
    """Set the law of a replicate to its mean and factor in the frame."""
    d = workspace.z.shape[0]
    unit, logs = state.unit[replicate], state.log_diagonal[replicate]
    frame_unit, frame_log = state.frame_unit[replicate], state.frame_log[replicate]
    mean = state.local_mean[replicate]
    for i in range(d):
        logs[i] = frame_log[i]
        total = state.origin[replicate, i]
        for j in range(i + 1):
            unit[i, j] = frame_unit[i, j]
            workspace.factor[i, j] = state.local_factor[replicate, i, j]
            total += frame_unit[i, j] * math.exp(frame_log[j]) * mean[j]
        state.mean[replicate, i] = total
    multiply_on(unit, logs, workspace.factor, 1.0, workspace.bits, workspace.rows)


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
        if m > d and state.is_truth[replicate] == 0:
            _move_to_truth(state, replicate, source.factor, places, workspace)
        elif m > 0 and state.is_truth[replicate] == 0:
            _real_to_frame(
                source.factor, state.origin[replicate], state.frame_unit[replicate], state.frame_log[replicate],
                workspace,
            )  # fmt: skip
        n = schedule.n_synthetic[t]
        kept = stages.n_pool[t] > n
        stays = generation < stages.n_pool.shape[0] and stages.n_pool[t + 1] > schedule.n_synthetic[t + 1]
        if stages.share.shape[0] > 0:
            n -= m
        if n > 0:
            generation_stream_pair(span, replicate, generation, _SYNTHETIC, workspace.streams)
            _draw_synthetic(state, replicate, n, source, normals, workspace)
        alone = m == 0 and not kept
        n_pool = 0.0
        if stays or not alone:
            clear_upper(0.0, workspace.batch)
            if n > 0:
                add_gram(workspace.upper, workspace.batch)
            batch = (np.float64(n), workspace.batch_mean, workspace.batch)
            position = t % window if window > 0 else 0
            n_pool = add_to_pool(
                batch, kept, position, stages.discount, estimator.apart, places,
                (workspace.pool_mean, workspace.pool), workspace.gap,
            )  # fmt: skip
        if alone:
            scale = 1.0 / math.sqrt(n - np.float64(estimator.bias))
            for i in range(d):
                mean[i] = workspace.batch_mean[i]
                for j in range(i + 1):
                    factor[i, j] = workspace.upper[j, i] * scale
        else:
            weight = stages.weight[t] if stages.weight.shape[0] > 0 else -1.0
            _fit(m, n_pool, n > d, weight, estimator, workspace, mean, factor)
        _update_law(state, replicate, workspace)
        for i in range(d):
            out.mean[replicate, step, i] = state.mean[replicate, i] + source.mean[i]
            out.log_diagonal[replicate, step, i] = state.log_diagonal[replicate, i]
        write_factor(
            state.unit[replicate], state.log_diagonal[replicate], workspace.bits, workspace.rows[0],
            out.factor[replicate, step],
        )  # fmt: skip
        if m <= d and _is_far(mean, factor):
            _move_to_law(state, replicate, places, workspace)


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
        workspace = _new_workspace(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(state, replicate, source, schedule, stages, estimator, normals, span, workspace, out)
