"""LAPACK and BLAS in double precision, callable in kernels and their parallel loops.

Arrays are row-major and contiguous: a view of leading rows is, a view of leading columns is not. The compiler refuses
others. LAPACK reads a row-major matrix as its transpose, so its "upper" is lower here: the lower triangle of a
symmetric or triangular matrix is read and written, and the rest is not touched. `out` (n, m) holds m right-hand sides
of length n as columns. A returned status is 0 for success. Shapes are not checked.

No bit depends on the number of threads of a parallel loop while BLAS itself is limited to one (`simulation` does this).
Bits do depend on the processor, because BLAS chooses its kernels when the library is loaded.

`potrf` in place is about 15 % faster than `numpy.linalg.cholesky` in Numba, which allocates, copies and clears.
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
    dtrsm,
    integer,
    read,
    real,
)

# Columns of a block of reflectors, which LAPACK chooses by the length of `work`. Its default of 32 is 10 to 20 % slower
# in `ormtr` at n = 300 and equal at n = 1,000. `ormtr` needs a table besides (LDT times NBMAX of dormql).
_BLOCK = 16
_ORMTR_TABLE = 65 * 64


@kernel
def potrf(matrix):
    """Replace a symmetric positive definite matrix by its Cholesky factor; return the status: ``(n,n)``, O(n^3 / 3)."""
    n, status = integer(matrix.shape[0]), integer(0)
    dpotrf(integer(U), n, data(matrix), n, status)
    return read(status)


@kernel
def potrs(factor, out):
    """Solve L L^T X = `out` in place, L the factor of `potrf`: ``(n,n)->(n,m)``, O(n^2 m)."""
    trsm(factor, False, out)
    trsm(factor, True, out)


@kernel
def trsm(factor, transposed, out):
    """Solve L X = `out`, or L^T X = `out`, in place: ``(n,n)->(n,m)``, O(n^2 m)."""
    n, m, one = integer(out.shape[0]), integer(out.shape[1]), real(1.0)
    trans = integer(T if transposed else N)
    dtrsm(integer(R), integer(U), trans, integer(N), m, n, one, data(factor), n, data(out), m)


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
    """Replace `out` by `keep` `out` + `scale` A B: ``(),(n,k),(k,m),()->(n,m)``, O(n k m).

    A is `left` or its transpose, B is `right` or its transpose.
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
    """Replace `out` by `keep` `out` + `scale` M x, or M^T x: ``(),(n,m),(m)->(n)``, O(n m)."""
    columns, one = integer(matrix.shape[1]), integer(1)
    dgemv(
        integer(N if transposed else T), columns, integer(matrix.shape[0]), real(scale), data(matrix),
        columns, data(x), one, real(keep), data(out), one,
    )  # fmt: skip


@kernel
def work_length(n, n_columns):
    """Return the length of `work` at which `sytrd` of an n x n matrix and `ormtr` on n_columns have full speed."""
    return _BLOCK * max(n, n_columns, 1) + _ORMTR_TABLE


@kernel
def sytrd(matrix, work, diagonal, off_diagonal, tau):
    """Reduce a symmetric matrix to the tridiagonal Q^T S Q: ``(n,n)->(n),(n),(n)``, 4 n^3 / 3 operations.

    `matrix` is overwritten with the reflectors for `ormtr`. The last entries of `off_diagonal` and `tau` are not
    written. Half of the operations are on a matrix and a vector.
    """
    n, status = integer(matrix.shape[0]), integer(0)
    length = integer(min(work.shape[0], _BLOCK * matrix.shape[0]))
    dsytrd(
        integer(U), n, data(matrix), n, data(diagonal), data(off_diagonal), data(tau),
        data(work), length, status,
    )  # fmt: skip


@kernel
def ormtr(reflectors, tau, transposed, work, out):
    """Replace `out` by Q `out`, or Q^T `out`, with the reflectors of `sytrd`: ``(n,n),(n)->(n,m)``, O(n^2 m)."""
    n, m, status = integer(out.shape[0]), integer(out.shape[1]), integer(0)
    length = integer(min(work.shape[0], _BLOCK * out.shape[1] + _ORMTR_TABLE))
    dormtr(
        integer(R), integer(U), integer(N if transposed else T), m, n, data(reflectors), n,
        data(tau), data(out), m, data(work), length, status,
    )  # fmt: skip


@kernel
def syevd(matrix, values):
    """Replace a symmetric matrix by its orthonormal eigenvectors, as rows; return the status: ``(n,n)->(n)``, O(n^3).

    `values` ascend. The work space of 2 n^2 numbers and more is allocated here.
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

    `matrix` is overwritten; `values` descend. The work space of 4 k^2 numbers and more is allocated here.
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
