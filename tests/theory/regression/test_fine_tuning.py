"""Theory of fine-tuning: golden values, limits, and the domain of the arguments."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.mixing.weighted_fit import weighted_errors
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.fine_tuning import (
    fine_tuned_error,
    fine_tuning_threshold,
    nearest_chain_error,
    nearest_fit_error,
)
from fastcollapse.theory.regression.optimal_ridge import isotropic_optimal_ridge
from fastcollapse.theory.regression.ridge_risk import ridge_test_error


def test_nearest_fit__golden_values():
    np.testing.assert_allclose(nearest_fit_error(30, 18, 1.0, 0.3), 0.547272727273, atol=1e-12)
    np.testing.assert_allclose(fine_tuning_threshold(30, 18, 0.3), 0.245454545455, atol=1e-12)
    # The threshold is where fine-tuning changes nothing.
    for rows in (5, 18, 33, 90):
        threshold = fine_tuning_threshold(30, rows, 0.3)
        np.testing.assert_allclose(nearest_fit_error(30, rows, threshold, 0.3), threshold, rtol=1e-13)
    # With many rows the start is forgotten.
    np.testing.assert_allclose(nearest_fit_error(30, 60, [0.0, 1.0, 1e9], 0.3), 0.09 * 30 / 29, rtol=1e-14)
    assert np.isinf(nearest_fit_error(30, [29, 30, 31], 1.0, 0.3)).all()
    np.testing.assert_allclose(nearest_fit_error(30, [29, 30], 3.0, 0.0), [0.1, 0.0], atol=1e-15)


def test_chains__golden_values():
    got = nearest_chain_error(30, 18, 3, 0.3, 0.3, weight=1.0, start_error=4.0)
    np.testing.assert_allclose(got, 0.485745454545, atol=1e-12)
    np.testing.assert_allclose(nearest_chain_error(30, 18, 5, 0.3, 0.3), 0.736363636364, atol=1e-12)
    # Real labels for ever: the threshold.
    got = nearest_chain_error(30, 18, 10**6, 0.3, 0.3, weight=1.0)
    np.testing.assert_allclose(got, fine_tuning_threshold(30, 18, 0.3), rtol=1e-12)
    # One real fit is the nearest fit.
    got = nearest_chain_error(30, 18, [0, 1], 0.3, 0.5, weight=1.0, start_error=4.0)
    np.testing.assert_allclose(got, [4.0, nearest_fit_error(30, 18, 4.0, 0.3)], rtol=1e-13)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_chains__with_many_rows_are_weighted_fits(weight):
    d, T = 10, 25
    real, synthetic = (sigma**2 * d / (T - d - 1) for sigma in (0.5, 0.8))
    got = nearest_chain_error(d, T, np.arange(1, 6), 0.5, 0.8, weight)
    np.testing.assert_allclose(got, weighted_errors([weight] * 5, real, synthetic, 1.0), rtol=1e-12)


def test_fine_tuned_error__golden_values():
    spectrum = np.arange(1.0, 151) ** -1.5
    delta = np.full(150, spectrum.sum() ** -0.5)
    np.testing.assert_allclose(fine_tuned_error(spectrum, delta, 100, 1e-3, 0.3), 0.105091665062, atol=1e-12)
    # Collapsed over 10 generations, with the best ridge towards the collapsed model.
    error = float(ols_error_mean(100, 300, 10, 0.5))
    ridge = isotropic_optimal_ridge(100, 60, 0.5, error)
    np.testing.assert_allclose([error, ridge], [1.256281, 0.331667], atol=1e-6)
    got = fine_tuned_error(np.ones(100), np.full(100, (error / 100) ** 0.5), 60, ridge, 0.5)
    np.testing.assert_allclose(got, 0.700722120560, atol=1e-12)
    # The worse the start, the smaller the best ridge towards it; and it is the minimum.
    assert isotropic_optimal_ridge(100, 60, 0.5, 2 * error) < ridge
    for other in (0.9 * ridge, 1.1 * ridge):
        assert fine_tuned_error(np.ones(100), np.full(100, (error / 100) ** 0.5), 60, other, 0.5) > got


def test_fine_tuned_error__from_zero_is_that_of_a_ridge_fit():
    spectrum, w0 = np.arange(1.0, 21) ** -0.5, np.linspace(1, 2, 20)
    expected = ridge_test_error(spectrum, w0, [15, 40], 0.2, 50, 0, 0.3, 0.0)
    np.testing.assert_allclose(fine_tuned_error(spectrum, w0, [15, 40], 0.2, 0.3), expected, rtol=1e-13)


REFUSED = [
    (lambda: nearest_fit_error(0, 5, 1.0, 0.3), "d must be a whole number of at least 1, got 0"),
    (lambda: nearest_fit_error(5, 0, 1.0, 0.3), "T must be a whole number of at least 1, got 0"),
    (lambda: nearest_fit_error(5, 9, -1.0, 0.3), r"delta_square must be within \[0, 1e\+60\], got -1"),
    (lambda: fine_tuning_threshold(5, 9, -0.3), r"sigma must be within \[0, 1e\+30\], got -0.3"),
    (lambda: nearest_chain_error(5, 9, -1, 0.3, 0.3), "n must be a whole number of at least 0, got -1"),
    (lambda: nearest_chain_error(5, 9, 1, 0.3, 0.3, weight=2.0), r"weight must be within \[0, 1\], got 2"),
    (lambda: fine_tuned_error([1.0], [1.0, 2.0], 9, 0.1, 0.3), "w0 must be a vector of 1 numbers"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_arguments__outside_their_domain_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
