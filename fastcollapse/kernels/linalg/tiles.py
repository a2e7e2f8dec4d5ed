"""BLAS and LAPACK on tiles: views of larger row-major matrices, in which the last axis is contiguous.

Of a symmetric matrix the *upper* triangle is read and written: what Fortran, which reads the transpose, calls lower.
Panels of Householder vectors and columns of a band then lie in rows, one after the other. Shapes are not checked;
what returns a status returns 0 for success. For whole matrices, and lower triangles, see `linalg`.
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
    """Replace `out` by `keep` `out` + `scale` A B, A = `left` or its transpose, B likewise:
    ``(),(n,k),(k,m),()->(n,m)``.
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
    """Write A B^T: ``(n,k),(m,k)->(n,m)``, all float64."""
    multiply(1.0, left, False, right, True, 0.0, out)


@kernel
def multiply_rows_single(left, right, out):
    """Write A B^T: ``(n,k),(m,k)->(n,m)``, all float32."""
    n, m = out.shape
    sgemm(
        integer(T), integer(N), integer(m), integer(n), integer(left.shape[1]), single(1.0), corner(right),
        integer(lead(right)), corner(left), integer(lead(left)), single(0.0), corner(out), integer(lead(out)),
    )  # fmt: skip


@kernel
def factor(tile):
    """Replace a symmetric positive definite U^T U by U, and return the status: ``(n,n)``."""
    status = integer(0)
    dpotrf(integer(_L), integer(tile.shape[0]), corner(tile), integer(lead(tile)), status)
    return read(status)


@kernel
def solve_left(tile, transposed, out):
    """Replace X by U^-1 X, or U^-T X: ``(n,n)->(n,m)``."""
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
    """Replace a symmetric positive definite band by its factor, and return the status: ``(n,b+1)``.

    Entry [i, k] is that of row i and column i + k, or of row i + k and column i.
    """
    n, width, status = band.shape[0], band.shape[1], integer(0)
    dpbtrf(integer(_L), integer(n), integer(width - 1), data(band), integer(width), status)
    return read(status)


@kernel
def solve_band(band, out):
    """Replace right-hand sides, a row each, by the solutions, `band` as `factor_band` left it: ``(n,b+1)->(m,n)``."""
    n, width, status = band.shape[0], band.shape[1], integer(0)
    dpbtrs(
        integer(_L), integer(n), integer(width - 1), integer(out.shape[0]), data(band), integer(width), corner(out),
        integer(lead(out)), status,
    )  # fmt: skip


@kernel
def reciprocal_condition_of_band(band, norm, work, places):
    """As `reciprocal_condition`, of a band that `factor_band` has factored: ``(n,b+1),(),(3n),(n)->()``."""
    n, width, status, found = band.shape[0], band.shape[1], integer(0), np.zeros(1)
    dpbcon(
        integer(_L), integer(n), integer(width - 1), data(band), integer(width), real(norm), data(found), data(work),
        data(places), status,
    )  # fmt: skip
    return found[0]


@kernel
def factor_panel(panel, table, work):
    """Replace P^T = `panel` of a tall P = Q R by R and the Householder vectors V below it: ``(b,m)->(k,k)``,
    k = min(b, m).

    Q = 1 - V `table`^T V^T. `work` has at least k b entries.
    """
    b, m = panel.shape
    k, status = min(b, m), integer(0)
    dgeqrt(
        integer(m), integer(b), integer(k), corner(panel), integer(lead(panel)), corner(table), integer(lead(table)),
        data(work), status,
    )  # fmt: skip
    # Fortran leaves the other triangle of the table as it was.
    for i in range(k):
        for j in range(i + 1, k):
            table[i, j] = 0.0
