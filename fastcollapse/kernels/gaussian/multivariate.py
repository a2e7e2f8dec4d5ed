"""Refits of a Gaussian law in d dimensions under any schedule, from sufficient statistics, and to subsamples of
points.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.triangular import (
    add_gram,
    add_square,
    add_squares,
    clear_upper,
    factor_columns,
    factor_upper,
    multiply_columns,
    multiply_lower,
)
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    uniform_below,
)
from fastcollapse.kernels.random.subsample import choose_first
from fastcollapse.kernels.random.wishart import (
    bartlett_factor,
    fill_normals,
    move_mean,
    multiply_on,
    open_both,
    pool_factor,
    spread_points,
    take_factor,
    write_factor,
)
from fastcollapse.kernels.random.ziggurat import chi_square

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)
# What is left of a square below this share has lost half of its digits: points that are nearly in a plane.
_KNOWN = 1e-8
# Points that are drawn, and fitted to, at a time: they stay in the first-level cache with what they are multiplied by.
_ABREAST = 16


class Gaussians(NamedTuple):
    """The fitted laws of R replicates: `mean` float64 (R, D) less that of the truth, `unit` (R, d, d) and
    `log_diagonal` (R, d).

    d = D, or, where the first fit had n - 1 < D points, d = n - 1: the coordinates are then those of the span of the
    first sample, mean[d] is the distance of the mean from it, and what is beyond is 0."""

    mean: np.ndarray
    unit: np.ndarray
    log_diagonal: np.ndarray


class Source(NamedTuple):
    """The truth, mean float64 (D) and lower factor (d, d), and a fixed real batch: mean (Q, d), upper factor of its
    squares (Q, d, d), Q = R or 0.
    """

    mean: np.ndarray
    factor: np.ndarray
    real_mean: np.ndarray
    real_upper: np.ndarray


class MultivariateStates(NamedTuple):
    """What is written: `mean` float64 (R, B, D), `factor` (R, B, d, d), `log_diagonal` (R, B, d)."""

    mean: np.ndarray
    factor: np.ndarray
    log_diagonal: np.ndarray


class MultivariateWorkspace(NamedTuple):
    """Room for one thread, d wide; `block` is so many points, `scaled` and `across` theirs as columns."""

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
    return MultivariateWorkspace(
        np.empty(d, np.uint64),
        np.empty(d, np.int64),
        np.empty((2, STREAM_WORDS), np.uint64),
        np.empty(d),
        np.empty((3, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.zeros((d, d)),
        np.empty((_ABREAST, d)),
        np.zeros((d, _ABREAST)),
        np.empty((d, _ABREAST)),
    )


@kernel
def _draw_real_batch(n, truth_factor, normals, workspace, mean, upper):
    """Draw mean and upper factor of the squares of n points of the truth, with the streams of `workspace`."""
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
    """Draw the real batch of every replicate that stays for the run, into `source`."""
    for replicate in prange(source.real_mean.shape[0]):
        workspace = new_multivariate_workspace(source.factor.shape[0])
        open_both(key.seed, key.first_replicate + np.uint64(replicate), 0, _FIXED_REAL, workspace.streams)
        _draw_real_batch(
            n, source.factor, normals, workspace, source.real_mean[replicate], source.real_upper[replicate]
        )


@kernel
def _refit(mean, unit, log_diagonal, kept, n, divisor, beyond, normals, workspace):
    """Refit to the kept points, which fit the law, and n more drawn from it; `beyond` > 0 dimensions of the truth are
    not spanned.
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
    """Refit to n points drawn from the law and a real batch of m points."""
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
def _write(laws, replicate, step, truth_mean, workspace, out):
    mean, target = laws.mean[replicate], out.mean[replicate, step]
    for i in range(mean.shape[0]):
        target[i] = mean[i] + truth_mean[i]
    log_diagonal, logs = laws.log_diagonal[replicate], out.log_diagonal[replicate, step]
    for i in range(logs.shape[0]):
        logs[i] = log_diagonal[i]
    write_factor(laws.unit[replicate], log_diagonal, workspace.bits, workspace.rows[0], out.factor[replicate, step])


