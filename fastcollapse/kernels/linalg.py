"""LAPACK and BLAS, double precision, callable in kernels and their parallel loops.

The routines are SciPy's, reached by the symbols that `scipy.linalg.cython_lapack` and `cython_blas` export; compiled
code holds the names only, which importing this module binds, so it is cached like any other.

Arrays are row-major and contiguous (a view of leading rows is, one of leading columns is not); others are refused by
the compiler. LAPACK reads a row-major
matrix as its transpose, so what it calls upper is lower here: of a symmetric matrix the lower triangle is read and
written, of a triangular one it is the lower, and the rest is left alone. `out` (n, m) holds m right-hand sides, a
column each, n long. What returns a status returns 0 for success. Shapes are not checked.

No bit depends on the number of threads of a parallel loop as long as BLAS itself is held to one (`simulation` does),
but bits do depend on the processor, whose BLAS kernels are chosen when the library is loaded.

Measured: `potrf` in place against `numpy.linalg.cholesky` inside a kernel, which copies and clears, d = 300: see
CONTRIBUTING.md.
"""

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import get_cython_function_address, intrinsic

from fastcollapse._jit import kernel

_INT = ir.IntType(32)
_ADDRESS = ir.IntType(64)
# Columns of a block of reflectors: LAPACK's 32 take 10 to 20 % longer on 3 to 90 right-hand sides, d = 300. With the
# table of dormql (its LDT and NBMAX) that is the length of work that makes it choose them.
_ORMTR_BLOCK = 16
_ORMTR_TABLE = 65 * 64
_SYTRD_BLOCK = 64


def _routine(library: str, name: str, n_arguments: int) -> Any:
    """Return a Fortran routine that takes only addresses, bound to a symbol of ours."""
    symbol = f"fastcollapse_{name}"
    binding.add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{library}", name))
    return types.ExternalFunction(symbol, types.void(*[types.intp] * n_arguments))


def _emit_integer(typingctx, value):
    """Address of a 32-bit integer on the stack."""

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, _INT)
        builder.store(builder.trunc(arguments[0], _INT), place)
        return builder.ptrtoint(place, _ADDRESS)

    return types.intp(types.int64), codegen


def _emit_real(typingctx, value):
    """Address of a double on the stack."""

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, arguments[0])
        return builder.ptrtoint(place, _ADDRESS)

    return types.intp(types.float64), codegen


def _emit_data(typingctx, array):
    """Address of the first entry of a row-major array; another does not compile, where LAPACK would read it wrongly."""
    row_major = isinstance(array, types.Array) and array.layout == "C"
    if not row_major or array.dtype not in (types.float64, types.int32):
        raise TypingError(f"LAPACK takes row-major contiguous arrays of float64, got {array}")

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, _ADDRESS)

    return types.intp(array), codegen


def _emit_read(typingctx, address):
    """The 32-bit integer at an address."""

    def codegen(context, builder, signature, arguments):
        return builder.sext(builder.load(builder.inttoptr(arguments[0], _INT.as_pointer())), ir.IntType(64))

    return types.int64(types.intp), codegen


# Called without typingctx, which mypy cannot know. A character is an integer whose first byte it is.
_integer: Any = intrinsic(_emit_integer)
_real: Any = intrinsic(_emit_real)
_data: Any = intrinsic(_emit_data)
_read: Any = intrinsic(_emit_read)

_dpotrf = _routine("cython_lapack", "dpotrf", 5)
_dlauum = _routine("cython_lapack", "dlauum", 5)
_dsytrd = _routine("cython_lapack", "dsytrd", 10)
_dormtr = _routine("cython_lapack", "dormtr", 13)
_dsyevd = _routine("cython_lapack", "dsyevd", 11)
_dgesdd = _routine("cython_lapack", "dgesdd", 14)
_dsyrk = _routine("cython_blas", "dsyrk", 10)
_dgemm = _routine("cython_blas", "dgemm", 13)
_dgemv = _routine("cython_blas", "dgemv", 11)
_dtrmm = _routine("cython_blas", "dtrmm", 11)
_dtrsm = _routine("cython_blas", "dtrsm", 11)

_N, _R, _S, _T, _U, _V = (ord(letter) for letter in "NRSTUV")


@kernel
def potrf(matrix):
    """Replace a symmetric positive definite matrix by its Cholesky factor, and return the status: ``(n,n)``."""
    n, status = _integer(matrix.shape[0]), _integer(0)
    _dpotrf(_integer(_U), n, _data(matrix), n, status)
    return _read(status)


@kernel
def potrs(factor, out):
    """Solve L L^T X = `out` in place, L the factor of `potrf`: ``(n,n)->(n,m)``."""
    trsm(factor, False, out)
    trsm(factor, True, out)


@kernel
def trsm(factor, transposed, out):
    """Solve L X = `out`, or L^T X = `out`, in place: ``(n,n)->(n,m)``."""
    n, m, one = _integer(out.shape[0]), _integer(out.shape[1]), _real(1.0)
    trans = _integer(_T if transposed else _N)
    _dtrsm(_integer(_R), _integer(_U), trans, _integer(_N), m, n, one, _data(factor), n, _data(out), m)


@kernel
def trmm(scale, factor, transposed, out):
    """Replace `out` by `scale` L `out`, or by `scale` L^T `out`: ``(),(n,n)->(n,m)``."""
    n, m = _integer(out.shape[0]), _integer(out.shape[1])
    side, trans = _integer(_R), _integer(_T if transposed else _N)
    _dtrmm(side, _integer(_U), trans, _integer(_N), m, n, _real(scale), _data(factor), n, _data(out), m)


