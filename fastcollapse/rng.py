"""Random streams as pure functions of (seed, replicate, generation, block, purpose), and continuous variates on them.

A stream is Philox4x64-10 (Salmon et al., SC'11) with key (seed, replicate) and counter (draw, generation, block, purpose). It equals
``numpy.random.Philox(key=[seed, replicate], counter=[0, generation, block, purpose])`` bit for bit. Nothing is stored for a resume, and
no number depends on threads, block lengths or the way replicates are split.

In kernels a stream is a ``uint64[11]`` array: counter (4), key (2), buffer (4), position (1).
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastcollapse._jit import inlined, kernel

STREAM_WORDS = 11

# The purposes of streams. Their numbers are part of every published result: never renumber, only add.
PURPOSE_SYNTHETIC = 1
PURPOSE_REAL = 2
PURPOSE_SUBSAMPLE = 3
PURPOSE_FIXED_REAL = 4
# A draw of a block takes three streams: bulk bits, the rare exact refinements, and the correction to the wanted size.
SUB_BULK = 0
SUB_SPARE = 256
SUB_SPLIT = 512
SUB_CORRECT = 768

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_ONE = np.uint64(1)
_SHIFT_53 = np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0


@intrinsic
def _high_product(typingctx, a, b):
    """Upper 64 bits of a 64 by 64 bit product: one `mul` instruction."""

    def codegen(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of Philox4x64-10 at one counter and key (all uint64)."""
    for _ in range(10):
        high_0 = _high_product(_MULTIPLIER_0, c0)
        low_0 = _MULTIPLIER_0 * c0
        high_1 = _high_product(_MULTIPLIER_1, c2)
        low_1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0 += _WEYL_0
        k1 += _WEYL_1
    return c0, c1, c2, c3


@kernel
def open_stream(seed, replicate, generation, block, purpose, stream):
    """Set `stream` (uint64[11]) to the start of the stream of (seed, replicate, generation, block, purpose)."""
    stream[0] = 0
    stream[1] = generation
    stream[2] = block
    stream[3] = purpose
    stream[4] = seed
    stream[5] = replicate
    stream[10] = 4


@kernel
def next_word(stream):
    """Return the next 64 random bits of a stream."""
    position = stream[10]
    if position >= 4:
        stream[0] += _ONE
        w0, w1, w2, w3 = philox(stream[0], stream[1], stream[2], stream[3], stream[4], stream[5])
        stream[6] = w0
        stream[7] = w1
        stream[8] = w2
        stream[9] = w3
        position = np.uint64(0)
    stream[10] = position + _ONE
    return stream[6 + np.int64(position)]


@kernel
def uniform(stream):
    """Return a uniform variate in [0, 1): a multiple of 2^-53."""
    return np.float64(next_word(stream) >> _SHIFT_53) * _TO_UNIT


@kernel
def uniform_positive(stream):
    """Return a uniform variate in (0, 1]: safe under a logarithm."""
    return (np.float64(next_word(stream) >> _SHIFT_53) + 1.0) * _TO_UNIT


@kernel
def uniform_below(n, stream):
    """Return an integer uniform on 0..n-1, exactly (Lemire, ACM TOMACS 29(1), 2019)."""
    bound = np.uint64(n)
    word = next_word(stream)
    low = word * bound
    if low < bound:
        threshold = (np.uint64(0) - bound) % bound
        while low < threshold:
            word = next_word(stream)
            low = word * bound
    return np.int64(_high_product(word, bound))


@kernel
def normal(stream):
    """Return a standard normal variate (Box and Muller 1958, the cosine one): two words a variate, always."""
    radius = math.sqrt(-2.0 * math.log(uniform_positive(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@kernel
def gamma(shape, stream):
    """Return a gamma variate of the given shape > 0 and scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000).

    A shape below 1 is raised by one and brought back by U^(1/shape); below about 1e-3 the result may round to 0.
    """
    boost = 1.0
    if shape < 1.0:
        boost = math.exp(math.log(uniform_positive(stream)) / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(stream)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if math.log(uniform_positive(stream)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost * d * v


@kernel
def chi_square(degrees, stream):
    """Return a chi-square variate with the given degrees of freedom > 0 (any real number)."""
    return 2.0 * gamma(0.5 * degrees, stream)
