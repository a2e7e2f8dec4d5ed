"""Symmetric systems (A + shift) x = b with many shifts: one reduction of A to a band, one band solve a shift.

A = Q B Q^T, B of `width` diagonals beside the main one, takes 4 n^3 / 3 operations, as many as four Cholesky factors.
All are products of matrices. A tridiagonal reduction spends half of its operations on a matrix and a vector, which
wait for memory. Panel by panel: the columns below the band are Q_j R, and A becomes Q_j^T A Q_j = A - V X^T - X V^T
with Q_j = 1 - V T V^T, Y = A V T, X = Y - V (T^T V^T Y) / 2.

The matrices of G replicates stand side by side. Their upper triangles are used, and tiles on the diagonal are whole.
The order of sums depends on n alone: no bit depends on threads or on G.

References
----------
C. Bischof, X. Sun, B. Lang, Parallel tridiagonalization through two-step band reduction, SHPCC 1994.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_matrix, largest
from fastcollapse.kernels.linalg.tiles import (
    factor_band,
    factor_panel,
    multiply,
    reciprocal_condition_of_band,
    solve_band,
)
from fastcollapse.kernels.linalg.triangular import add_scaled

# Rows or columns of a strip, the work unit of a thread.
STRIP = 128
# Right-hand sides transformed at a time; always this number, because rounding may depend on it.
_ROWS = 8


class BandReduction(NamedTuple):
    """What `reduce_to_band` leaves beside the Householder vectors in the matrix.

    Attributes
    ----------
    band : float64 (G, n, width + 1).
    tables : float64 (G, P, width, width), T of the P panels.
    """

    band: np.ndarray
    tables: np.ndarray


class PanelWorkspace(NamedTuple):
    """Work arrays for the panels of G matrices.

    Attributes
    ----------
    vectors, others : float64 (G, 2 width, n), V^T above X^T, and X^T above V^T.
    products : float64 (G, width, n), Y^T.
    parts : float64 (G, strips, width, width).
    work : float64 (G, width^2).
    """

    vectors: np.ndarray
    others: np.ndarray
    products: np.ndarray
    parts: np.ndarray
    work: np.ndarray


def new_band_reduction(n_matrices: int, n: int, width: int) -> BandReduction:
    """Return arrays for `reduce_to_band`."""
    n_panels = max(0, -(-(n - 1 - width) // width))
    return BandReduction(np.empty((n_matrices, n, width + 1)), np.zeros((n_matrices, n_panels, width, width)))


def new_panel_workspace(n_matrices: int, n: int, width: int) -> PanelWorkspace:
    """Return the work arrays of `reduce_to_band`."""
    n_strips = -(-n // STRIP)
    return PanelWorkspace(
        np.empty((n_matrices, 2 * width, n)),
        np.empty((n_matrices, 2 * width, n)),
        np.empty((n_matrices, width, n)),
        np.empty((n_matrices, n_strips, width, width)),
        np.empty((n_matrices, width * width)),
    )


def band_workspace_length(n: int, width: int) -> int:
    """Return how many numbers `BandReduction` and `PanelWorkspace` of one matrix hold."""
    return n * (width + 1) + n * width + 5 * width * n + (-(-n // STRIP) + 2) * width * width


@kernel
def _set_band(matrix, band, first, last):
    """Copy the columns `first` to `last` of the band."""
    n, width = band.shape
    for i in range(first, last):
        for k in range(width):
            band[i, k] = matrix[i, i + k] if i + k < n else 0.0


@kernel
def _strip(task, start, n, n_matrices):
    """Return (matrix, strip, first column, end) of a task; strips have the same places in every panel."""
    first = start // STRIP
    n_active = (n + STRIP - 1) // STRIP - first
    g, strip = task // n_active, first + task % n_active
    return g, strip, max(start, strip * STRIP), min(n, (strip + 1) * STRIP)


@kernel
def _n_tasks(start, n, n_matrices):
    """Return the number of strips of all matrices from column `start` on."""
    return n_matrices * ((n + STRIP - 1) // STRIP - start // STRIP)


@kernel
def _factor_panel(g, panel, matrices, reduction, workspace):
    """Factor a panel: R goes to the band, V stays in the matrix and is copied to the workspace."""
    matrix, band = matrices[g], reduction.band[g]
    n, width = matrix.shape[0], band.shape[1] - 1
    first = panel * width
    start = first + width
    size = min(width, n - start)
    columns = matrix[first:start, start:]
    factor_panel(columns, reduction.tables[g, panel, :size, :size], workspace.work[g])
    _set_band(matrix, band, first, start)
    for i in range(width):
        if i >= size:
            columns[i, :] = 0.0
        else:
            columns[i, :i] = 0.0
            columns[i, i] = 1.0
    copy_matrix(columns, workspace.vectors[g, :width, start:])
    copy_matrix(columns, workspace.others[g, width:, start:])


@kernel
def _multiply_strips(thread, n_threads, panel, matrices, reduction, workspace):
    """Write strips of columns of Y^T = T^T V^T A, and their parts of V^T Y."""
    n_matrices, n, _ = matrices.shape
    width = reduction.band.shape[2] - 1
    start = (panel + 1) * width
    buffer = np.empty(width * STRIP)
    for task in range(thread, _n_tasks(start, n, n_matrices), n_threads):
        g, strip, left, right = _strip(task, start, n, n_matrices)
        matrix, vectors = matrices[g], workspace.vectors[g, :width]
        image = buffer[: width * (right - left)].reshape(width, right - left)
        multiply(1.0, vectors[:, start:right], False, matrix[start:right, left:right], False, 0.0, image)
        if right < n:
            multiply(1.0, vectors[:, right:], False, matrix[left:right, right:], True, 1.0, image)
        # The table is stored transposed.
        products = workspace.products[g, :, left:right]
        multiply(1.0, reduction.tables[g, panel], False, image, False, 0.0, products)
        multiply(1.0, vectors[:, left:right], False, products, True, 0.0, workspace.parts[g, strip])


@kernel
def _shift_strips(thread, n_threads, panel, matrices, reduction, workspace):
    """Write strips of columns of X^T = Y^T - (T^T V^T Y) V^T / 2, to both places."""
    n_matrices, n, _ = matrices.shape
    width = reduction.band.shape[2] - 1
    start = (panel + 1) * width
    inner, outer = np.empty((width, width)), np.empty((width, width))
    for task in range(thread, _n_tasks(start, n, n_matrices), n_threads):
        g, _, left, right = _strip(task, start, n, n_matrices)
        inner[:, :] = 0.0
        for strip in range(start // STRIP, workspace.parts.shape[1]):
            for i in range(width):
                add_scaled(1.0, workspace.parts[g, strip, i], width, inner[i])
        multiply(1.0, reduction.tables[g, panel], False, inner, False, 0.0, outer)
        to = workspace.others[g, :width, left:right]
        copy_matrix(workspace.products[g, :, left:right], to)
        # T^T V^T Y is symmetric.
        multiply(-0.5, outer, False, workspace.vectors[g, :width, left:right], False, 1.0, to)
        copy_matrix(to, workspace.vectors[g, width:, left:right])


@kernel
def _update_strips(thread, n_threads, panel, matrices, reduction, workspace):
    """Subtract V X^T + X V^T from strips of rows."""
    n_matrices, n, _ = matrices.shape
    start = (panel + 1) * (reduction.band.shape[2] - 1)
    for task in range(thread, _n_tasks(start, n, n_matrices), n_threads):
        g, _, left, right = _strip(task, start, n, n_matrices)
        to = matrices[g, left:right, left:]
        multiply(-1.0, workspace.vectors[g, :, left:right], True, workspace.others[g, :, left:], False, 1.0, to)


@parallel_kernel
def reduce_to_band(matrices, reduction, workspace, n_threads):
    """Reduce symmetric matrices to bands: ``(G,n,n)->(G,n,width+1)``, 4 n^3 / 3 operations each.

    Parameters
    ----------
    matrices : float64 (G, n, n), upper triangles; overwritten with the input of `apply_reduction`.
    reduction : `BandReduction` of the width of the band.
    workspace : `PanelWorkspace`.
    n_threads : the number of threads.
    """
    n_matrices, n, _ = matrices.shape
    n_panels, width = reduction.tables.shape[1], reduction.tables.shape[2]
    for panel in range(n_panels):
        for g in prange(n_matrices):
            _factor_panel(np.int64(g), panel, matrices, reduction, workspace)
        for thread in prange(n_threads):
            _multiply_strips(np.int64(thread), n_threads, panel, matrices, reduction, workspace)
        for thread in prange(n_threads):
            _shift_strips(np.int64(thread), n_threads, panel, matrices, reduction, workspace)
        for thread in prange(n_threads):
            _update_strips(np.int64(thread), n_threads, panel, matrices, reduction, workspace)
    for g in prange(n_matrices):
        _set_band(matrices[g], reduction.band[g], n_panels * width, n)


@kernel
def _apply_to_rows(matrix, tables, transposed, rows):
    """Replace rows x^T by (Q x)^T or, if `transposed`, (Q^T x)^T: ``(n,n),(P,width,width),(m,n)->(m,n)``."""
    n_panels, width = tables.shape[0], tables.shape[1]
    inner, outer = np.empty((rows.shape[0], width)), np.empty((rows.shape[0], width))
    for step in range(n_panels):
        panel = step if transposed else n_panels - 1 - step
        first = panel * width
        start = first + width
        vectors = matrix[first:start, start:]
        multiply(1.0, rows[:, start:], False, vectors, True, 0.0, inner)
        multiply(1.0, inner, False, tables[panel], transposed, 0.0, outer)
        multiply(-1.0, outer, False, vectors, False, 1.0, rows[:, start:])


@parallel_kernel
def apply_reduction(matrices, reduction, transposed, out):
    """Replace rows x^T by (Q x)^T or, if `transposed`, (Q^T x)^T: ``(G,n,n)->(G,N,n)``, 2 n^2 N operations each."""
    n_matrices, n_rows, _ = out.shape
    n_parts = (n_rows + _ROWS - 1) // _ROWS
    for task in prange(n_matrices * n_parts):
        g, part = task // n_parts, task % n_parts
        rows = out[g, part * _ROWS : min(n_rows, (part + 1) * _ROWS)]
        _apply_to_rows(matrices[g], reduction.tables[g], transposed, rows)


@kernel
def _norm_of_band(band):
    """Return the 1-norm of a symmetric band: ``(n,b+1)->()``."""
    n, width = band.shape
    sums = np.zeros(n)
    for i in range(n):
        sums[i] += abs(band[i, 0])
        for k in range(1, min(width, n - i)):
            sums[i] += abs(band[i, k])
            sums[i + k] += abs(band[i, k])
    return largest(sums)


@kernel
def _solve_band(band, shift, right_sides, wants_condition, out):
    """Solve at one shift: ``(n,b+1),(),(m,n)->(m,n)``.

    Returns
    -------
    The reciprocal condition number, 1.0 where it is not wanted, 0.0 for failure.
    """
    n = band.shape[0]
    shifted = np.empty(band.shape)
    copy_matrix(band, shifted)
    for i in range(n):
        shifted[i, 0] += shift
    norm = _norm_of_band(shifted) if wants_condition else 1.0
    if factor_band(shifted) != 0:
        out[:, :] = math.nan
        return 0.0
    copy_matrix(right_sides, out)
    solve_band(shifted, out)
    if wants_condition:
        return reciprocal_condition_of_band(shifted, norm, np.empty(3 * n), np.empty(n, np.int32))
    return 1.0


@parallel_kernel
def solve_shifted_bands(bands, shifts, right_sides, out, conditions):
    """Solve (B + shift) x = b at every shift: ``(G,n,b+1),(L),(G,C,n)->(G,L,C,n),(G,L)``, O(n b (b + C)) each.

    Parameters
    ----------
    bands : float64 (G, n, b + 1).
    shifts : float64 (L).
    right_sides : float64 (G, C, n).
    out : float64 (G, L, C, n), NaN where B + shift is not positive definite in floating point.
    conditions : float64 (G, L), an estimate of the reciprocal condition number at the least shift, 1 at the others; 0
        where `out` is NaN.
    """
    n_matrices, n_shifts = bands.shape[0], shifts.shape[0]
    least = 0
    for k in range(n_shifts):
        if shifts[k] < shifts[least]:
            least = k
    for task in prange(n_matrices * n_shifts):
        g, k = task // n_shifts, task % n_shifts
        conditions[g, k] = _solve_band(bands[g], shifts[k], right_sides[g], k == least, out[g, k])
