"""Fortran routines of SciPy's BLAS and LAPACK, callable by address from compiled code.

The routines are reached through symbols of ours for the functions that `scipy.linalg.cython_lapack` and `cython_blas`
export. Compiled code contains only the names of the symbols, so that it can be cached; importing this module binds
them. All arguments are addresses. A character is an integer whose first byte it is.
"""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import get_cython_function_address, intrinsic

_INT = ir.IntType(32)
_ADDRESS = ir.IntType(64)


def _routine(library: str, name: str, n_arguments: int) -> Any:
    """Return a Fortran routine that takes only addresses, bound to a symbol of ours."""
    symbol = f"fastcollapse_{name}"
    binding.add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{library}", name))
    return types.ExternalFunction(symbol, types.void(*[types.intp] * n_arguments))


def _emit_integer(typingctx, value):
    """Emit the address of a 32-bit integer on the stack."""

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, _INT)
        builder.store(builder.trunc(arguments[0], _INT), place)
        return builder.ptrtoint(place, _ADDRESS)

    return types.intp(types.int64), codegen


def _emit_real(typingctx, value):
    """Emit the address of a double on the stack."""

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, arguments[0])
        return builder.ptrtoint(place, _ADDRESS)

    return types.intp(types.float64), codegen


def _emit_single(typingctx, value):
    """Emit the address of a float on the stack."""

    def codegen(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, builder.fptrunc(arguments[0], ir.FloatType()))
        return builder.ptrtoint(place, _ADDRESS)

    return types.intp(types.float64), codegen


def _address(context, builder, signature, arguments):
    made = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.ptrtoint(made.data, _ADDRESS)


def _emit_data(typingctx, array):
    """Emit the address of the first entry of a row-major array.

    Others do not compile, because LAPACK would read them wrongly.
    """
    row_major = isinstance(array, types.Array) and array.layout == "C"
    if not row_major or array.dtype not in (types.float64, types.int32):
        raise TypingError(f"LAPACK takes row-major contiguous arrays of float64, got {array}")
    return types.intp(array), _address


def _emit_corner(typingctx, array):
    """Emit the address of the first entry of a view of a matrix, whose last axis must be contiguous."""
    if not isinstance(array, types.Array) or array.dtype not in (types.float64, types.float32) or array.layout == "F":
        raise TypingError(f"a tile is a view of a row-major matrix of floats, got {array}")
    return types.intp(array), _address


def _emit_read(typingctx, address):
    """Emit the 32-bit integer at an address."""

    def codegen(context, builder, signature, arguments):
        return builder.sext(builder.load(builder.inttoptr(arguments[0], _INT.as_pointer())), ir.IntType(64))

    return types.int64(types.intp), codegen


# Called without typingctx, which mypy cannot know.
integer: Any = intrinsic(_emit_integer)
real: Any = intrinsic(_emit_real)
single: Any = intrinsic(_emit_single)
data: Any = intrinsic(_emit_data)
corner: Any = intrinsic(_emit_corner)
read: Any = intrinsic(_emit_read)

N, R, S, T, U, V = (ord(letter) for letter in "NRSTUV")

dgemm = _routine("cython_blas", "dgemm", 13)
dgemv = _routine("cython_blas", "dgemv", 11)
dsyrk = _routine("cython_blas", "dsyrk", 10)
dtrsm = _routine("cython_blas", "dtrsm", 11)
sgemm = _routine("cython_blas", "sgemm", 13)
dgeqrt = _routine("cython_lapack", "dgeqrt", 9)
dgesdd = _routine("cython_lapack", "dgesdd", 14)
dlauum = _routine("cython_lapack", "dlauum", 5)
dormtr = _routine("cython_lapack", "dormtr", 13)
dpbcon = _routine("cython_lapack", "dpbcon", 10)
dpbtrf = _routine("cython_lapack", "dpbtrf", 6)
dpbtrs = _routine("cython_lapack", "dpbtrs", 9)
dpocon = _routine("cython_lapack", "dpocon", 9)
dpotrf = _routine("cython_lapack", "dpotrf", 5)
dsyevd = _routine("cython_lapack", "dsyevd", 11)
dsytrd = _routine("cython_lapack", "dsytrd", 10)
