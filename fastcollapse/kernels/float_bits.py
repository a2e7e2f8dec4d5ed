"""The bits of float64 numbers as int64, and back."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _emit_bits(typingctx, x):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), codegen


def _emit_float(typingctx, bits):
    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


bits_of: Any = intrinsic(_emit_bits)  # called without typingctx, which mypy cannot know
float_of: Any = intrinsic(_emit_float)
