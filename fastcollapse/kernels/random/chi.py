"""Rows of chi variates with falling degrees of freedom, as Bartlett and bidiagonal factors have them, vectorised."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import fill_words
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import chi_square

_SHIFT_53 = np.uint64(11)
_ACCEPTED = np.uint64(1)
_TO_UNIT = 1.0 / 9007199254740992.0


@kernel
def _settle(degrees, x, word, normals, stream):
    """Return the chi variate of a normal variate and a word that the squeeze did not accept."""
    d = 0.5 * degrees - 1.0 / 3.0
    root = 1.0 + x / math.sqrt(9.0 * d)
    if root > 0.0:
        v = root * root * root
        u = (np.float64(np.int64(word >> _SHIFT_53)) + 1.0) * _TO_UNIT
        if math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return math.sqrt(2.0 * d * v)
    return math.sqrt(chi_square(degrees, normals, stream))


@kernel
def fill_chi(degrees, normals, words, streams, out):
    """Fill `out` with chi variates of `degrees`, `degrees` - 1, ... degrees of freedom, at least 0: ``->(n)``, O(n).

    The method is that of `chi_square` (Marsaglia and Tsang, ACM TOMS 26(3), 2000), with a normal and a uniform variate
    each. Pairs that the squeeze does not accept are decided one by one with words of the spare stream.

    Parameters
    ----------
    degrees : at least n - 1.
    normals : the table of the normal law.
    words : uint64 (n or more), work space.
    streams : uint64 (2, STREAM_WORDS), see `generation_stream_pair`.
    out : float64 (n).
    """
    n = out.shape[0]
    # The squeeze needs 2 degrees or more.
    n_large = max(0, min(n, np.int64(degrees) - 1))
    fill_normals(normals, words, streams, out[:n_large])
    fill_words(streams[0], words[:n_large])
    for i in range(n_large):
        d = 0.5 * np.float64(degrees - i) - 1.0 / 3.0
        x, word = out[i], words[i]
        root = 1.0 + x / math.sqrt(9.0 * d)
        u = (np.float64(np.int64(word >> _SHIFT_53)) + 1.0) * _TO_UNIT
        # A root <= 0 has x < -2.4, which the squeeze never accepts.
        accepted = u < 1.0 - 0.0331 * (x * x) * (x * x)
        out[i] = math.sqrt(2.0 * d * (root * root * root)) if accepted else x
        # The lowest bits of a word are not part of the uniform variate.
        words[i] = (word | _ACCEPTED) if accepted else (word & ~_ACCEPTED)
    for i in range(n_large):
        if words[i] & _ACCEPTED == 0:
            out[i] = _settle(np.float64(degrees - i), out[i], words[i], normals, streams[1])
    for i in range(n_large, n):
        out[i] = math.sqrt(chi_square(np.float64(degrees - i), normals, streams[0]))
