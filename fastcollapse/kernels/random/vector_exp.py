"""Vectorised exponential function in plain arithmetic, with the same bits on every machine."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel

_LOG2_E = 1.0 / math.log(2.0)
# ln 2 in two parts (Cody and Waite): products of whole numbers up to 11 bits with the first are exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
# The result is 0 below the first (exp underflows gradually there), and inf above the second.
_LOWEST, _HIGHEST = -708.0, 709.0
_BIAS = np.int64(1023)
_MANTISSA_BITS = np.int64(52)


@kernel
def exponentials(x, bits, out):
    """Write exp(x) within 2 ulp: ``(n)->(n)``, 1 ns a value; 0 below x = -708, inf above 709, NaN for NaN.

    `bits` int64 (n) is work space. No library function is called, so that LLVM vectorises the loops.
    """
    powers = bits.view(np.float64)
    for i in range(x.shape[0]):
        inside = min(max(x[i], _LOWEST), _HIGHEST)
        n = np.floor(inside * _LOG2_E + 0.5)
        r = (inside - n * _LN2_HIGH) - n * _LN2_LOW
        # Taylor's series: |r| <= 0.35, and the term after the last is below 1e-17.
        p = 1.0 / 6227020800.0
        p = p * r + 1.0 / 479001600.0
        p = p * r + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * (r * r) + r
        out[i] = 1.0 + p
        bits[i] = (np.int64(n) + _BIAS) << _MANTISSA_BITS
    for i in range(x.shape[0]):
        value = out[i] * powers[i]
        value = 0.0 if x[i] < _LOWEST else value
        out[i] = value if x[i] <= _HIGHEST else (math.inf if x[i] > _HIGHEST else math.nan)
