"""Random streams as pure functions of (seed, replicate, generation, block, purpose), and continuous variates on them.

Philox4x64-10 (Salmon et al., SC'11) takes the names of a stream as key (seed, replicate) and counter (1, generation,
block, purpose). Three of its four words are the state of an SFC64 generator (C. Doty-Humphrey, PractRand), which gives
the bits: 2 ns a word, where Philox takes 5, or 14 word by word. Both generators equal those of NumPy bit for bit.
Nothing is stored for a resume, and no number depends on threads, block lengths or the split of replicates.

In kernels a stream is a ``uint64[4]`` array, the state of SFC64.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastcollapse.kernels.jit import expanded, kernel

# Version of the random streams and of the order of sums: results of another version may differ in bits. It goes up with
# each such change. 1: version 0.1. 2: Kullback-Leibler divergences of discrete distributions, in their last digits.
STREAMS_VERSION = 2
STREAM_WORDS = 4

# The purposes of streams. Their numbers are part of every published result: never renumber, only add.
PURPOSE_SYNTHETIC = 1
PURPOSE_REAL = 2
PURPOSE_SUBSAMPLE = 3
PURPOSE_FIXED_REAL = 4
PURPOSE_DOWNSTREAM = 5
PURPOSE_DESIGN = 6
PURPOSE_SPECTRUM = 7
PURPOSE_SPECTRUM_REAL = 8
PURPOSE_SPECTRUM_FIXED_REAL = 9
PURPOSE_TEXT = 10
PURPOSE_DELTA = 11
PURPOSE_FIT = 12
# The streams of a draw, added to its purpose: bulk bits, rare exact refinements, split of the correction, correction.
SUB_BULK = 0
SUB_SPARE = 256
SUB_SPLIT = 512
SUB_CORRECT = 768

_NO_BLOCK = np.uint64(0)
_SPARE = np.uint64(SUB_SPARE)
_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_ONE = np.uint64(1)
_SHIFT_53 = np.uint64(11)
_SFC_RIGHT = np.uint64(11)
_SFC_LEFT = np.uint64(3)
_SFC_TURN = np.uint64(24)
_SFC_TURN_BACK = np.uint64(40)
_TO_UNIT = 1.0 / 9007199254740992.0


def _emit_high_product(typingctx, a, b):
    """Emit the upper 64 bits of a 64 by 64 bit product: one `mul` instruction."""

    def codegen(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


_high_product: Any = intrinsic(_emit_high_product)  # called without typingctx, which mypy cannot know


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of Philox4x64-10 at one counter and key, all uint64."""
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
    """Set `stream`, uint64 (STREAM_WORDS), to the start of the stream with these names."""
    w0, w1, w2, _ = philox(
        _ONE, np.uint64(generation), np.uint64(block), np.uint64(purpose), np.uint64(seed), np.uint64(replicate)
    )
    stream[0] = w0
    stream[1] = w1
    stream[2] = w2
    stream[3] = _ONE


class StreamKey(NamedTuple):
    """The names of the streams of one draw, all uint64.

    Attributes
    ----------
    seed : the seed of the run.
    first_replicate : the number of the replicate with index 0 in the arrays.
    generation : the generation that the draw belongs to.
    purpose : one of PURPOSE_*.
    """

    seed: np.uint64
    first_replicate: np.uint64
    generation: np.uint64
    purpose: np.uint64


class Span(NamedTuple):
    """The generations that a call computes, the names of their streams, and the threads.

    Flat, because a `prange` body cannot take a tuple within a tuple. It serves as `key` of `generation_stream`.

    Attributes
    ----------
    seed, first_replicate : uint64, as in `StreamKey`.
    first : the first generation, at least 1.
    n_generations : the number of generations B.
    n_threads : the number of threads, at least 1.
    """

    seed: np.uint64
    first_replicate: np.uint64
    first: int
    n_generations: int
    n_threads: int


def span_of(key: StreamKey, first: int, n_generations: int, n_threads: int) -> Span:
    """Return a span with the seed and the first replicate of `key`."""
    return Span(key.seed, key.first_replicate, first, n_generations, n_threads)


@kernel
def generation_key(key, generation, purpose):
    """Return the key of another generation and purpose of the same run."""
    return StreamKey(key.seed, key.first_replicate, np.uint64(generation), purpose)


@expanded
def generation_stream(key, replicate, generation, purpose, stream):
    """Set `stream` to the stream of a replicate, counted from `key.first_replicate`, at a generation.

    For draws without blocks. `key` is a `StreamKey`, whose generation and purpose are not read, or a `Span`.
    """
    number = key.first_replicate + np.uint64(replicate)
    open_stream(key.seed, number, np.uint64(generation), _NO_BLOCK, purpose, stream)


@kernel
def generation_stream_pair(key, replicate, generation, purpose, streams):
    """Set `streams`, uint64 (2, STREAM_WORDS), to the main and the spare stream of a replicate at a generation.

    The main stream is that of `generation_stream`. The spare stream serves the rare draws that the words of the main
    stream leave undecided.
    """
    generation_stream(key, replicate, generation, purpose, streams[0])
    generation_stream(key, replicate, generation, purpose + _SPARE, streams[1])


@kernel
def open_draw(key, replicate, block, sub, stream):
    """Set `stream` to the stream `sub` (SUB_*) of the draw of a block; `key.first_replicate` is replicate 0."""
    number, purpose = key.first_replicate + np.uint64(replicate), key.purpose + np.uint64(sub)
    open_stream(key.seed, number, key.generation, np.uint64(block), purpose, stream)


@kernel
def next_word(stream):
    """Return the next 64 random bits of a stream (SFC64)."""
    a = stream[0]
    b = stream[1]
    c = stream[2]
    word = a + b + stream[3]
    stream[3] += _ONE
    stream[0] = b ^ (b >> _SFC_RIGHT)
    stream[1] = c + (c << _SFC_LEFT)
    stream[2] = ((c << _SFC_TURN) | (c >> _SFC_TURN_BACK)) + word
    return word


@kernel
def fill_words(stream, out):
    """Fill `out`, uint64, with the next words of a stream: ``->(n)``.

    As `next_word`, with the state in registers: 1.4 ns a word.
    """
    a, b, c, d = stream[0], stream[1], stream[2], stream[3]
    for i in range(out.shape[0]):
        word = a + b + d
        d += _ONE
        a = b ^ (b >> _SFC_RIGHT)
        b = c + (c << _SFC_LEFT)
        c = ((c << _SFC_TURN) | (c >> _SFC_TURN_BACK)) + word
        out[i] = word
    stream[0], stream[1], stream[2], stream[3] = a, b, c, d


@kernel
def uniform(stream):
    """Return a uniform variate in [0, 1): a multiple of 2^-53."""
    return np.float64(next_word(stream) >> _SHIFT_53) * _TO_UNIT


@kernel
def uniform_positive(stream):
    """Return a uniform variate in (0, 1], whose logarithm is finite."""
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
    """Return a standard normal variate (Box and Muller 1958, the cosine): always two words."""
    radius = math.sqrt(-2.0 * math.log(uniform_positive(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@kernel
def gamma(shape, stream):
    """Return a gamma variate of scale 1 and the given shape > 0 (Marsaglia and Tsang, ACM TOMS 26(3), 2000).

    A shape below 1 is raised by one and corrected by U^(1/shape); below about 1e-3 the result may round to 0.
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
    """Return a chi-square variate with real degrees of freedom > 0."""
    return 2.0 * gamma(0.5 * degrees, stream)
