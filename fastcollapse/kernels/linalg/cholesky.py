"""Symmetric positive definite systems by a Cholesky factor in place, in parallel over strips of G matrices.

The upper triangles are used; tiles on the diagonal may be whole. The order of sums depends on n alone: no bit depends
on threads or on G.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_transpose, largest
from fastcollapse.kernels.linalg.tiles import factor, multiply, reciprocal_condition, solve_left

STRIP = 128


@kernel
def _norm(matrix):
    """Return the 1-norm of a symmetric matrix: ``(n,n)->()``."""
    n = matrix.shape[0]
    sums = np.zeros(n)
    for i in range(n):
        row = matrix[i]
        total = abs(row[i])
        for j in range(i + 1, n):
            magnitude = abs(row[j])
            total += magnitude
            sums[j] += magnitude
        sums[i] += total
    return largest(sums)


@kernel
def _divide_strips(thread, n_threads, start, end, matrices):
    """Write the rows `start` to `end` of U right of their tile."""
    n_matrices, n, _ = matrices.shape
    n_strips = (n - end + STRIP - 1) // STRIP
    for task in range(thread, n_matrices * n_strips, n_threads):
        g, left = task // n_strips, end + task % n_strips * STRIP
        right = min(n, left + STRIP)
        solve_left(matrices[g, start:end, start:end], True, matrices[g, start:end, left:right])


@kernel
def _update_strips(thread, n_threads, start, end, matrices):
    """Subtract the products of the rows `start` to `end` from the strips of rows below."""
    n_matrices, n, _ = matrices.shape
    n_strips = (n - end + STRIP - 1) // STRIP
    for task in range(thread, n_matrices * n_strips, n_threads):
        g, top = task // n_strips, end + task % n_strips * STRIP
        bottom = min(n, top + STRIP)
        rows = matrices[g, start:end]
        multiply(-1.0, rows[:, top:bottom], True, rows[:, top:], False, 1.0, matrices[g, top:bottom, top:])


@kernel
def _begin(matrix, shifts):
    """Add `shifts` to the diagonal and return the norm."""
    for i in range(matrix.shape[0]):
        matrix[i, i] += shifts[i]
    return _norm(matrix)


@kernel
def _finish(matrix, norm, out):
    """Solve with the factor and return the reciprocal condition number; a failed factor contains NaN."""
    n = matrix.shape[0]
    for i in range(n):
        if not matrix[i, i] > 0.0:
            out[:, :] = math.nan
            return 0.0
    solution = np.empty((n, out.shape[0]))
    copy_transpose(out, solution)
    solve_left(matrix, True, solution)
    solve_left(matrix, False, solution)
    copy_transpose(solution, out)
    return reciprocal_condition(matrix, norm, np.empty(3 * n), np.empty(n, np.int32))


@kernel
def _factor_tile(tile):
    """Replace a tile by its factor, or its first entry by NaN."""
    if factor(tile) != 0:
        tile[0, 0] = math.nan


@parallel_kernel
def solve_by_cholesky(matrices, shifts, n_threads, out, conditions):
    """Solve (A + diag(shifts)) x = b: ``(G,n,n),(G,n)->(G,C,n),(G)``, n^3 / 3 operations each.

    Parameters
    ----------
    matrices : float64 (G, n, n), upper triangles; overwritten.
    shifts : float64 (G, n).
    n_threads : the number of threads.
    out : float64 (G, C, n), right-hand sides as rows, replaced by the solutions; NaN where the matrix is not positive
        definite in floating point.
    conditions : float64 (G), estimates of the reciprocal condition numbers, 0 where there is no solution.
    """
    n_matrices, n, _ = matrices.shape
    norms = np.empty(n_matrices)
    for g in prange(n_matrices):
        norms[g] = _begin(matrices[g], shifts[g])
    for start in range(0, n, STRIP):
        end = min(n, start + STRIP)
        for g in prange(n_matrices):
            _factor_tile(matrices[g, start:end, start:end])
        for thread in prange(n_threads):
            _divide_strips(np.int64(thread), n_threads, start, end, matrices)
        for thread in prange(n_threads):
            _update_strips(np.int64(thread), n_threads, start, end, matrices)
    for g in prange(n_matrices):
        conditions[g] = _finish(matrices[g], norms[g], out[g])