@kernel
def _run(laws, replicate, source, schedule, first, n_generations, normals, key, workspace, out):
    """Refit one replicate over a block; serial, because a short `prange` body compiles in a third of the time."""
    number = key.first_replicate + np.uint64(replicate)
    mean, unit, log_diagonal = laws.mean[replicate], laws.unit[replicate], laws.log_diagonal[replicate]
    d = log_diagonal.shape[0]
    fixed = source.real_mean.shape[0] > 0
    real_mean = source.real_mean[replicate] if fixed else np.empty(d)
    real_upper = source.real_upper[replicate] if fixed else np.zeros((d, d))
    for step in range(n_generations):
        generation = first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        m, divisor = schedule.n_real[generation - 1], schedule.divisor[generation - 1]
        if m > 0 and not fixed:
            open_both(key.seed, number, generation, _REAL, workspace.streams)
            _draw_real_batch(m, source.factor, normals, workspace, real_mean, real_upper)
        open_both(key.seed, number, generation, _SYNTHETIC, workspace.streams)
        if m > 0:
            _refit_with_real(mean, unit, log_diagonal, n, m, real_mean, real_upper, divisor, normals, workspace)
        else:
            beyond = mean.shape[0] - d if generation == 1 else 0
            _refit(mean, unit, log_diagonal, kept, n, divisor, beyond, normals, workspace)
        _write(laws, replicate, step, source.mean, workspace, out)


@parallel_kernel
def refit_multivariate(laws, source, schedule, first, n_generations, normals, key, n_threads, out):
    """Refit R replicates over B generations of a schedule without subsamples; O(d^3 / 6) a step, three times that and
    more where a pool is kept.

    Parameters
    ----------
    laws: `Gaussians`; move on
    source, schedule: see `Source`, `fastcollapse.config.schedule.KernelSchedule`
    normals: the table of the normal law
    key: StreamKey; its generation and purpose are not read
    out: `MultivariateStates`
    """
    n_replicates, d = laws.log_diagonal.shape
    for thread in prange(n_threads):
        workspace = new_multivariate_workspace(d)
        for replicate in range(thread, n_replicates, n_threads):
            _run(laws, replicate, source, schedule, first, n_generations, normals, key, workspace, out)


@kernel
def _draw_span(mean, sigma, beyond, normals, workspace, points):
    """Draw n = d + 1 points of an isotropic truth of d + `beyond` dimensions, in coordinates of their span."""
    n, d = points.shape
    fill_normals(normals, workspace.words, workspace.streams, workspace.z)
    mean[d] = sigma * math.sqrt(chi_square(np.float64(beyond), normals, workspace.streams[0]) / n)
    bartlett_factor(d + beyond, normals, workspace.words, workspace.streams, workspace.factor)
    spread_points(workspace.factor, points)
    for i in range(n):
        for j in range(d):
            points[i, j] = sigma * (points[i, j] + workspace.z[j] / math.sqrt(n))


@kernel
def _draw_points(mean, unit, log_diagonal, normals, workspace, points):
    """Draw up to _ABREAST points of the law."""
    n, d = points.shape
    scaled, across = workspace.scaled, workspace.across
    for i in range(n):
        fill_normals(normals, workspace.words, workspace.streams, workspace.z)
        for j in range(d):
            scaled[j, i] = workspace.z[j]
    for j in range(d):
        sigma = math.exp(log_diagonal[j])
        for i in range(_ABREAST):
            scaled[j, i] = scaled[j, i] * sigma if i < n else 0.0
            across[j, i] = mean[j]
    multiply_columns(unit, scaled, across)
    for i in range(n):
        for j in range(d):
            points[i, j] = across[j, i]


