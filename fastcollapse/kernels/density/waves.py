"""Sums of cosines and sines of points on a line: their empirical characteristic function at equidistant nodes."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange

# Points side by side.
CHUNK = 256
# Nodes between two direct evaluations. The rounding error of a rotation adds up to 64 units in the last place.
NODES = 64


@kernel
def halved_sum(values, n):
    """Return the sum of the first n >= 1 entries and overwrite them: ``(n)->()``.

    The second half is added to the first, again and again: a fixed order that vectorises, with little rounding.
    """
    while n > 1:
        rest = n // 2
        half = n - rest
        for i in range(rest):
            values[i] += values[half + i]
        n = half
    return values[0]


@parallel_kernel
def add_waves(points, first, end, origin, spacing, n_threads, cosines, sines):
    """Add cos(k spacing (x - origin)), and the sines, of points first..end-1: ``(R,N,1)->(R,U),(R,U)``, k = 0..U-1.

    O(R U (end - first)), 2 ns a point and node.
    """
    n_nodes = cosines.shape[1]
    n_blocks = (n_nodes + NODES - 1) // NODES
    for thread in prange(n_threads):
        c, s = np.empty(CHUNK), np.empty(CHUNK)
        turn_c, turn_s, work = np.empty(CHUNK), np.empty(CHUNK), np.empty(CHUNK)
        for unit in range(thread, points.shape[0] * n_blocks, n_threads):
            replicate, start = unit // n_blocks, unit % n_blocks * NODES
            for low in range(first, end, CHUNK):
                n = min(CHUNK, end - low)
                for i in range(n):
                    x = points[replicate, low + i, 0] - origin
                    turn_c[i], turn_s[i] = math.cos(spacing * x), math.sin(spacing * x)
                    c[i], s[i] = math.cos(start * spacing * x), math.sin(start * spacing * x)
                for k in range(start, min(start + NODES, n_nodes)):
                    for i in range(n):
                        work[i] = c[i]
                    cosines[replicate, k] += halved_sum(work, n)
                    for i in range(n):
                        work[i] = s[i]
                    sines[replicate, k] += halved_sum(work, n)
                    for i in range(n):
                        old = c[i]
                        c[i] = old * turn_c[i] - s[i] * turn_s[i]
                        s[i] = old * turn_s[i] + s[i] * turn_c[i]
