"""Fits to real and synthetic rows together: the exact sampler against raw rows in law, drawn rows against NumPy."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.random.streams import STREAM_WORDS, StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table, ziggurat
from fastcollapse.kernels.regression.designs import (
    GAUSSIAN,
    RADEMACHER,
    REDUCED,
    ROWS,
    STUDENT,
    UNIFORM,
    Design,
    Sampler,
    draw_rows,
)
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, open_downstream
from fastcollapse.kernels.regression.downstream_mixed import LabelSources, draw_deltas, evaluate_mixed
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, SYNTHETIC, RegressionTruth

pytestmark = pytest.mark.usefixtures("one_blas_thread")

KEY = StreamKey(*np.array([11, 4, 0, 0], np.uint64))
# 3 sizes x 3 ridges x 6 columns are compared by Kolmogorov-Smirnov tests of samples that they share in part, 2e-5 each.
P_LIMIT = 2e-5
D = 8
SPECTRUM = np.arange(1, D + 1.0) ** -1.0
TRUTH = RegressionTruth(SPECTRUM, np.linspace(1, -2, D))
DELTA = 0.5 * np.cos(np.arange(D))
SIGMAS = 0.5, 0.9
RIDGES = np.array([0.0, 0.03, 1.0])
TABLE = np.random.default_rng(3).normal(size=(12, D))


def design_of(law):
    return Design(np.int64(law), 5.0, np.sqrt(SPECTRUM), TABLE)


def evaluated(law, n_samples, n_synthetic, n_replicates, tuned=False, n_threads=2, key=KEY, parts=True, start=None):
    """Return float64 (R, M, P, L, 6)."""
    sizes = np.array(n_samples)
    weights = np.tile(TRUTH.w0 + 1.0 if start is None else start, (n_replicates, 1, 1))
    downstream = Downstream(sizes, np.tile(RIDGES, (len(sizes), 1)), SIGMAS[0], parts, tuned)
    n_rows, deltas = np.array(n_synthetic), np.tile(DELTA, (n_replicates, 1, 1))
    out = np.full((n_replicates, 1, *n_rows.shape, len(RIDGES), N_COLUMNS), np.nan)
    sources = LabelSources(weights, np.array([7]), deltas, n_rows, SIGMAS[1])
    evaluate_mixed(sources, TRUTH, design_of(law), downstream, normal_table(), key, n_threads, out)
    return out[:, 0]


def columns(rows, noise, n_synthetic, ridge, w0=TRUTH.w0, delta=DELTA):
    """Return the output columns of one fit, by their definition; the last rows are synthetic."""
    n = len(rows)
    wrong = np.where(np.arange(n) >= n - n_synthetic, rows @ delta, 0.0)
    fit = np.linalg.solve(rows.T @ rows / n + ridge * np.eye(D), rows.T / n) if ridge else np.linalg.pinv(rows)
    parts = fit @ rows @ w0 - w0, fit @ noise, fit @ wrong
    error = sum(parts)
    squares = [part**2 @ SPECTRUM for part in (error, *parts)]
    return np.array([*squares, (error + w0) @ (error + w0), (error + w0) @ w0])


@pytest.mark.parametrize("law", [GAUSSIAN, RADEMACHER, UNIFORM, STUDENT, ROWS])
@pytest.mark.parametrize("tuned", [False, True])
def test_evaluate_mixed__fits_drawn_rows(law, tuned):
    sizes, shares, start = [5, 30], [[0, 2, 5], [30, 12, 1]], TRUTH.w0 + np.linspace(0, 1, D)
    got = evaluated(law, sizes, shares, 2, tuned, start=start)
    for replicate, index in np.ndindex(2, 2):
        n, streams = sizes[index], np.empty((2, STREAM_WORDS), np.uint64)
        open_downstream(KEY, replicate, 7, index, streams)
        rows = np.empty((n, D))
        sampler = Sampler(np.empty(D, np.uint64), streams, rows, np.empty(0), np.empty(0))
        draw_rows(design_of(law), n, normal_table(), sampler, rows)
        noise = np.array([ziggurat(normal_table(), streams[0]) for _ in range(n)])
        for share, n_synthetic in enumerate(shares[index]):
            own = noise * np.where(np.arange(n) < n - n_synthetic, *SIGMAS)
            for k, ridge in enumerate(RIDGES):
                w0 = TRUTH.w0 - start if tuned else TRUTH.w0
                expected = columns(rows, own, n_synthetic, ridge, w0)
                np.testing.assert_allclose(got[replicate, index, share, k], expected, rtol=1e-8, atol=1e-11)
    # Negative control: another number of synthetic rows.
    assert not np.allclose(got[1, 1, 1, 1], columns(rows, own, 13, RIDGES[1], w0), rtol=1e-3)


@pytest.mark.parametrize(("n_samples", "n_synthetic"), [(5, 2), (12, 9), (30, 11)])
def test_evaluate_mixed__two_factors_have_law_of_raw_rows(n_samples, n_synthetic):
    """Fewer rows than inputs, fewer real ones than inputs, and more of both."""
    got, rng = evaluated(REDUCED, [n_samples], [[n_synthetic]], 4000)[:, 0, 0], np.random.default_rng(n_samples)
    expected = np.empty((2500, len(RIDGES), N_COLUMNS))
    sigmas = np.where(np.arange(n_samples) < n_samples - n_synthetic, *SIGMAS)
    for made in expected:
        rows, noise = rng.normal(size=(n_samples, D)) * np.sqrt(SPECTRUM), sigmas * rng.normal(size=n_samples)
        made[:] = [columns(rows, noise, n_synthetic, ridge) for ridge in RIDGES]
    for k in range(len(RIDGES)):
        for column in range(N_COLUMNS):
            if k or column != 1 or n_samples < D:  # without a ridge the bias is rounding
                found = stats.ks_2samp(got[:, k, column], expected[:, k, column], method="asymp").pvalue
                assert found > P_LIMIT, (k, column)
    # Negative control: one synthetic row less.
    wrong = evaluated(REDUCED, [n_samples], [[n_synthetic - 1]], 4000)[:, 0, 0]
    assert stats.ks_2samp(wrong[:, 1, SYNTHETIC], expected[:, 1, SYNTHETIC], method="asymp").pvalue < P_LIMIT


@pytest.mark.parametrize("law", [REDUCED, STUDENT])
def test_evaluate_mixed__bits_do_not_depend_on_threads_split_parts_or_other_shares(law):
    sizes, shares = [5, 30], [[0, 2], [30, 12]]
    expected = evaluated(law, sizes, shares, 5, n_threads=1)
    np.testing.assert_array_equal(evaluated(law, sizes, shares, 5, n_threads=2), expected)
    later = KEY._replace(first_replicate=np.uint64(6))
    np.testing.assert_array_equal(evaluated(law, sizes, shares, 3, key=later), expected[2:])
    np.testing.assert_array_equal(evaluated(law, sizes, [[2], [12]], 5)[:, :, 0], expected[:, :, 1])
    alone = evaluated(law, sizes, shares, 5, parts=False)
    np.testing.assert_array_equal(alone[..., [0, 4, 5]], expected[..., [0, 4, 5]])


def test_evaluate_mixed__rows_of_low_rank_and_none():
    """Repeated rows leave a null space; rows of zeros say nothing."""
    for table in (np.ones((1, D)), np.zeros((1, D))):
        design = Design(np.int64(ROWS), 5.0, np.sqrt(SPECTRUM), table)
        out = np.full((1, 1, 1, 1, 3, N_COLUMNS), np.nan)
        downstream = Downstream(np.array([10]), RIDGES[None], 0.0, True)
        sources = LabelSources(TRUTH.w0[None, None], np.array([0]), DELTA[None, None], np.array([[2]]), 0.0)
        evaluate_mixed(sources, TRUTH, design, downstream, normal_table(), KEY, 1, out)
        rows = np.tile(table, (10, 1))
        for k, ridge in enumerate(RIDGES):
            np.testing.assert_allclose(out[0, 0, 0, 0, k], columns(rows, np.zeros(10), 2, ridge), rtol=1e-8, atol=1e-12)


def test_draw_deltas__are_normal_and_belong_to_the_replicate():
    out = np.empty((4000, 3))
    draw_deltas(0.5, normal_table(), KEY, out)
    assert stats.kstest(out.ravel() / 0.5, "norm").pvalue > 1e-6
    later = np.empty((5, 3))
    draw_deltas(0.5, normal_table(), KEY._replace(first_replicate=np.uint64(6)), later)
    np.testing.assert_array_equal(later, out[2:7])
