"""Sums over the live symbols of a replicate."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.jit import kernel

# What `segment_sums` writes for each state, n its tokens, x its counts, p the truth.
SUM_SUPPORT, SUM_SQUARES, SUM_X_LOG_X, SUM_DISTANCE, SUM_X_LOG_P, SUM_TRUTH = range(6)
N_SUMS = 6
_TABLED = 2048
_X_LOG_X = np.array([0.0] + [x * math.log(x) for x in range(1, _TABLED)])
_LANES = 64


class TruthTable(NamedTuple):
    """The truth: `weights` float64 (1, K), counts or probabilities; `probability` and `log_probability` float64 (K)."""

    weights: np.ndarray
    probability: np.ndarray
    log_probability: np.ndarray


@kernel
def _few_sums(counts, probability, log_probability, total, out):
    """As `segment_sums`, of fewer symbols than lanes: the same additions without the lanes."""
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
    """Write the sums of one block's listed symbols to `out`: ``(m),(m),(m),()->(6)``, O(m).

    The sums are, over the symbols with a count: their number, sum x^2, sum x ln x, sum |x/total - p|, sum x ln p, sum
    p. Element i is added to lane i mod 64, which vectorises and gives the same bits on every processor; blocks are
    added in ascending order.
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
        # One loop a sum: LLVM gives up on the aliases of one loop for all, which then takes three times as long.
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
    for i in range(symbols.shape[0]):
        out[i] = table[np.uint32(symbols[i])]


@kernel
def sums_of_block(replicate, start, length, total, truth, live, scratch, out):
    """Write the sums of a block's list; `scratch` (2, BLOCK) is room for a truth that does not stand beside it."""
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
    """Add the sums of a replicate's blocks, in ascending order: ``(N,6)->(6)``."""
    for k in range(N_SUMS):
        total = 0.0
        for block in range(partial.shape[0]):
            total += partial[block, k]
        out[k] = total
