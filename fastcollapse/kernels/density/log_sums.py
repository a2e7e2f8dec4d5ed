"""Sums of normal kernels at positions, by the nearest point and the rest, so that nothing underflows."""

import numpy as np

from fastcollapse.kernels.density.exponents import (
    LANES,
    POINTS,
    add_exponentials,
    load_positions,
    squared_distances,
    update_least,
)
from fastcollapse.kernels.jit import parallel_kernel, prange


@parallel_kernel
def add_log_sums(points, first, end, positions, factor, n_threads, least, sums):
    """Add kernels exp(-factor |y - x|^2) of points first..end-1 to their sums: ``(R,N,d),(Q,M,d)->(R,M),(R,M)``.

    The sum at position m is sums[r, m] exp(-factor least[r, m]), where least is the smallest squared distance; at the
    start least is FARTHEST and sums is 0. O(R M (end - first) d). A term below 1e-300 of the largest counts as that.

    Parameters
    ----------
    positions : Q is R, or 1 for positions that all replicates share.
    factor : float64 (Q'), the factor of each replicate, or one for all.
    """
    n_positions = positions.shape[1]
    n_blocks = (n_positions + LANES - 1) // LANES
    for thread in prange(n_threads):
        lanes, squares = np.empty((points.shape[2], LANES)), np.empty((POINTS, LANES))
        near, total, smallest = np.empty(LANES), np.empty(LANES), np.empty(LANES)
        for unit in range(thread, points.shape[0] * n_blocks, n_threads):
            replicate, start = unit // n_blocks, unit % n_blocks * LANES
            scale = factor[min(replicate, factor.shape[0] - 1)]
            load_positions(positions[min(replicate, positions.shape[0] - 1)], start, lanes)
            for m in range(LANES):
                source = min(start + m, n_positions - 1)
                near[m], total[m] = least[replicate, source], sums[replicate, source]
            for low in range(first, end, POINTS):
                n = min(POINTS, end - low)
                squared_distances(points[replicate], low, n, lanes, squares)
                update_least(squares, n, scale, smallest, near, total)
                add_exponentials(squares, n, scale, near, total)
            for m in range(min(LANES, n_positions - start)):
                least[replicate, start + m], sums[replicate, start + m] = near[m], total[m]
