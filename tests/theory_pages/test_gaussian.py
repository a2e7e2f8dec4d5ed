"""Formulas of docs/explanation/theory/gaussian.md, written out, against the functions."""

import math

import numpy as np
import pytest
from scipy.special import digamma, gamma, polygamma
from scipy.stats import norm

from fastcollapse.theory import gaussian

N, T = 10, 7
NU = N - 1
ESTIMATORS = [("unbiased", NU), ("mle", N)]


def bracket(s, divisor):
    """Return the relative moment of order s after one fit."""
    return gamma((NU + s) / 2) / gamma(NU / 2) * (2 / divisor) ** (s / 2)


@pytest.mark.parametrize(("estimator", "divisor"), ESTIMATORS)
def test_one_dimension(estimator, divisor):
    is_mle = estimator == "mle"
    drift = T / 2 * (digamma(NU / 2) - math.log(NU / 2)) + is_mle * T / 2 * math.log(1 - 1 / N)
    assert gaussian.log_sigma_mean(N, T, estimator) == pytest.approx(drift)
    assert gaussian.log_sigma_variance(N, T) == pytest.approx(T / 4 * polygamma(1, NU / 2))
    assert gaussian.sigma_moment(1.5, 1, N, T, estimator) == pytest.approx(bracket(1.5, divisor) ** T)
    decay = (1 - 1 / N) ** T if is_mle else 1
    assert gaussian.variance_mean(2, N, T, estimator) == pytest.approx(4 * decay)
    error = 4 * (1 - decay) if is_mle else 4 * T / N
    assert gaussian.mean_squared_error_of_mean(2, N, T, estimator) == pytest.approx(error)
    alpha = bracket(1, divisor)
    distance = 4 * (2 * (1 - alpha**T) + (0 if is_mle else T / N))
    assert gaussian.wasserstein2_mean(2, N, T, estimator) == pytest.approx(distance)
    assert gaussian.shumailov_wasserstein2(2, N, T) == pytest.approx(1.5 * 4 * T / N)


def test_tails():
    t, ratio = 200, 10
    alpha = bracket(1, NU)
    assert gaussian.tail_theorem3(1, 0.1, N, t, "4n-1") == pytest.approx(ratio * math.exp(-t / (4 * N - 1)))
    assert gaussian.tail_theorem4(1, 0.1, N, t) == pytest.approx(ratio * math.exp(-t / (4 * N)))
    assert gaussian.tail_bertrand(1, 0.1, N, t, "unbiased") == pytest.approx(ratio * alpha**t)
    assert gaussian.tail_power(0.7, 1, 0.1, N, t, "unbiased") == pytest.approx(ratio**0.7 * bracket(0.7, NU) ** t)
    assert math.log(alpha) <= -1 / (4 * N - 3)
    s = float(gaussian.chernoff_power(1, 0.1, N, t, "unbiased"))
    assert digamma((NU + s) / 2) == pytest.approx(math.log(NU / 2) - 2 * math.log(ratio) / t)
    far = 100_000
    assert gaussian.chernoff_power(1, 0.1, 1000, far, "unbiased") == pytest.approx(
        1 - 1998 * math.log(10) / far, rel=0.01
    )
    exponent = -math.log(gaussian.tail_chernoff(1, 0.1, 1000, 20_000, "unbiased"))
    assert exponent == pytest.approx(20_000 / 3996 * (1 - 1998 * math.log(10) / 20_000) ** 2, rel=0.01)
    for estimator, factor in (("unbiased", 2 * 999), ("mle", 1000)):
        got = gaussian.median_collapse_time(1, 0.1, 1000, estimator)
        assert got == pytest.approx(factor * math.log(10), rel=0.002)


@pytest.mark.parametrize(("estimator", "divisor"), ESTIMATORS)
def test_dimensions(estimator, divisor):
    d = 3
    half = (NU - np.arange(d)) / 2
    assert gaussian.log_det_mean(d, N, T, estimator) == pytest.approx(T * np.sum(digamma(half) + math.log(2 / divisor)))
    assert gaussian.log_det_variance(d, N, T) == pytest.approx(T * np.sum(polygamma(1, half)))
    factor = np.prod(2 * half / divisor) ** T
    assert gaussian.elementary_symmetric_factor(d, N, T, estimator) == pytest.approx(factor)
    matrix = (NU / divisor) ** 2 * np.array([[1 + 1 / NU, 1 / NU], [2 / NU, 1]])
    expected = np.linalg.matrix_power(matrix, T) @ [3, 9]
    assert np.ravel(gaussian.trace_moments(3, 9, N, T, estimator)) == pytest.approx(expected)
    limits = digamma(half) - math.log(divisor / 2)
    assert gaussian.lyapunov_exponents(d, N, estimator) == pytest.approx(limits)
    assert gaussian.lyapunov_exponents(d, 1000, "unbiased") == pytest.approx(-np.arange(1, 4) / 999, rel=0.01)


