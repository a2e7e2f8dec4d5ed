"""Deterministic equivalents of ridge regression: published digits, the equation of kappa, limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.effective_ridge import degrees_of_freedom, effective_ridge, rows_left
from fastcollapse.theory.regression.ridge_risk import (
    isotropic_equivalents,
    ridge_equivalents,
    ridge_test_error,
)

D = 300
ISOTROPIC, POWER = np.ones(D), np.arange(1.0, D + 1) ** -1.5
# Sigma, T, ridge: kappa, df_1, df_2, bias, variance, fake at T0 = 600.
GOLDEN = [
    (
        ISOTROPIC,
        1000,
        0.1,
        (0.135889894354, 264.110105646, 232.513826348),
        (0.0186479583312, 0.302955068547, 0.78198862472),
    ),
    (ISOTROPIC, 150, 0.0, (1, 150, 75), (0.5, 1, 0.501672240803)),
    (
        POWER,
        400,
        1e-3,
        (0.00139450979247, 113.160852538, 61.6280882601),
        (0.0340213780531, 0.182131217521, 0.288533794542),
    ),
]
spectra = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=12).map(np.array)
rows = st.integers(1, 40)
ridges = st.floats(1e-9, 1e6)


def constant(spectrum):
    return np.ones(len(spectrum)) / np.sqrt(spectrum.sum())


@pytest.mark.parametrize(("spectrum", "size", "ridge", "kappas", "parts"), GOLDEN)
def test_regression__golden_values(spectrum, size, ridge, kappas, parts):
    kappa = effective_ridge(spectrum, size, ridge)
    np.testing.assert_allclose([kappa, *degrees_of_freedom(spectrum, kappa)], kappas, rtol=1e-11)
    bias, variance, synthetic = ridge_equivalents(spectrum, constant(spectrum), size, ridge)
    np.testing.assert_allclose([bias, variance, synthetic * D / (600 - D - 1)], parts, rtol=1e-11)
    error = ridge_test_error(spectrum, constant(spectrum), size, ridge, 600, [0, 3], 0.2, 0.3)
    np.testing.assert_allclose(error, parts[0] + 0.04 * parts[1] + np.array([0, 3]) * 0.09 * parts[2], rtol=1e-11)


@given(spectra, rows, ridges)
def test_regression__kappa_solves_its_equation(spectrum, size, ridge):
    kappa = effective_ridge(spectrum, size, ridge)
    df_1, df_2 = degrees_of_freedom(spectrum, kappa)
    assert ridge * (1 - 1e-12) <= kappa <= (ridge + spectrum.sum() / size) * (1 + 1e-12)
    # Written without the difference kappa - ridge, which cancels for a large ridge.
    np.testing.assert_allclose(ridge + kappa * df_1 / size, kappa, rtol=1e-11)
    assert df_2 < size
    left_1, left_2 = rows_left(spectrum, size, kappa)
    np.testing.assert_allclose([left_1, left_2], [size - df_1, size - df_2], atol=1e-11)
    np.testing.assert_allclose(left_1 * kappa, size * ridge, rtol=1e-11, atol=1e-12 * kappa * size)
    assert 0 <= df_2 <= df_1 <= len(spectrum)


@given(spectra, rows)
def test_regression__without_ridge_kappa_uses_all_rows(spectrum, size):
    kappa = effective_ridge(spectrum, size, 0.0)
    if size >= len(spectrum):
        assert kappa == 0
    else:
        np.testing.assert_allclose(degrees_of_freedom(spectrum, kappa)[0], size, rtol=1e-11)
    # Limit of small ridges; at T = d the error is of the order of the square root of the ridge.
    np.testing.assert_allclose(effective_ridge(spectrum, size, 1e-26), kappa, rtol=1e-7, atol=1e-7)


@given(spectra, rows, ridges)
def test_regression__parts_are_monotone_and_within_bounds(spectrum, size, ridge):
    w0 = constant(spectrum)
    ridge = np.array([ridge, 2 * ridge])
    kappa = effective_ridge(spectrum, size, ridge)
    bias, variance, synthetic = ridge_equivalents(spectrum, w0, size, ridge)
    assert kappa[0] < kappa[1]
    assert variance[0] >= variance[1] > 0
    # With unequal eigenvalues a fit may move an error into directions with larger eigenvalues.
    assert min(bias.min(), synthetic.min()) >= 0
    _, bias, variance, synthetic = isotropic_equivalents(len(spectrum), size, ridge)
    assert max(bias.max(), synthetic.max()) <= 1 + 1e-12
    assert variance[0] >= variance[1] > 0


def test_regression__limits_of_the_ridge():
    w0 = constant(POWER)
    bias, variance, synthetic = ridge_equivalents(POWER, w0, [100, 300, 900], 1e30)
    np.testing.assert_allclose(bias, 1, rtol=1e-12)
    assert variance.max() < 1e-50
    assert synthetic.max() < 1e-50
    # Least squares is exact at 0, and the limit of small ridges differs by the 1 in T-d-1.
    bias, variance, synthetic = ridge_equivalents(POWER, w0, 900, [0.0, 1e-14])
    np.testing.assert_allclose(variance, [D / (900 - D - 1), D / (900 - D)], rtol=1e-8)
    np.testing.assert_allclose(synthetic, 1, rtol=1e-8)
    assert bias.max() < 1e-12
    assert np.isinf(ridge_equivalents(POWER, w0, [299, 300, 301], 0.0)[1]).all()
    assert np.isfinite(ridge_equivalents(POWER, w0, [298, 302], 0.0)[1]).all()
    assert np.isfinite(ridge_equivalents(POWER, w0, [299, 300, 301], 1e-9)[1]).all()


@pytest.mark.parametrize("ridge", [0.0, 1e-9, 0.3, 1e8])
def test_regression__isotropic_closed_form_equals_general_solver(ridge):
    sizes = np.array([1, 50, 150, 298, 299, 300, 301, 302, 600, 10**6])
    w0 = np.linspace(-1, 2, D)
    kappa, bias, variance, synthetic = isotropic_equivalents(D, sizes, ridge)
    np.testing.assert_allclose(kappa, effective_ridge(ISOTROPIC, sizes, ridge), rtol=1e-9)
    expected = ridge_equivalents(ISOTROPIC, w0, sizes, ridge)
    np.testing.assert_allclose(bias * (w0 @ w0), expected[0], rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(variance, expected[1], rtol=1e-9)
    np.testing.assert_allclose(synthetic, expected[2], rtol=1e-9)


def test_regression__many_rows_give_low_dimensional_limit():
    size, ridge, w0 = 10**12, 0.02, constant(POWER)
    kappa = effective_ridge(POWER, size, ridge)
    np.testing.assert_allclose(kappa, ridge, rtol=1e-9)
    _, df_2 = degrees_of_freedom(POWER, ridge)
    error = ridge_test_error(POWER, w0, size, ridge, 600, 4, 30.0, 0.5)
    bias = ridge**2 * (POWER * w0**2 / (POWER + ridge) ** 2).sum()
    np.testing.assert_allclose(error, bias + (900 / size + 4 * 0.25 / (600 - D - 1)) * df_2, rtol=1e-8)


def test_regression__test_error_without_ridge_equals_least_squares():
    n = np.array([0, 1, 5])
    got = ridge_test_error(POWER, constant(POWER), 700, 0.0, 500, n, 0.3, 0.2)
    np.testing.assert_allclose(got, ols_error_mean(D, 500, n, 0.2, 700, 0.3), rtol=1e-12)
    # Without label noise the fit has no peak; the generators still have one.
    clean = ridge_test_error(POWER, constant(POWER), [[300], [700]], 0.0, 301, [0, 1], 0.0, 0.2)
    assert (clean == [[0, np.inf], [0, np.inf]]).all()
    assert (ridge_test_error(POWER, constant(POWER), 300, 0.1, [301, 302], 1, 0.0, 0.2) < np.inf).tolist() == [
        False,
        True,
    ]


def test_regression__accuracy_near_interpolation_threshold():
    # Eigenvalues of two scales and as many rows as large ones: kappa is the root of the product of the scales.
    for ratio in (1e-12, 1e-40):
        spectrum = np.array([1.0, ratio, 1.0, ratio])
        kappa = effective_ridge(spectrum, 2, 0.0)
        np.testing.assert_allclose(kappa, np.sqrt(ratio), rtol=1e-11)
        np.testing.assert_allclose(rows_left(spectrum, 2, kappa)[1], 4 * kappa, rtol=1e-5)
        assert abs(rows_left(spectrum, 2, kappa)[0]) < 1e-11 * kappa
    # The square root of a tiny ridge where T = d.
    np.testing.assert_allclose(effective_ridge([1.0, 1.0], 2, 1e-30), 1e-15, rtol=1e-11)


def test_regression__long_and_steep_spectrum():
    spectrum = np.arange(1.0, 100_001) ** -2.0
    kappa = effective_ridge(spectrum, [100, 10_000], 0.0)
    np.testing.assert_allclose(degrees_of_freedom(spectrum, kappa)[0], [100, 10_000], rtol=1e-10)
    # tr Sigma (Sigma + k)^{-1} = pi/2 k^{-1/2} for k between the last eigenvalue and the first.
    np.testing.assert_allclose(kappa[0], (np.pi / 2 / 100.5) ** 2, rtol=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: effective_ridge([1, 0], 5, 0.1), "spectrum must be within"),
        (lambda: effective_ridge([1, -1], 5, 0.1), "spectrum must be within"),
        (lambda: effective_ridge(1.0, 5, 0.1), "spectrum must be a vector with at least one entry, got 1."),
        (lambda: effective_ridge([1.0], 0, 0.1), "T must be a whole number of at least 1, got 0"),
        (lambda: effective_ridge([1.0], 5, -0.1), r"ridge must be within \[0, 1e\+40\], got -0.1"),
        (lambda: effective_ridge([1.0], [5, 6], [0, 1, 2]), "T and ridge must have shapes that broadcast"),
        (lambda: degrees_of_freedom([1.0], -1), "kappa must be within"),
        (lambda: ridge_equivalents([1.0], [1.0, 2.0], 5, 0), "w0 must be a vector of 1 numbers"),
        (lambda: ridge_test_error([1.0], [1.0], 5, 0, 0, 1, 1, 1), "T0 must be a whole number of at least 1, got 0"),
        (lambda: ridge_test_error([1, 1], [1, 1], 5, 0, 1, 1, 1, 1), "T0 must be at least d = 2, got 1"),
        (lambda: ridge_test_error([1.0], [1.0], 5, 0, 4, -1, 1, 1), "n must be a whole number of at least 0"),
        (lambda: ridge_test_error([1.0], [1.0], 5, 0, 4, 1, -1, 1), "sigma must be within"),
        (lambda: isotropic_equivalents(0, 5, 0), "d must be a whole number of at least 1"),
    ],
)
def test_regression__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
