"""Kernel matrices of many rows: tiles from products of matrices, in parallel over tiles.

Squared distances are |x|^2 + |x'|^2 - 2 <x, x'>, which cancels where x and x' are close. There they are summed again
directly, so that equal rows have distance 0. Arrays of G replicates stand side by side. No bit depends on G or on
threads.

Rows are float64, or float32 where their products may be rounded to that. Kernels are float64 either way.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.tiles import multiply, multiply_rows, multiply_rows_single

RBF, POLYNOMIAL, LINEAR, LAPLACIAN, MATERN_1, MATERN_3, MATERN_5 = range(7)
TILE = 256
# Squared distances below this share of the squared norms are summed again; others have lost at most 3 digits.
_CLOSE = 1e-3
_ROOT_3, _ROOT_5 = math.sqrt(3.0), math.sqrt(5.0)


class Kernel(NamedTuple):
    """A kernel function.

    rbf exp(-|x - x'|^2 / (2 s^2)), laplacian exp(-|x - x'|_1 / s), polynomial (<x, x'> / s^2 + offset)^degree, linear
    <x, x'> / s^2, Matern of order nu = 1/2, 3/2, 5/2 in |x - x'| / s.

    Attributes
    ----------
    kind : int64, RBF, POLYNOMIAL, LINEAR, LAPLACIAN, MATERN_1, MATERN_3 or MATERN_5.
    scale : the length s that inputs are divided by.
    degree, offset : of a polynomial.
    """

    kind: np.int64
    scale: np.float64
    degree: np.int64
    offset: np.float64


@kernel
def squares_of_rows(rows, out):
    """Write |x|^2 of each row: ``(n,d)->(n)``, O(n d)."""
    for i in range(rows.shape[0]):
        total = 0.0
        for j in range(rows.shape[1]):
            value = np.float64(rows[i, j])
            total += value * value
        out[i] = total


@kernel
def _distance_again(x, y):
    """Return |x - x'|^2 summed directly: ``(d),(d)->()``."""
    total = 0.0
    for i in range(x.shape[0]):
        gap = np.float64(x[i]) - np.float64(y[i])
        total += gap * gap
    return total


@kernel
def _write_manhattan(left, right, columns, out):
    """Write |x - x'|_1, vectorised over x': ``(n,d),(m,d)->(n,m)``; `columns` (d, m) is work space."""
    n, m = out.shape
    d = left.shape[1]
    for j in range(m):
        for k in range(d):
            columns[k, j] = right[j, k]
    for i in range(n):
        row = out[i]
        for j in range(m):
            row[j] = 0.0
        for k in range(d):
            value, column = left[i, k], columns[k, :m]
            for j in range(m):
                row[j] += abs(value - column[j])


@kernel
def _write_products(left, right, workspace, out):
    """Write <x, x'>: ``(n,d),(m,d)->(n,m)``; `workspace` (TILE TILE) has the type of the rows."""
    n, m = out.shape
    if left.itemsize == 8:
        multiply_rows(left, right, out)
        return
    products = workspace[: n * m].reshape(n, m)
    multiply_rows_single(left, right, products)
    for i in range(n):
        for j in range(m):
            out[i, j] = products[i, j]


@kernel
def _write_squared_distances(left, left_squares, right, right_squares, workspace, out):
    """Write |x - x'|^2: ``(n,d),(n),(m,d),(m)->(n,m)``."""
    _write_products(left, right, workspace, out)
    n, m = out.shape
    for i in range(n):
        row, square = out[i], left_squares[i]
        for j in range(m):
            row[j] = square + right_squares[j] - 2.0 * row[j]
        for j in range(m):
            if row[j] < _CLOSE * (square + right_squares[j]):
                row[j] = _distance_again(left[i], right[j])


@kernel
def _power(value, degree):
    """Return `value` to the power `degree` >= 1, in the same order always."""
    result = value
    for _ in range(1, degree):
        result *= value
    return result


@kernel
def _apply(law, out):
    """Turn squared distances, 1-norms or products into kernels, in place."""
    n, m = out.shape
    kind, over = law.kind, 1.0 / law.scale
    half = -0.5 * over * over
    for i in range(n):
        row = out[i]
        if kind == RBF:
            for j in range(m):
                row[j] = math.exp(half * row[j])
        elif kind == LAPLACIAN:
            for j in range(m):
                row[j] = math.exp(-over * row[j])
        elif kind == POLYNOMIAL:
            for j in range(m):
                row[j] = _power(over * over * row[j] + law.offset, law.degree)
        elif kind == LINEAR:
            for j in range(m):
                row[j] *= over * over
        elif kind == MATERN_1:
            for j in range(m):
                row[j] = math.exp(-over * math.sqrt(row[j]))
        elif kind == MATERN_3:
            for j in range(m):
                r = _ROOT_3 * over * math.sqrt(row[j])
                row[j] = (1.0 + r) * math.exp(-r)
        else:
            for j in range(m):
                r = _ROOT_5 * over * math.sqrt(row[j])
                row[j] = (1.0 + r + r * r / 3.0) * math.exp(-r)


@kernel
def write_tile(law, left, left_squares, right, right_squares, workspace, out):
    """Write the kernels of a few rows: ``(n,d),(n),(m,d),(m)->(n,m)``, O(n m d).

    Parameters
    ----------
    law : `Kernel`.
    left, right : rows, at most TILE each.
    left_squares, right_squares : |x|^2 of the rows.
    workspace : `tile_workspace_length` entries, of the type of the rows.
    """
    if law.kind == LAPLACIAN:
        m, d = right.shape
        _write_manhattan(left, right, workspace[: d * m].reshape(d, m), out)
    elif law.kind == POLYNOMIAL or law.kind == LINEAR:
        _write_products(left, right, workspace, out)
    else:
        _write_squared_distances(left, left_squares, right, right_squares, workspace, out)
    _apply(law, out)


@kernel
def tile_workspace_length(d):
    """Return how many entries the workspace of `write_tile` has for d inputs."""
    return TILE * max(TILE, d)


@parallel_kernel
def write_gram(law, rows, squares, n_threads, out):
    """Write the upper triangles of the Gram matrices of G samples: ``(G,n,d),(G,n)->(G,n,n)``, n^2 d operations each.

    Tiles on the diagonal are written whole.
    """
    n_matrices, n, d = rows.shape
    n_tiles = (n + TILE - 1) // TILE
    for thread in prange(n_threads):
        workspace = np.empty(tile_workspace_length(d), rows.dtype)
        task = 0
        for g in range(n_matrices):
            for first in range(n_tiles):
                start, end = first * TILE, min(n, (first + 1) * TILE)
                for second in range(first, n_tiles):
                    if task % n_threads == thread:
                        left, right = second * TILE, min(n, (second + 1) * TILE)
                        write_tile(
                            law, rows[g, start:end], squares[g, start:end], rows[g, left:right],
                            squares[g, left:right], workspace, out[g, start:end, left:right],
                        )  # fmt: skip
                    task += 1


@parallel_kernel
def predict(law, rows, squares, support, support_squares, coefficients, n_threads, out):
    """Write sum_i coefficients_i k(x, z_i) at every row x: ``(H,N,d),(H,N),(G,m,d),(G,m),(G,C,m)->(G,C,N)``.

    H is 1, where all G share the rows, or G. The kernels are made tile by tile and not stored. 2 N m (d + C) operations
    for each of the G.
    """
    n_tables, n, d = rows.shape
    n_matrices, m, _ = support.shape
    n_tiles, n_others = (n + TILE - 1) // TILE, (m + TILE - 1) // TILE
    for thread in prange(n_threads):
        workspace = np.empty(tile_workspace_length(d), rows.dtype)
        tile = np.empty((TILE, TILE))
        for task in range(thread, n_matrices * n_tiles, n_threads):
            g, first = task // n_tiles, task % n_tiles
            start, end, h = first * TILE, min(n, (first + 1) * TILE), min(g, n_tables - 1)
            for other in range(n_others):
                left, right = other * TILE, min(m, (other + 1) * TILE)
                values = tile[: end - start, : right - left]
                write_tile(
                    law, rows[h, start:end], squares[h, start:end], support[g, left:right],
                    support_squares[g, left:right], workspace, values,
                )  # fmt: skip
                keep = 0.0 if other == 0 else 1.0
                multiply(1.0, coefficients[g, :, left:right], False, values, True, keep, out[g, :, start:end])
