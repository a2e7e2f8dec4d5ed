"""Biased sampling of a Gaussian: golden values, the general recursion, closed forms."""

import numpy as np
import pytest
from scipy.special import gammaln

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.sampling_bias import (
    bias_accumulate_moments,
    bias_accumulate_power_law,
    bias_fresh_limit,
    bias_fresh_moments,
    bias_replace_log_sigma,
    bias_replace_variance,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.univariate import log_sigma_mean
from fastcollapse.theory.gaussian.workflows import gaussian_accumulate_factor, gaussian_replace_factor

T = np.arange(21)


def test_bias__golden():
    assert bias_accumulate_moments(0.8, 10, 40)[0] == pytest.approx(0.252898657934, abs=5e-13)
    assert bias_accumulate_moments(1.1, 10, 40)[0] == pytest.approx(1.647413434613, abs=5e-13)
    assert bias_fresh_moments(0.7, 5, 15, 15)[0] == pytest.approx(0.377695039053, abs=5e-13)


@pytest.mark.parametrize("lam", [0.5, 1.0, 1.3])
def test_bias__special_cases_of_any_schedule(lam):
    n = np.full(20, 10)
    for estimator in ("unbiased", "mle"):
        got = expected_gaussian(n, estimator=estimator, bias=lam)[0]
        np.testing.assert_allclose(got, bias_replace_variance(lam, 10, T, estimator), rtol=1e-11)
    # The first batch of 3.1 is real: it has no bias.
    biases = np.where(np.arange(20) == 0, 1.0, lam)
    got = expected_gaussian(n, keep=1, estimator="mle", bias=biases)
    np.testing.assert_allclose(got, bias_accumulate_moments(lam, 10, T), rtol=1e-10, atol=1e-14)
    got = expected_gaussian(np.full(20, 15), 5, real="fresh", estimator="mle", bias=lam)
    np.testing.assert_allclose(got, bias_fresh_moments(lam, 5, 15, T), rtol=1e-11, atol=1e-14)


def test_bias__of_1_is_none():
    np.testing.assert_allclose(bias_replace_variance(1, 10, T, "mle"), gaussian_replace_factor(10, T, "mle"))
    np.testing.assert_allclose(bias_accumulate_moments(1, 10, T)[0], gaussian_accumulate_factor(10, T, "mle"))
    np.testing.assert_allclose(bias_replace_log_sigma(1, 10, T, "mle"), log_sigma_mean(10, T, "mle"))


@pytest.mark.parametrize("lam", [0.3, 0.8, 1.0, 1.1])
def test_power_law__is_the_limit_and_its_gamma_functions_the_product(lam):
    n = 10
    C, a = bias_accumulate_power_law(lam, n)
    variance = bias_accumulate_moments(lam, n, 10**6)[0]
    assert variance * 10 ** (6 * a) == pytest.approx(C, rel=2e-6)
    roots = np.roots([1, -(1 - lam**2), -(lam**2) / n])
    t = np.array([1, 7, 300])
    logs = sum(gammaln(t + 1 - r) - gammaln(1 - r) - gammaln(t + 1) - np.log(1 - r) for r in roots)
    np.testing.assert_allclose(bias_accumulate_moments(lam, n, t)[0], (1 - 1 / n) * np.exp(logs), rtol=1e-11)


def test_fresh__limit_of_many_points():
    got = bias_fresh_moments(0.7, 10**6, 3 * 10**6, 200)[0]
    assert got == pytest.approx(bias_fresh_limit(0.7, 0.25), rel=1e-6)
    assert bias_fresh_limit(1, 0.5) == 1


def test_bias__refuses():
    with pytest.raises(InputError, match="lam must be above 0, got 0"):
        bias_accumulate_moments(0, 10, 1)
    with pytest.raises(InputError, match=r"f must be above 0 and above 1 - 1/lam\^2, got 0.1"):
        bias_fresh_limit(1.2, 0.1)
    with pytest.raises(InputError, match="n_r must be at least 1 if n_s is 0"):
        bias_fresh_moments(0.7, 0, 0, 1)
    with pytest.raises(InputError, match="bias must be a number or 3 numbers"):
        expected_gaussian([5] * 3, estimator="mle", bias=[1.0, 0.5])
