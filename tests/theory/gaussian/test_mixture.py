"""Theorem 4, kurtosis and estimators of the mixture, against the twin and direct likelihoods."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.mixture import (
    approximate_joint_ml,
    approximate_ml_kappa,
    mixture_kurtosis,
    ml_root_exists,
    tail_theorem4,
)
from fastcollapse.theory.gaussian.tail_bounds import tail_theorem3
from tests.naive import mixture as naive


def samples(n_points, n_samples, mu=1.0, seed=5):
    rng = np.random.default_rng(seed)
    return [rng.choice([-1, 1], n_points) * mu + rng.standard_normal(n_points) for _ in range(n_samples)]


def log_likelihood(points, t):
    """Return the mean log likelihood, up to a constant, at mu = t and its best sigma (sigma^2 = m2 - t^2)."""
    variance = (points**2).mean() - t**2
    values = -((np.abs(points) - t) ** 2) / (2 * variance) + np.log1p(np.exp(-2 * t * np.abs(points) / variance))
    return values.mean() - np.log(variance) / 2


def test_mixture__theorem_4():
    k = np.arange(0, 300, 50)
    np.testing.assert_allclose(tail_theorem4(2, 0.1, 10, k), np.minimum(1, 20 * np.exp(-k / 40)), rtol=1e-12)
    np.testing.assert_array_equal(tail_theorem4(2, 0.1, 10, k), tail_theorem3(2, 0.1, 10, k, "4n"))


def test_mixture__kappa_and_kurtosis():
    assert round(float(approximate_ml_kappa(10)), 6) == 0.041695
    rng = np.random.default_rng(2)
    for mu in (0.0, 0.7, 3.0):
        x = rng.choice([-1, 1], 10**6) * mu + rng.standard_normal(10**6)
        assert abs((x**4).mean() / (x**2).mean() ** 2 - mixture_kurtosis(mu, 1)) < 0.01
    np.testing.assert_allclose(mixture_kurtosis([3e-200, 3e200], [3e-200, 3e200]), 2.5)


def test_mixture__approximate_ml_is_algorithm_1():
    for points in [*samples(10, 200), *samples(10, 100, mu=6.0), *samples(200, 20, mu=0.3)]:
        m1, m2 = np.abs(points).mean(), (points**2).mean()
        got = approximate_joint_ml(m1, m2, len(points))
        np.testing.assert_allclose(got, naive.fit_approximate(points), rtol=1e-9, atol=1e-9)


def test_mixture__joint_ml_maximises_likelihood():
    zeros = 0
    for points in samples(10, 100):
        mu, sigma = naive.fit_joint_ml(points)
        np.testing.assert_allclose(mu**2 + sigma**2, (points**2).mean(), rtol=1e-12)
        grid = np.linspace(0, np.abs(points).mean(), 400)
        best = max(log_likelihood(points, t) for t in grid)
        assert log_likelihood(points, mu) >= best - 1e-12
        # A zero root needs a kurtosis above 3; below it there is always a positive one.
        exists = ml_root_exists((points**2).mean(), (points**4).mean())
        assert (mu > 0) or not exists
        slope = log_likelihood(points, 0.02) - log_likelihood(points, 0.0)
        assert (slope > 0) == exists or abs((points**4).mean() / (points**2).mean() ** 2 - 3) < 0.05
        zeros += mu == 0
    assert 0 < zeros < 40


def test_mixture__fits_are_accurate_for_small_sigma():
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(10)
    points = np.concatenate([1 + 1e-11 * noise[:5], -1 - 1e-11 * noise[5:]])
    for fit in (naive.fit_approximate, naive.fit_joint_ml):
        mu, sigma = fit(points)
        assert abs(mu - 1) < 1e-10
        assert 0.2e-11 < sigma < 2e-11
    # Affine: the fit of c x is c times the fit.
    points = samples(10, 1)[0]
    for fit in (naive.fit_approximate, naive.fit_joint_ml):
        np.testing.assert_allclose(fit(-3 * points), 3 * np.array(fit(points)), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tail_theorem4(1, 0.1, 1, 5), "n must be a whole number of at least 2"),
        (lambda: mixture_kurtosis(1, 0), "sigma must be strictly between 0 and inf"),
        (lambda: ml_root_exists(0, 1), "m2 must be strictly between 0 and"),
        (lambda: ml_root_exists(2, 3), r"m4 must be at least m2\^2, got 3"),
        (lambda: approximate_ml_kappa(1), "n must be a whole number of at least 2"),
        (lambda: approximate_ml_kappa(5, 0.5), "eta must be within"),
        (lambda: approximate_joint_ml(1, 0.5, 10), r"m2 must be at least m1\^2, got 0.5"),
    ],
)
def test_mixture__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
