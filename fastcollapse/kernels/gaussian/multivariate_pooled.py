"""Refits of a Gaussian law in d dimensions under any schedule without subsamples, from sufficient statistics."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.triangular import add_gram, add_square, clear_upper, factor_upper, multiply_lower
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream_pair,
)
from fastcollapse.kernels.random.wishart import (
    bartlett_factor,
    fill_normals,
    move_mean,
    multiply_on,
    pool_factor,
    take_factor,
    write_factor,
)
from fastcollapse.kernels.random.ziggurat import chi_square

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
# Points that are drawn or fitted at a time, so that they stay in the first-level cache.
POINTS_AT_A_TIME = 16


class Gaussians(NamedTuple):
    """The fitted laws of R replicates.

    d = D, or d = n - 1 where the first fit had n <= D points. The coordinates are then those of the span of the
    first sample, mean[d] is the distance of the mean from it, and the rest of the mean is 0.

    Attributes
    ----------
    mean : float64 (R, D), less the mean of the truth.
    unit : float64 (R, d, d), U of the factor U diag(exp l), unit lower-triangular.
    log_diagonal : float64 (R, d), l.
    """

    mean: np.ndarray
    unit: np.ndarray
    log_diagonal: np.ndarray


class Source(NamedTuple):
    """The truth and a fixed real batch.

    Attributes
    ----------
    mean : float64 (D), of the truth.
    factor : float64 (d, d), its lower Cholesky factor.
    real_mean : float64 (Q, d), of the batch less `mean`; Q = R, or 0 where there is none.
    real_upper : float64 (Q, d, d), the upper factor of its squares.
    """

    mean: np.ndarray
    factor: np.ndarray
    real_mean: np.ndarray
    real_upper: np.ndarray


class MultivariateStates(NamedTuple):
    """The states that a block writes.

    Attributes
    ----------
    mean : float64 (R, B, D).
    factor : float64 (R, B, d, d), lower-triangular.
    log_diagonal : float64 (R, B, d), the logs of its diagonal.
    """

    mean: np.ndarray
    factor: np.ndarray
    log_diagonal: np.ndarray


class MultivariateWorkspace(NamedTuple):
    """Work arrays of one thread for d dimensions.

    Attributes
    ----------
    words, bits, z : uint64, int64 and float64 (d), for normal variates and exponentials.
    streams : uint64 (2, STREAM_WORDS).
    rows : float64 (3, d).
    factor, upper, matrix : float64 (d, d).
    block : float64 (POINTS_AT_A_TIME, d), points.
    scaled, across : float64 (d, POINTS_AT_A_TIME), points as columns.
    """

    words: np.ndarray
    bits: np.ndarray
    streams: np.ndarray
    z: np.ndarray
    rows: np.ndarray
    factor: np.ndarray
    upper: np.ndarray
    matrix: np.ndarray
    block: np.ndarray
    scaled: np.ndarray
    across: np.ndarray


@kernel
def new_multivariate_workspace(d):
    """Return the work arrays of one thread for d dimensions."""
    return MultivariateWorkspace(
        np.empty(d, np.uint64),
        np.empty(d, np.int64),
        np.empty((2, STREAM_WORDS), np.uint64),
        np.empty(d),
        np.empty((3, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.empty((POINTS_AT_A_TIME, d)),
        np.zeros((d, POINTS_AT_A_TIME)),
        np.empty((d, POINTS_AT_A_TIME)),
    )


@kernel
def _draw_real_batch(n, truth_factor, normals, workspace, mean, upper):
    """Draw mean and upper factor of the squares of n points of the truth, less its mean: ``(),(d,d)->(d),(d,d)``."""
    fill_normals(normals, workspace.words, workspace.streams, workspace.z)
    bartlett_factor(n - 1, normals, workspace.words, workspace.streams, workspace.factor)
    multiply_lower(truth_factor, workspace.factor, upper)
    d = mean.shape[0]
    for i in range(d):
        total = 0.0
        for j in range(i + 1):
            total += truth_factor[i, j] * workspace.z[j]
        mean[i] = total / math.sqrt(n)


@parallel_kernel
def draw_real_batches(n, source, normals, key):
    """Draw the fixed real batch of every replicate into `source`, n points each: O(d^3 / 3) a replicate."""
    for replicate in prange(source.real_mean.shape[0]):
        workspace = new_multivariate_workspace(source.factor.shape[0])
        generation_stream_pair(key, np.int64(replicate), 0, _FIXED_REAL, workspace.streams)
        _draw_real_batch(
            n, source.factor, normals, workspace, source.real_mean[replicate], source.real_upper[replicate]
        )


@kernel
def _refit(mean, unit, log_diagonal, kept, n, divisor, beyond, normals, workspace):
    """Refit to the kept points, which fit the law, and n more drawn from it.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.

    `beyond` is the number of dimensions of the truth outside the span, above 0 in the first fit to few points only.
    """
    d = log_diagonal.shape[0]
    fill_normals(normals, workspace.words, workspace.streams, workspace.z)
    if beyond > 0:
        mean[d] = math.exp(log_diagonal[0]) * math.sqrt(
            chi_square(np.float64(beyond), normals, workspace.streams[0]) / n
        )
        bartlett_factor(d + beyond, normals, workspace.words, workspace.streams, workspace.factor)
    else:
        bartlett_factor(n - 1, normals, workspace.words, workspace.streams, workspace.factor)
    if kept > 0:
        pool_factor(
            workspace.factor,
            workspace.z,
            kept / np.float64(kept + n),
            np.float64(divisor - n),
            workspace.upper,
            workspace.matrix,
        )
    move_mean(unit, log_diagonal, workspace.z, math.sqrt(n) / np.float64(kept + n), mean)
    multiply_on(unit, log_diagonal, workspace.factor, np.float64(divisor), workspace.bits, workspace.rows)


@kernel
def _refit_with_real(mean, unit, log_diagonal, n, m, real_mean, real_upper, divisor, normals, workspace):
    """Refit to n points drawn from the law and a real batch of m points.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d = log_diagonal.shape[0]
    clear_upper(0.0, workspace.matrix)
    add_gram(real_upper, workspace.matrix)
    fill_normals(normals, workspace.words, workspace.streams, workspace.z)
    bartlett_factor(n - 1, normals, workspace.words, workspace.streams, workspace.factor)
    move_mean(unit, log_diagonal, workspace.z, 1.0 / math.sqrt(n), mean)
    lower = unit
    for i in range(d):
        for j in range(i):
            lower[i, j] *= math.exp(log_diagonal[j])
        lower[i, i] = math.exp(log_diagonal[i])
    multiply_lower(lower, workspace.factor, workspace.upper)
    add_gram(workspace.upper, workspace.matrix)
    share = m / np.float64(n + m)
    gap = workspace.z
    for i in range(d):
        gap[i] = real_mean[i] - mean[i]
        mean[i] += share * gap[i]
    add_square(n * share, gap, workspace.matrix)
    factor_upper(workspace.matrix)
    take_factor(workspace.matrix, np.float64(divisor), unit, log_diagonal)


