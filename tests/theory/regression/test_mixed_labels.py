"""Theory of mixed labels: golden values, limits, and the domain of the arguments."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.mixing.weighted_fit import best_weight, fixed_real_errors, weighted_errors
from fastcollapse.theory.regression.mixed_labels import (
    best_label_weight,
    mixed_label_error,
    mixed_label_means,
    mixed_label_moments,
)
from fastcollapse.theory.regression.shared_design import dependent_ridge_means

GOLDEN = 0.618033988750


def test_best_weight__golden_values():
    np.testing.assert_allclose(best_label_weight(300, 600), GOLDEN, atol=1e-12)
    np.testing.assert_allclose(best_label_weight(300, 150), GOLDEN, atol=1e-12)
    # The ratio of the variances of the noise is c of a weighted fit.
    for c, expected in ((4.0, 0.828427124746), (0.25, 0.390388203202), (0.01, 0.095124921973)):
        np.testing.assert_allclose(best_label_weight(300, 600, sigma0=c**0.5), expected, atol=1e-12)
        np.testing.assert_allclose(best_label_weight(300, 600, sigma0=c**0.5), best_weight(1, c)[0], atol=1e-12)
    assert best_label_weight(300, 600, real_labels="fixed") == 1.0


@pytest.mark.parametrize("n_samples", [600, 300, 150])
def test_best_weight__with_ridge_is_from_one_half_to_one(n_samples):
    ridges = np.array([1e-3, 0.1, 1.0, 100.0])
    for length in (0.0, 0.1, 10.0):
        places = best_label_weight(300, n_samples, ridges, w0_square=length)
        assert (places >= 0.5 - 1e-6).all()
        assert (places <= 1).all()
    # Noise alone: from the golden weight without a ridge to 1/2 for a large one.
    places = best_label_weight(300, n_samples, [0.0, 1e4], w0_square=0.0)
    np.testing.assert_allclose(places, [GOLDEN, 0.5], atol=1e-3)


def test_means__without_ridge_equal_weighted_fits():
    """Mixed labels on the same rows have the errors of two fits of the same number of rows, as 1.1 of least squares."""
    d, T, w, n = 30, 50, 0.4, np.arange(1, 8)
    real, synthetic = (sigma**2 * d / (T - d - 1) for sigma in (0.5, 0.8))
    got = mixed_label_means(d, T, w, 0.0, n, 0.5, 0.8)
    np.testing.assert_allclose(got, weighted_errors([w] * 7, real, synthetic, 1.0), rtol=1e-13)
    got = mixed_label_means(d, T, w, 0.0, n, 0.5, 0.8, real_labels="fixed")
    np.testing.assert_allclose(got, fixed_real_errors([w] * 7, real, synthetic, 1.0), rtol=1e-13)


def test_means__stationary_golden_error():
    # (1 - T/d) |w0|^2 + e sigma^2 T/(d - T - 1), e = 1/phi.
    expected = 0.4 + GOLDEN * 0.09 * 18 / 11
    np.testing.assert_allclose(mixed_label_means(30, 18, GOLDEN, sigma=0.3, sigma0=0.3), expected, rtol=1e-12)
    expected = GOLDEN * 0.09 * 300 / 299
    np.testing.assert_allclose(mixed_label_means(300, 600, GOLDEN, sigma=0.3, sigma0=0.3), expected, rtol=1e-12)


def test_fixed_labels__have_a_ridge_over_their_weight():
    """Without noise of synthetic labels the chain settles at a ridge fit with ridge/w."""
    got = mixed_label_means(60, 90, 0.4, 0.1, np.inf, 0.5, 0.0, 2.0, "fixed")
    np.testing.assert_allclose(got, mixed_label_means(60, 90, 1.0, 0.25, 1, 0.5, 0.0, 2.0), rtol=1e-6)
    # So synthetic labels help where the ridge is below the best one, sigma^2 d/(T |w0|^2).
    best = 0.25 * 60 / (90 * 2.0)
    ridges = best * np.array([0.2, 0.5, 2.0])
    weights = best_label_weight(60, 90, ridges, 0.5, 1e-6, 2.0, "fixed")
    np.testing.assert_allclose(weights, [0.2, 0.5, 1.0], atol=1e-4)


def test_means__of_weight_0_are_those_of_synthetic_labels():
    n = [1, 5, 1000]
    got = mixed_label_means(300, 600, 0.0, 0.1, n, 0.7, 0.3)
    np.testing.assert_allclose(got, dependent_ridge_means(300, 600, 0.1, n, 0.3)[0], rtol=1e-10)


def test_means__are_infinite_near_as_many_rows_as_inputs():
    assert np.isinf(mixed_label_means(30, 30, [0.3, 1.0])).all()
    assert mixed_label_means(30, 31, 0.5, sigma=0.0, sigma0=0.0) == 0
    assert np.isinf(mixed_label_means(30, 60, 0.0))
    assert mixed_label_means(30, 60, 0.0, 0.0, 0) == 0
    assert np.isfinite(mixed_label_means(30, 30, 0.3, 0.1))


def test_error__averages_moments_over_directions():
    rng = np.random.default_rng(1)
    x, w0 = rng.standard_normal((9, 4)), rng.standard_normal(4)
    _, s, right = np.linalg.svd(x, full_matrices=False)
    mean, variance = mixed_label_moments(s, right @ w0, 9, [0.2, 0.7], 0.1, 3, 0.5, 0.8)
    expected = ((mean - right @ w0) ** 2).sum(axis=1) + variance.sum(axis=1)
    np.testing.assert_allclose(mixed_label_error(x, w0, np.ones(4), [0.2, 0.7], 0.1, 3, 0.5, 0.8), expected)


def test_moments__stationary_closed_forms():
    s, b, w, T, ridge = np.array([0.5, 2.0]), np.array([1.0, -3.0]), 0.3, 5, 0.2
    q = s**2 / (s**2 + ridge * T)
    mean, variance = mixed_label_moments(s, b, T, w, ridge, np.inf, 0.5, 0.5)
    np.testing.assert_allclose(mean, w * q * b / (1 - (1 - w) * q))
    np.testing.assert_allclose(variance, 0.25 * (w**2 + (1 - w) ** 2) * (q / s) ** 2 / (1 - ((1 - w) * q) ** 2))
    fixed = mixed_label_moments(s, b, T, w, ridge, np.inf, 0.5, 0.0, "fixed")[1]
    np.testing.assert_allclose(fixed, 0.25 * w**2 / (1 - (1 - w) * q) ** 2 * (q / s) ** 2)


REFUSED = [
    (lambda: mixed_label_means(0, 5, 0.5), "d must be a whole number of at least 1, got 0"),
    (lambda: mixed_label_means(5, 0, 0.5), "T must be a whole number of at least 1, got 0"),
    (lambda: mixed_label_means(5, 9, 1.5), r"weight must be within \[0, 1\], got 1.5"),
    (lambda: mixed_label_means(5, 9, 0.5, 1e-9), "ridge must be 0 or at least 1e-8, got"),
    (lambda: mixed_label_means(5, 9, 0.5, n=1.5), "n must be whole numbers or inf, got 1.5"),
    (lambda: mixed_label_means(5, 9, 0.5, real_labels="new"), "real_labels must be 'fresh' or 'fixed', got 'new'"),
    (lambda: mixed_label_error([1.0], [1.0], [1.0], 0.5), "X must be a matrix"),
    (lambda: mixed_label_error([[1.0]], [1.0], [1.0, 2.0], 0.5), "spectrum must be a vector of 1 numbers"),
    (lambda: mixed_label_moments([[1.0]], [1.0], 5, 0.5), "s must be a vector"),
    (lambda: best_label_weight(5, 9, sigma=0.0), r"sigma must be within \[1e-30, 1e\+30\], got 0"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_arguments__outside_their_domain_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
