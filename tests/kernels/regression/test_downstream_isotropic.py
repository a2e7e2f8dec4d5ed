"""Bidiagonal samples, against dense solves in long double, and in law against raw samples and the general kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastcollapse.kernels.linalg.bidiagonal import factor_tall, factor_wide, solve_tall, solve_wide
from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, evaluate_downstream
from fastcollapse.kernels.regression.downstream_isotropic import (
    BidiagonalSample,
    IsotropicTruth,
    evaluate_isotropic,
    new_isotropic_workspace,
    solve_isotropic,
)
from fastcollapse.kernels.regression.ridge_path import BIAS, N_COLUMNS, RegressionTruth
from tests.kernels.regression.test_ridge_path import RIDGES, naive, path

pytestmark = pytest.mark.usefixtures("one_blas_thread")

KEY = StreamKey(*np.array([12, 0, 0, 0], np.uint64))
# 111 Kolmogorov-Smirnov tests of samples that they share in part, 1e-5 each: 1e-3 in all.
P_LIMIT = 1e-5
N_REPLICATES = 6000
D, VARIANCE, SIGMA = 20, 1.7, 0.5
LAW_RIDGES = np.array([1e-3, 0.03, 1.0])
# Dimension and samples.
CASES = [(1, 1), (1, 4), (2, 1), (2, 2), (3, 2), (20, 40), (20, 20), (20, 21), (20, 19), (20, 8), (40, 39)]


def sample(d, n_samples, seed=0):
    """Return a BidiagonalSample with variance 1."""
    rng, k = np.random.default_rng([seed, d, n_samples]), min(d, n_samples)
    diagonal = np.sqrt(rng.chisquare(n_samples - np.arange(k)))
    above = np.sqrt(rng.chisquare(np.maximum(d - 1 - np.arange(k), 1e-9)))
    gap = 0.2 * rng.normal(size=k + 1)
    if n_samples >= d:
        above[-1] = gap[-1] = 0.0
    return BidiagonalSample(diagonal, above, 0.3 * rng.normal(size=k), gap)


def dense(reduced, d, n_samples):
    """Return B^T, (n, k), and gap (n): the coordinates beyond n, which no fit can learn."""
    k = len(reduced.diagonal)
    n = k if n_samples >= d else k + 1
    rows = np.zeros((k, n))
    rows[range(k), range(k)] = reduced.diagonal
    rows[range(n - 1), range(1, n)] = reduced.above[: n - 1]
    return np.ascontiguousarray(rows.T), reduced.gap[:n]


def fitted(reduced, d, n_samples, ridges, parts=True, variance=1.0, norm=1.7):
    workspace = new_isotropic_workspace(len(reduced.diagonal), len(ridges))
    out = np.full((len(ridges), N_COLUMNS), np.nan)
    truth = IsotropicTruth(d, variance, norm)
    solve_isotropic(reduced, truth, n_samples, np.asarray(ridges, float), parts, workspace, out)
    return out


def arguments(reduced, d, n_samples, norm=1.7):
    """Return the arguments of the twin and of the general kernel."""
    factor, gap = dense(reduced, d, n_samples)
    return factor, reduced.z, np.ones(len(gap)), norm * np.eye(len(gap))[0], gap


@pytest.mark.parametrize(("d", "n_samples"), CASES)
def test_solve_isotropic__equals_long_double(d, n_samples):
    reduced = sample(d, n_samples)
    expected = naive(*arguments(reduced, d, n_samples), n_samples, RIDGES)
    got = fitted(reduced, d, n_samples, RIDGES)
    # No condition number is squared: the tolerance has four digits more than that of the general kernel.
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300)
    alone = fitted(reduced, d, n_samples, RIDGES, parts=False)
    np.testing.assert_array_equal(alone[:, [0, 4, 5]], got[:, [0, 4, 5]])
    assert np.isnan(alone[:, 1:4]).all()


def test_solve_isotropic__twin_detects_small_change():
    reduced = sample(20, 40)
    expected = naive(*arguments(reduced, 20, 40), 40, RIDGES)
    moved = fitted(reduced._replace(above=reduced.above * (1 + 1e-9)), 20, 40, RIDGES)
    assert np.abs(moved[:, 0] / expected[:, 0] - 1).max() > 1e-11


def test_solve_isotropic__minimum_norm_far_from_square():
    # Entries above the diagonal are larger than those on it: products of their ratios go beyond 1e300.
    reduced = sample(4000, 2000)
    got = fitted(reduced, 4000, 2000, [0.0, 1e-300, 1e-16])
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, got[[0]].repeat(3, axis=0), rtol=1e-10)


sizes = st.tuples(st.integers(1, 12), st.integers(1, 25), st.integers(0, 1000))


@given(sizes)
def test_solve_isotropic__limits_are_minimum_norm_and_zero(size):
    d, n_samples, seed = size
    reduced = sample(d, n_samples, seed)
    factor, gap = dense(reduced, d, n_samples)
    weights = gap + 1.7 * np.eye(len(gap))[0]
    fit = np.linalg.pinv(factor.T) @ (factor.T @ weights + reduced.z)
    got = fitted(reduced, d, n_samples, [0.0, 1e14])
    np.testing.assert_allclose(got[0, 4:], [fit @ fit, 1.7 * fit[0]], rtol=1e-6, atol=1e-9)
    assert got[1, 4] < 1e-20 * (1 + fit @ fit + weights @ weights)
    np.testing.assert_allclose(got[1, 0], 1.7**2, rtol=1e-9)


@given(sizes, st.floats(-9, 3))
def test_kernels__agree_under_rotation(size, exponent):
    d, n_samples, seed = size
    ridges = [10.0**exponent]
    reduced = sample(d, n_samples, seed)
    factor, z, ones, w0, gap = arguments(reduced, d, n_samples)
    expected = fitted(reduced, d, n_samples, ridges)
    np.testing.assert_allclose(path(factor, z, ones, w0, gap, n_samples, ridges), expected, rtol=1e-8, atol=1e-300)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(w0), len(w0))))[0]
    turned = path(turn @ factor, z, ones, turn @ w0, turn @ gap, n_samples, ridges)
    columns = [0, 2, 3, 4, 5]  # the bias tends to 0 with the ridge, and a full factor loses its digits
    np.testing.assert_allclose(turned[:, columns], expected[:, columns], rtol=1e-6, atol=1e-12)


def evaluated(
    n_samples, ridges, n_replicates=N_REPLICATES, n_threads=2, key=KEY, generations=(1,), overlaps=(0.7, 1.1)
):
    """Return float64 (R, G, M, L, 6) at |w0| = 1.3."""
    n_samples, ridges = np.asarray(n_samples), np.asarray(ridges, float)
    states = np.tile(overlaps, (n_replicates, len(generations), 1))
    out = np.full((n_replicates, len(generations), len(n_samples), ridges.shape[1], N_COLUMNS), np.nan)
    truth, downstream = IsotropicTruth(D, VARIANCE, 1.3), Downstream(n_samples, ridges, SIGMA, True)
    evaluate_isotropic(
        Generators(states, np.array(generations)), truth, downstream, normal_table(), key, n_threads, out
    )
    return out


def vectors():
    """Return w0 and w with the overlaps of `evaluated`."""
    rng = np.random.default_rng(3)
    w0, other = rng.normal(size=(2, D))
    w0 *= 1.3 / np.linalg.norm(w0)
    other -= w0 * (other @ w0) / (w0 @ w0)
    return w0, 0.7 * w0 / 1.3 + 1.1 * other / np.linalg.norm(other)


def raw(n_samples, seed):
    """Return float64 (R, L, 6) of rows that are drawn and fitted."""
    rng, (w0, weights) = np.random.default_rng(seed), vectors()
    rows = rng.normal(size=(N_REPLICATES, n_samples, D)) * np.sqrt(VARIANCE)
    noise = SIGMA * rng.normal(size=(N_REPLICATES, n_samples, 1))
    turned = rows.transpose(0, 2, 1) / n_samples
    gram = turned @ rows
    out = np.empty((N_REPLICATES, len(LAW_RIDGES), N_COLUMNS))
    sides = np.concatenate([gram @ w0[:, None], turned @ noise, gram @ (weights - w0)[:, None]], axis=2)
    for k, ridge in enumerate(LAW_RIDGES):
        parts = np.linalg.solve(gram + ridge * np.eye(D), sides)
        parts[..., 0] -= w0
        fit = parts.sum(axis=2) + w0
        squares = VARIANCE * np.stack([(fit - w0) ** 2, *np.moveaxis(parts**2, 2, 0)]).sum(axis=2)
        out[:, k] = np.stack([*squares, (fit**2).sum(axis=1), fit @ w0], axis=-1)
    return out


def general(n_samples):
    """Return float64 (R, L, 6) of the general kernel."""
    w0, weights = vectors()
    out = np.empty((N_REPLICATES, 1, 1, len(LAW_RIDGES), N_COLUMNS))
    downstream = Downstream(np.array([n_samples]), LAW_RIDGES[None], SIGMA, True)
    truth, states = RegressionTruth(np.full(D, VARIANCE), w0), np.tile(weights, (N_REPLICATES, 1, 1))
    evaluate_downstream(Generators(states, np.array([1])), truth, downstream, normal_table(), KEY, 2, out)
    return out[:, 0, 0]


@pytest.mark.parametrize("n_samples", [35, 20, 12])
def test_evaluate_isotropic__has_law_of_raw_samples_and_general_kernel(n_samples):
    got, expected, other = evaluated([n_samples], [LAW_RIDGES])[:, 0, 0], raw(n_samples, n_samples), general(n_samples)
    for k in range(len(LAW_RIDGES)):
        for column in range(N_COLUMNS):
            assert stats.ks_2samp(got[:, k, column], expected[:, k, column]).pvalue > P_LIMIT, (k, column)
            assert stats.ks_2samp(got[:, k, column], other[:, k, column]).pvalue > P_LIMIT, (k, column)
    # Negative control: one degree of freedom less, at the same T times ridge.
    wrong = evaluated([n_samples - 1], [LAW_RIDGES * n_samples / (n_samples - 1)])[:, 0, 0]
    assert stats.ks_2samp(wrong[:, 0, BIAS], expected[:, 0, BIAS]).pvalue < P_LIMIT


def test_evaluate_isotropic__one_dimension():
    out = np.empty((N_REPLICATES, 1, 1, 1, N_COLUMNS))
    states, downstream = (
        np.tile([2.0, 0.0], (N_REPLICATES, 1, 1)),
        Downstream(np.array([5]), np.zeros((1, 1)), 1.0, True),
    )
    generators, truth = Generators(states, np.array([1])), IsotropicTruth(1, 1.0, 2.0)
    evaluate_isotropic(generators, truth, downstream, normal_table(), KEY, 2, out)
    got = out[:, 0, 0, 0, 2]
    assert stats.kstest(5 * got, stats.f(1, 5).cdf).pvalue > P_LIMIT
    assert stats.kstest(4 * got, stats.f(1, 4).cdf).pvalue < P_LIMIT


def test_evaluate_isotropic__bits_do_not_depend_on_threads_or_split():
    sizes, ridges = [30, 7], np.tile([0.0, 1e-9, 0.1, 5.0], (2, 1))
    expected = evaluated(sizes, ridges, 5, n_threads=1, generations=(0, 3, 4))
    np.testing.assert_array_equal(evaluated(sizes, ridges, 5, n_threads=2, generations=(0, 3, 4)), expected)
    later = KEY._replace(first_replicate=np.uint64(2))
    got = evaluated(sizes, ridges, 3, n_threads=2, key=later, generations=(3,))
    np.testing.assert_array_equal(got[:, 0], expected[2:, 1])


@pytest.mark.parametrize("extra", [0, 1])
def test_bidiagonal__squares_exclude_first_entry(extra):
    reduced = sample(9 if extra else 6, 6, seed=4)
    factor, _ = dense(reduced, 9 if extra else 6, 6)
    rows, shifts = factor.T, np.array([0.5, 3.0])
    labels, lanes = np.arange(1.0, 7.0), [np.empty((6, 2)) for _ in range(3)]
    carried, label, sums, out = lanes[2], np.full(2, labels[0]), np.empty(2), np.empty(2)
    carried[0] = 0.0
    (factor_wide if extra else factor_tall)(reduced.diagonal, reduced.above, shifts, *lanes[:2])
    (solve_wide if extra else solve_tall)(
        reduced.diagonal, reduced.above, *lanes[:2], label, labels, carried, sums, out
    )
    for k, shift in enumerate(shifts):
        x = np.linalg.solve(rows.T @ rows + shift * np.eye(rows.shape[1]), rows.T @ labels)
        np.testing.assert_allclose([out[k], sums[k]], [x[0], x[1:] @ x[1:]], rtol=1e-12)
