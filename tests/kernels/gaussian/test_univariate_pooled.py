"""Compiled schedules, and one refit of every kind (pooled and subsampled) with known moments."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.kernels.gaussian.univariate_map import UnivariateSource
from fastcollapse.kernels.gaussian.univariate_pooled import draw_real, refit_pools
from fastcollapse.kernels.gaussian.univariate_subsampled import refit_subsamples
from fastcollapse.kernels.random.streams import STREAM_WORDS, StreamKey, generation_stream_pair, span_of
from fastcollapse.kernels.random.wishart import (
    bartlett_factor,
    fill_normals,
    multiply_on,
    pool_factor,
    write_factor,
)
from fastcollapse.kernels.random.ziggurat import normal_table

KEY = StreamKey(np.uint64(4), np.uint64(0), np.uint64(0), np.uint64(1))
# About 25 goodness-of-fit tests in this file, 4e-6 each: 1e-4 in all.
P_LIMIT = 4e-6
N_REPLICATES = 20_000


def test_kernel_schedule__counts_points():
    schedule = AccumulateSubsample(n_samples=5, keep_real=True, replacement=False, n_train=4).schedule(3, None)
    compiled = kernel_schedule(schedule, bias=1)
    np.testing.assert_array_equal(compiled.n_kept, [0, 5, 10])
    np.testing.assert_array_equal(compiled.divisor, [3, 3, 3])
    compiled = kernel_schedule(Accumulate(n_samples=5, keep_real=False).schedule(3, None))
    np.testing.assert_array_equal(compiled.n_kept, [0, 0, 5])
    np.testing.assert_array_equal(compiled.divisor, [5, 5, 10])
    compiled = kernel_schedule(Mix(n_samples=5, n_real=2, real="fresh").schedule(2, None), bias=1)
    np.testing.assert_array_equal(compiled.divisor, [6, 6])


def test_draw_real__law():
    real = np.empty((2, N_REPLICATES))
    draw_real(6.0, normal_table(), KEY, real)
    assert stats.kstest(real[0] * 6**0.5, "norm").pvalue > P_LIMIT
    assert stats.kstest(real[1], stats.chi2(5).cdf).pvalue > P_LIMIT
    assert stats.kstest(real[1], stats.chi2(6).cdf).pvalue < P_LIMIT


def first_fits(kernel, schedule):
    """Return mean and ln sigma, float64 (2, R), of the first generation from the standard normal law, divided by n."""
    state, out = np.zeros((2, N_REPLICATES)), np.empty((2, N_REPLICATES, 1))
    truth = np.array([0.0, 1.0, 0.0])
    if kernel is refit_pools:
        middle = (np.zeros((2, 0)), kernel_schedule(schedule), truth)
    else:
        pool = np.zeros((N_REPLICATES, 20))
        middle = (pool, kernel_schedule(schedule), UnivariateSource(*truth.tolist()))
    kernel(state, *middle, normal_table(), span_of(KEY, 1, 1, 2), out[0], out[1])
    return out[:, :, 0]


FIRST = [
    (refit_pools, Replace(n_samples=[8, 9]), 8),
    (refit_pools, Accumulate(n_samples=8, keep_real=True), 8),
    (refit_pools, Mix(n_samples=6, n_real=2, real="fresh"), 8),
    (refit_pools, Mix(n_samples=1, n_real=7, real="fresh"), 8),
    (refit_subsamples, AccumulateSubsample(n_samples=12, keep_real=True, replacement=False, n_train=8), 8),
]


@pytest.mark.parametrize(("kernel", "workflow", "n"), FIRST)
def test_first_fit__has_law_of_one_sample(kernel, workflow, n):
    mean, log_sigma = first_fits(kernel, workflow.schedule(2, None))
    assert stats.kstest(mean * n**0.5, "norm").pvalue > P_LIMIT
    assert stats.kstest(n * np.exp(2 * log_sigma), stats.chi2(n - 1).cdf).pvalue > P_LIMIT
    assert stats.kstest(n * np.exp(2 * log_sigma), stats.chi2(n).cdf).pvalue < P_LIMIT
    # Cochran's theorem: the two are independent.
    assert abs(stats.spearmanr(mean, log_sigma).statistic) * N_REPLICATES**0.5 < 5


def wisharts(degrees, d, n):
    streams, words, out = np.empty((2, STREAM_WORDS), np.uint64), np.empty(d, np.uint64), np.empty((n, d, d))
    for i in range(n):
        generation_stream_pair(KEY, i, 1, np.uint64(1), streams)
        bartlett_factor(degrees, normal_table(), words, streams, out[i])
    return out


@pytest.mark.parametrize(("degrees", "d"), [(9, 4), (4, 4), (2, 4), (0, 2)])
def test_bartlett_factor__law(degrees, d):
    factors = wisharts(degrees, d, 4000)
    assert (np.triu(factors, 1) == 0).all()
    assert (factors[:, :, degrees:] == 0).all()
    for j in range(min(degrees, d)):
        diagonal = factors[:, j, j] ** 2
        assert stats.kstest(diagonal, stats.chi2(degrees - j).cdf).pvalue > P_LIMIT
        assert stats.kstest(diagonal, stats.chi2(degrees - j + 1).cdf).pvalue < P_LIMIT
    below = factors[:, *np.tril_indices(d, -1)][:, : min(1, degrees)]
    assert below.size == 0 or stats.kstest(below.ravel(), "norm").pvalue > P_LIMIT


def test_fill_normals__law():
    streams, out = np.empty((2, STREAM_WORDS), np.uint64), np.empty(200_000)
    generation_stream_pair(KEY, 1, 1, np.uint64(1), streams)
    fill_normals(normal_table(), np.empty(len(out), np.uint64), streams, out)
    assert stats.kstest(out, "norm").pvalue > P_LIMIT


def test_factors__multiply_as_matrices():
    d, rng = 5, np.random.default_rng(1)
    factor = np.tril(rng.normal(size=(d, d)), -1) + np.diag(rng.uniform(0.5, 3, d))
    start = np.tril(rng.normal(size=(d, d)), -1) + np.diag([1e-3, 2, 1e-6, 5, 0.1])
    unit, log_diagonal = start / start.diagonal(), np.log(start.diagonal())
    z = rng.normal(size=d)
    pooled = factor.copy()
    pool_factor(pooled, z, 0.75, 3.0, np.zeros((d, d)), np.zeros((d, d)))
    expected = 3 * np.eye(d) + factor @ factor.T + 0.75 * np.outer(z, z)
    np.testing.assert_allclose(np.tril(pooled) @ np.tril(pooled).T, expected, rtol=1e-12)
    multiply_on(unit, log_diagonal, factor.copy(), 7.0, np.empty(d, np.int64), np.empty((3, d)))
    out = np.empty((d, d))
    write_factor(unit, log_diagonal, np.empty(d, np.int64), np.empty(d), out)
    np.testing.assert_allclose(out, start @ factor / 7**0.5, rtol=1e-12, atol=1e-18)
