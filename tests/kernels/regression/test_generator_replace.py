"""Chains with a few variates per generation, against raw samples: weights and overlaps, all sample sizes."""

import itertools

import numpy as np
import pytest
from scipy import special, stats

from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.generator_replace import follow_overlaps, follow_weights
from tests._goodness_of_fit import z_scores

# About 150 goodness-of-fit tests in this file, 6e-7 each: 1e-4 in all.
P_LIMIT = 6e-7
N_REPLICATES = 20_000
N_RAW = 3000
SIGMA = 0.5


def key(seed=11):
    return StreamKey(np.uint64(seed), np.uint64(0), np.uint64(0), np.uint64(1))


def weights_of(w0, spectrum, sizes, sigma, n_replicates=N_REPLICATES, seed=11):
    """Return the weights after each generation, float64 (R, B, d)."""
    now, sizes = np.tile(np.asarray(w0, float), (n_replicates, 1)), np.array(sizes)
    out = np.empty((n_replicates, len(sizes), now.shape[1]))
    follow_weights(
        now, np.asarray(spectrum, float), sizes, sigma, normal_table(), span_of(key(seed), 1, len(sizes), 2), out
    )  # fmt: skip
    np.testing.assert_array_equal(now, out[:, -1])
    return out


def overlaps_of(d, sizes, scale, n_replicates=N_REPLICATES, seed=12):
    """Return <w, w0>, <w - w0, w0> and the norm of w orthogonal to w0 after each generation, float64 (R, B, 3)."""
    now, sizes = np.tile([1.0, 0.0, 0.0], (n_replicates, 1)), np.array(sizes)
    out = np.empty((n_replicates, len(sizes), 3))
    follow_overlaps(now, d, sizes, scale, normal_table(), span_of(key(seed), 1, len(sizes), 2), out)
    return out


def raw_weights(w0, variance, sizes, sigma, rng, n_replicates=N_RAW):
    """Return the same from raw samples of isotropic inputs."""
    found, now = [], np.tile(np.asarray(w0, float), (n_replicates, 1))
    for n in sizes:
        x = variance**0.5 * rng.standard_normal((n_replicates, n, len(w0)))
        y = np.einsum("rni,ri->rn", x, now) + sigma * rng.standard_normal((n_replicates, n))
        now = np.einsum("rin,rn->ri", np.linalg.pinv(x), y)
        found.append(now)
    return np.stack(found, axis=1)


def numbers(weights, w0):
    """Return <w, w0>, |w|^2 and |w - w0|^2, in units in which |w0| = 1, float64 (3, R, B)."""
    unit = np.linalg.norm(w0)
    w, w0 = weights / unit, np.asarray(w0) / unit
    return np.stack([w @ w0, (w**2).sum(-1), ((w - w0) ** 2).sum(-1)])


def numbers_of_overlaps(overlaps):
    overlap, ahead, across = np.moveaxis(overlaps, -1, 0)
    return np.stack([overlap, overlap**2 + across**2, ahead**2 + across**2])


def start(d):
    """Return weights of norm 1.3 along no axis."""
    w0 = np.arange(1.0, d + 1)
    return 1.3 * w0 / np.linalg.norm(w0)


@pytest.mark.parametrize(("d", "n"), [(1, 1), (1, 5), (2, 2), (5, 5), (5, 6), (20, 30), (4, 10**12)])
def test_least_squares__error_is_ratio_of_chi_squares(d, n):
    spectrum = np.arange(1.0, d + 1) ** -2
    gap = weights_of(start(d), spectrum, [n], SIGMA)[:, 0] - start(d)
    error, degrees = (gap**2 @ spectrum) / SIGMA**2, n - d + 1
    assert stats.kstest(error * degrees / d, stats.f(d, degrees).cdf).pvalue > P_LIMIT
    # Each coordinate by itself: Student's law.
    for i in {0, d - 1}:
        scaled = gap[:, i] * (spectrum[i] * degrees) ** 0.5 / SIGMA
        assert stats.kstest(scaled, stats.t(degrees).cdf).pvalue > P_LIMIT
    # Negative controls: degrees of freedom off by one, or one dimension more if the degrees are too many to reject.
    if n <= 100:
        wrong = [degrees + 1] if n == d else [degrees - 1, degrees + 1]
        assert all(stats.kstest(error * nu / d, stats.f(d, nu).cdf).pvalue < P_LIMIT for nu in wrong)
    else:
        assert stats.kstest(error * degrees / d, stats.f(d + 1, degrees).cdf).pvalue < P_LIMIT
        assert stats.kstest(error * degrees, stats.chi2(d).cdf).pvalue > P_LIMIT


