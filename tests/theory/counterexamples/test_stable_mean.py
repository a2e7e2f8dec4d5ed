"""Mean of stable data: published constants, quantiles against SciPy, schedules against closed forms, domains."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.errors import InputError
from fastcollapse.theory.counterexamples.stable_mean import (
    stable_mean_factor,
    stable_mean_limit,
    stable_mean_scale,
    stable_quantile,
)


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [(2, 1.2825498302), (1.8, 1.4210059310), (1.5, 1.8968095081), (1.2, 4.1970641802), (1, np.inf), (0.5, np.inf)],
)
def test_limit__golden_values(alpha, expected):
    np.testing.assert_allclose(stable_mean_limit(alpha), expected, atol=5e-11)
    # The factor of many fits tends to it; without a limit it grows.
    factors = stable_mean_factor(alpha, [10**5, 10**6], "accumulate")
    assert factors[1] > factors[0]
    assert (factors < stable_mean_limit(alpha)).all()


def test_factor__of_a_cauchy_law_is_the_harmonic_number():
    k = np.arange(1, 50)
    np.testing.assert_allclose(stable_mean_factor(1, k, "accumulate"), np.cumsum(1 / k))
    np.testing.assert_allclose(stable_mean_factor(1, k), k)
    np.testing.assert_allclose(stable_mean_factor(2, k) ** 2, k)


@pytest.mark.parametrize("alpha", [0.4, 1, 1.5, 2])
def test_scale__equals_the_factor_of_equal_sizes(alpha):
    k = np.arange(8)
    for keep, workflow in ((0, "replace"), (1, "accumulate")):
        got = stable_mean_scale(alpha, [20] * 7, keep=keep)
        np.testing.assert_allclose(got, 20 ** (1 / alpha - 1) * stable_mean_factor(alpha, k, workflow))


def test_scale__of_a_gaussian_is_the_root_of_its_variance():
    # Error of the mean with 3 fixed real points and 6 synthetic ones: e' = (6 (e + z) + 3 r)/9.
    weight, scale = 6 / 9, stable_mean_scale(2, [6] * 5, 3, real="fixed")
    of_real, moving = 0.0, 0.0
    for t in range(1, 6):
        of_real, moving = weight * of_real + 3 / 9, weight**2 * (moving + 1 / 6)
        np.testing.assert_allclose(scale[t] ** 2, moving + of_real**2 / 3)
    # Without synthetic points the error is that of the real ones, fresh or fixed.
    np.testing.assert_allclose(stable_mean_scale(1.5, [0, 0], 8, real="fresh")[1:], 8 ** (1 / 1.5 - 1))
    np.testing.assert_allclose(stable_mean_scale(1.5, [0, 0], 8, real="fixed")[1:], 8 ** (1 / 1.5 - 1))


@pytest.mark.parametrize("alpha", [0.5, 0.8, 1.2, 1.7])
def test_quantile__inverts_the_law_of_scipy(alpha):
    q = np.array([0.05, 0.5, 0.95])
    np.testing.assert_allclose(2 * stats.levy_stable.cdf(stable_quantile(alpha, q), alpha, 0) - 1, q, atol=1e-9)


def test_quantile__of_known_laws():
    q = np.array([0.001, 0.3, 0.5, 0.999])
    np.testing.assert_allclose(stable_quantile(2, q), math.sqrt(2) * stats.norm.ppf((1 + q) / 2), rtol=1e-9)
    np.testing.assert_allclose(stable_quantile(1, q), stats.cauchy.ppf((1 + q) / 2), rtol=1e-9)
    for alpha in (1 - 1e-6, 1 + 1e-6):
        np.testing.assert_allclose(stable_quantile(alpha, q), stable_quantile(1, q), rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stable_mean_factor(0, 1), "alpha must be above 0, got 0"),
        (lambda: stable_mean_limit(2.1), r"alpha must be within \[0, 2\], got 2.1"),
        (lambda: stable_mean_factor(1, 1, "mix"), "workflow must be 'replace' or 'accumulate', got 'mix'"),
        (lambda: stable_mean_scale(1, [0]), "n_synthetic must be above 0 where no other points are fitted"),
        (lambda: stable_quantile(0.04, 0.5), "alpha must be at least 0.05, got 0.04"),
        (lambda: stable_quantile(1, 1), r"q must be within \[0.001, 0.999\], got 1"),
    ],
)
def test_stable_mean__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
