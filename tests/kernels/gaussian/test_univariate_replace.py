"""Random walk of mean and ln sigma, against a plain loop over the same variates."""

import math

import numpy as np
import pytest

from fastcollapse.kernels.gaussian.univariate_replace import STRIP, direct_variates, running_sums, walk
from fastcollapse.kernels.random import streams as rng
from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.threefry import word_pairs
from fastcollapse.kernels.random.ziggurat import log_chi_table, normal_table

N_SAMPLES = 5
LAW = np.array([1 / math.sqrt(N_SAMPLES), 0.01, 1 / math.sqrt(2 * (N_SAMPLES - 1)), 3.0, 2.0, math.log(2.0)])
KEY = StreamKey(np.uint64(9), np.uint64(0), np.uint64(0), np.uint64(1))


def walked(n_replicates, n_generations, blocks=(), n_threads=1, first_replicate=0):
    key = KEY._replace(first_replicate=np.uint64(first_replicate))
    state = np.zeros((2, n_replicates))
    tables = normal_table(), log_chi_table(float(N_SAMPLES - 1))
    parts, first = [], 1
    for length in blocks or (n_generations,):
        out = np.empty((2, n_replicates, length))
        walk(state, LAW, *tables, span_of(key, first, length, n_threads), out[0], out[1])
        parts.append(out)
        first += length
    return np.concatenate(parts, axis=2)


def test_walk__equals_plain_loop():
    n = 300
    got = walked(3, n)
    for replicate in range(3):
        words = np.empty((2, n), np.uint64)
        word_pairs(np.uint64(9), np.uint64(replicate), 1, n, np.uint64(1), *words)
        name = (np.uint64(9), np.uint64(replicate), 1, np.uint64(1))
        z, t, stream = np.empty(n), np.empty(n), np.empty(rng.STREAM_WORDS, np.uint64)
        direct_variates(words[0], normal_table(), n, name, np.uint64(0), stream, z)
        direct_variates(words[1], log_chi_table(float(N_SAMPLES - 1)), n, name, np.uint64(1), stream, t)
        mean, log_sigma = 0.0, 0.0
        for k in range(n):
            mean += LAW[0] * math.exp(log_sigma) * z[k]
            log_sigma += LAW[1] + LAW[2] * t[k]
            np.testing.assert_allclose(got[0, replicate, k], 3 + 2 * mean, rtol=1e-12)
            np.testing.assert_allclose(got[1, replicate, k], math.log(2) + log_sigma, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("blocks", [(1,) * 20 + (380,), (STRIP, STRIP + 1, 143), (399, 1)])
def test_walk__bits_do_not_depend_on_blocks_threads_or_other_replicates(blocks):
    expected = walked(7, 400)
    np.testing.assert_array_equal(walked(7, 400, blocks, n_threads=2), expected)
    parts = [walked(size, 400, first_replicate=first) for first, size in ((0, 1), (1, 4), (5, 2))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)


def test_running_sums__begin_at_start_value():
    steps = np.random.default_rng(1).normal(size=(4, 50))
    out = np.zeros((4, 51))
    out[:, 0] = [1, 2, 3, 4]
    running_sums(steps, 50, out)
    expected = np.cumsum(np.column_stack([[1, 2, 3, 4], steps]), axis=1)
    np.testing.assert_array_equal(out, expected)
