"""Sums over the counts of live symbols, which the metrics are functions of."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.jit import kernel

# Columns of `segment_sums`; x are the counts, p the truth.
SUM_SUPPORT, SUM_SQUARES, SUM_X_LOG_X, SUM_DISTANCE, SUM_X_LOG_P, SUM_TRUTH = range(6)
N_SUMS = 6
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
def _few_sums(counts, probability, log_probability, total, out):
    """Write the sums of `segment_sums` for fewer symbols than lanes; the additions are the same."""
    share = 1.0 / total
    support = squares = x_log_x = distance = x_log_p = covered = 0.0
    for i in range(counts.shape[0]):
        x = counts[i]
        if x > 0.0:
            support += 1.0
            squares += x * x
            x_log_x += _X_LOG_X[np.uint64(x)] if x < _TABLED else x * math.log(x)
            distance += abs(x * share - probability[i])
            x_log_p += x * log_probability[i]
            covered += probability[i]
    out[SUM_SUPPORT], out[SUM_SQUARES], out[SUM_X_LOG_X] = support, squares, x_log_x
    out[SUM_DISTANCE], out[SUM_X_LOG_P], out[SUM_TRUTH] = distance, x_log_p, covered


@kernel
def segment_sums(counts, probability, log_probability, total, out):
    """Write the sums of one segment of listed symbols: ``(m),(m),(m),()->(6)``, O(m).

    Over the symbols with a count x, of probability p, the sums are: the number of symbols, x^2, x ln x,
    |x / total - p|, x ln p, and p. Element i is added to lane i mod 64. So the loops vectorise and give the same bits
    on every processor.

    Parameters
    ----------
    counts : float64 (m), whole.
    probability, log_probability : float64 (m), under the truth.
    total : the tokens of the state.
    out : float64 (6), indexed by SUM_*.
    """
    m = counts.shape[0]
    if m < _LANES:
        _few_sums(counts, probability, log_probability, total, out)
        return
    lanes = np.zeros((6, _LANES))
    support, squares, x_log_x, distance, x_log_p, covered = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5]
    share = 1.0 / total
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
            squares[j] += x[j] * x[j]
        for j in range(stop):
            x_log_x[j] += _X_LOG_X[np.uint64(x[j])] if x[j] < _TABLED else x[j] * math.log(x[j])
        for j in range(stop):
            distance[j] += abs(x[j] * share - p[j]) if x[j] > 0.0 else 0.0
        for j in range(stop):
            x_log_p[j] += x[j] * log_p[j] if x[j] > 0.0 else 0.0
        for j in range(stop):
            covered[j] += p[j] if x[j] > 0.0 else 0.0
    for k in range(N_SUMS):
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
def add_blocks(partial, out):
    """Add the sums of the blocks of a replicate in ascending order: ``(N,6)->(6)``."""
    for k in range(N_SUMS):
        total = 0.0
        for block in range(partial.shape[0]):
            total += partial[block, k]
        out[k] = total
