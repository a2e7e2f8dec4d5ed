"""Tables that turn 16 random bits into a Poisson variate of a whole mean, exactly.

A guide maps the top bits of the piece to the variate where every continuation of those bits gives the same one (90 to 99 % of the
draws). Elsewhere 48 more bits are drawn and the 64-bit number is searched in the cumulative law. So a draw costs a quarter of a
Philox word and two bytes of table; the law is exact to 2^-64 of probability.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy import special

from fastcollapse._jit import kernel
from fastcollapse.rng import next_word

# 1 MB of guide, which stays in the second-level cache.
LARGEST_MEAN = 511
GUIDE_BITS = 10
UNDECIDED = 65535
GUIDE_SHIFT = np.uint64(16 - GUIDE_BITS)
_WIDTH = 512


class PoissonTables(NamedTuple):
    """Tables of the means 0..LARGEST_MEAN: `guide` uint16 (means, 2^GUIDE_BITS), `first` int64 and `cumulative` uint64 (means, values)."""

    guide: np.ndarray
    first: np.ndarray
    cumulative: np.ndarray


@functools.cache
def poisson_tables() -> PoissonTables:
    """Build the tables once for the process (about 20 ms)."""
    means = np.arange(LARGEST_MEAN + 1, dtype=np.float64)
    first = np.maximum(0, np.floor(means - 10.0 * np.sqrt(means))).astype(np.int64)
    values = first[:, None] + np.arange(_WIDTH)
    # 2^64 P(X <= x) as an integer: from the upper tail where that one is small, so that rounding stays below one unit of the tail.
    lower = special.pdtr(values, means[:, None])
    upper = special.pdtrc(values, means[:, None])
    scale = 2.0**64
    below = np.minimum(lower * scale, scale * (1 - 2.0**-53)).astype(np.uint64)
    above = np.uint64(2**64 - 1) - np.minimum(upper * scale, scale / 2).astype(np.uint64)
    cumulative = np.where(lower < 0.5, below, above)
    cumulative[0] = np.uint64(2**64 - 1)
    guide = np.full((LARGEST_MEAN + 1, 1 << GUIDE_BITS), UNDECIDED, dtype=np.uint16)
    left = np.arange(1 << GUIDE_BITS, dtype=np.uint64) << np.uint64(64 - GUIDE_BITS)
    right = left + np.uint64((1 << (64 - GUIDE_BITS)) - 1)
    for mean in range(LARGEST_MEAN + 1):
        from_left = np.searchsorted(cumulative[mean], left, side="right")
        from_right = np.searchsorted(cumulative[mean], right, side="right")
        decided = from_left == from_right
        if mean == 0:
            guide[0] = 0
            continue
        guide[mean, decided] = first[mean] + from_left[decided]
    return PoissonTables(guide, first, cumulative)


@kernel
def table_poisson(mean, piece, tables, spare):
    """Return a Poisson variate of a whole mean 0..LARGEST_MEAN from a 16-bit `piece` (uint64); `spare` refines where needed."""
    entry = tables.guide[mean, piece >> GUIDE_SHIFT]
    if entry != UNDECIDED:
        return np.int64(entry)
    return refined_poisson(mean, piece, tables, spare)


@kernel
def refined_poisson(mean, piece, tables, spare):
    """Return the variate for a `piece` that the guide leaves undecided."""
    number = (piece << np.uint64(48)) | (next_word(spare) >> np.uint64(16))
    low = 0
    high = tables.cumulative.shape[1] - 1
    while low < high:
        middle = (low + high) // 2
        if number < tables.cumulative[mean, middle]:
            high = middle
        else:
            low = middle + 1
    return tables.first[mean] + low
