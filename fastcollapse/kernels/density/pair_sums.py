"""Sums of normal kernels over the pairs of points."""

import numpy as np

from fastcollapse.kernels.density.exponents import (
    LANES,
    POINTS,
    add_exponentials,
    load_positions,
    squared_distances,
)
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange


@kernel
def _sum_of_lanes(points, first, end, lanes, n_lanes, factor, nearest, buffers):
    """Return the sum of exp(-factor |y - x|^2) over points first..end-1 and the first lanes; `nearest` is 0."""
    squares, total = buffers[:POINTS], buffers[POINTS]
    for m in range(LANES):
        total[m] = 0.0
    for low in range(first, end, POINTS):
        n = min(POINTS, end - low)
        squared_distances(points, low, n, lanes, squares)
        add_exponentials(squares, n, factor, nearest, total)
    result = 0.0
    for m in range(n_lanes):
        result += total[m]
    return result


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
    n_blocks = (end - first + LANES - 1) // LANES
    parts = np.zeros((points.shape[0], max(n_blocks, 1)))
    for thread in prange(n_threads):
        lanes, buffers = np.empty((points.shape[2], LANES)), np.empty((POINTS + 1, LANES))
        nearest = np.zeros(LANES)
        for unit in range(thread, points.shape[0] * n_blocks, n_threads):
            replicate, block = unit // n_blocks, unit % n_blocks
            start = first + block * LANES
            n = min(LANES, end - start)
            own, scale = points[replicate], factor[min(replicate, factor.shape[0] - 1)]
            load_positions(own[:end], start, lanes)
            before = _sum_of_lanes(own, 0, start, lanes, n, scale, nearest, buffers)
            within = _sum_of_lanes(own, start, start + n, lanes, n, scale, nearest, buffers)
            parts[replicate, block] = 2.0 * before + within
    for replicate in range(points.shape[0]):
        for block in range(n_blocks):
            out[replicate] += parts[replicate, block]
