"""Refits of a Gaussian law in d dimensions to subsamples of a pool of points."""

import math

import numpy as np

from fastcollapse.kernels.gaussian.multivariate_map import has_map, map_law
from fastcollapse.kernels.gaussian.multivariate_pooled import POINTS_AT_A_TIME, new_multivariate_workspace, write_state
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.triangular import (
    DETERMINED,
    add_square,
    add_squares,
    clear_upper,
    factor_columns,
    factor_upper,
    multiply_columns,
)
from fastcollapse.kernels.random.streams import (
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    generation_stream_pair,
    uniform_below,
)
from fastcollapse.kernels.random.subsample import choose_first
from fastcollapse.kernels.random.wishart import (
    bartlett_factor,
    fill_normals,
    move_mean,
    multiply_on,
    spread_points,
    take_factor,
)
from fastcollapse.kernels.random.ziggurat import chi_square

_SYNTHETIC, _SUBSAMPLE = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_SUBSAMPLE)

# The square of a remainder below this share has lost half of its digits: the points are nearly in a plane.
_KNOWN = 1e-4
_EPSILON = 2.0**-52


@kernel
def _draw_span(mean, sigma, beyond, normals, workspace, points):
    """Draw d + 1 points of an isotropic truth of d + `beyond` dimensions in their span: ``->(d+1,d)``."""
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
    """Draw up to POINTS_AT_A_TIME points of the law: ``(d),(d,d),(d)->(n,d)``."""
    n, d = points.shape
    scaled, across = workspace.scaled, workspace.across
    for i in range(n):
        fill_normals(normals, workspace.words, workspace.streams, workspace.z)
        for j in range(d):
            scaled[j, i] = workspace.z[j]
    for j in range(d):
        sigma = math.exp(log_diagonal[j])
        for i in range(POINTS_AT_A_TIME):
            scaled[j, i] = scaled[j, i] * sigma if i < n else 0.0
            across[j, i] = mean[j]
    multiply_columns(unit, scaled, across)
    for i in range(n):
        for j in range(d):
            points[i, j] = across[j, i]


@kernel
def _copy_law(mean, unit, log_diagonal, to_mean, to_unit, to_log):
    for i in range(log_diagonal.shape[0]):
        to_mean[i], to_log[i] = mean[i], log_diagonal[i]
        for j in range(i + 1):
            to_unit[i, j] = unit[i, j]


@kernel
def _map_copy(mean, unit, log_diagonal, source, workspace):
    """Replace a copy of a law by the law after the map."""
    shift = workspace.z
    map_law(
        mean, unit, log_diagonal, source, workspace.upper, workspace.matrix, np.zeros_like(unit), shift,
        workspace.factor,
    )  # fmt: skip
    move_mean(unit, log_diagonal, shift, 1.0, mean)
    multiply_on(unit, log_diagonal, workspace.factor, 1.0, workspace.bits, workspace.rows)


@kernel
def _is_known(upper, squares, errors):
    """Whether the digits of a Cholesky factor are known.

    Parameters
    ----------
    upper : float64 (d, d), the factor.
    squares : float64 (d), the sums that its diagonal comes from.
    errors : float64 (d), as in `factor_columns`.
    """
    for j in range(squares.shape[0]):
        if not upper[j, j] > max(DETERMINED * errors[j], _KNOWN * math.sqrt(squares[j])):  # or NaN
            return False
    return True


