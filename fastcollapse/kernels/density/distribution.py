"""Distribution functions of density estimates on a line."""

import math

import numpy as np

from fastcollapse.kernels.jit import parallel_kernel, prange

_ROOT_HALF = math.sqrt(0.5)


@parallel_kernel
def add_distribution(points, n, inverse, grid, n_threads, out):
    """Add Phi((g - x) inverse) of the first n points: ``(R,N,1),(Q),(G)->(R,G)``, O(R n G), 10 ns a pair.

    Parameters
    ----------
    inverse : float64 (Q), one over the bandwidth of each replicate, or of all.
    """
    for thread in prange(n_threads):
        for replicate in range(thread, points.shape[0], n_threads):
            scale = inverse[min(replicate, np.int64(inverse.shape[0] - 1))] * _ROOT_HALF
            for g in range(grid.shape[0]):
                total = 0.0
                for i in range(n):
                    total += math.erfc((points[replicate, i, 0] - grid[g]) * scale)
                out[replicate, g] += 0.5 * total
