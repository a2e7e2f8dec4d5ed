"""Chunks of points by coordinate, their exponents at a position, and reductions of arrays by halves.

A reduction by halves has a fixed order that vectorises: the second half of the array is added to the first, again and
again. Its rounding error grows with the logarithm of the length.
"""

from fastcollapse.kernels.jit import kernel

# Points of a chunk, and positions that one unit of work evaluates. Bits depend on the first.
CHUNK = 256
POSITIONS = 64


@kernel
def load_chunk(points, first, n, chunk):
    """Write points first..first+n-1 by coordinate: ``(N,d)->(d,CHUNK)``."""
    for i in range(n):
        for k in range(points.shape[1]):
            chunk[k, i] = points[first + i, k]


@kernel
def exponents(chunk, n, position, factor, out):
    """Write -factor |position - x|^2 for the n points of a chunk: ``(d,CHUNK),(d),()->(n)``."""
    for i in range(n):
        gap = position[0] - chunk[0, i]
        out[i] = gap * gap
    for k in range(1, chunk.shape[0]):
        for i in range(n):
            gap = position[k] - chunk[k, i]
            out[i] += gap * gap
    for i in range(n):
        out[i] *= -factor


@kernel
def halved_sum(values, n):
    """Return the sum of the first n >= 1 entries and overwrite them: ``(n)->()``."""
    while n > 1:
        rest = n // 2
        half = n - rest
        for i in range(rest):
            values[i] += values[half + i]
        n = half
    return values[0]


@kernel
def halved_max(values, n, work):
    """Return the largest of the first n >= 1 entries, which are kept: ``(n)->()``; NaN entries may be left out."""
    rest = n // 2
    half = n - rest
    for i in range(rest):
        work[i] = max(values[i], values[half + i])
    if half > rest:
        work[half - 1] = values[half - 1]
    n = half
    while n > 1:
        rest = n // 2
        half = n - rest
        for i in range(rest):
            work[i] = max(work[i], work[half + i])
        n = half
    return work[0]
