"""Exact laws of least-squares chains: moments, probabilities and their consistency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_error_variance, ols_norm_moments
from fastcollapse.theory.regression.error_distribution import ols_error_cdf, ols_error_quantile
from tests._goodness_of_fit import z_scores


def test_regression_exact__one_fit_has_f_law():
    d, size, sigma = 7, 25, 0.6
    law = stats.f(d, size - d + 1, scale=sigma**2 * d / (size - d + 1))
    np.testing.assert_allclose(ols_error_mean(d, size, 1, sigma), law.mean(), rtol=1e-12)
    np.testing.assert_allclose(ols_error_variance(d, size, 1, sigma), law.var(), rtol=1e-12)
    # Negative control: T-d degrees of freedom give another mean.
    assert abs(stats.f(d, size - d).mean() * sigma**2 * d / (size - d) / law.mean() - 1) > 0.05


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 30))
def test_regression_exact__is_linear_in_n_with_infinite_moments(d, more, n):
    size = d + more
    mean, variance = ols_error_mean(d, size, n, 0.5), ols_error_variance(d, size, n, 0.5)
    assert np.isfinite(mean) == (n == 0 or more >= 2)
    assert np.isfinite(variance) == (n == 0 or more >= 4)
    if more >= 2:
        np.testing.assert_allclose(mean, n * 0.25 * d / (more - 1), rtol=1e-12)
    dependent = ols_error_variance(d, size, n, 0.5, design="dependent")
    assert dependent >= variance
    # A schedule of equal sizes, and a fit as one more generator.
    np.testing.assert_allclose(ols_error_mean(d, [size] * 30, n, 0.5), mean, rtol=1e-12)
    np.testing.assert_allclose(
        ols_error_mean(d, size, n, 0.5, size, 0.5), ols_error_mean(d, size, n + 1, 0.5), rtol=1e-12
    )
    np.testing.assert_allclose(
        ols_error_variance(d, size, n, 0.5, size, 0.5), ols_error_variance(d, size, n + 1, 0.5), rtol=1e-12
    )


def test_regression_exact__is_zero_without_noise():
    assert ols_error_mean(5, 5, 3, 0.0) == 0
    assert ols_error_variance(5, 5, 3, 0.0, 5, 0.0) == 0
    assert ols_error_cdf(0.0, 5, 5, 3, 0.0) == 1
    assert ols_error_quantile(0.5, 5, 5, 3, 0.0) == 0
    assert [float(moment) for moment in ols_norm_moments([1, 2], [3, 4], 2, 9, 0.0)] == [25, 0, 25, 0]


def test_regression_exact__norms_for_zero_truth():
    # w_n = sqrt(q) Sigma^{-1/2} z: the norm is only a quadratic form.
    overlap, overlap_variance, norm, norm_variance = ols_norm_moments([1.0, 1.0], [0.0, 0.0], [3, 20], [1, 2], 1.0)
    assert overlap.tolist() == overlap_variance.tolist() == [0, 0]
    assert np.isinf(norm).all()
    assert np.isinf(norm_variance).all()
    overlap, _, norm, norm_variance = ols_norm_moments([1.0, 1.0], [0.0, 0.0], 20, 3, 1.0)
    np.testing.assert_allclose(
        [norm, norm_variance], [ols_error_mean(2, 20, 3, 1.0), ols_error_variance(2, 20, 3, 1.0)]
    )


@pytest.mark.parametrize(
    ("d", "sizes", "n", "T"),
    [(4, 18, 3, None), (1, 12, 2, None), (40, (60, 90), 2, 70), (300, 600, 20, 500), (3, 200, 40, None)],
)
def test_regression_law__moments_equal_exact_forms(d, sizes, n, T):
    # E x = int Pr(> x) dx and E x^2 = int 2 x Pr(> x) dx over the logarithm of x.
    arguments = d, sizes, n, 0.7, *((T, 0.4) if T else ())
    mean, variance = ols_error_mean(*arguments), ols_error_variance(*arguments)
    log_x = np.log(mean) + np.linspace(-16, 8, 241) * min(1, 4 * np.sqrt(variance) / mean)
    x = np.exp(log_x)
    above = 1 - ols_error_cdf(x, *arguments)
    low = x[0]
    np.testing.assert_allclose(low + integrate.simpson(above * x, x=log_x), mean, rtol=1e-5)
    np.testing.assert_allclose(low**2 + integrate.simpson(2 * above * x**2, x=log_x), variance + mean**2, rtol=1e-3)


@pytest.mark.parametrize(("d", "nu"), [(1, 1), (2, 3), (30, 2), (7, 60), (900, 300), (10**5, 10**4)])
def test_regression_law__inversion_equals_f_law(d, nu):
    # A second fit with almost no noise, so that the integral is used.
    levels = np.array([1e-4, 0.1, 0.5, 0.9, 0.9999])
    x = stats.f.ppf(levels, d, nu) * d / nu
    np.testing.assert_allclose(ols_error_cdf(x, d, d + nu - 1, 1, 1.0, d + 50, 1e-20), levels, atol=2e-11)
    np.testing.assert_allclose(ols_error_quantile(levels, d, d + nu - 1, 1, 1.0, d + 50, 1e-20), x, rtol=1e-5)


def test_regression_law__close_to_zero():
    # Many generators of many rows: q is a number, and the error chi-square.
    d, size, n = 3, 10**6, 1000
    q = n / (size - d - 1)
    for x in (1e-12, 1e-4, 0.1, 0.3, 1.0, 4.0):
        np.testing.assert_allclose(ols_error_cdf(x * q, d, size, n, 1.0), stats.chi2.cdf(x, d), rtol=3e-6)
    # Powers of x meet the integral: its density is smooth over the range where one takes over from the other.
    x = np.geomspace(0.02, 20, 300)
    curve = np.log(ols_error_cdf(x, 20, 20, 3, 0.5))
    assert np.abs(np.diff(curve, 3)).max() < 3e-3
    with pytest.raises(InputError, match="x must be closer to the median"):
        ols_error_cdf(1e-9, 300, 10**9, 10**6, 1e3, 10**15, 1e9)


def test_regression_law__medians_where_the_mean_is_infinite():
    rng = np.random.default_rng(4)
    # 9 comparisons at |z| < 5.
    for d, nu, n in ((1, 1, 40), (20, 1, 3), (20, 2, 5)):
        error = (1 / rng.chisquare(nu, (100_000, n))).sum(axis=1) * rng.chisquare(d, 100_000)
        for level in (0.1, 0.5, 0.9):
            below = error <= ols_error_quantile(level, d, d + nu - 1, n, 1.0)
            assert abs(z_scores(below.astype(float), level)) < 5
            # Negative control: a median per generation times their number.
            wrong = error <= n * ols_error_quantile(level, d, d + nu - 1, 1, 1.0)
            assert abs(z_scores(wrong.astype(float), level)) > 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ols_error_mean(5, 4, 1, 1.0), "T0 must be at least d = 5, got 4"),
        (lambda: ols_error_mean(5, 9, 1, 1.0, 4, 1.0), "T must be at least d = 5, got 4"),
        (lambda: ols_error_mean(5, 9, 1, 1.0, None, 1.0), "sigma must be 0 without the rows T of a downstream fit"),
        (lambda: ols_error_mean(5, [9, 9], 3, 1.0), "n must be at most 2, the number of sizes, got 3"),
        (lambda: ols_error_mean(5, [[9]], 1, 1.0), "T0 must be a number or a vector"),
        (lambda: ols_error_variance(5, [9, 9], 1, 1.0, design="dependent"), "T0 must be a single number for dependent"),
        (lambda: ols_error_variance(5, 9, 1, 1.0, design="x"), "design must be 'independent' or 'dependent', got 'x'"),
        (lambda: ols_norm_moments([1.0, 0.0], [1, 1], 9, 1, 1.0), "spectrum must be within"),
        (lambda: ols_error_cdf(-1.0, 5, 9, 1, 1.0), "x must be within"),
        (lambda: ols_error_cdf(1.0, 5, 4, 1, 1.0), "T0 must be at least d = 5, got 4"),
        (lambda: ols_error_cdf(1.0, 5, 9, [1, 2], 1.0), "n must be a single number"),
        (lambda: ols_error_quantile(1.0, 5, 9, 1, 1.0), "p must be within"),
    ],
)
def test_regression_exact__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
