"""BLAS and LAPACK on tiles: views of larger row-major matrices, in which the last axis is contiguous.

The *upper* triangle of a symmetric matrix is read and written: Fortran, which reads the transpose, calls it lower.
Panels of Householder vectors and columns of a band then lie in rows, one after the other. Shapes are not checked. A
returned status is 0 for success. For whole matrices, and lower triangles, see `lapack`.
"""

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.scipy_routines import (
    N,
    R,
    T,
    corner,
    data,
    dgemm,
    dgeqrt,
    dpbcon,
    dpbtrf,
    dpbtrs,
    dpocon,
    dpotrf,
    dtrsm,
    integer,
    read,
    real,
    sgemm,
    single,
)

_L, _ONE = ord("L"), ord("1")


@kernel
def lead(tile):
    """Return the distance between rows, in entries."""
    return tile.strides[0] // tile.itemsize


@kernel
def multiply(scale, left, left_transposed, right, right_transposed, keep, out):
    """Replace `out` by `keep` `out` + `scale` A B: ``(),(n,k),(k,m),()->(n,m)``, O(n k m).

    A is `left` or its transpose, B is `right` or its transpose.
    """
    n, m = out.shape
    k = left.shape[0] if left_transposed else left.shape[1]
    trans_left, trans_right = integer(T if left_transposed else N), integer(T if right_transposed else N)
    dgemm(
        trans_right, trans_left, integer(m), integer(n), integer(k), real(scale), corner(right), integer(lead(right)),
        corner(left), integer(lead(left)), real(keep), corner(out), integer(lead(out)),
    )  # fmt: skip


@kernel
def multiply_rows(left, right, out):
    """Write A B^T in float64: ``(n,k),(m,k)->(n,m)``, O(n k m)."""
    multiply(1.0, left, False, right, True, 0.0, out)


@kernel
def multiply_rows_single(left, right, out):
    """Write A B^T in float32: ``(n,k),(m,k)->(n,m)``, O(n k m)."""
    n, m = out.shape
    sgemm(
        integer(T), integer(N), integer(m), integer(n), integer(left.shape[1]), single(1.0), corner(right),
        integer(lead(right)), corner(left), integer(lead(left)), single(0.0), corner(out), integer(lead(out)),
    )  # fmt: skip


@kernel
def factor(tile):
    """Replace a symmetric positive definite U^T U by U, and return the status: ``(n,n)``, O(n^3 / 3)."""
    status = integer(0)
    dpotrf(integer(_L), integer(tile.shape[0]), corner(tile), integer(lead(tile)), status)
    return read(status)


@kernel
def solve_left(tile, transposed, out):
    """Replace X by U^-1 X, or U^-T X: ``(n,n)->(n,m)``, O(n^2 m)."""
    n, m = out.shape
    # Fortran sees X^T L^-1 or X^T L^-T.
    trans = integer(T if transposed else N)
    dtrsm(
        integer(R), integer(_L), trans, integer(N), integer(m), integer(n), real(1.0), corner(tile),
        integer(lead(tile)), corner(out), integer(lead(out)),
    )  # fmt: skip


@kernel
def reciprocal_condition(tile, norm, work, places):
    """Return an estimate of 1 / (|A| |A^-1|) in the 1-norm, A = U^T U of the given norm: ``(n,n),(),(3n),(n)->()``."""
    status, n, found = integer(0), tile.shape[0], np.zeros(1)
    dpocon(
        integer(_L), integer(n), corner(tile), integer(lead(tile)), real(norm), data(found), data(work), data(places),
        status,
    )  # fmt: skip
    return found[0]


@kernel
def factor_band(band):
    """Replace a symmetric positive definite band by its factor, and return the status: ``(n,b+1)``, O(n b^2).

    Entry [i, k] is that of row i and column i + k, or of row i + k and column i.
    """
    n, width, status = band.shape[0], band.shape[1], integer(0)
    dpbtrf(integer(_L), integer(n), integer(width - 1), data(band), integer(width), status)
    return read(status)


@kernel
def solve_band(band, out):
    """Replace right-hand sides, as rows, by the solutions; `band` is from `factor_band`: ``(n,b+1)->(m,n)``."""
    n, width, status = band.shape[0], band.shape[1], integer(0)
    dpbtrs(
        integer(_L), integer(n), integer(width - 1), integer(out.shape[0]), data(band), integer(width), corner(out),
        integer(lead(out)), status,
    )  # fmt: skip


@kernel
def reciprocal_condition_of_band(band, norm, work, places):
    """Return the estimate of `reciprocal_condition` for a band from `factor_band`: ``(n,b+1),(),(3n),(n)->()``."""
    n, width, status, found = band.shape[0], band.shape[1], integer(0), np.zeros(1)
    dpbcon(
        integer(_L), integer(n), integer(width - 1), data(band), integer(width), real(norm), data(found), data(work),
        data(places), status,
    )  # fmt: skip
    return found[0]


@kernel
def factor_panel(panel, table, work):
    """Replace P^T = `panel`, P = Q R tall, by R and the Householder vectors V below it: ``(b,m)->(k,k)``.

    k = min(b, m) and Q = 1 - V `table`^T V^T. `work` has at least k b entries.
    """
    b, m = panel.shape
    k, status = min(b, m), integer(0)
    dgeqrt(
        integer(m), integer(b), integer(k), corner(panel), integer(lead(panel)), corner(table), integer(lead(table)),
        data(work), status,
    )  # fmt: skip
    # Fortran does not write the other triangle of the table.
    for i in range(k):
        for j in range(i + 1, k):
            table[i, j] = 0.0