@kernel
def _fit_points(points, numbers, n_points, size, replacement, divisor, workspace, mean, unit, log_diagonal):
    """Fit to `size` points: those that `numbers` begins with, or as many uniform choices among the first `n_points`.

    The squares are taken about the last mean and brought to the new one: one pass, and close to it already. Where they
    do not know the shortest direction of the points, the points themselves are factored.
    """
    d = log_diagonal.shape[0]
    shift, squares = workspace.rows[0], workspace.rows[1]
    picked = np.empty(size, np.int64)
    clear_upper(0.0, workspace.matrix)
    for j in range(d):
        shift[j] = 0.0
    for begin in range(0, size, _ABREAST):
        n = min(_ABREAST, size - begin)
        for i in range(n):
            picked[begin + i] = numbers[uniform_below(n_points, workspace.streams[0]) if replacement else begin + i]
            chosen = points[picked[begin + i]]
            gap = workspace.block[i]
            for j in range(d):
                gap[j] = chosen[j] - mean[j]
                shift[j] += gap[j]
        add_squares(workspace.block, n, workspace.matrix)
    for j in range(d):
        shift[j] /= size
        mean[j] += shift[j]
    add_square(-np.float64(size), shift, workspace.matrix)
    for j in range(d):
        squares[j] = workspace.matrix[j, j]
    factor_upper(workspace.matrix)
    if not _is_known(workspace.matrix, squares):
        columns = np.empty((d, size))
        for i in range(size):
            for j in range(d):
                columns[j, i] = points[picked[i], j] - mean[j]
        factor_columns(columns, workspace.matrix)
    take_factor(workspace.matrix, np.float64(divisor), unit, log_diagonal)


@kernel
def _is_known(upper, squares):
    """Return whether the digits of a Cholesky factor are known: `squares` was the diagonal of what it is of."""
    for j in range(squares.shape[0]):
        if not upper[j, j] * upper[j, j] > _KNOWN * squares[j]:  # or NaN
            return False
    return True


@kernel
def _run_subsamples(
    laws, replicate, points, numbers, source, schedule, replacement, first, n_generations, normals, key, workspace, out
):
    """Refit one replicate to subsamples over a block."""
    number = key.first_replicate + np.uint64(replicate)
    mean, unit, log_diagonal = laws.mean[replicate], laws.unit[replicate], laws.log_diagonal[replicate]
    d = log_diagonal.shape[0]
    for step in range(n_generations):
        generation = first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        size, divisor = schedule.n_train[generation - 1], schedule.divisor[generation - 1]
        open_both(key.seed, number, generation, _SYNTHETIC, workspace.streams)
        beyond = mean.shape[0] - d if generation == 1 else 0
        if beyond > 0:
            _draw_span(mean, math.exp(log_diagonal[0]), beyond, normals, workspace, points[:n])
        else:
            for begin in range(kept, kept + n, _ABREAST):
                _draw_points(
                    mean, unit, log_diagonal, normals, workspace, points[begin : min(begin + _ABREAST, kept + n)]
                )
        for i in range(kept, kept + n):
            numbers[i] = i
        open_both(key.seed, number, generation, _SUBSAMPLE, workspace.streams)
        again = replacement and size > 0
        if size == 0:
            size = kept + n
        elif not replacement:
            choose_first(numbers, kept + n, size, workspace.streams[0])
        _fit_points(points, numbers, kept + n, size, again, divisor, workspace, mean, unit, log_diagonal)
        _write(laws, replicate, step, source.mean, workspace, out)


@parallel_kernel
def refit_multivariate_subsamples(
    laws, points, order, source, schedule, replacement, first, n_generations, normals, key, n_threads, out
):
    """As `refit_multivariate`, to subsamples of a pool of points; O((n_synthetic + n_train) d^2) a step.

    `points` float64 (R, K, d), less the mean of the truth; `order` int64 (R, K), the numbers of the points in the
    order of the pool. Where d < D, the first fit is to all of its points: nothing is ever outside their span.
    """
    n_replicates, d = laws.log_diagonal.shape
    for thread in prange(n_threads):
        workspace = new_multivariate_workspace(d)
        for replicate in range(thread, n_replicates, n_threads):
            mine, numbers = points[replicate], order[replicate]
            _run_subsamples(
                laws,
                replicate,
                mine,
                numbers,
                source,
                schedule,
                replacement,
                first,
                n_generations,
                normals,
                key,
                workspace,
                out,
            )
