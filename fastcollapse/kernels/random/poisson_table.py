"""Tables that turn a few random bits into an exact Poisson variate of a whole mean.

A guide maps the top bits of the uniform to the variate where every continuation of those bits gives the same one (80 to
99 % of the draws). Elsewhere the other bits are compared with the cumulative law. So a draw costs a few bits and two
bytes of table. The law is exact to 2^-64 of probability.

The fine table has the means 0..COARSE_STEP - 1, the coarse table the multiples of COARSE_STEP below MEANS_BELOW. Any
whole mean below MEANS_BELOW is one entry of each, because Poisson variates add up. The fine table also has the means
k / FRACTIONS, k < FRACTIONS. The remainder of a mean is so small that its variate is nearly always 0.
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
# A fine draw starts from a piece of 16 bits, a coarse one from a whole word.
FINE_SHIFT = np.uint64(16 - FINE_BITS)
COARSE_WORD_SHIFT = np.uint64(64 - COARSE_BITS)
# Added to the least possible value where the guide does not decide.
UNDECIDED = 1 << 15
_DEVIATIONS = 10.0


class PoissonTables(NamedTuple):
    """The fine and the coarse table, of M means each.

    Flat, because a `prange` body cannot take a tuple of tuples.

    Attributes
    ----------
    guide, coarse_guide : uint16 (M, 2^bits), the value that the bits decide, or the least possible one plus UNDECIDED.
    first, coarse_first : int64 (M), the value that the cumulative law begins with.
    cumulative, coarse_cumulative : uint64 (M, values), 2^64 P(X <= value).
    undecided : place of an entry of the flat fine guide that does not decide.
    """

    guide: np.ndarray
    first: np.ndarray
    cumulative: np.ndarray
    coarse_guide: np.ndarray
    coarse_first: np.ndarray
    coarse_cumulative: np.ndarray
    undecided: np.int32


@functools.cache
def poisson_tables() -> PoissonTables:
    """Return the tables, built once for the process (about 0.1 s).

    Examples
    --------
    >>> poisson_tables().guide.shape
    (576, 1024)
    """
    fine = np.concatenate([np.arange(COARSE_STEP), np.arange(FRACTIONS) / FRACTIONS])
    fine_table = _build(fine, FINE_BITS)
    coarse_table = _build(np.arange(0, MEANS_BELOW, COARSE_STEP), COARSE_BITS)
    return PoissonTables(*fine_table, *coarse_table, np.int32(np.argmax(fine_table[0] >= UNDECIDED)))


def _build(means: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return guide, first and cumulative of a table."""
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
    """Return 2^64 P(X <= value) as uint64.

    Where the upper tail is small it comes from the tail, which then rounds by its own last digit.
    """
    middle = int(np.searchsorted(values, mean))
    lower = special.pdtr(values[:middle], mean) * 2.0**64
    upper = special.pdtrc(values[middle:], mean) * 2.0**64
    return np.concatenate([lower.astype(np.uint64), np.uint64(2**64 - 1) - upper.astype(np.uint64)])


@kernel
def search_poisson(row, entry, number, first, cumulative):
    """Return the variate of a table row at a 64-bit uniform `number` whose guide entry is undecided.

    O(1): a step or two from the least possible value.
    """
    i = entry - UNDECIDED - first[row]
    mine = cumulative[row]
    # Most entries contain one boundary between values, some two. These steps are added, because a branch mispredicts.
    i += np.int64(number >= mine[i])
    i += np.int64(number >= mine[i])
    while number >= mine[i]:
        i += 1
    return first[row] + i