def test_workflows():
    s = np.arange(1, T + 1)
    rest = s[1:]
    many = 10**6
    assert gaussian.gaussian_replace_factor(N, T, "mle") == pytest.approx((1 - 1 / N) ** T)
    assert gaussian.gaussian_accumulate_factor(N, T, "mle") == pytest.approx(np.prod(1 - 1 / (N * s**2)))
    expected = np.prod(1 - 1 / (rest * (N * rest - 1)))
    assert gaussian.gaussian_accumulate_factor(N, T, "unbiased") == pytest.approx(expected)
    x, r = math.pi / math.sqrt(N), (1 + math.sqrt(1 + 4 * N)) / (2 * N)
    assert gaussian.gaussian_accumulate_limit(N, "mle") == pytest.approx(math.sin(x) / x)
    limit = gamma(2 - 1 / N) / (gamma(2 - r) * gamma(2 - 1 / N + r))
    assert gaussian.gaussian_accumulate_limit(N, "unbiased") == pytest.approx(limit)
    expected = (1 - 1 / N) * np.prod(1 - (3 * N - 1) / (N * rest * (N * rest - 1)))
    assert gaussian.gaussian_subsample_factor(N, T, "mle") == pytest.approx(expected)
    expected = np.prod(1 + (rest - 3) / (rest * (N * rest - 1)))
    assert gaussian.gaussian_subsample_factor(N, T, "unbiased") == pytest.approx(expected)
    growth = gaussian.gaussian_subsample_factor(N, [many, 2 * many], "unbiased")
    assert growth[1] / growth[0] == pytest.approx(2 ** (1 / N), rel=1e-4)
    variance, error = gaussian.expected_gaussian([5, 9, 7], 3, keep=1, estimator="mle", real="fresh")
    assert variance + error == pytest.approx(1)
    assert gaussian.conserved_mean_error(variance) == pytest.approx(error)


def test_real_data_and_large_samples():
    m, lam, fits = 4, 0.3, np.arange(1, T + 1)
    e = gaussian.gaussian_fresh_moments(N, m, np.arange(3), "mle")[1]
    assert e[2] == pytest.approx(1 / N + m * (m - 1) / N**2 * e[1])
    assert gaussian.gaussian_fresh_limits(N, m, "mle")[1] == pytest.approx(N / (N**2 - m * (m - 1)))
    assert gaussian.risk_factor("replace", T) == pytest.approx(T)
    assert gaussian.risk_factor("accumulate", T) == pytest.approx(np.sum(1 / fits**2))
    expected = 1 + 3 * np.sum(1 / fits[1:] ** 2)
    assert gaussian.risk_factor("accumulate_subsample", T) == pytest.approx(expected)
    assert gaussian.risk_factor("accumulate_subsample", 10**6) == pytest.approx(math.pi**2 / 2 - 2, rel=1e-5)
    expected = (1 - (1 - lam) ** (2 * T)) / (lam * (2 - lam))
    assert gaussian.fresh_risk_factor(lam, T) == pytest.approx(expected)


def test_bias():
    lam, f, c, s = 0.8, 0.25, 1.5, np.arange(2, T + 1)
    assert gaussian.bias_replace_variance(lam, N, T, "mle") == pytest.approx(lam ** (2 * T) * (1 - 1 / N) ** T)
    expected = gaussian.log_sigma_mean(N, T, "unbiased") + T * math.log(lam)
    assert gaussian.bias_replace_log_sigma(lam, N, T, "unbiased") == pytest.approx(expected)
    expected = (1 - 1 / N) * np.prod(1 - (1 - lam**2) / s - lam**2 / (N * s**2))
    assert gaussian.bias_accumulate_moments(lam, N, T)[0] == pytest.approx(expected)
    C, a = gaussian.bias_accumulate_power_law(lam, N)
    assert a == pytest.approx(1 - lam**2)
    assert gaussian.bias_accumulate_moments(lam, N, 10**5)[0] == pytest.approx(C * 1e5**-a, rel=1e-4)
    assert gaussian.bias_fresh_limit(lam, f) == pytest.approx(f / (1 - (1 - f) * lam**2))
    expected = 1 - 2 * c * norm.pdf(c) / (2 * norm.cdf(c) - 1)
    assert gaussian.truncated_variance_factor(c) == pytest.approx(expected)


def test_verifier_and_tilt():
    v, tau, b = 2, 3, 0.5
    mean, variance = gaussian.verifier_path(v, tau, [4, 5], mu0=0.3, sigma0=1.4)
    assert 1 / variance[1] == pytest.approx(1 / variance[0] + 1 / tau**2)
    assert mean[1] == pytest.approx(variance[1] * (mean[0] / variance[0] + v / tau**2))
    expected = b * np.sum(gaussian.variance_mean(1, N, np.arange(T), "mle"))
    assert gaussian.tilted_mean(b, N, T, "mle") == pytest.approx(expected)


def test_mixture():
    eta, mu, sigma = 2, 1.3, 0.7
    expected = math.exp((eta - 1) * ((N - 1) / 2 + 4 * eta) / (eta * (N - 1) * (N + 4 * eta - 1))) - 1
    assert gaussian.approximate_ml_kappa(N) == pytest.approx(expected)
    expected = 3 - 2 * mu**4 / (mu**2 + sigma**2) ** 2
    assert gaussian.mixture_kurtosis(mu, sigma) == pytest.approx(expected)
