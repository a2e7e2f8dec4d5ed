"""Verifier, tilt and filter of a Gaussian: golden values and quadrature."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.verifier import tilted_mean, truncated_variance_factor, verifier_path


def test_verifier_path__is_the_iterated_product_of_densities():
    v, tau, mu0, sigma0 = 1.5, 2.0, -0.5, 0.7
    mean, variance = verifier_path(v, tau, np.arange(6), mu0, sigma0)
    mu, s2 = mu0, sigma0**2
    x = np.linspace(-20, 20, 200_001)
    for t in range(6):
        assert (mean[t], variance[t]) == pytest.approx((mu, s2), rel=1e-9)
        density = np.exp(-((x - mu) ** 2) / (2 * s2) - (x - v) ** 2 / (2 * tau**2))
        density /= density.sum()
        mu = density @ x
        s2 = density @ (x - mu) ** 2


def test_verifier_path__collapses_at_the_centre():
    t = np.array([10**3, 10**6])
    mean, variance = verifier_path(3, 2, t)
    np.testing.assert_allclose(variance * t, 4, rtol=5e-3)
    np.testing.assert_allclose(mean, 3, atol=0.02)
    np.testing.assert_allclose(mean, 3 * t / (4 + t), rtol=1e-12)


def test_truncated_variance_factor__golden_and_quadrature():
    golden = [0.291125094773, 0.773741303550, 0.973336924663]
    np.testing.assert_allclose(truncated_variance_factor([1, 2, 3]), golden, atol=5e-13)
    c = np.array([1e-6, 0.01, 0.5, 1.7, 5.0])
    expected = [stats.truncnorm.var(-x, x) for x in c[1:]]
    np.testing.assert_allclose(truncated_variance_factor(c)[1:], expected, rtol=1e-6)
    np.testing.assert_allclose(truncated_variance_factor(c)[0], 1e-12 / 3, rtol=1e-9)
    np.testing.assert_allclose(truncated_variance_factor([1e-4 * (1 - 1e-9), 1e-4 * (1 + 1e-9)]), 1e-8 / 3, rtol=1e-7)
    assert truncated_variance_factor(1e200) == 1


def test_tilted_mean__sums_expected_variances():
    np.testing.assert_allclose(tilted_mean(0.5, 10, [0, 1, 4], "unbiased", 2, 3), [2, 6.5, 20])
    np.testing.assert_allclose(tilted_mean(0.5, [2, 4], [2], "mle"), [0.5 * 1.5])


def test_verifier__refuses():
    with pytest.raises(InputError, match="tau must be above 0, got 0"):
        verifier_path(1, 0, 1)
    with pytest.raises(InputError, match="c must be above 0, got 0"):
        truncated_variance_factor(0)
    with pytest.raises(InputError, match="t must be at most 1000000"):
        tilted_mean(1, 10, 10**7, "mle")
