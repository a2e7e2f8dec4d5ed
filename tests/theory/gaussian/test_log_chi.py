"""Moments of ln chi, against quadrature and series."""

import numpy as np
import pytest
from scipy import integrate, stats

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_moment, log_chi_variance


def expectation(function, nu):
    """Return E function(ln sqrt(chi2_nu/nu)) by quadrature in the log."""

    def density(y):
        return function(y) * stats.chi2.pdf(nu * np.exp(2 * y), nu) * 2 * nu * np.exp(2 * y)

    width = np.sqrt(1 / (2 * nu))
    return integrate.quad(density, -80 / nu - 10 * width, 8 * width, limit=400, epsabs=1e-14, points=[0])[0]


@pytest.mark.parametrize("nu", [1, 2, 9, 39, 40, 41, 400])
def test_chi__moments_against_quadrature(nu):
    mean = log_chi_mean(nu)
    assert abs(expectation(lambda y: y, nu) - mean) < 1e-12
    assert abs(expectation(lambda y: (y - mean) ** 2, nu) - log_chi_variance(nu)) < 1e-12
    for s in (0.7, 1.0, 2.0, 3.5, -0.4):
        assert abs(np.log(expectation(lambda y, s=s: np.exp(s * y), nu)) - log_chi_moment(s, nu)) < 1e-11
    real = expectation(lambda y: np.cos(3 * y), nu)
    imaginary = expectation(lambda y: np.sin(3 * y), nu)
    assert abs(np.exp(log_chi_moment(3j, nu)) - (real + 1j * imaginary)) < 1e-12


def test_chi__is_accurate_for_any_size():
    nu = np.array([10.0**i for i in range(3, 16)])
    mean = -1 / (2 * nu) - 1 / (6 * nu**2) + 1 / (15 * nu**4)
    np.testing.assert_allclose(log_chi_mean(nu), mean, rtol=1e-13)
    np.testing.assert_allclose(log_chi_variance(nu), 1 / (2 * nu) + 1 / (2 * nu**2) + 1 / (3 * nu**3), rtol=1e-12)
    np.testing.assert_allclose(log_chi_moment(1, nu), -1 / (4 * nu) + 1 / (24 * nu**3), rtol=1e-12)
    # E chi2 = nu, E chi2^2 = nu (nu + 2).
    np.testing.assert_allclose(log_chi_moment(2, nu), 0, atol=1e-18)
    np.testing.assert_allclose(log_chi_moment(4, nu), np.log1p(2 / nu), rtol=1e-13)


@pytest.mark.parametrize("s", [0.5, 4.0, -3.0, 1 + 2j])
def test_chi__series_and_gamma_functions_agree(s):
    # nu = 40 is the first that may use the series; E chi^s at nu + 2 is (nu + s)/nu times that at nu.
    nu = np.arange(4, 400)
    got = log_chi_moment(s, nu + 2) - log_chi_moment(s, nu)
    expected = np.log((nu + s) / nu) - s / 2 * np.log1p(2 / nu)
    np.testing.assert_allclose(got, expected, atol=3e-13)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (log_chi_mean, (0,), "nu must be a whole number of at least 1, got 0"),
        (log_chi_variance, (1.5,), "nu must be a whole number"),
        (log_chi_moment, (-3, 3), "s must be above -nu, got -3"),
        (log_chi_moment, (1e16, 3), "s must be within"),
        (log_chi_moment, (1j * np.inf, 3), "s must be within"),
        (log_chi_moment, ("a", 3), "s must be numeric"),
    ],
)
def test_chi__refuses(function, arguments, message):
    with pytest.raises(InputError, match=message):
        function(*arguments)
