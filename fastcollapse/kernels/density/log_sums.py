"""Sums of normal kernels at positions, by their largest exponent and the rest, so that nothing underflows."""

import math

import numpy as np

from fastcollapse.kernels.density.exponents import (
    CHUNK,
    POSITIONS,
    exponents,
    halved_max,
    halved_sum,
    load_chunk,
)
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.vector_exp import exponentials


@kernel
def _add_chunk(chunk, n, positions, factor, start, buffers, bits, tops, sums):
    """Add the kernels of a chunk of n points to the sums at some positions.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    values, work = buffers[0], buffers[1]
    for m in range(start, min(start + POSITIONS, positions.shape[0])):
        exponents(chunk, n, positions[m], factor, values)
        top = halved_max(values, n, work)
        if not top > tops[m]:
            top = tops[m]
        for i in range(n):
            values[i] -= top
        exponentials(values[:n], bits[:n], work[:n])
        more = halved_sum(work, n)
        sums[m] = (sums[m] * math.exp(tops[m] - top) if tops[m] < top else sums[m]) + more
        tops[m] = top


@parallel_kernel
def add_log_sums(points, first, end, positions, factor, n_threads, tops, sums):
    """Add kernels exp(-factor |y - x|^2) of points first..end-1 to their sums: ``(R,N,d),(Q,M,d)->(R,M),(R,M)``.

    The sum at position m is sums[r, m] exp(tops[r, m]), where tops is the largest exponent; at the start tops is
    below every exponent and sums is 0. O(R M (end - first) d), 2 ns a pair in two dimensions. An exponent 708 below the
    largest adds 0, which is exact in double precision.

    Parameters
    ----------
    positions : Q is R, or 1 for positions that all replicates share.
    factor : float64 (Q'), the factor of each replicate, or one for all.
    """
    n_blocks = (positions.shape[1] + POSITIONS - 1) // POSITIONS
    for thread in prange(n_threads):
        chunk = np.empty((points.shape[2], CHUNK))
        buffers, bits = np.empty((2, CHUNK)), np.empty(CHUNK, np.int64)
        for unit in range(thread, points.shape[0] * n_blocks, n_threads):
            replicate, start = unit // n_blocks, unit % n_blocks * POSITIONS
            mine = positions[min(replicate, positions.shape[0] - 1)]
            scale = factor[min(replicate, factor.shape[0] - 1)]
            for low in range(first, end, CHUNK):
                n = min(CHUNK, end - low)
                load_chunk(points[replicate], low, n, chunk)
                _add_chunk(chunk, n, mine, scale, start, buffers, bits, tops[replicate], sums[replicate])
