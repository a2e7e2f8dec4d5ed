"""Optimal ridge: closed forms, a fine grid, limits, and dependence on the generator error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.effective_ridge import degrees_of_freedom
from fastcollapse.theory.regression.optimal_ridge import isotropic_optimal_ridge, optimal_ridge
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents

D = 300
CONSTANT = np.full(D, D**-0.5)
POWER, TRUTH = np.arange(1.0, D + 1) ** -1.5, np.cos(np.arange(D))


@given(st.integers(1, 2000), st.floats(0.01, 10), st.floats(0, 10))
def test_regression_optimum__isotropic_search_equals_closed_form(size, sigma, error):
    got, least = optimal_ridge(np.ones(40), np.full(40, 40**-0.5), size, sigma, error)
    expected = isotropic_optimal_ridge(40, size, sigma, 1.0, error)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    # Larger than for clean labels, and smaller than for infinitely many rows.
    clean = sigma**2 * 40 / size
    assert clean * (1 - 1e-12) <= expected <= (clean + error * (1 + 40 / size)) * (1 + 1e-12)
    assert least < 1


@pytest.mark.parametrize("size", [100, 299, 300, 301, 600])
@pytest.mark.parametrize(("sigma", "error"), [(0.3, 0.0), (0.3, 1.0), (0.01, 0.0), (0.0, 0.5)])
def test_regression_optimum__is_minimum_over_grid(size, sigma, error):
    ridge, least = optimal_ridge(POWER, TRUTH, size, sigma, error)
    bias, variance, synthetic = ridge_equivalents(POWER, TRUTH, size, np.geomspace(1e-9, 1e3, 400))
    assert least <= (bias + sigma**2 * variance + error * synthetic).min() * (1 + 1e-12)
    bias, variance, synthetic = ridge_equivalents(POWER, TRUTH, size, ridge)
    np.testing.assert_allclose(least, bias + sigma**2 * variance + error * synthetic, rtol=1e-10)
    assert 0 < ridge < np.inf


def test_regression_optimum__grows_with_generations():
    errors = ols_error_mean(D, 600, [0, 1, 5, 20], 0.5)
    for size in (100, 300, 3000):
        ridge, least = optimal_ridge(POWER, TRUTH, size, 0.3, errors)
        assert (np.diff(ridge) > 0).all()
        assert (np.diff(least) > 0).all()
        # The best ridge for clean labels is worse for those of generators.
        bias, variance, synthetic = ridge_equivalents(POWER, TRUTH, size, ridge[0])
        assert (bias + 0.09 * variance + errors[1:] * synthetic > least[1:] * 1.001).all()


def test_regression_optimum__plateau_of_many_rows():
    error = ols_error_mean(D, 600, 4, 0.5)
    ridge, least = optimal_ridge(POWER, TRUTH, [10**9, 10**15], 0.3, error)
    grid = np.geomspace(ridge[1] / 100, ridge[1] * 100, 20_001)
    bias = [(POWER * (kappa * TRUTH / (POWER + kappa)) ** 2).sum() for kappa in grid]
    expected = np.array(bias) + error / D * degrees_of_freedom(POWER, grid)[1]
    np.testing.assert_allclose(least[1], expected.min(), rtol=1e-6)
    np.testing.assert_allclose(grid[expected.argmin()], ridge[1], rtol=1e-3)
    np.testing.assert_allclose(least[0], least[1], rtol=1e-4)
    # Many rows against few dimensions: (sigma^2 d/T + D)/|w0|^2.
    np.testing.assert_allclose(isotropic_optimal_ridge(3, 10**12, 0.5, 2.0, 0.7), 0.35, rtol=1e-9)


def test_regression_optimum__limits():
    # The optimum is 0 without noise and with enough rows; it is infinite without a signal.
    assert [float(x) for x in optimal_ridge(POWER, TRUTH, 400, 0.0)] == [0, 0]
    assert float(optimal_ridge(np.ones(D), TRUTH, 100, 0.0)[0]) == 0
    # With fewer rows, the directions outside their span act as noise.
    assert float(optimal_ridge(POWER, TRUTH, 100, 0.0)[0]) > 1e-7
    assert [float(x) for x in optimal_ridge(POWER, 0 * TRUTH, 100, 0.5, 1.0)] == [np.inf, 0]
    assert isotropic_optimal_ridge(D, 100, 0.0, 1.0) == 0
    long = np.arange(1.0, 20_001) ** -2.0
    assert 0 < optimal_ridge(long, np.ones(20_000), 500, 0.1)[0] < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimal_ridge([0.0], [1.0], 5, 1.0), "spectrum must be within"),
        (lambda: optimal_ridge([1.0], [1.0], 0, 1.0), "T must be a whole number of at least 1, got 0"),
        (lambda: optimal_ridge([1.0], [1.0], 5, 1.0, -1.0), "generator_error must be within"),
        (lambda: optimal_ridge([1.0], [1.0], 5, 1.0, np.inf), "generator_error must be within"),
        (lambda: optimal_ridge([1.0], [1.0], [5, 6], 1.0, [1, 2, 3]), "T and generator_error must have shapes"),
        (lambda: isotropic_optimal_ridge(5, 5, 1.0, 0.0), "w0_square must be within"),
    ],
)
def test_regression_optimum__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