@kernel
def lauum(matrix):
    """Replace a triangular L by the symmetric L^T L: ``(n,n)``, a third of the cost of `syrk`."""
    n, status = _integer(matrix.shape[0]), _integer(0)
    _dlauum(_integer(_U), n, _data(matrix), n, status)


@kernel
def syrk(scale, rows, transposed, keep, out):
    """Replace `out` by `keep` `out` + `scale` M M^T, or M^T M if `transposed`, M = `rows`: ``(),(n,k),()->(n,n)``."""
    n, k = out.shape[0], rows.shape[0] if transposed else rows.shape[1]
    trans, lead = _integer(_N if transposed else _T), _integer(rows.shape[1])
    _dsyrk(
        _integer(_U), trans, _integer(n), _integer(k), _real(scale), _data(rows), lead, _real(keep),
        _data(out), _integer(n),
    )  # fmt: skip


@kernel
def gemm(scale, left, left_transposed, right, right_transposed, keep, out):
    """Replace `out` by `keep` `out` + `scale` A B, A = `left` or its transpose, B likewise:
    ``(),(n,k),(k,m),()->(n,m)``.
    """
    n, m = out.shape
    k = left.shape[0] if left_transposed else left.shape[1]
    trans_left, trans_right = _integer(_T if left_transposed else _N), _integer(_T if right_transposed else _N)
    lead_left, lead_right = _integer(left.shape[1]), _integer(right.shape[1])
    _dgemm(
        trans_right, trans_left, _integer(m), _integer(n), _integer(k), _real(scale), _data(right), lead_right,
        _data(left), lead_left, _real(keep), _data(out), _integer(m),
    )  # fmt: skip


@kernel
def gemv(scale, matrix, transposed, x, keep, out):
    """Replace `out` by `keep` `out` + `scale` M x, or M^T x: ``(),(n,m),(m)->(n)``."""
    columns, one = _integer(matrix.shape[1]), _integer(1)
    _dgemv(
        _integer(_N if transposed else _T), columns, _integer(matrix.shape[0]), _real(scale), _data(matrix),
        columns, _data(x), one, _real(keep), _data(out), one,
    )  # fmt: skip


@kernel
def work_length(n, n_columns):
    """Return the length of `work` that `sytrd` of an n x n matrix and `ormtr` on n_columns take at full speed."""
    return max(_SYTRD_BLOCK * n, _ORMTR_BLOCK * max(n_columns, 1) + _ORMTR_TABLE)


@kernel
def sytrd(matrix, work, diagonal, off_diagonal, tau):
    """Reduce a symmetric matrix to the tridiagonal Q^T S Q: ``(n,n)->(n),(n),(n)``.

    `matrix` becomes what `ormtr` reads. The last entries of `off_diagonal` and `tau` are not written. 4 n^3 / 3
    operations, half of them on a matrix and a vector.
    """
    n, status = _integer(matrix.shape[0]), _integer(0)
    _dsytrd(
        _integer(_U), n, _data(matrix), n, _data(diagonal), _data(off_diagonal), _data(tau),
        _data(work), _integer(work.shape[0]), status,
    )  # fmt: skip


@kernel
def ormtr(reflectors, tau, transposed, work, out):
    """Replace `out` by Q `out`, or Q^T `out`, Q as `sytrd` left it: ``(n,n),(n)->(n,m)``."""
    n, m, status = _integer(out.shape[0]), _integer(out.shape[1]), _integer(0)
    length = _integer(min(work.shape[0], _ORMTR_BLOCK * out.shape[1] + _ORMTR_TABLE))
    _dormtr(
        _integer(_R), _integer(_U), _integer(_N if transposed else _T), m, n, _data(reflectors), n,
        _data(tau), _data(out), m, _data(work), length, status,
    )  # fmt: skip


@kernel
def syevd(matrix, values):
    """Replace a symmetric matrix by its orthonormal eigenvectors, a row each, and return the status: ``(n,n)->(n)``.

    `values` ascend. The room to work in, 2 n^2 numbers and more, is made here.
    """
    n = matrix.shape[0]
    work, places = np.empty(1 + 6 * n + 2 * n * n), np.empty(3 + 5 * n, np.int32)
    side, status = _integer(n), _integer(0)
    _dsyevd(
        _integer(_V), _integer(_U), side, _data(matrix), side, _data(values), _data(work),
        _integer(work.shape[0]), _data(places), _integer(places.shape[0]), status,
    )  # fmt: skip
    return _read(status)


@kernel
def gesdd(matrix, left, values, right):
    """Write the thin singular value decomposition and return the status: ``(n,m)->(n,k),(k),(k,m)``, k = min(n, m).

    `matrix` is destroyed; `values` descend. The room to work in, 4 k^2 numbers and more, is made here.
    """
    n, m = matrix.shape
    k = min(n, m)
    work, places = np.empty(4 * k * k + 7 * k + 64 * (n + m)), np.empty(8 * k, np.int32)
    rows, status = _integer(m), _integer(0)
    _dgesdd(
        _integer(_S), rows, _integer(n), _data(matrix), rows, _data(values), _data(right), rows,
        _data(left), _integer(k), _data(work), _integer(work.shape[0]), _data(places), status,
    )  # fmt: skip
    return _read(status)
