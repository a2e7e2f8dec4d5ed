"""LAPACK and BLAS, double precision, callable in kernels and their parallel loops.

Arrays are row-major and contiguous (a view of leading rows is, one of leading columns is not); others are refused by
the compiler. LAPACK reads a row-major matrix as its transpose, so what it calls upper is lower here: of a symmetric
matrix the lower triangle is read and written, of a triangular one it is the lower, and the rest is left alone. `out`
(n, m) holds m right-hand sides, a column each, n long. What returns a status returns 0 for success. Shapes are not
checked.

No bit depends on the number of threads of a parallel loop as long as BLAS itself is held to one (`simulation` does),
but bits do depend on the processor, whose BLAS kernels are chosen when the library is loaded.

Measured (time of one core): `potrf` in place takes 32 us, 0.45 and 10.3 ms at n = 100, 300 and 1,000, where
`numpy.linalg.cholesky` compiled by Numba, which allocates, copies and clears, takes 41 us, 0.53 and 11.6 ms.
"""

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.scipy_routines import (
    N,
    R,
    S,
    T,
    U,
    V,
    data,
    dgemm,
    dgemv,
    dgesdd,
    dlauum,
    dormtr,
    dpotrf,
    dsyevd,
    dsyrk,
    dsytrd,
    dtrmm,
    dtrsm,
    integer,
    read,
    real,
)

# Columns of a block of reflectors: LAPACK's 32 take 7 % longer in `sytrd` and 10 to 20 % in `ormtr` at n = 300, as long
# at 1,000 and 5 % less at 2,000. It chooses them by the length of `work`, of which `ormtr` needs a table (the LDT times
# NBMAX of dormql) besides.
_BLOCK = 16
_ORMTR_TABLE = 65 * 64


@kernel
def potrf(matrix):
    """Replace a symmetric positive definite matrix by its Cholesky factor, and return the status: ``(n,n)``."""
    n, status = integer(matrix.shape[0]), integer(0)
    dpotrf(integer(U), n, data(matrix), n, status)
    return read(status)


@kernel
def potrs(factor, out):
    """Solve L L^T X = `out` in place, L the factor of `potrf`: ``(n,n)->(n,m)``."""
    trsm(factor, False, out)
    trsm(factor, True, out)


@kernel
def trsm(factor, transposed, out):
    """Solve L X = `out`, or L^T X = `out`, in place: ``(n,n)->(n,m)``."""
    n, m, one = integer(out.shape[0]), integer(out.shape[1]), real(1.0)
    trans = integer(T if transposed else N)
    dtrsm(integer(R), integer(U), trans, integer(N), m, n, one, data(factor), n, data(out), m)


@kernel
def trmm(scale, factor, transposed, out):
    """Replace `out` by `scale` L `out`, or by `scale` L^T `out`: ``(),(n,n)->(n,m)``."""
    n, m = integer(out.shape[0]), integer(out.shape[1])
    side, trans = integer(R), integer(T if transposed else N)
    dtrmm(side, integer(U), trans, integer(N), m, n, real(scale), data(factor), n, data(out), m)


@kernel
def lauum(matrix):
    """Replace a triangular L by the symmetric L^T L: ``(n,n)``, a third of the cost of `syrk`."""
    n, status = integer(matrix.shape[0]), integer(0)
    dlauum(integer(U), n, data(matrix), n, status)


@kernel
def syrk(scale, rows, transposed, keep, out):
    """Replace `out` by `keep` `out` + `scale` M M^T, or M^T M if `transposed`, M = `rows`: ``(),(n,k),()->(n,n)``."""
    n, k = out.shape[0], rows.shape[0] if transposed else rows.shape[1]
    trans, lead = integer(N if transposed else T), integer(rows.shape[1])
    dsyrk(
        integer(U), trans, integer(n), integer(k), real(scale), data(rows), lead, real(keep),
        data(out), integer(n),
    )  # fmt: skip


