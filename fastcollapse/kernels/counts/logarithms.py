"""Vectorised natural logarithm in plain arithmetic, with the same bits on every machine."""

import numpy as np

from fastcollapse.kernels.float_bits import bits_of, float_of
from fastcollapse.kernels.jit import kernel

# ln 2 in two parts: products of whole numbers up to 11 bits with the first are exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
# Coefficients of the minimax polynomial of fdlibm (e_log.c): error below 2^-58.45.
_C1, _C2, _C3, _C4 = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
)
_C5, _C6, _C7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
_MANTISSA_BITS = np.int64(52)
_MANTISSA = np.int64((1 << 52) - 1)
_ONE = np.int64(1023 << 52)
# A whole number below 2^52, put into the mantissa of 2^52, is that float64: AVX2 has no conversion of int64.
_TWO_52_BITS = np.int64(1075 << 52)
_OFFSET = 2.0**52 + 1023.0
_ROOT_2 = 1.4142135623730951


@kernel
def logarithms(x, out):
    """Write ln(x) within 1 ulp: ``(n)->(n)``, about 1 ns a value; finite but without meaning for x = 0 and subnormals.

    No library function is called, so that LLVM vectorises the loop.

    References
    ----------
    The algorithm is that of fdlibm, e_log.c.
    """
    for i in range(x.shape[0]):
        bits = bits_of(x[i])
        mantissa = float_of((bits & _MANTISSA) | _ONE)
        exponent = float_of((bits >> _MANTISSA_BITS) | _TWO_52_BITS) - _OFFSET
        is_high = mantissa > _ROOT_2
        m = 0.5 * mantissa if is_high else mantissa
        k = exponent + (1.0 if is_high else 0.0)
        f = m - 1.0
        s = f / (2.0 + f)
        z = s * s
        w = z * z
        r = w * (_C2 + w * (_C4 + w * _C6)) + z * (_C1 + w * (_C3 + w * (_C5 + w * _C7)))
        half = 0.5 * f * f
        out[i] = k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)
