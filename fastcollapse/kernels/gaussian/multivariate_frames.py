"""Gaussian laws in d dimensions and the batches of their pools, relative to frames.

A frame is an origin and a lower factor F: a law and its batches have coordinates y of points x = origin + F y. The
frame moves to the law when the law is far from it, so that sums of squares have no condition number that grows over
generations, and nothing underflows.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.gaussian.multivariate_batches import move_batches
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.triangular_updates import invert_lower, multiply_rows
from fastcollapse.kernels.random.streams import STREAM_WORDS
from fastcollapse.kernels.random.wishart import multiply_on

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


class StagedWorkspace(NamedTuple):
    """Work arrays of one thread for d dimensions: words and bits, streams, (3, d), vectors and matrices."""

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
def new_staged_workspace(d):
    """Return the work arrays of one thread for d dimensions."""
    return StagedWorkspace(
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
def _to_frame(unit, log_diagonal, x):
    """Replace x by F^-1 x, F = U diag(exp l): ``(d,d),(d),(d)``."""
    for i in range(x.shape[0]):
        for j in range(i):
            x[i] -= unit[i, j] * x[j]
    for i in range(x.shape[0]):
        x[i] *= math.exp(-log_diagonal[i])


@kernel
def real_to_frame(state, replicate, truth_factor, workspace):
    """Change the coordinates of the real batch from units of the truth to those of the frame: O(d^3)."""
    origin, unit, log_diagonal = state.origin[replicate], state.frame_unit[replicate], state.frame_log[replicate]
    d = origin.shape[0]
    z, mean, upper = workspace.gap, workspace.real_mean, workspace.real_upper
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
def move_to_truth(state, replicate, truth_factor, places, workspace):
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
    multiply_rows(change, factor, workspace.matrix)
    for i in range(d):
        origin[i] = 0.0
        log_diagonal[i] = math.log(truth_factor[i, i])
        for j in range(i + 1):
            factor[i, j] = workspace.matrix[i, j]
            unit[i, j] = truth_factor[i, j] / truth_factor[j, j]
    state.is_truth[replicate] = 1


@kernel
def set_frame(state, replicate):
    """Make the law the frame of a replicate that has no batches."""
    d = state.local_mean.shape[1]
    for i in range(d):
        state.origin[replicate, i] = state.mean[replicate, i]
        state.frame_log[replicate, i] = state.log_diagonal[replicate, i]
        state.local_mean[replicate, i] = 0.0
        for j in range(i + 1):
            state.frame_unit[replicate, i, j] = state.unit[replicate, i, j]
            state.local_factor[replicate, i, j] = 1.0 if i == j else 0.0
    state.is_truth[replicate] = 0


@kernel
def move_to_law(state, replicate, places, workspace):
    """Make the law the frame of a replicate and of its batches."""
    d = state.local_mean.shape[1]
    invert_lower(state.local_factor[replicate], workspace.inverse)
    shift = workspace.shift
    for i in range(d):
        shift[i] = 0.0
        for j in range(i + 1):
            shift[i] -= workspace.inverse[i, j] * state.local_mean[replicate, j]
    move_batches(workspace.inverse, shift, places, workspace.matrix, workspace.gap)
    set_frame(state, replicate)


@kernel
def is_far(mean, factor):
    """Whether a law is far from its frame."""
    for i in range(mean.shape[0]):
        if not (abs(mean[i]) < _FAR * _FAR and 1.0 / _FAR < factor[i, i] < _FAR):
            return True
        for j in range(i):
            if not abs(factor[i, j]) < _FAR:
                return True
    return False


@kernel
def update_law(state, replicate, workspace):
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
