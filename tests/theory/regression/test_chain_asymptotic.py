"""Chains with more dimensions than rows, or with a ridge: published digits, special cases, limits."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.chain_asymptotic import chain_means, chain_moments, chain_test_means
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_norm_moments
from fastcollapse.theory.regression.isotropic import isotropic_chain_means, isotropic_chain_variances
from fastcollapse.theory.regression.ridge_risk import ridge_test_error
from fastcollapse.theory.regression.shared_design import dependent_ridge_means

D = 300
ISOTROPIC, POWER = np.ones(D), np.arange(1.0, D + 1) ** -1.5
CONSTANT = np.full(D, D**-0.5)
TRUTH = np.cos(np.arange(D))


def test_regression_chain__golden_values():
    error, _, _ = chain_means(ISOTROPIC, CONSTANT, 150, 3, 0.3)
    np.testing.assert_allclose(error, 1.0325, rtol=1e-12)
    error, _, _ = chain_test_means(ISOTROPIC, CONSTANT, 400, 1e-3, 150, 3, 0.2, 0.3)
    np.testing.assert_allclose(error, 1.14759086474, rtol=1e-11)


def test_regression_chain__least_squares_is_exact():
    n = np.array([0, 1, 4])
    error, overlap, norm = chain_means(POWER, TRUTH, 600, n, 0.3)
    np.testing.assert_allclose(error, ols_error_mean(D, 600, n, 0.3), atol=1e-12)
    moments = ols_norm_moments(POWER, TRUTH, 600, n, 0.3)
    np.testing.assert_allclose([overlap, norm], [moments[0], moments[2]], rtol=1e-12)
    for ridge in (0.0, 1e-3, 1.0):
        got, _, _ = chain_test_means(POWER, TRUTH, [[100], [450]], ridge, 600, n, 0.2, 0.3)
        expected = ridge_test_error(POWER, TRUTH, [[100], [450]], ridge, 600, n, 0.2, 0.3)
        np.testing.assert_allclose(got, expected, rtol=1e-10)


@pytest.mark.parametrize("design", ["independent", "dependent"])
def test_regression_chain__isotropic_equals_exact_table_up_to_1_over_d(design):
    d, n = 20_000, np.array([0, 1, 2, 7])
    got = chain_means(np.ones(d), np.full(d, d**-0.5), d // 3, n, 0.6, design=design)
    expected = isotropic_chain_means(d, d // 3, n, 0.6, 1.0, design)
    np.testing.assert_allclose(got, expected, rtol=3e-4)
    downstream = chain_test_means(np.ones(d), np.full(d, d**-0.5), d // 2, 0.0, d // 3, n, 0.5, 0.6, design=design)
    expected = isotropic_chain_means(d, d // 3, n, 0.6, 1.0, design, d // 2, 0.5)
    np.testing.assert_allclose(downstream, expected, rtol=4e-4)


def test_regression_isotropic__equals_published_table():
    d, size, sigma, square, n = 30, 12, 0.7, 2.5, np.arange(6)
    share, v = size / d, sigma**2 * size / (d - size - 1)
    error, overlap, norm = isotropic_chain_means(d, size, n, sigma, square)
    np.testing.assert_allclose(overlap, share**n * square, rtol=1e-12)
    np.testing.assert_allclose(norm, share**n * square + v * (1 - share**n) / (1 - share), rtol=1e-12)
    saturates = square + sigma**2 * size * d / ((d - size) * (d - size - 1))
    np.testing.assert_allclose(error, (1 - share**n) * saturates, rtol=1e-12)
    error, overlap, norm = isotropic_chain_means(d, size, n, sigma, square, "dependent")
    np.testing.assert_allclose(error[1:], (1 - share) * square + n[1:] * v, rtol=1e-12)
    np.testing.assert_allclose([overlap[1:], norm[1:]], [[share * square] * 5, share * square + n[1:] * v], rtol=1e-12)
    assert (error[0], overlap[0], norm[0]) == (0, square, square)


def test_regression_isotropic__signal_decays_as_product_of_beta():
    # |w_n|^2/|w0|^2 is a product of n Beta(T0/2, (d-T0)/2).
    d, size, n = 12, 5, np.array([1, 2, 5])
    _, _, norm = isotropic_chain_means(d, size, n, 0.0)
    _, _, variance = isotropic_chain_variances(d, size, n, 0.0)
    np.testing.assert_allclose(norm, (size / d) ** n, rtol=1e-12)
    second = (size * (size + 2) / (d * (d + 2))) ** n
    np.testing.assert_allclose(variance, second - (size / d) ** (2 * n), rtol=1e-10)
    # Fits to the same rows again change nothing.
    dependent = isotropic_chain_variances(d, size, n, 0.0, design="dependent")
    np.testing.assert_allclose(dependent, np.transpose([np.transpose(dependent)[0]] * 3), rtol=1e-12)


def test_regression_isotropic__least_squares_equals_exact_law():
    d, sizes, n = 9, [30, 17, 22], np.array([0, 1, 2, 3])
    w0 = np.linspace(-1, 1, d)
    error, overlap, norm = isotropic_chain_means(d, sizes, n, 0.4, w0 @ w0)
    variances = isotropic_chain_variances(d, sizes, n, 0.4, w0 @ w0)
    moments = ols_norm_moments(np.ones(d), w0, sizes, n, 0.4)
    np.testing.assert_allclose(error, ols_error_mean(d, sizes, n, 0.4), rtol=1e-12)
    np.testing.assert_allclose([overlap, variances[1], norm, variances[2]], moments, rtol=1e-12, atol=1e-14)


def test_regression_isotropic__reports_infinite_moments():
    d = 10
    for size in range(1, 20):
        error, overlap, _ = isotropic_chain_means(d, size, [0, 2], 0.5)
        variance, _, _ = isotropic_chain_variances(d, size, [0, 2], 0.5)
        assert (error[0], variance[0]) == (0, 0)
        assert np.isfinite(error[1]) == (abs(size - d) > 1)
        assert np.isfinite(variance[1]) == (abs(size - d) > 3)
        assert np.isfinite(overlap).all()
        assert np.isfinite(isotropic_chain_means(d, size, 2, 0.0)[0])
        # The general recursion also reports infinite moments.
        assert np.isfinite(chain_means(np.ones(d), np.ones(d), size, 2, 0.5)[0]) == (abs(size - d) > 1)
        assert np.isfinite(chain_means(np.ones(d), np.ones(d), size, 2, 0.5, 0.01)[0])
    # It stays infinite in all later generations.
    assert np.isinf(isotropic_chain_means(d, [10, 40, 3], 3, 0.5)[0])
    assert np.isinf(chain_means(np.ones(d), np.ones(d), [10, 40, 3], 3, 0.5)[0])


def test_regression_chain__noise_saturates_or_grows():
    n = np.array([50, 100, 200])
    spectrum = np.repeat([1.0, 0.3], 150)
    independent, _, _ = chain_means(spectrum, TRUTH, 150, n, 0.3)
    dependent, _, _ = chain_means(spectrum, TRUTH, 150, n, 0.3, design="dependent")
    assert independent[2] - independent[0] < 1e-6 * independent[0]
    np.testing.assert_allclose(dependent[2] - dependent[1], 2 * (dependent[1] - dependent[0]), rtol=1e-9)


def test_regression_chain__huge_ridge_removes_signal():
    error, overlap, norm = chain_means(POWER, TRUTH, 150, [1, 3], 0.3, 1e30)
    np.testing.assert_allclose(error, POWER @ TRUTH**2, rtol=1e-12)
    assert max(overlap.max(), norm.max()) < 1e-20
    # A long and steep spectrum, and generations requested out of order.
    long = np.arange(1.0, 20_001) ** -2.0
    mean, second = chain_moments(long, np.ones(20_000), [100, 50_000, 300], [[3, 0], [1, 1]], 0.1, 1e-6)
    assert mean.shape == second.shape == (2, 2, 20_000)
    assert np.isfinite(second).all()
    assert (mean[0, 1] == 1).all()
    np.testing.assert_array_equal(mean[1, 0], mean[1, 1])


@pytest.mark.parametrize("size", [1, 100, 299, 300, 301, 10**6])
@pytest.mark.parametrize("ridge", [1e-6, 0.1, 30.0])
def test_regression_dependent__first_generator_equals_plain_chain(size, ridge):
    got = dependent_ridge_means(D, size, ridge, [0, 1], 0.3)
    np.testing.assert_allclose(got, chain_means(ISOTROPIC, CONSTANT, size, [0, 1], 0.3, ridge), rtol=1e-9, atol=1e-13)


def test_regression_dependent__small_and_many_steps():
    n = np.array([1, 4])
    # A vanishing ridge: one minimum-norm fit with n times the noise.
    got = dependent_ridge_means(D, 150, 1e-8, n, 0.3)
    np.testing.assert_allclose(got, chain_means(ISOTROPIC, CONSTANT, 150, n, 0.3, design="dependent"), rtol=1e-6)
    # Many steps: the signal vanishes and the noise saturates, at a higher level for independent rows.
    error, overlap, norm = dependent_ridge_means(D, 600, 0.1, [10**5, 10**6], 0.3)
    np.testing.assert_allclose(error[0], error[1], rtol=1e-12)
    np.testing.assert_allclose(error, 1 + norm, rtol=1e-12)
    assert overlap.max() < 1e-12
    # Noise in one dimension of many rows: s = 1, a geometric sum.
    _, _, norm = dependent_ridge_means(1, 10**12, 0.5, 3, 1e6, 0.0)
    np.testing.assert_allclose(norm, (2 / 3) ** 2 * sum((2 / 3) ** (2 * k) for k in range(3)), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chain_means([1.0], [1.0], 0, 1, 1.0), "T0 must be a whole number of at least 1, got 0"),
        (lambda: chain_means([1.0], [1.0], [5, 5], 3, 1.0), "n must be at most 2, the number of sizes, got 3"),
        (lambda: chain_means([1.0], [1.0], 5, 10**7, 1.0), "n must be at most 1000000"),
        (lambda: chain_means([1.0], [1.0], 5, 1, 1.0, 0.1, "dependent"), "ridge0 must be 0 for dependent generators"),
        (lambda: chain_means([1.0], [1.0], 5, 1, 1.0, -0.1), "ridge0 must be within"),
        (
            lambda: chain_test_means([1.0], [1.0], [1, 2], [1, 2, 3], 5, 1, 1.0, 1.0),
            "T and ridge and n must have shapes",
        ),
        (lambda: chain_moments([1.0], [1.0, 1.0], 5, 1, 1.0), "w0 must be a vector of 1 numbers"),
        (lambda: dependent_ridge_means(4, 5, 0.0, 1, 1.0), "ridge0 must be within"),
        (lambda: dependent_ridge_means(4, 5, 0.1, 10**7, 1.0), "n must be at most 1000000"),
        (lambda: isotropic_chain_means(4, 5, 1, -1.0), "sigma0 must be within"),
        (lambda: isotropic_chain_means(4, 5, 1, 1.0, -1.0), "w0_square must be within"),
        (lambda: isotropic_chain_means(4, 5, 1, 1.0, sigma=1.0), "sigma must be 0 without the rows T"),
        (lambda: isotropic_chain_variances(4, [5, 6], 1, 1.0, 1.0, "dependent"), "T0 must be a single number"),
    ],
)
def test_regression_chain__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