@kernel
def _fit_points(points, numbers, n_points, size, replacement, divisor, truth, workspace, mean, unit, log_diagonal):
    """Fit to `size` points: the first of `numbers`, or as many uniform choices among the first `n_points`.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.

    The squares are taken about the last mean and moved to the new one: one pass, with a shift that is already close.
    Where they do not determine the shortest direction of the points, the points themselves are factored. A subsample
    with repeats may span less than d dimensions, and later points of this law lie in the same plane: then the factor
    has rows of 0, and `log_diagonal` entries of -inf. `truth` are the deviations of the truth.
    """
    d = log_diagonal.shape[0]
    shift, squares, errors = workspace.rows[0], workspace.rows[1], workspace.rows[2]
    picked = np.empty(size, np.int64)
    clear_upper(0.0, workspace.matrix)
    for j in range(d):
        shift[j] = 0.0
    for begin in range(0, size, POINTS_AT_A_TIME):
        n = min(POINTS_AT_A_TIME, size - begin)
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
        squares[j] = workspace.matrix[j, j]
    add_square(-np.float64(size), shift, workspace.matrix)
    for j in range(d):
        # The points and the laws that they come from are sums of terms as large as the truth or the mean.
        largest = abs(mean[j]) + truth[j]
        errors[j] = _EPSILON * math.sqrt(size) * largest if replacement else 0.0
    factor_upper(workspace.matrix)
    if not _is_known(workspace.matrix, squares, errors):
        columns = np.empty((d, size))
        for i in range(size):
            for j in range(d):
                columns[j, i] = points[picked[i], j] - mean[j]
        factor_columns(columns, errors, 0.0 if replacement else math.nan, workspace.matrix)
    take_factor(workspace.matrix, np.float64(divisor), unit, log_diagonal)


@kernel
def _run(laws, replicate, points, numbers, source, schedule, normals, span, workspace, out):
    """Refit one replicate to subsamples over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    mean, unit, log_diagonal = laws.mean[replicate], laws.unit[replicate], laws.log_diagonal[replicate]
    d = log_diagonal.shape[0]
    deviations = np.empty(d)
    # The law that points are drawn from.
    sampled_mean, sampled_unit, sampled_log = mean, unit, log_diagonal
    if has_map(source):
        sampled_mean, sampled_unit, sampled_log = np.empty(d), np.empty((d, d)), np.empty(d)
    for i in range(d):
        square = 0.0
        for j in range(d):
            square += source.factor[i, j] * source.factor[i, j]
        deviations[i] = math.sqrt(square)
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        size, divisor = schedule.n_train[generation - 1], schedule.divisor[generation - 1]
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, workspace.streams)
        beyond = mean.shape[0] - d if generation == 1 else 0
        if beyond > 0:
            _draw_span(mean, math.exp(log_diagonal[0]), beyond, normals, workspace, points[:n])
        else:
            if has_map(source):
                _copy_law(mean, unit, log_diagonal, sampled_mean, sampled_unit, sampled_log)
            if has_map(source) and generation >= source.first:
                _map_copy(sampled_mean, sampled_unit, sampled_log, source, workspace)
            for begin in range(kept, kept + n, POINTS_AT_A_TIME):
                end = min(begin + POINTS_AT_A_TIME, kept + n)
                _draw_points(sampled_mean, sampled_unit, sampled_log, normals, workspace, points[begin:end])
        for i in range(kept, kept + n):
            numbers[i] = i
        generation_stream_pair(span, replicate, generation, _SUBSAMPLE, workspace.streams)
        again = schedule.replacement and size > 0
        if size == 0:
            size = kept + n
        elif not schedule.replacement:
            choose_first(numbers, kept + n, size, workspace.streams[0])
        _fit_points(points, numbers, kept + n, size, again, divisor, deviations, workspace, mean, unit, log_diagonal)
        write_state(laws, replicate, step, source.mean, workspace, out)


@parallel_kernel
def refit_multivariate_subsamples(laws, points, order, source, schedule, normals, span, out):
    """Refit R replicates over B generations to subsamples: ``...,(R,K,d),(R,K)->(R,B,D),(R,B,d,d),(R,B,d)``.

    O((n_synthetic + n_train) d^2) a step. Where d < D, the first fit is to all of its points, so that no point is ever
    outside their span.

    Parameters
    ----------
    points : float64 (R, K, d), the pool, less the mean of the truth; updated.
    order : int64 (R, K), the numbers of the points in the order of the pool; updated.
    source : `MultivariateSource`; with its map, points are drawn from the law after the map.
    laws, schedule, normals, span, out : as in `multivariate_pooled.refit_multivariate`.
    """
    n_replicates, d = laws.log_diagonal.shape
    for thread in prange(span.n_threads):
        workspace = new_multivariate_workspace(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(
                laws, replicate, points[replicate], order[replicate], source, schedule, normals, span, workspace, out,
            )  # fmt: skip
