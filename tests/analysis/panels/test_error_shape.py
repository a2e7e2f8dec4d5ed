"""Variance and skewness of the least-squares error, against exact variances and a large sample."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_error_variance


@pytest.mark.parametrize(("d", "T0"), [(1, 10), (20, 40), (300, 600)])
def test_shape__variance_equals_exact_variance_of_chain(d, T0):
    n = np.arange(1, 6)
    one = inverse_cumulants(np.array([T0 - d + 1.0]), 0.25)
    for design, powers in (("independent", np.ones((3, 1))), ("dependent", np.array([[1], [2], [3]]))):
        spread, _ = shape_of(d, one * n.astype(float) ** powers)
        mean = ols_error_mean(d, T0, n, 0.5)
        expected = 1 + ols_error_variance(d, T0, n, 0.5, design=design) / mean**2
        np.testing.assert_allclose(spread, expected, rtol=1e-12)


def test_shape__skewness_equals_sample_skewness():
    rng = np.random.default_rng(11)
    d, nu, n_draws = 6, 40, 1_000_000
    draws = rng.chisquare(d, n_draws) / rng.chisquare(nu, n_draws)
    _, skew = shape_of(d, inverse_cumulants(np.array([float(nu)]), 1.0))
    # The sixth moment is finite; the skewness of a million has a deviation of about 0.01, 5 of them.
    assert abs(stats.skew(draws) - skew[0]) < 0.05
    # Negative control: four degrees fewer are rejected.
    assert abs(stats.skew(draws) - shape_of(d, inverse_cumulants(np.array([nu - 12.0]), 1.0))[1][0]) > 0.05


def test_shape__marks_infinite_moments():
    spread, skew = shape_of(20, inverse_cumulants(np.array([7.0, 6.0, 5.0, 4.0, 2.0]), 1.0))
    np.testing.assert_array_equal(np.isfinite(spread), [True, True, True, False, False])
    np.testing.assert_array_equal(np.isfinite(skew), [True, False, False, False, False])


def test_shape__is_zero_without_noise():
    spread, skew = shape_of(20, inverse_cumulants(np.array([30.0, 1.0]), 0.0))
    np.testing.assert_array_equal(spread, 1)
    np.testing.assert_array_equal(skew, 0)
