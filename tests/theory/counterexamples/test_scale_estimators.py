"""Mean of exponential data and maximum of uniform data: golden values, moments by other formulas, domains."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.errors import InputError
from fastcollapse.theory.counterexamples.scale_estimators import (
    exponential_mean_moments,
    exponential_mean_square,
    exponential_mean_square_limit,
    uniform_maximum_moments,
)


def test_exponential__golden_values():
    np.testing.assert_allclose(exponential_mean_square(20, 100, "accumulate"), 1.083760753837, atol=5e-13)
    np.testing.assert_allclose(exponential_mean_square_limit(20), 1.084300067543, atol=5e-13)
    np.testing.assert_allclose(
        exponential_mean_square(20, 10**6, "accumulate"), exponential_mean_square_limit(20), 1e-7
    )
    np.testing.assert_allclose(exponential_mean_square(20, [0, 3]), [1, 1.05**3])


@pytest.mark.parametrize("workflow", ["replace", "accumulate"])
def test_exponential__moments_agree_with_products(workflow):
    got = exponential_mean_moments([20] * 50, int(workflow == "accumulate"))
    np.testing.assert_allclose(1 + got, exponential_mean_square(20, np.arange(51), workflow), rtol=1e-13)


def test_exponential__moments_of_one_fit_are_those_of_a_gamma_variate():
    law = stats.gamma(5, scale=1 / 5)
    for order in range(1, 5):
        expected = law.expect(lambda x, order=order: (x - 1) ** order)
        np.testing.assert_allclose(exponential_mean_moments([5], order=order)[1], expected, atol=1e-9)


def test_exponential__many_points_lose_no_digits():
    # Four moments of a normal variate of variance 1e-15.
    got = [exponential_mean_moments([10**15], order=order)[1] for order in (2, 4)]
    np.testing.assert_allclose(got, [1e-15, 3e-30], rtol=1e-14)


def test_uniform__equals_closed_forms():
    k = np.arange(30)
    first, second = (10 / 11) ** k, (10 / 12) ** k
    np.testing.assert_allclose(uniform_maximum_moments(10, k), 1 - first, atol=1e-14)
    np.testing.assert_allclose(uniform_maximum_moments(10, k, order=2), 1 - 2 * first + second, atol=1e-14)
    law = stats.beta(7, 1)
    for order in range(1, 5):
        expected = law.expect(lambda x, order=order: (1 - x) ** order)
        np.testing.assert_allclose(uniform_maximum_moments(7, 1, order=order), expected, rtol=1e-9)
    np.testing.assert_allclose(uniform_maximum_moments([7, 9], [1, 2]), [1 / 8, 1 - 7 / 8 * 9 / 10])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exponential_mean_square(0, 1), "n must be a whole number of at least 1, got 0"),
        (lambda: exponential_mean_square(1, 1, "mix"), "workflow must be 'replace' or 'accumulate', got 'mix'"),
        (lambda: exponential_mean_square_limit(0), "n must be a whole number of at least 1, got 0"),
        (lambda: exponential_mean_moments(5), "n_synthetic must be a vector, one entry for each generation, got 5"),
        (lambda: exponential_mean_moments([5], keep=2), "keep must be 0 or 1, got 2"),
        (lambda: exponential_mean_moments([5], order=5), "order must be at most 4, got 5"),
        (lambda: uniform_maximum_moments([5], 2), "n must be a number or 2 numbers, got"),
        (lambda: uniform_maximum_moments(5, 1, order=0), "order must be a whole number of at least 1, got 0"),
    ],
)
def test_scale_estimators__refuse(call, message):
    with pytest.raises(InputError, match=message):
        call()
