"""Sums of normal kernels at LANES positions side by side, in plain arithmetic that vectorises.

Each position has its own sum, whose terms are added in the order of the points: there is no reduction across lanes.
"""

import math

import numpy as np

from fastcollapse.kernels.float_bits import bits_of, float_of
from fastcollapse.kernels.jit import kernel

# Positions side by side, and points whose squared distances are kept at a time: 16 kB.
LANES = 64
POINTS = 32
# A start above every squared distance, and finite, so that it can be saved.
FARTHEST = 1e308
_LOG2_E = 1.0 / math.log(2.0)
# A term below this power of two counts as it: 1e-300 of the sum.
_LOWEST = -1000.0
# Adding this number rounds to a whole number, which the low bits of the sum hold.
_ROUND = 6755399441055744.0
_MANTISSA_BITS = np.int64(52)
# Exponents from which a point adds nothing to any of the lanes: 1e9 such terms are together below 1e-17 of the sum.
_FAR = 60.0


@kernel
def load_positions(positions, first, lanes):
    """Write LANES positions from `first` on by coordinate: ``(M,d)->(d,LANES)``; the last one is repeated."""
    last = positions.shape[0] - 1
    for m in range(LANES):
        source = min(first + m, last)
        for k in range(positions.shape[1]):
            lanes[k, m] = positions[source, k]


@kernel
def squared_distances(points, first, n, lanes, squares):
    """Write the squared distances of points first..first+n-1 from the lanes: ``(N,d),(d,LANES)->(POINTS,LANES)``."""
    for i in range(n):
        point, row = points[first + i], squares[i]
        x, own = point[0], lanes[0]
        if lanes.shape[0] == 1:
            for m in range(LANES):
                gap = own[m] - x
                row[m] = gap * gap
            continue
        y, other = point[1], lanes[1]
        for m in range(LANES):
            gap, across = own[m] - x, other[m] - y
            row[m] = gap * gap + across * across
        for k in range(2, lanes.shape[0]):
            x, own = point[k], lanes[k]
            for m in range(LANES):
                gap = own[m] - x
                row[m] += gap * gap


@kernel
def add_exponentials(squares, n, factor, least, sums):
    """Add exp(-factor (square - least)) of n rows to the sums: ``(POINTS,LANES),(LANES)->(LANES)``, 1 ns a term.

    A point that is far from all lanes is skipped. The squares are not below `least`. The relative error of a term is
    2e-16 times 1 plus the size of its exponent: small terms have large exponents, and add nothing to the error of the
    sum.
    """
    scale = factor * _LOG2_E
    for i in range(n):
        row, n_near = squares[i], 0
        for m in range(LANES):
            n_near += factor * (row[m] - least[m]) < _FAR
        if n_near == 0:
            continue
        for m in range(LANES):
            power = max(scale * (least[m] - row[m]), _LOWEST)
            shifted = power + _ROUND
            f = power - (shifted - _ROUND)
            # 2^f for |f| <= 1/2: the polynomial that equals it at Chebyshev's nodes has a relative error below 5e-18.
            p = 4.4558179083360645e-10
            p = p * f + 7.074194297288521e-09
            p = p * f + 1.0178057087733941e-07
            p = p * f + 1.3215432535912375e-06
            p = p * f + 1.5252733841556773e-05
            p = p * f + 0.00015403530463724353
            p = p * f + 0.001333355814640647
            p = p * f + 0.009618129107587256
            p = p * f + 0.055504108664821625
            p = p * f + 0.24022650695910158
            p = p * f + 0.6931471805599453
            p = p * f + 1.0
            sums[m] += float_of(bits_of(p) + (bits_of(shifted) << _MANTISSA_BITS))


@kernel
def update_least(squares, n, factor, smallest, least, sums):
    """Lower `least` to the smallest of n rows, and scale the sums to it: ``(POINTS,LANES)->(LANES),(LANES)``.

    `smallest`, float64 (LANES), is work space.
    """
    for m in range(LANES):
        smallest[m] = least[m]
    for i in range(n):
        row = squares[i]
        for m in range(LANES):
            smallest[m] = row[m] if row[m] < smallest[m] else smallest[m]
    for m in range(LANES):
        if smallest[m] < least[m]:
            sums[m] *= math.exp(factor * (smallest[m] - least[m]))
            least[m] = smallest[m]
