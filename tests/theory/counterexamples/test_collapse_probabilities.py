"""Hidden interval, uniform levels and ratios of errors: golden values, integrals, domains."""

import numpy as np
import pytest
from scipy import integrate, stats

from fastcollapse.errors import InputError
from fastcollapse.theory.counterexamples.error_ratio import error_ratio_quantile
from fastcollapse.theory.counterexamples.hidden_interval import hidden_interval_collapse, hidden_interval_transform
from fastcollapse.theory.counterexamples.uniform_levels import uniform_levels_limit, uniform_levels_not_collapsed


def test_hidden_interval__golden_value():
    np.testing.assert_allclose(hidden_interval_collapse(), 0.241112023464, atol=5e-13)
    # The mean place of the maximum is 1.38.
    assert round(4 * (1 - float(hidden_interval_transform(1e-6))) / 1e-6, 2) == 1.38


def test_uniform_levels__golden_values():
    got = uniform_levels_not_collapsed(100, [1, 10, 40])
    np.testing.assert_allclose(got, [0.6674098736, 0.1667826492, 0.0476298529], atol=5e-11)
    np.testing.assert_allclose(uniform_levels_limit([1, 10, 40]), [2 / 3, 1 / 6, 1 / 21])
    np.testing.assert_allclose(uniform_levels_not_collapsed(10**12, [0, 1, 10**6]), [1, 2 / 3, 1 / 500_001], rtol=1e-10)


@pytest.mark.parametrize(("n", "t"), [(1, 3), (2, 1), (9, 4)])
def test_uniform_levels__equal_their_integral(n, t):
    def integrand(m):
        return (1 - min(0.25, (1 - m) / 2)) ** (n * t) * n * m ** (n - 1)

    expected = integrate.quad(integrand, 0, 0.5)[0] + integrate.quad(integrand, 0.5, 1)[0]
    np.testing.assert_allclose(uniform_levels_not_collapsed(n, t), expected, rtol=1e-12)


def test_error_ratio__inverts_its_law():
    q, factor = np.array([0.01, 0.3, 0.5, 0.8, 0.99]), 1.6
    m, gain = error_ratio_quantile(q, factor), np.sqrt(0.6)
    law = stats.cauchy(1, gain)
    np.testing.assert_allclose(law.cdf(m) - law.cdf(-m), q, rtol=1e-12)
    np.testing.assert_allclose(error_ratio_quantile(0.5, [1, 1.6, 9]), [1, np.sqrt(1.6), 3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hidden_interval_transform(-1), r"s must be within \[0, 1e\+06\], got -1"),
        (lambda: uniform_levels_not_collapsed(0, 1), "n must be a whole number of at least 1, got 0"),
        (lambda: uniform_levels_not_collapsed(1, -1), "t must be within"),
        (lambda: uniform_levels_limit(-1), "t must be within"),
        (lambda: error_ratio_quantile(0, 2), "q must be strictly between 0 and 1, got 0"),
        (lambda: error_ratio_quantile(0.5, 0.5), "factor must be within"),
    ],
)
def test_collapse_probabilities__refuse(call, message):
    with pytest.raises(InputError, match=message):
        call()