@kernel
def gemm(scale, left, left_transposed, right, right_transposed, keep, out):
    """Replace `out` by `keep` `out` + `scale` A B, A = `left` or its transpose, B likewise:
    ``(),(n,k),(k,m),()->(n,m)``.
    """
    n, m = out.shape
    k = left.shape[0] if left_transposed else left.shape[1]
    trans_left, trans_right = integer(T if left_transposed else N), integer(T if right_transposed else N)
    lead_left, lead_right = integer(left.shape[1]), integer(right.shape[1])
    dgemm(
        trans_right, trans_left, integer(m), integer(n), integer(k), real(scale), data(right), lead_right,
        data(left), lead_left, real(keep), data(out), integer(m),
    )  # fmt: skip


@kernel
def gemv(scale, matrix, transposed, x, keep, out):
    """Replace `out` by `keep` `out` + `scale` M x, or M^T x: ``(),(n,m),(m)->(n)``."""
    columns, one = integer(matrix.shape[1]), integer(1)
    dgemv(
        integer(N if transposed else T), columns, integer(matrix.shape[0]), real(scale), data(matrix),
        columns, data(x), one, real(keep), data(out), one,
    )  # fmt: skip


@kernel
def work_length(n, n_columns):
    """Return the length of `work` that `sytrd` of an n x n matrix and `ormtr` on n_columns take at full speed."""
    return _BLOCK * max(n, n_columns, 1) + _ORMTR_TABLE


@kernel
def sytrd(matrix, work, diagonal, off_diagonal, tau):
    """Reduce a symmetric matrix to the tridiagonal Q^T S Q: ``(n,n)->(n),(n),(n)``.

    `matrix` becomes what `ormtr` reads. The last entries of `off_diagonal` and `tau` are not written. 4 n^3 / 3
    operations, half of them on a matrix and a vector.
    """
    n, status = integer(matrix.shape[0]), integer(0)
    length = integer(min(work.shape[0], _BLOCK * matrix.shape[0]))
    dsytrd(
        integer(U), n, data(matrix), n, data(diagonal), data(off_diagonal), data(tau),
        data(work), length, status,
    )  # fmt: skip


@kernel
def ormtr(reflectors, tau, transposed, work, out):
    """Replace `out` by Q `out`, or Q^T `out`, Q as `sytrd` left it: ``(n,n),(n)->(n,m)``."""
    n, m, status = integer(out.shape[0]), integer(out.shape[1]), integer(0)
    length = integer(min(work.shape[0], _BLOCK * out.shape[1] + _ORMTR_TABLE))
    dormtr(
        integer(R), integer(U), integer(N if transposed else T), m, n, data(reflectors), n,
        data(tau), data(out), m, data(work), length, status,
    )  # fmt: skip


@kernel
def syevd(matrix, values):
    """Replace a symmetric matrix by its orthonormal eigenvectors, a row each, and return the status: ``(n,n)->(n)``.

    `values` ascend. The room to work in, 2 n^2 numbers and more, is made here.
    """
    n = matrix.shape[0]
    work, places = np.empty(1 + 6 * n + 2 * n * n), np.empty(3 + 5 * n, np.int32)
    side, status = integer(n), integer(0)
    dsyevd(
        integer(V), integer(U), side, data(matrix), side, data(values), data(work),
        integer(work.shape[0]), data(places), integer(places.shape[0]), status,
    )  # fmt: skip
    return read(status)


@kernel
def gesdd(matrix, left, values, right):
    """Write the thin singular value decomposition and return the status: ``(n,m)->(n,k),(k),(k,m)``, k = min(n, m).

    `matrix` is destroyed; `values` descend. The room to work in, 4 k^2 numbers and more, is made here.
    """
    n, m = matrix.shape
    k = min(n, m)
    work, places = np.empty(4 * k * k + 7 * k + 64 * (n + m)), np.empty(8 * k, np.int32)
    rows, status = integer(m), integer(0)
    dgesdd(
        integer(S), rows, integer(n), data(matrix), rows, data(values), data(right), rows,
        data(left), integer(k), data(work), integer(work.shape[0]), data(places), status,
    )  # fmt: skip
    return read(status)
