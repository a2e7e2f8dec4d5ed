"""Second moments of weighted unbiased covariances: golden values and the case of one dimension."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.multivariate import trace_moments
from fastcollapse.theory.mixing.gaussian_parts import weighted_covariance_moments, weighted_variance_spread


def test_weighted_variance_spread__has_golden_value():
    assert abs(weighted_variance_spread([0.4] * 12, 10, 15)[-1] - 0.147785088508) < 1e-12


def test_weighted_covariance_moments__have_golden_value():
    square, _ = weighted_covariance_moments([1, 1, 1], [0.4] * 6, 10, 15)
    assert abs(square[-1] - 3 - 0.865839269047) < 1e-12


def test_weighted_covariance_moments__in_one_dimension_are_those_of_the_variance():
    w, m = np.linspace(0.1, 0.9, 8), np.arange(8, 16)
    square, trace = weighted_covariance_moments([2.0], w, 10, m)
    np.testing.assert_allclose(square, trace, rtol=1e-14)
    np.testing.assert_allclose(square / 4 - 1, weighted_variance_spread(w, 10, m), rtol=1e-12)


def test_weighted_covariance_moments__without_real_data_are_those_of_replace():
    square, trace = weighted_covariance_moments([1.0, 0.5, 0.2], [0.0] * 6, 10, 15)
    expected = trace_moments(1.29, 2.89, 15, np.arange(1, 7), "unbiased")
    np.testing.assert_allclose([square, trace], expected, rtol=1e-12)


def test_weighted_variance_spread__is_bounded_below_the_threshold_only():
    m = 5
    edge = 1 - np.sqrt((m - 1) / (m + 1))
    below, above = (weighted_variance_spread([edge + step] * 4000, 10, m)[-1] for step in (-0.01, 0.01))
    assert below > 1e10
    assert above < 100


def test_gaussian_parts__refuse_one_point():
    with pytest.raises(InputError, match="m must be a whole number of at least 2, got 1"):
        weighted_variance_spread([0.5] * 3, 10, 1)
