"""Verification of the theory of biased, verified, tilted and filtered Gaussian samples by raw simulation, as z-scores.

Each test states its number of comparisons. Each has a negative control: a slightly wrong theory that the same data must
reject.
"""

import numpy as np
import pytest

from fastcollapse.theory.gaussian.sampling_bias import (
    bias_accumulate_moments,
    bias_accumulate_power_law,
    bias_fresh_limit,
    bias_fresh_moments,
    bias_replace_log_sigma,
    bias_replace_variance,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.verifier import tilted_mean, truncated_variance_factor, verifier_path
from tests._goodness_of_fit import z_scores

# Fewer than 150 z-scores in this file, 5.7e-7 each: 9e-5 in all.
Z_LIMIT = 5.0
DDOF = {"unbiased": 1, "mle": 0}


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def biased(lam):
    """Return a function that draws points with lam times the deviation of each replicate."""
    return lambda mean, sigma, n, rng: mean[:, None] + lam * sigma[:, None] * rng.standard_normal((len(mean), n))


def chains(draw, n, last, n_replicates, seed, *, keep=False, n_real=0, first_real=False, estimator="mle", sigma0=1.0):
    """Return means and deviations (R, T+1) of raw chains.

    `draw` has a map; real points, and the first batch if it is real, have none. `keep`: the pool keeps all points.
    """
    rng = np.random.default_rng(seed)
    means, sigmas = np.zeros((n_replicates, last + 1)), np.full((n_replicates, last + 1), sigma0)
    pool = np.empty((n_replicates, 0))
    for t in range(1, last + 1):
        draws = biased(1.0) if first_real and t == 1 else draw
        points = draws(means[:, t - 1], sigmas[:, t - 1], n, rng)
        real = sigma0 * rng.standard_normal((n_replicates, n_real))
        pool = np.concatenate([pool, points, real], axis=1) if keep else np.concatenate([points, real], axis=1)
        means[:, t] = pool.mean(axis=1)
        sigmas[:, t] = pool.std(axis=1, ddof=DDOF[estimator])
    return means, sigmas


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize("lam", [0.8, 1.1])
def test_bias__replacement(lam, estimator):
    # 2 x 5 comparisons for each case.
    n, last = 10, 5
    t = np.arange(1, last + 1)
    _, sigmas = chains(biased(lam), n, last, 20_000, 1, estimator=estimator)
    variances, logs = sigmas[:, 1:] ** 2, np.log(sigmas[:, 1:])
    assert not reject(z_scores(variances, bias_replace_variance(lam, n, t, estimator)))
    assert not reject(z_scores(logs, bias_replace_log_sigma(lam, n, t, estimator)))
    assert reject(z_scores(variances, bias_replace_variance(lam + 0.01, n, t, estimator)))
    assert reject(z_scores(logs, bias_replace_log_sigma(lam + 0.01, n, t, estimator)))


@pytest.mark.parametrize("lam", [0.8, 1.1])
def test_bias__accumulation(lam):
    # 2 x 40 comparisons for each case, and one of the power law.
    n, last = 10, 40
    t = np.arange(1, last + 1)
    means, sigmas = chains(biased(lam), n, last, 5000, 2, keep=True, first_real=True)
    for values, k in ((sigmas[:, 1:] ** 2, 0), (means[:, 1:] ** 2, 1)):
        assert not reject(z_scores(values, bias_accumulate_moments(lam, n, t)[k]))
        assert reject(z_scores(values, bias_accumulate_moments(lam + (0.02 if k == 0 else 0.2), n, t)[k]))
    # The power law is 0.2 % off at t = 40.
    C, a = bias_accumulate_power_law(lam, n)
    last_variance = sigmas[:, -1] ** 2
    assert not reject(z_scores(last_variance, C * last**-a, rounding=3e-3 * C * last**-a))
    assert reject(z_scores(last_variance, C * last ** (-a - 0.02), rounding=3e-3 * C * last**-a))


def test_bias__fresh_real_points():
    # 2 x 15 comparisons.
    lam, last = 0.7, 15
    t = np.arange(1, last + 1)
    means, sigmas = chains(biased(lam), 15, last, 10_000, 3, n_real=5)
    for values, k in ((sigmas[:, 1:] ** 2, 0), (means[:, 1:] ** 2, 1)):
        assert not reject(z_scores(values, bias_fresh_moments(lam, 5, 15, t)[k]))
        assert reject(z_scores(values, bias_fresh_moments(lam + 0.05, 5, 15, t)[k]))


def test_bias__limit_of_many_points():
    # 1 comparison; at N = 4,000 the limit is 2e-4 off.
    _, sigmas = chains(biased(0.7), 3000, 12, 200, 4, n_real=1000)
    last = sigmas[:, -1] ** 2
    assert not reject(z_scores(last, bias_fresh_limit(0.7, 0.25), rounding=3e-4))
    assert reject(z_scores(last, bias_fresh_limit(0.7, 0.26), rounding=3e-4))


def truncated(c):
    """Return a function that draws points within c deviations of the mean, by rejection."""

    def draw(mean, sigma, n, rng):
        points = rng.standard_normal((len(mean), n))
        while (out := np.abs(points) >= c).any():
            points[out] = rng.standard_normal(out.sum())
        return mean[:, None] + sigma[:, None] * points

    return draw


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize("keep", [False, True])
def test_truncation__has_the_expectations_of_a_bias(keep, estimator):
    # 2 x 4 comparisons for each case: any schedule with a bias.
    n, last, c = 8, 4, 1.5
    means, sigmas = chains(truncated(c), n, last, 20_000, 5, keep=keep, estimator=estimator)

    def theory(bias):
        got = expected_gaussian(np.full(last, n), keep=int(keep), estimator=estimator, bias=bias)
        return [values[1:] for values in got]

    lam = float(np.sqrt(truncated_variance_factor(c)))
    for values, right, wrong in zip((sigmas**2, means**2), theory(lam), theory(1.05 * lam), strict=True):
        assert not reject(z_scores(values[:, 1:], right))
        assert reject(z_scores(values[:, 1:], wrong))


def test_verifier__population_path():
    # 2 x 3 comparisons. At n = 20,000 the path is 1e-4 off.
    v, tau, n = 1.5, 2.0, 20_000
    rng = np.random.default_rng(6)

    def fit(mean, sigma):
        points = mean + sigma * rng.standard_normal(3 * n)
        kept = points[rng.random(3 * n) < np.exp(-((points - v) ** 2) / (2 * tau**2))][:n]
        assert len(kept) == n
        return kept.mean(), kept.std()

    paths = np.zeros((100, 4, 2))
    paths[:, 0] = 0.0, 1.0
    for path in paths:
        for t in range(3):
            path[t + 1] = fit(*path[t])
    for t in (1, 2, 3):
        mean, variance = verifier_path(v, tau, t)
        assert not reject(z_scores(paths[:, t, 0], mean, rounding=1e-4))
        assert not reject(z_scores(paths[:, t, 1] ** 2, variance, rounding=1e-4))
        assert reject(z_scores(paths[:, t, 0], verifier_path(v, tau + 0.1, t)[0], rounding=1e-4))
        assert reject(z_scores(paths[:, t, 1] ** 2, verifier_path(v, tau + 0.1, t)[1], rounding=1e-4))


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
def test_tilt__moves_the_mean(estimator):
    # 6 comparisons for each case. The weight e^(b x) by rejection, below e^(5 b) sigma deviations above the mean.
    b, n, last, rng = 0.3, 10, 6, np.random.default_rng(7)

    def draw(mean, sigma, n, _):
        points = np.empty((len(mean), n))
        left = np.full(points.shape, True)
        while left.any():
            z = rng.standard_normal(left.sum())
            s = np.broadcast_to(sigma[:, None], points.shape)[left]
            accepted = rng.random(len(z)) < np.exp(b * s * (z - 6))
            where = np.flatnonzero(left)[accepted]
            points.flat[where] = z[accepted]
            left.flat[where] = False
        return mean[:, None] + sigma[:, None] * points

    means, sigmas = chains(draw, n, last, 2000, 8, estimator=estimator)
    t = np.arange(1, last + 1)
    assert not reject(z_scores(means[:, 1:], tilted_mean(b, n, t, estimator)))
    assert reject(z_scores(means[:, 1:], tilted_mean(b + 0.03, n, t, estimator)))
    # The deviation is not changed.
    assert not reject(z_scores(sigmas[:, 1:] ** 2, expected_gaussian([n] * last, estimator=estimator)[0][1:]))