FEW = [(2, 1), (3, 1), (3, 2), (5, 2), (6, 5), (10, 4)]


@pytest.mark.parametrize(("d", "n"), FEW)
def test_minimum_norm__has_law_of_raw_fits(d, n):
    rng, w0, variance, sizes = np.random.default_rng(3), start(d), 2.0, [n] * 3
    expected = raw_weights(w0, variance, sizes, SIGMA, rng)
    got = weights_of(w0, np.full(d, variance), sizes, SIGMA)
    overlaps = overlaps_of(d, sizes, SIGMA / (variance**0.5 * np.linalg.norm(w0)))
    raw, mine, short = numbers(expected, w0), numbers(got, w0), numbers_of_overlaps(overlaps)
    for t, i in itertools.product((0, 2), range(3)):
        assert stats.ks_2samp(mine[i, :, t], raw[i, :, t]).pvalue > P_LIMIT
        assert stats.ks_2samp(short[i, :, t], raw[i, :, t]).pvalue > P_LIMIT
    # A coordinate that mixes w0 and the orthogonal part.
    assert stats.ks_2samp(got[:, 2, 0], expected[:, 2, 0]).pvalue > P_LIMIT
    # Negative control: one sample more, or less.
    wrong = numbers(weights_of(w0, np.full(d, variance), [n - 1 if n + 1 == d else n + 1] * 3, SIGMA), w0)
    if n > 1 or n + 1 < d:
        assert min(stats.ks_2samp(wrong[i, :, 2], raw[i, :, 2]).pvalue for i in range(3)) < P_LIMIT
    wrong = numbers_of_overlaps(overlaps_of(d, sizes, 1.3 * SIGMA / (variance**0.5 * np.linalg.norm(w0))))
    assert min(stats.ks_2samp(wrong[i, :, 2], raw[i, :, 2]).pvalue for i in range(3)) < P_LIMIT


@pytest.mark.parametrize(("d", "n"), [*FEW, (100, 50), (100, 99), (100, 1)])
def test_projection__retained_share_is_beta(d, n):
    squares = (weights_of(start(d), np.ones(d), [n], 0.0)[:, 0] ** 2).sum(-1) / 1.3**2
    short = numbers_of_overlaps(overlaps_of(d, [n], 0.0))[1, :, 0]
    for share in (squares, short):
        assert stats.kstest(share, stats.beta(n / 2, (d - n) / 2).cdf).pvalue > P_LIMIT
        # Negative control: two more samples, or with 99 samples one more missing dimension; two more of 99 are not
        # rejected.
        wrong = stats.beta(n / 2 + 1, (d - n) / 2) if n < 90 else stats.beta(n / 2, (d - n + 1) / 2)
        assert stats.kstest(share, wrong.cdf).pvalue < P_LIMIT
    # Projection: the overlap with w0 equals the squared norm.
    w = weights_of(start(d), np.ones(d), [n], 0.0, 50)[:, 0]
    np.testing.assert_allclose(w @ start(d), (w**2).sum(-1), rtol=1e-10)
    overlap, _, across = overlaps_of(d, [n], 0.0, 50)[:, 0].T
    np.testing.assert_allclose(overlap, overlap**2 + across**2, rtol=1e-10)


@pytest.mark.parametrize("sizes", [[9, 1, 2, 6, 5, 30], [2, 1, 7], [1, 1, 1, 40]])
def test_overlaps__have_law_of_weights(sizes):
    d = 6
    got, expected = numbers_of_overlaps(overlaps_of(d, sizes, SIGMA)), numbers(
        weights_of(start(d), np.ones(d), sizes, SIGMA * 1.3), start(d)
    )  # fmt: skip
    for i, t in itertools.product(range(3), range(len(sizes))):
        assert stats.ks_2samp(got[i, :, t], expected[i, :, t], method="asymp").pvalue > P_LIMIT
    wrong = numbers_of_overlaps(overlaps_of(d, sizes, 1.2 * SIGMA))
    assert min(stats.ks_2samp(wrong[i, :, -1], expected[i, :, -1]).pvalue for i in range(3)) < P_LIMIT


