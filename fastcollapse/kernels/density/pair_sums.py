"""Sums of normal kernels over the pairs of points."""

import numpy as np

from fastcollapse.kernels.density.exponents import CHUNK, POSITIONS, exponents, halved_sum, load_chunk
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.vector_exp import exponentials


@kernel
def _kernels_at(chunk, n, position, factor, values, bits, work):
    """Return the sum of exp(-factor |position - x|^2) over the n points of a chunk."""
    exponents(chunk, n, position, factor, values)
    exponentials(values[:n], bits[:n], work[:n])
    return halved_sum(work, n)


@parallel_kernel
def add_pair_sums(points, first, end, factor, n_threads, out):
    """Add exp(-factor |x - y|^2) over the pairs that points first..end-1 make: ``(R,N,d),(Q)->(R)``.

    The sum runs over ordered pairs of which at least one point is new, and none has an index of `end` or more; each
    point is a pair with itself. So calls with consecutive ranges add up to the sum over all pairs. O(R (end^2 -
    first^2) d / 2).

    Parameters
    ----------
    factor : float64 (Q), the factor of each replicate, or one for all.
    """
    n_blocks = (end - first + POSITIONS - 1) // POSITIONS
    parts = np.zeros((points.shape[0], max(n_blocks, 1)))
    for thread in prange(n_threads):
        chunk = np.empty((points.shape[2], CHUNK))
        values, work, bits = np.empty(CHUNK), np.empty(CHUNK), np.empty(CHUNK, np.int64)
        for unit in range(thread, points.shape[0] * n_blocks, n_threads):
            replicate, block = unit // n_blocks, unit % n_blocks
            start = first + block * POSITIONS
            stop = min(start + POSITIONS, end)
            scale = factor[min(replicate, factor.shape[0] - 1)]
            total = 0.0
            for low in range(0, start, CHUNK):
                n = min(CHUNK, start - low)
                load_chunk(points[replicate], low, n, chunk)
                for i in range(start, stop):
                    total += 2.0 * _kernels_at(chunk, n, points[replicate, i], scale, values, bits, work)
            load_chunk(points[replicate], start, stop - start, chunk)
            for i in range(start, stop):
                total += _kernels_at(chunk, stop - start, points[replicate, i], scale, values, bits, work)
            parts[replicate, block] = total
    for replicate in range(points.shape[0]):
        for block in range(n_blocks):
            out[replicate] += parts[replicate, block]
