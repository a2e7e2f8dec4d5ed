"""Tables that turn a few random bits into a Poisson variate of a whole mean, exactly.

A guide maps the top bits of the uniform to the variate where every continuation of those bits gives the same one (80 to
99 % of the draws). Elsewhere the other bits are compared with the cumulative law. So a draw costs a few bits and two
bytes of table; the law is exact to 2^-64 of probability.

There is a fine table, means 0..COARSE_STEP - 1, and a coarse one, the multiples of COARSE_STEP below MEANS_BELOW: any
whole mean below MEANS_BELOW is one entry of each, because Poisson variates add up. The fine table goes on with the
means k / FRACTIONS, k < FRACTIONS; what a mean has beyond those is so small that its variate is nearly always 0.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import special

from fastcollapse.kernels.jit import kernel

COARSE_STEP = 512
COARSE_SHIFT = np.uint64(9)
MEANS_BELOW = 60 * COARSE_STEP
FRACTIONS = 64
# 1 MB of fine guide and 0.5 MB of coarse guide: together they stay near the second-level cache.
FINE_BITS = 10
COARSE_BITS = 12
# A fine draw starts from a piece of sixteen bits, a coarse one from a whole word.
FINE_SHIFT = np.uint64(16 - FINE_BITS)
COARSE_WORD_SHIFT = np.uint64(64 - COARSE_BITS)
# Added to the least value that is possible, where the guide does not decide.
UNDECIDED = 1 << 15
_DEVIATIONS = 10.0


class PoissonTables(NamedTuple):
    """The fine and the coarse table, each of M means.

    `guide` uint16 (M, 2^bits): the value decided, or the least possible one plus UNDECIDED; `first` int64 (M): the
    value that the cumulative law begins with; `cumulative` uint64 (M, values): 2^64 P(X <= value). Flat, because a
    `prange` body cannot take a tuple of tuples.
    """

    guide: np.ndarray
    first: np.ndarray
    cumulative: np.ndarray
    coarse_guide: np.ndarray
    coarse_first: np.ndarray
    coarse_cumulative: np.ndarray


@functools.cache
def poisson_tables() -> PoissonTables:
    """Build the tables once for the process (about 0.1 s).

    Examples
    --------
    >>> poisson_tables().guide.shape
    (576, 1024)
    """
    fine = np.concatenate([np.arange(COARSE_STEP), np.arange(FRACTIONS) / FRACTIONS])
    return PoissonTables(*_build(fine, FINE_BITS), *_build(np.arange(0, MEANS_BELOW, COARSE_STEP), COARSE_BITS))


def _build(means: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    reach = _DEVIATIONS * np.sqrt(means)
    first = np.maximum(0, np.floor(means - reach)).astype(np.int64)
    width = int(np.max(np.ceil(means + reach) - first)) + 30
    cumulative = np.full((means.shape[0], width), np.uint64(2**64 - 1))
    guide = np.zeros((means.shape[0], 1 << bits), dtype=np.uint16)
    left = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    right = left + np.uint64((1 << (64 - bits)) - 1)
    for row, mean in enumerate(means):
        if mean == 0:
            continue
        values = np.arange(first[row], int(mean + reach[row]) + 30)
        cumulative[row, : values.shape[0]] = _cumulative(values, float(mean))
        from_left = np.searchsorted(cumulative[row], left, side="right")
        undecided = from_left != np.searchsorted(cumulative[row], right, side="right")
        guide[row] = first[row] + from_left + UNDECIDED * undecided
    return guide, first, cumulative


def _cumulative(values: np.ndarray, mean: float) -> np.ndarray:
    """Return 2^64 P(X <= value) as uint64, from the upper tail where that one is small: it then rounds by its own last
    digit.
    """
    middle = int(np.searchsorted(values, mean))
    lower = special.pdtr(values[:middle], mean) * 2.0**64
    upper = special.pdtrc(values[middle:], mean) * 2.0**64
    return np.concatenate([lower.astype(np.uint64), np.uint64(2**64 - 1) - upper.astype(np.uint64)])


@kernel
def settled_poisson(row, entry, number, first, cumulative):
    """Return the variate of a table row at a 64-bit uniform `number` whose guide entry is undecided: a step or two from
    the least value.
    """
    i = entry - UNDECIDED - first[row]
    mine = cumulative[row]
    # Most entries hold one end of a value, some two: those steps are added, not branched on.
    i += np.int64(number >= mine[i])
    i += np.int64(number >= mine[i])
    while number >= mine[i]:
        i += 1
    return first[row] + i
