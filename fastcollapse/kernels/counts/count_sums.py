"""Sums over the counts of live symbols, which the metrics are functions of."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.counts.logarithms import logarithms
from fastcollapse.kernels.jit import kernel

# Columns of the sums; x are the counts of n tokens, p the truth.
SUM_SUPPORT, SUM_HETEROZYGOSITY, SUM_ENTROPY, SUM_DISTANCE, SUM_DIVERGENCE, SUM_LOST = range(6)
N_SUMS = 6
# The sums of a list of symbols; the last sum is over the symbols without a count.
_N_LISTED = 5
# Counts below this have their x ln x in a table.
_TABLED = 2048
_X_LOG_X = np.array([0.0] + [x * math.log(x) for x in range(1, _TABLED)])
_LANES = 64
SUMS_BUFFER = (_N_LISTED + 4) * _LANES


class TruthTable(NamedTuple):
    """The law of generation 0 over K symbols, and the sums that the recorded metrics need.

    Attributes
    ----------
    counts : counts (1, K) of real data, or (1, 0) for a law.
    law : float64 (K), the weights of a law, or (0) for real data.
    total : the sum of the counts or of the weights.
    probability : float64 (K).
    with_entropy, with_distance, with_divergence : whether these sums are needed. The others cost next to nothing.
    """

    counts: np.ndarray
    law: np.ndarray
    total: float
    probability: np.ndarray
    with_entropy: bool
    with_distance: bool
    with_divergence: bool


@kernel
def sum_in_order(values):
    """Return the sum of `values`, added one after the other: ``(n)->()``. The bits of draws from a law depend on it."""
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


@kernel
def _large_entropy(x, total):
    """Return x ln(total / x) for a large count, without cancellation where x is nearly the total."""
    others = total - x
    return -x * math.log1p(-others / total) if others < x else x * math.log(total / x)


@kernel
def _large_divergence(x, mean):
    """Return x ln(x / mean) - x + mean for a large count, without cancellation where x is nearly the mean."""
    gap = x - mean
    return x * math.log1p(gap / mean) - gap


@kernel
def _few_sums(counts, symbols, probability, total, out):
    """Write all sums of `segment_sums` for fewer symbols than lanes; the sums run from the first symbol to the last."""
    share, log_total = 1.0 / total, math.log(total)
    support = heterozygosity = entropy = distance = divergence = 0.0
    for i in range(counts.shape[0]):
        x = np.float64(counts[i])
        if x > 0.0:
            p = probability[np.uint32(symbols[i])]
            mean = total * p
            support += 1.0
            heterozygosity += x * (total - x)
            distance += abs(x * share - p)
            if x < _TABLED:
                x_log_x = _X_LOG_X[np.uint32(x)]
                entropy += x * log_total - x_log_x
                divergence += x_log_x - x * (log_total + math.log(p)) - (x - mean)
            else:
                entropy += _large_entropy(x, total)
                divergence += _large_divergence(x, mean)
    out[SUM_SUPPORT], out[SUM_HETEROZYGOSITY], out[SUM_ENTROPY] = support, heterozygosity, entropy
    out[SUM_DISTANCE], out[SUM_DIVERGENCE] = distance, divergence


@kernel
def segment_sums(counts, symbols, cached, total, truth, buffer, out):
    """Write the sums of one segment of listed symbols: ``(m),(m),(m or 0),()->(5)``, O(m).

    Over the symbols with a count x of n tokens, of probability p, the sums are: the number of symbols, x (n - x),
    x ln(n / x), |x / n - p|, and x ln(x / (n p)) - x + n p. No term is negative, so that no sum cancels: a difference
    of the sums of x ln x and of x ln p would leave no digit of a divergence of 1e-15. Element i is added to lane
    i mod 64, and the last lanes are filled up with counts of zero. So the loops vectorise and give the same bits on
    every processor.

    Parameters
    ----------
    counts : counts (m).
    symbols : int32 (m), ascending.
    cached : float64 (m), the probabilities of the symbols, or empty: then they are looked up in the truth.
    total : n, the tokens of the state.
    truth : `TruthTable`; sums that it does not need stay 0.
    buffer : float64, at least SUMS_BUFFER values of work space.
    out : float64 (5 or more), indexed by SUM_*.
    """
    m = counts.shape[0]
    if m < _LANES:
        _few_sums(counts, symbols, truth.probability, total, out)
        return
    lanes = buffer[: _N_LISTED * _LANES]
    for j in range(_N_LISTED * _LANES):
        lanes[j] = 0.0
    support, heterozygosity, entropy = lanes[:_LANES], lanes[_LANES : 2 * _LANES], lanes[2 * _LANES : 3 * _LANES]
    distance, divergence = lanes[3 * _LANES : 4 * _LANES], lanes[4 * _LANES :]
    work = buffer[_N_LISTED * _LANES :]
    x, tabled, log_p = work[:_LANES], work[_LANES : 2 * _LANES], work[2 * _LANES : 3 * _LANES]
    looked_up = work[3 * _LANES : 4 * _LANES]
    with_table = truth.with_entropy or truth.with_divergence
    with_truth = truth.with_distance or truth.with_divergence
    share, log_total = 1.0 / total, math.log(total)
    for start in range(0, m, _LANES):
        n = min(_LANES, m - start)
        p = looked_up
        mine = counts[start : start + n]
        if n == _LANES:
            for j in range(_LANES):
                x[j] = mine[j]
        else:
            for j in range(_LANES):
                x[j] = mine[j] if j < n else 0.0
        if with_truth:
            if cached.shape[0] == 0:
                for j in range(n):
                    p[j] = truth.probability[np.uint32(symbols[start + j])]
            elif n == _LANES:
                p = cached[start : start + _LANES]
            else:
                for j in range(n):
                    p[j] = cached[start + j]
            for j in range(n, _LANES):
                p[j] = 1.0
        # One loop for each sum, of constant length: LLVM does not vectorise a single loop for all.
        for j in range(_LANES):
            support[j] += 1.0 if x[j] > 0.0 else 0.0
        for j in range(_LANES):
            heterozygosity[j] += x[j] * (total - x[j])
        if truth.with_distance:
            for j in range(_LANES):
                distance[j] += abs(x[j] * share - p[j]) if x[j] > 0.0 else 0.0
        if not with_table:
            continue
        n_large = 0
        for j in range(_LANES):
            n_large += x[j] >= _TABLED
        for j in range(_LANES):
            tabled[j] = _X_LOG_X[np.uint32(np.int32(x[j] if x[j] < _TABLED else 0.0))]  # AVX2 has no uint32
        if truth.with_entropy:
            for j in range(_LANES):
                entropy[j] += x[j] * log_total - tabled[j] if x[j] < _TABLED else 0.0
            if n_large > 0:
                for j in range(_LANES):
                    if x[j] >= _TABLED:
                        entropy[j] += _large_entropy(x[j], total)
        if truth.with_divergence:
            logarithms(p, log_p)
            for j in range(_LANES):
                term = tabled[j] - x[j] * (log_total + log_p[j]) - (x[j] - total * p[j])
                divergence[j] += term if 0.0 < x[j] < _TABLED else 0.0
            if n_large > 0:
                for j in range(_LANES):
                    if x[j] >= _TABLED:
                        divergence[j] += _large_divergence(x[j], total * p[j])
    for k in range(_N_LISTED):
        out[k] = total_of(lanes[k * _LANES : (k + 1) * _LANES])


@kernel
def add_blocks(partial, lost, out):
    """Add the sums of the blocks of a replicate, and their lost mass, in ascending order: ``(N,5),(N)->(6)``."""
    out[SUM_LOST] = 0.0
    for block in range(lost.shape[0]):
        out[SUM_LOST] += lost[block]
    for k in range(_N_LISTED):
        total = 0.0
        for block in range(partial.shape[0]):
            total += partial[block, k]
        out[k] = total
