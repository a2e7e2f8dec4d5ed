"""Distances between all rows of a table, compiled."""

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange


@kernel
def _distance(x, y, sums):
    total = 0.0
    for k in range(x.shape[0]):
        gap = abs(x[k] - y[k])
        total += gap if sums else gap * gap
    return total if sums else np.sqrt(total)


@parallel_kernel
def all_distances(rows, sums, out):
    """Write the distances of all pairs of rows, sums of absolute values or Euclidean: ``(N,d)->(N,N)``, O(N^2 d)."""
    for i in prange(rows.shape[0]):
        for j in range(rows.shape[0]):
            out[i, j] = _distance(rows[i], rows[j], sums)
