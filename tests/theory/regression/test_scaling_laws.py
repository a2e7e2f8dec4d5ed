"""Power laws: sums over many eigenvalues, exponents of the equivalents, and the crossover."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.optimal_ridge import optimal_ridge
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents
from fastcollapse.theory.regression.scaling_laws import (
    best_exponents,
    crossover_samples,
    error_exponent,
    power_law,
    power_law_equivalents,
)


@pytest.mark.parametrize(("beta", "r"), [(2.0, 0.375), (2.0, 0.9), (2.5, 1.0), (2.0, 1.1), (3.0, 0.3), (2.0, 2.5)])
def test_regression_scaling__constants_of_sums(beta, r):
    spectrum, w0 = power_law(1_000_000, beta, r)
    signal = spectrum * w0**2
    np.testing.assert_allclose(signal[:3], np.arange(1, 4.0) ** -(1 + 2 * beta * r), rtol=1e-12)
    for kappa in (0.01, 1e-3, 1e-4):
        shrunk = kappa / (spectrum + kappa)
        sums = [(1 - shrunk).sum(), ((1 - shrunk) ** 2).sum(), (signal * shrunk**2).sum()]
        rtol = [1e-3, 1e-3, max(5 * kappa, 1e-3)]
        for got, expected, tolerance in zip(power_law_equivalents(kappa, beta, r), sums, rtol, strict=True):
            np.testing.assert_allclose(got, expected, rtol=tolerance)


def test_regression_scaling__bias_is_continuous_at_r_1():
    kappa = np.array([1e-8, 1e-3])
    middle = power_law_equivalents(kappa, 1.7, 1.0)[2]
    for r in (1 - 2e-6, 1 + 2e-6):
        np.testing.assert_allclose(power_law_equivalents(kappa, 1.7, r)[2], middle, rtol=2e-4)


@pytest.mark.parametrize(("beta", "r"), [(1.5, 0.375), (2.0, 0.5), (1.3, 2.0)])
@pytest.mark.parametrize("a", [0.4, 0.7, 1.0])
def test_regression_scaling__best_exponents_are_at_intersections(beta, r, a):
    ell, exponent = best_exponents(beta, r, a)
    np.testing.assert_allclose(error_exponent(beta, r, ell, a), exponent, rtol=1e-12)
    around = error_exponent(beta, r, ell * np.array([0.9, 1.1]), a)
    assert (around < exponent).all()
    saturated = min(r, 1)
    np.testing.assert_allclose(exponent, a * 2 * beta * saturated / (2 * beta * saturated + 1), rtol=1e-12)
    # More generator rows than fit rows change no exponent; with a constant number the error does not decrease.
    np.testing.assert_allclose(best_exponents(beta, r, [1.5, 0.0])[0], [best_exponents(beta, r)[0], 0])


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_regression_scaling__best_ridge_decreases_with_best_exponents(a):
    # Fake data of deviation T^-a/2 a direction, in many dimensions: slopes of the equivalents at their best.
    beta, r = 2.0, 0.4
    spectrum, w0 = power_law(20_000, beta, r)
    sizes = np.array([10**8, 10**9])
    ell, exponent = best_exponents(beta, r, a)
    ridge, error = optimal_ridge(spectrum, w0, sizes, 0.1, 0.3 * len(spectrum) * sizes**-a)
    np.testing.assert_allclose(-np.diff(np.log10(ridge)), ell, atol=0.02)
    np.testing.assert_allclose(-np.diff(np.log10(error)), exponent, atol=0.02)


def test_regression_scaling__crossover_is_where_bias_meets_variance():
    spectrum, w0 = power_law(30_000, 2.0, 0.6)
    for noise in (0.01, 0.001):
        size = int(crossover_samples(2.0, 0.6, 1.0, noise))
        bias, variance, _ = ridge_equivalents(spectrum, w0, size, 1 / size)
        np.testing.assert_allclose(bias, noise * variance, rtol=0.01)
    # Small noise: the leading order.
    late = crossover_samples(1.5, 0.375, 1.2, [1e-10, 1e-12])
    np.testing.assert_allclose(np.diff(np.log(late)), np.log(100) / (2 * 0.375 * 1.2 + 1.2 / 1.5 - 1), rtol=1e-2)
    # Large noise: the crossover is proportional to the noise.
    first, second = crossover_samples(1.5, 0.375, 1.2, [1e3, 2e3])
    np.testing.assert_allclose(second, 2 * first, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power_law(0, 2, 1), "d must be a whole number of at least 1"),
        (lambda: power_law(5, 1, 1), "beta must be more than 1, got 1"),
        (lambda: power_law(5, 2, -1), "r must be within"),
        (lambda: power_law_equivalents(0.2, 2, 1), "kappa must be within"),
        (lambda: power_law_equivalents(0.1, 2, 0), "r must be positive, got 0"),
        (lambda: error_exponent(2, 1, 3), "ell must be within"),
        (lambda: error_exponent(2, 1, [1, 1.5], [0, 1, 2]), "ell and a must have shapes that broadcast"),
        (lambda: best_exponents(2, 1, -1), "a must be within"),
        (lambda: crossover_samples(2, 0.5, 0.6, 0.1), "ell must be from 0.6677 to less than beta, got 0.6"),
        (lambda: crossover_samples(2, 0.5, 1.0, 0.0), "noise must be within"),
    ],
)
def test_regression_scaling__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
