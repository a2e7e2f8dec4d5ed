"""Sums over the counts of live symbols, which the metrics are functions of."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
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


class TruthTable(NamedTuple):
    """The law of generation 0 over K symbols.

    Attributes
    ----------
    weights : float64 (1, K), counts or probabilities.
    probability : float64 (K).
    log_probability : float64 (K), -inf where the probability is 0.
    """

    weights: np.ndarray
    probability: np.ndarray
    log_probability: np.ndarray


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
def _few_sums(counts, probability, log_probability, total, out):
    """Write the sums of `segment_sums` for fewer symbols than lanes; the additions are the same."""
    share, log_total = 1.0 / total, math.log(total)
    support = heterozygosity = entropy = distance = divergence = 0.0
    for i in range(counts.shape[0]):
        x = counts[i]
        if x > 0.0:
            mean = total * probability[i]
            support += 1.0
            heterozygosity += x * (total - x)
            distance += abs(x * share - probability[i])
            if x < _TABLED:
                x_log_x = _X_LOG_X[np.uint64(x)]
                entropy += x * log_total - x_log_x
                divergence += x_log_x - x * (log_total + log_probability[i]) - (x - mean)
            else:
                entropy += _large_entropy(x, total)
                divergence += _large_divergence(x, mean)
    out[SUM_SUPPORT], out[SUM_HETEROZYGOSITY], out[SUM_ENTROPY] = support, heterozygosity, entropy
    out[SUM_DISTANCE], out[SUM_DIVERGENCE] = distance, divergence


@kernel
def segment_sums(counts, probability, log_probability, total, out):
    """Write the sums of one segment of listed symbols: ``(m),(m),(m),()->(5)``, O(m).

    Over the symbols with a count x of n tokens, of probability p, the sums are: the number of symbols, x (n - x),
    x ln(n / x), |x / n - p|, and x ln(x / (n p)) - x + n p. No term is negative, so that no sum cancels: a difference
    of the sums of x ln x and of x ln p would leave no digit of a divergence of 1e-15. Element i is added to lane
    i mod 64. So the loops vectorise and give the same bits on every processor.

    Parameters
    ----------
    counts : float64 (m), whole.
    probability, log_probability : float64 (m), under the truth.
    total : n, the tokens of the state.
    out : float64 (5 or more), indexed by SUM_*.
    """
    m = counts.shape[0]
    if m < _LANES:
        _few_sums(counts, probability, log_probability, total, out)
        return
    lanes, tabled = np.zeros((_N_LISTED, _LANES)), np.empty(_LANES)
    support, heterozygosity, entropy, distance, divergence = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    share, log_total = 1.0 / total, math.log(total)
    for start in range(0, m, _LANES):
        stop = min(_LANES, m - start)
        x, p, log_p = (
            counts[start : start + stop],
            probability[start : start + stop],
            log_probability[start : start + stop],
        )
        # One loop for each sum: LLVM does not vectorise a single loop for all, which takes three times as long.
        for j in range(stop):
            support[j] += 1.0 if x[j] > 0.0 else 0.0
        for j in range(stop):
            heterozygosity[j] += x[j] * (total - x[j])
        for j in range(stop):
            distance[j] += abs(x[j] * share - p[j]) if x[j] > 0.0 else 0.0
        n_large = 0
        for j in range(stop):
            is_large = x[j] >= _TABLED
            n_large += is_large
            tabled[j] = _X_LOG_X[np.uint64(0.0 if is_large else x[j])]
        for j in range(stop):
            entropy[j] += x[j] * log_total - tabled[j] if x[j] < _TABLED else 0.0
        for j in range(stop):
            term = tabled[j] - x[j] * (log_total + log_p[j]) - (x[j] - total * p[j])
            divergence[j] += term if 0.0 < x[j] < _TABLED else 0.0
        if n_large > 0:
            for j in range(stop):
                if x[j] >= _TABLED:
                    entropy[j] += _large_entropy(x[j], total)
                    divergence[j] += _large_divergence(x[j], total * p[j])
    for k in range(_N_LISTED):
        out[k] = total_of(lanes[k])


@kernel
def _gather(table, symbols, out):
    """Write table[symbols]: ``(K),(m)->(m)``."""
    for i in range(symbols.shape[0]):
        out[i] = table[np.uint32(symbols[i])]


@kernel
def sums_of_block(replicate, start, length, total, truth, live, scratch, out):
    """Write the sums of the list of one block; `scratch` (2, BLOCK) receives a truth that is not cached."""
    counts = live.counts[replicate, start : start + length]
    if live.packed[replicate] != 0:
        truth_cache = live.truth_cache[replicate]
        segment_sums(counts, truth_cache[0, start : start + length], truth_cache[1, start : start + length], total, out)
    else:
        symbols = live.symbols[replicate, start : start + length]
        _gather(truth.probability, symbols, scratch[0])
        _gather(truth.log_probability, symbols, scratch[1])
        segment_sums(counts, scratch[0, :length], scratch[1, :length], total, out)


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