def test_overlaps__are_accurate_near_truth():
    """An error of 1e-17 |w0|^2, below the rounding of <w, w0> and |w|^2."""
    d, n, scale = 7, 10**9, 1e-5
    gap = numbers_of_overlaps(overlaps_of(d, [n], scale))[2, :, 0] / scale**2 * n
    assert stats.kstest(gap, stats.chi2(d).cdf).pvalue > P_LIMIT
    assert stats.kstest(gap, stats.chi2(d - 1).cdf).pvalue < P_LIMIT


@pytest.mark.parametrize("follow", ["weights", "overlaps"])
def test_without_noise__signal_decays_at_exact_rate(follow):
    d, n, n_generations, n_replicates = 8, 3, 300, 500
    if follow == "weights":
        squares = numbers(weights_of(start(d), np.ones(d), [n] * n_generations, 0.0, n_replicates), start(d))[1]
    else:
        squares = numbers_of_overlaps(overlaps_of(d, [n] * n_generations, 0.0, n_replicates))[1]
    drift = special.digamma(n / 2) - special.digamma(d / 2)
    logs = np.log(squares)
    # |w|^2 is a product of independent Beta variates, 1e-160 after 300 generations; two comparisons of 4.5 deviations.
    assert np.median(logs[:, -1]) < -300
    assert abs(z_scores(logs[:, -1], n_generations * drift)) < 4.5
    assert abs(z_scores(logs[:, -1] - logs[:, 149], (n_generations - 150) * drift)) < 4.5
    assert abs(z_scores(logs[:, -1], (n_generations + 3) * drift)) > 4.5


@pytest.mark.parametrize(("d", "n"), [(2, 1), (3, 2), (8, 3)])
def test_without_noise__thousands_of_generations_end_at_zero(d, n):
    weights = weights_of(start(d), np.ones(d), [n] * 4000, 0.0, 20)
    assert np.isfinite(weights).all()
    assert (weights[:, -1] == 0).all()
    short = overlaps_of(d, [n] * 4000, 0.0, 20)
    assert np.isfinite(short).all()
    np.testing.assert_array_equal(short[:, -1, 0], 0.0)
    np.testing.assert_array_equal(short[:, -1, 2], 0.0)
    # The angle to w0 has the law of a uniform direction.
    overlap, across = short[:, 50 if d > 2 else 30, 0], short[:, 50 if d > 2 else 30, 2]
    assert (np.hypot(overlap, across) > 0).all()
    assert (np.abs(overlap) <= np.hypot(overlap, across)).all()


def test_noise__restores_weights_from_zero():
    """Weights that have vanished, then noise again: the law of a fit to pure noise."""
    d, n = 6, 3
    raw = raw_weights(np.zeros(d), 1.0, [n], SIGMA, np.random.default_rng(5))
    out = np.empty((N_REPLICATES, 1, d))
    follow_weights(
        np.zeros((N_REPLICATES, d)), np.ones(d), np.array([n]), SIGMA, normal_table(), span_of(key(), 1, 1, 2), out
    )  # fmt: skip
    short = np.empty((N_REPLICATES, 1, 3))
    nothing = np.tile([0.0, -1.0, 0.0], (N_REPLICATES, 1))
    follow_overlaps(nothing, d, np.array([n]), SIGMA, normal_table(), span_of(key(), 1, 1, 2), short)
    w0 = np.ones(d) / d**0.5
    got, expected, few = numbers(out, w0), numbers(raw, w0), numbers_of_overlaps(short)
    for i in range(3):
        assert stats.ks_2samp(got[i, :, 0], expected[i, :, 0]).pvalue > P_LIMIT
        assert stats.ks_2samp(few[i, :, 0], expected[i, :, 0]).pvalue > P_LIMIT
        assert stats.ks_2samp(1.3 * few[i, :, 0], expected[i, :, 0]).pvalue < P_LIMIT


def test_least_squares__without_noise_is_constant():
    w0 = start(5)
    np.testing.assert_array_equal(weights_of(w0, np.ones(5), [5, 9, 10**15], 0.0, 3), np.tile(w0, (3, 3, 1)))
    np.testing.assert_array_equal(overlaps_of(5, [5, 9, 10**15], 0.0, 3), np.tile([1.0, 0.0, 0.0], (3, 3, 1)))


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_weights__law_is_scale_invariant(scale):
    d, sizes = 5, [2, 9, 4]
    expected = weights_of(start(d), np.ones(d), sizes, SIGMA, 100)
    got = weights_of(scale * start(d), np.ones(d), sizes, scale * SIGMA, 100)
    np.testing.assert_allclose(got / scale, expected, rtol=1e-9, atol=1e-12)
