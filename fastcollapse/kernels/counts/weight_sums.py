"""Sums over states that are weights instead of counts, which the metrics are functions of."""

import math

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.counts.count_sums import (
    SUM_DISTANCE,
    SUM_DIVERGENCE,
    SUM_ENTROPY,
    SUM_HETEROZYGOSITY,
    SUM_LOST,
    SUM_SUPPORT,
)
from fastcollapse.kernels.counts.logarithms import logarithms
from fastcollapse.kernels.jit import kernel

# The mass of the weights of at most one half, after the columns of the sums of counts.
SUM_SMALL = SUM_LOST + 1
N_WEIGHT_SUMS = SUM_SMALL + 1
_LANES = 64
_N_SUMMED = 6
WEIGHT_BUFFER = (_N_SUMMED + 4) * _LANES
# Below this |x - p|/(x + p) the divergence is a series, whose terms end at 1e-17.
_NEAR = 0.1


@kernel
def weight_sums(weights, probability, truth, buffer, out):
    """Write the sums of one segment of symbols: ``(m),(m)->(7)``, O(m).

    Over the symbols with a weight x of probability p, the sums are: the number of symbols, x (1 - x), x ln(1/x),
    |x - p|, and x ln(x/p) - x + p; the second and third are over x <= 1/2, see `add_weight_blocks`. The last is
    (x + p) s^2 (1 + (1 + s) s R(s^2)) near the truth, with s = (x - p)/(x + p) and R(z) = 1/3 + z/5 + z^2/7 + ...: no
    term is negative, and none is a difference of nearly equal numbers. Lanes as in `segment_sums`.

    Parameters
    ----------
    weights : float64 (m), at least 0, which sum to 1 over all segments.
    probability : float64 (m), under the truth.
    truth : `TruthTable`; sums that it does not need stay 0.
    buffer : float64, at least WEIGHT_BUFFER values of work space.
    out : float64 (7), indexed by SUM_*.
    """
    m = weights.shape[0]
    lanes, work = buffer[: _N_SUMMED * _LANES], buffer[_N_SUMMED * _LANES : WEIGHT_BUFFER]
    for j in range(_N_SUMMED * _LANES):
        lanes[j] = 0.0
    support, heterozygosity, entropy = lanes[:_LANES], lanes[_LANES : 2 * _LANES], lanes[2 * _LANES : 3 * _LANES]
    distance, divergence, small = lanes[3 * _LANES : 4 * _LANES], lanes[4 * _LANES : 5 * _LANES], lanes[5 * _LANES :]
    x, p = work[:_LANES], work[_LANES : 2 * _LANES]
    log_x, log_p = work[2 * _LANES : 3 * _LANES], work[3 * _LANES :]
    for start in range(0, m, _LANES):
        n = min(_LANES, m - start)
        for j in range(n):
            x[j] = weights[start + j]
            p[j] = probability[start + j]
        for j in range(n, _LANES):
            x[j] = 0.0
            p[j] = 1.0
        for j in range(_LANES):
            support[j] += 1.0 if x[j] > 0.0 else 0.0
        for j in range(_LANES):
            small[j] += x[j] if x[j] <= 0.5 else 0.0
        for j in range(_LANES):
            heterozygosity[j] += x[j] * (1.0 - x[j]) if x[j] <= 0.5 else 0.0
        if truth.with_distance:
            for j in range(_LANES):
                distance[j] += abs(x[j] - p[j]) if x[j] > 0.0 else 0.0
        if truth.with_entropy or truth.with_divergence:
            logarithms(x, log_x)
        if truth.with_entropy:
            for j in range(_LANES):
                entropy[j] -= x[j] * log_x[j] if 0.0 < x[j] <= 0.5 else 0.0
        if truth.with_divergence:
            n_far = 0
            for j in range(_LANES):
                n_far += (abs(x[j] - p[j]) >= _NEAR * (x[j] + p[j])) & (x[j] > 0.0)
            if n_far > 0:
                logarithms(p, log_p)
            for j in range(_LANES):
                gap = x[j] - p[j]
                s = gap / (x[j] + p[j])
                z = s * s
                tail = 1.0 / 13.0 + z * (1.0 / 15.0 + z * (1.0 / 17.0 + z * (1.0 / 19.0)))
                series = 1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * tail))))
                near = (x[j] + p[j]) * z * (1.0 + (1.0 + s) * s * series)
                far = x[j] * (log_x[j] - log_p[j]) - gap
                term = near if abs(gap) < _NEAR * (x[j] + p[j]) else far
                divergence[j] += term if x[j] > 0.0 else 0.0
    for k in range(5):
        out[k] = total_of(lanes[k * _LANES : (k + 1) * _LANES])
    out[SUM_SMALL] = total_of(small)


@kernel
def add_weight_blocks(partial, lost, out):
    """Add the sums of the blocks of a replicate, and their lost mass, in ascending order: ``(N,7),(N)->(6)``.

    A weight above 1/2 is 1 minus the mass of all others, which keeps its digits near a single symbol.
    """
    out[SUM_LOST], others = 0.0, 0.0
    for k in (SUM_SUPPORT, SUM_HETEROZYGOSITY, SUM_ENTROPY, SUM_DISTANCE, SUM_DIVERGENCE):
        out[k] = 0.0
    for block in range(lost.shape[0]):
        out[SUM_LOST] += lost[block]
        others += partial[block, SUM_SMALL]
        for k in (SUM_SUPPORT, SUM_HETEROZYGOSITY, SUM_ENTROPY, SUM_DISTANCE, SUM_DIVERGENCE):
            out[k] += partial[block, k]
    if others < 0.5:
        out[SUM_HETEROZYGOSITY] += others * (1.0 - others)
        out[SUM_ENTROPY] -= (1.0 - others) * math.log1p(-others)
