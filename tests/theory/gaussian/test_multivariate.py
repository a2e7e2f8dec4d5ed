"""Multivariate laws: one dimension, identities between them, limits, domains."""

import numpy as np
import pytest
from scipy.special import digamma, polygamma

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.multivariate import (
    elementary_symmetric_factor,
    log_det_mean,
    log_det_variance,
    log_pseudo_det_mean,
    log_pseudo_det_variance,
    lyapunov_exponents,
    trace_moments,
)
from fastcollapse.theory.gaussian.univariate import log_sigma_mean, log_sigma_moment, log_sigma_variance

ESTIMATORS = ("unbiased", "mle")
SIZES = np.array([8, 20, 9, 300])


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("n", [10, SIZES], ids=["constant", "growing"])
def test_multivariate_gaussian__one_dimension(estimator, n):
    k = np.arange(5)
    np.testing.assert_allclose(log_det_mean(1, n, k, estimator), 2 * log_sigma_mean(n, k, estimator), rtol=1e-12)
    np.testing.assert_allclose(log_det_variance(1, n, k), 4 * log_sigma_variance(n, k), rtol=1e-12)
    fourth = np.exp(log_sigma_moment(4, n, k, estimator))
    for got in trace_moments(1, 1, n, k, estimator):
        np.testing.assert_allclose(got, fourth, rtol=1e-12)
    got = elementary_symmetric_factor(1, n, k, estimator)
    np.testing.assert_allclose(got, np.exp(log_sigma_moment(2, n, k, estimator)), rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_multivariate_gaussian__closed_forms(estimator):
    d, n, nu = 4, 9, 8
    divisor = {"unbiased": nu, "mle": n}[estimator]
    i, k = np.arange(d), np.arange(7)
    each = digamma((nu - i) / 2) + np.log(2 / divisor)
    np.testing.assert_allclose(log_det_mean(d, n, k, estimator), k * each.sum(), rtol=1e-12)
    np.testing.assert_allclose(log_det_variance(d, n, k), k * polygamma(1, (nu - i) / 2).sum(), rtol=1e-12)
    np.testing.assert_allclose(lyapunov_exponents(d, n, estimator), each, rtol=1e-12)
    expected = np.prod((nu - i) / divisor) ** k
    np.testing.assert_allclose(elementary_symmetric_factor(d, n, k, estimator), expected, rtol=1e-12)
    step = np.array([[1 + 1 / nu, 1 / nu], [2 / nu, 1]]) * (nu / divisor) ** 2
    moments = np.array([3.0, 7.0])
    for fits in range(7):
        np.testing.assert_allclose(trace_moments(3, 7, n, fits, estimator), moments, rtol=1e-12)
        moments = step @ moments


def test_multivariate_gaussian__second_symmetric_function_from_traces():
    # e_2 = ((tr S)^2 - tr S^2)/2.
    for estimator in ESTIMATORS:
        of_square, of_trace = trace_moments(5, 25, SIZES, np.arange(5), estimator)
        got = (of_trace - of_square) / 20
        np.testing.assert_allclose(got, elementary_symmetric_factor(2, SIZES, np.arange(5), estimator), rtol=1e-12)


def test_multivariate_gaussian__exponents_for_large_n():
    exponents = lyapunov_exponents(5, 10**6, "unbiased")
    np.testing.assert_allclose(exponents, -np.arange(1, 6) / 10**6, rtol=1e-5)
    np.testing.assert_allclose(lyapunov_exponents(5, 10**6, "mle"), exponents - 1e-6, rtol=1e-5)
    got = lyapunov_exponents(9, 10, "mle").sum()
    np.testing.assert_allclose(got, log_det_mean(9, 10, 1, "mle"), rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_multivariate_gaussian__rank_deficient(estimator):
    # d = n-1 belongs to both cases.
    k = np.arange(1, 6)
    np.testing.assert_allclose(log_pseudo_det_mean(6, 7, k, estimator), log_det_mean(6, 7, k, estimator), rtol=1e-12)
    np.testing.assert_allclose(log_pseudo_det_variance(6, 7, k), log_det_variance(6, 7, k), rtol=1e-12)
    # Two points: one eigenvalue, chi2_d/D at first, then a chain of one degree of freedom.
    divisor = {"unbiased": 1, "mle": 2}[estimator]
    expected = digamma(5) + np.log(2 / divisor) + (k - 1) * (digamma(0.5) + np.log(2 / divisor))
    np.testing.assert_allclose(log_pseudo_det_mean(10, 2, k, estimator), expected, rtol=1e-12)
    np.testing.assert_array_equal(elementary_symmetric_factor(7, 7, [0, 1, 2], estimator), [1, 0, 0])
    assert elementary_symmetric_factor(6, 7, 1, estimator) > 0
    # Two points have (tr S)^2 = tr S^2 from the first fit on.
    of_square, of_trace = trace_moments(10, 100, 2, [1, 2, 3], estimator)
    np.testing.assert_allclose(of_square, of_trace, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log_det_mean(10, 10, 1, "mle"), "d must be at most n-1 = 9, got 10"),
        (lambda: log_det_mean(8, [20, 8], 1, "mle"), "d must be at most n-1 = 7, got 8"),
        (lambda: log_det_variance(0, 10, 1), "d must be a whole number of at least 1, got 0"),
        (lambda: lyapunov_exponents(3, 3, "mle"), "d must be at most n-1 = 2, got 3"),
        (lambda: log_pseudo_det_mean(3, 5, 1, "mle"), "d must be at least n-1 = 4, got 3"),
        (lambda: log_pseudo_det_variance(9, 5, 0), "k must be a whole number of at least 1, got 0"),
        (lambda: elementary_symmetric_factor(0, 5, 0, "mle"), "j must be a whole number of at least 1"),
        (lambda: trace_moments(0, 1, 5, 1, "mle"), "trace_of_square must be strictly between 0 and"),
        (lambda: trace_moments(3, 2, 5, 1, "mle"), "square_of_trace must be at least trace_of_square, got 2"),
        (lambda: trace_moments([3, 3], 9, 5, 1, "mle"), "trace_of_square must be a single number"),
        (lambda: log_det_mean(2, 10, 1, ""), "estimator must be 'unbiased' or 'mle'"),
    ],
)
def test_multivariate_gaussian__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