@kernel
def write_state(laws, replicate, step, truth_mean, workspace, out):
    """Write the state of a replicate after a step to `out`, a `MultivariateStates`."""
    mean, target = laws.mean[replicate], out.mean[replicate, step]
    for i in range(mean.shape[0]):
        target[i] = mean[i] + truth_mean[i]
    log_diagonal, logs = laws.log_diagonal[replicate], out.log_diagonal[replicate, step]
    for i in range(logs.shape[0]):
        logs[i] = log_diagonal[i]
    write_factor(laws.unit[replicate], log_diagonal, workspace.bits, workspace.rows[0], out.factor[replicate, step])


@kernel
def _run(laws, replicate, source, schedule, normals, span, workspace, out):
    """Refit one replicate over a block."""
    mean, unit, log_diagonal = laws.mean[replicate], laws.unit[replicate], laws.log_diagonal[replicate]
    d = log_diagonal.shape[0]
    fixed = source.real_mean.shape[0] > 0
    real_mean = source.real_mean[replicate] if fixed else np.empty(d)
    real_upper = source.real_upper[replicate] if fixed else np.zeros((d, d))
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        m, divisor = schedule.n_real[generation - 1], schedule.divisor[generation - 1]
        if m > 0 and not fixed:
            generation_stream_pair(span, replicate, generation, _REAL, workspace.streams)
            _draw_real_batch(m, source.factor, normals, workspace, real_mean, real_upper)
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, workspace.streams)
        if m > 0:
            _refit_with_real(mean, unit, log_diagonal, n, m, real_mean, real_upper, divisor, normals, workspace)
        else:
            beyond = mean.shape[0] - d if generation == 1 else 0
            _refit(mean, unit, log_diagonal, kept, n, divisor, beyond, normals, workspace)
        write_state(laws, replicate, step, source.mean, workspace, out)


@parallel_kernel
def refit_multivariate(laws, source, schedule, normals, span, out):
    """Refit R replicates over B generations: ``(R,D),(R,d,d),(R,d),...->(R,B,D),(R,B,d,d),(R,B,d)``.

    O(d^3 / 6) a step, three times that and more where a pool is kept.

    Parameters
    ----------
    laws : `Gaussians`, updated.
    source : `Source`.
    schedule : `KernelSchedule`.
    normals : the table of the normal law.
    span : `Span`.
    out : `MultivariateStates`.
    """
    n_replicates, d = laws.log_diagonal.shape
    for thread in prange(span.n_threads):
        workspace = new_multivariate_workspace(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(laws, replicate, source, schedule, normals, span, workspace, out)
