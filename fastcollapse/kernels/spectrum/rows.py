"""Rows of count spectra, and sums over their symbols."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel

# Columns of `sums`.
SUM_SUPPORT, SUM_ENTROPY, SUM_HETEROZYGOSITY = range(3)
N_SUMS = 3


class Rows(NamedTuple):
    """Rows of R replicates, or of one without the axis R.

    Attributes
    ----------
    keys : int32 (R, M).
    counts, numbers : int64 (R, M), count of each symbol, and number of symbols.
    """

    keys: np.ndarray
    counts: np.ndarray
    numbers: np.ndarray


def new_rows(*shape: int) -> Rows:
    """Return rows of zeros."""
    return Rows(*(np.zeros(shape, dtype) for dtype in (np.int32, np.int64, np.int64)))


@kernel
def sum_rows(counts, numbers, n_rows, sums):
    """Write sums over the live symbols, see `SUM_*`: number, x ln(n/x), x (n - x)."""
    total = 0.0
    for i in range(n_rows):
        total += np.float64(counts[i]) * numbers[i]
    support = entropy = heterozygosity = 0.0
    for i in range(n_rows):
        x, number = np.float64(counts[i]), np.float64(numbers[i])
        if x > 0.0:
            support += number
            entropy += number * (x * math.log(total / x))
            heterozygosity += number * (x * (total - x))
    sums[SUM_SUPPORT], sums[SUM_ENTROPY], sums[SUM_HETEROZYGOSITY] = support, entropy, heterozygosity
