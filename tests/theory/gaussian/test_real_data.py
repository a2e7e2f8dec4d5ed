"""Real data in every generation: recursion of any schedule, fixed points, domains."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.real_data import (
    fresh_risk_factor,
    gaussian_fixed_limits,
    gaussian_fixed_moments,
    gaussian_fresh_limits,
    gaussian_fresh_moments,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian

ESTIMATORS = ("unbiased", "mle")
T = np.arange(61)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("n", "m_s"), [(2, 1), (10, 5), (10, 0), (10, 10), (50, 49)])
def test_gaussian_real_data__fresh(estimator, n, m_s):
    expected = expected_gaussian(np.full(60, m_s), n - m_s, real="fresh" if m_s < n else "none", estimator=estimator)
    # Generation 0 is the truth, so its synthetic points have the law of real ones.
    np.testing.assert_allclose(gaussian_fresh_moments(n, m_s, T, estimator), expected, atol=1e-12)
    if m_s < n:
        limits = gaussian_fresh_limits(n, m_s, estimator)
        far = gaussian_fresh_moments(n, m_s, 10**5, estimator)
        np.testing.assert_allclose(far, limits, rtol=1e-10)
        if estimator == "mle":
            np.testing.assert_allclose(limits[1], n / (n**2 - m_s * (m_s - 1)), rtol=1e-12)
            np.testing.assert_allclose(sum(limits), 1, rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("n_r", "m_s"), [(2, 1), (5, 5), (3, 40), (40, 3)])
def test_gaussian_real_data__fixed(estimator, n_r, m_s):
    # On average over the real set; E (mu - xbar_r)^2 from the squares of differences is not in the recursion,
    # but the variance is.
    expected, _ = expected_gaussian(np.full(60, m_s), n_r, real="fixed", estimator=estimator)
    variance, mean_error = gaussian_fixed_moments(n_r, m_s, T, estimator, v_r=1 - 1 / n_r, w0=1, q0=1 / n_r)
    np.testing.assert_allclose(variance, expected, rtol=1e-12)
    limits = gaussian_fixed_limits(n_r, m_s, estimator, v_r=1 - 1 / n_r)
    far = gaussian_fixed_moments(n_r, m_s, 10**4, estimator, v_r=1 - 1 / n_r, w0=7, q0=3)
    np.testing.assert_allclose(far, limits, rtol=1e-9)
    assert mean_error[-1] > 0


def test_gaussian_real_data__fixed_limit_of_much_synthetic_data():
    # As in the discrete family: even infinitely many synthetic points add at most half of the real sampling variance.
    for m_s in (10, 1000, 10**9):
        variance, mean_error = gaussian_fixed_limits(10, m_s, "mle", 0.9)
        assert mean_error < 0.9 / 21
        np.testing.assert_allclose(variance + mean_error, 0.9, rtol=1e-7)
        np.testing.assert_allclose(mean_error, 0.9 * m_s / (100 + 20 * m_s + m_s), rtol=1e-6)


def test_gaussian_real_data__risk_factor_is_the_large_n_limit():
    n, t = 10**8, np.array([0, 1, 2, 10, 1000])
    for lam in (0.01, 0.5, 1.0):
        _, mean_error = gaussian_fresh_moments(n, round((1 - lam) * n), t, "mle")
        np.testing.assert_allclose(fresh_risk_factor(lam, t), n * mean_error, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fresh_risk_factor(0.2, 10**6), 1 / (0.2 * 1.8), rtol=1e-12)
    np.testing.assert_allclose(fresh_risk_factor(1e-9, [1, 7]), [1, 7], rtol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_fresh_moments(5, 6, 1, "mle"), "m_s must be at most n, got 6"),
        (lambda: gaussian_fresh_limits(5, 5, "mle"), "m_s must be below n for a limit to exist, got 5"),
        (lambda: gaussian_fresh_moments(1, 1, 1, "mle"), "n must be a whole number of at least 2"),
        (lambda: gaussian_fixed_moments(0, 5, 1, "mle"), "n_r must be a whole number of at least 1"),
        (lambda: gaussian_fixed_moments(5, 5, 1, "mle", v_r=-1), "v_r must be within"),
        (lambda: gaussian_fixed_moments(5, 5, 1, "mle", w0=[1, 2]), "w0 must be a single number"),
        (lambda: gaussian_fixed_limits(5, 0, "mle"), "m_s must be a whole number of at least 1"),
        (lambda: fresh_risk_factor(0, 1), "lam must be at least 1e-15, got 0"),
        (lambda: fresh_risk_factor(0.5, -1), "t must be a whole number of at least 0"),
    ],
)
def test_gaussian_real_data__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
