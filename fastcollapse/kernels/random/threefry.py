"""Two random words for each of many generations: Threefry2x64-20 (Salmon et al., SC'11).

A pure function of the names of a draw. Its adds, rotations and exclusive ors become vector code, which the wide
products of Philox do not. It suits draws of two words a generation. Draws of many words open a stream
(`fastcollapse.kernels.random.streams`).
"""

import numpy as np

from fastcollapse.kernels.jit import kernel

_PARITY = np.uint64(0x1BD11BDAA9FC1A22)
_WORD_BITS = np.uint64(64)
_ONE, _TWO, _THREE, _FOUR, _FIVE = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4), np.uint64(5)
# The rotations of eight rounds, then they repeat.
_A, _B, _C, _D = np.uint64(16), np.uint64(42), np.uint64(12), np.uint64(31)
_E, _F, _G, _H = np.uint64(16), np.uint64(32), np.uint64(24), np.uint64(21)


@kernel
def _round(x, y, turn):
    """Return the words after one round."""
    x += y
    return x, ((y << turn) | (y >> (_WORD_BITS - turn))) ^ x


@kernel
def _rounds(x, y, a, b, c, d):
    """Return the words after four rounds."""
    x, y = _round(x, y, a)
    x, y = _round(x, y, b)
    x, y = _round(x, y, c)
    return _round(x, y, d)


@kernel
def threefry(x, y, k0, k1):
    """Return the two words of Threefry2x64-20 at counter (x, y) and key (k0, k1), all uint64."""
    k2 = k0 ^ k1 ^ _PARITY
    x, y = _rounds(x + k0, y + k1, _A, _B, _C, _D)
    x, y = _rounds(x + k1, y + k2 + _ONE, _E, _F, _G, _H)
    x, y = _rounds(x + k2, y + k0 + _TWO, _A, _B, _C, _D)
    x, y = _rounds(x + k0, y + k1 + _THREE, _E, _F, _G, _H)
    x, y = _rounds(x + k1, y + k2 + _FOUR, _A, _B, _C, _D)
    return x + k2, y + k0 + _FIVE


@kernel
def word_pairs(seed, replicate, first, n_generations, purpose, one, two):
    """Write two words for each generation from `first` on: ``->(n),(n)``; the counter is (generation, purpose)."""
    start = np.uint64(first)
    for k in range(n_generations):
        one[k], two[k] = threefry(start + np.uint64(k), purpose, seed, replicate)
