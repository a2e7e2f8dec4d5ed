"""Downstream regressions from reduced factors, against raw samples in law; independence of threads."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, evaluate_downstream
from fastcollapse.kernels.regression.ridge_path import BIAS, N_COLUMNS, RegressionTruth

pytestmark = pytest.mark.usefixtures("one_blas_thread")

KEY = StreamKey(*np.array([11, 0, 0, 0], np.uint64))
# 54 Kolmogorov-Smirnov tests of samples that they share in part, 2e-5 each: 1e-3 in all.
P_LIMIT = 2e-5
N_REPLICATES = 6000
D = 20
SPECTRUM = np.arange(1, D + 1.0) ** -1.5
TRUTH = RegressionTruth(SPECTRUM, np.linspace(1, -2, D))
WEIGHTS = TRUTH.w0 + 0.3 * np.cos(np.arange(D))
SIGMA = 0.5
RIDGES = np.array([1e-3, 0.03, 1.0])


def evaluated(n_samples, ridges, n_replicates=N_REPLICATES, parts=True, n_threads=2, key=KEY, generations=(1,)):
    """Return float64 (R, G, M, L, 6)."""
    n_samples, ridges = np.asarray(n_samples), np.asarray(ridges, float)
    weights = np.tile(WEIGHTS, (n_replicates, len(generations), 1))
    out = np.full((n_replicates, len(generations), len(n_samples), ridges.shape[1], N_COLUMNS), np.nan)
    downstream = Downstream(n_samples, ridges, SIGMA, parts)
    evaluate_downstream(
        Generators(weights, np.array(generations)), TRUTH, downstream, normal_table(), key, n_threads, out
    )
    return out


def raw(n_samples, ridges, seed):
    """Return float64 (R, L, 6) of rows that are drawn and fitted."""
    rng, w0 = np.random.default_rng(seed), TRUTH.w0
    rows = rng.normal(size=(N_REPLICATES, n_samples, D)) * np.sqrt(SPECTRUM)
    noise = SIGMA * rng.normal(size=(N_REPLICATES, n_samples))
    gram, turned = rows.transpose(0, 2, 1) @ rows / n_samples, rows.transpose(0, 2, 1) / n_samples
    out = np.empty((N_REPLICATES, len(ridges), N_COLUMNS))
    for k, ridge in enumerate(ridges):
        sides = np.stack([gram @ w0, (turned @ noise[..., None])[..., 0], gram @ (WEIGHTS - w0)], axis=-1)
        parts = np.linalg.solve(gram + ridge * np.eye(D), sides)
        parts[..., 0] -= w0[:]
        error = parts.sum(axis=-1)
        fit = error + w0
        squares = [error**2 @ SPECTRUM, *(parts[..., i] ** 2 @ SPECTRUM for i in range(3))]
        out[:, k] = np.stack([*squares, (fit**2).sum(axis=1), fit @ w0], axis=-1)
    return out


@pytest.mark.parametrize("n_samples", [35, 20, 12])
def test_evaluate_downstream__has_law_of_raw_samples(n_samples):
    got, expected = evaluated([n_samples], [RIDGES])[:, 0, 0], raw(n_samples, RIDGES, n_samples)
    for k in range(len(RIDGES)):
        for column in range(N_COLUMNS):
            assert stats.ks_2samp(got[:, k, column], expected[:, k, column]).pvalue > P_LIMIT, (k, column)
    # Negative control: one degree of freedom less, at the same T times ridge.
    wrong = evaluated([n_samples - 1], [RIDGES * n_samples / (n_samples - 1)])[:, 0, 0]
    assert stats.ks_2samp(wrong[:, 0, BIAS], expected[:, 0, BIAS]).pvalue < P_LIMIT


def test_evaluate_downstream__least_squares_has_exact_law():
    # (sigma^2 / chi2_{T-d+1}) chi2_d, a multiple of an F law.
    n_samples = 30
    got = evaluated([n_samples], [[0.0]])[:, 0, 0, 0, 2]
    nu = n_samples - D + 1
    assert stats.kstest(got / SIGMA**2 * nu / D, stats.f(D, nu).cdf).pvalue > P_LIMIT
    assert stats.kstest(got / SIGMA**2 * (nu - 1) / D, stats.f(D, nu - 1).cdf).pvalue < P_LIMIT


def test_evaluate_downstream__bits_do_not_depend_on_threads_split_or_other_replicates():
    sizes, ridges = [30, 7], np.tile([0.0, 1e-9, 0.1, 5.0], (2, 1))
    expected = evaluated(sizes, ridges, 5, n_threads=1, generations=(0, 3, 4))
    np.testing.assert_array_equal(evaluated(sizes, ridges, 5, n_threads=2, generations=(0, 3, 4)), expected)
    later = KEY._replace(first_replicate=np.uint64(2))
    got = evaluated(sizes, ridges, 3, n_threads=2, key=later, generations=(3,))
    np.testing.assert_array_equal(got[:, 0], expected[2:, 1])
    assert len(np.unique(expected[..., 0, 0])) == 5 * 3 * 2


def test_evaluate_downstream__ridge_values_are_independent():
    ridges = np.array([[0.0, 1e-9, 0.1, 5.0]])
    together = evaluated([30], ridges, 3)
    for k in range(4):
        got = evaluated([30], ridges[:, k : k + 1], 3)
        np.testing.assert_allclose(got[..., 0, :], together[..., k, :], rtol=1e-9, atol=1e-300)
