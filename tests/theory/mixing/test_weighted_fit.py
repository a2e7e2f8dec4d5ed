"""The recursion of weighted fits and the best weights, against golden values and a search."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fastcollapse.errors import InputError
from fastcollapse.theory.mixing.pathways import fixed_real_factor, pathway_factors
from fastcollapse.theory.mixing.weighted_fit import (
    best_weight,
    contaminated_errors,
    fixed_real_errors,
    optimal_weights,
    weighted_errors,
)

PHI = (1 + 5**0.5) / 2


def test_weighted_errors__have_golden_values():
    errors = weighted_errors(0.4, np.full(12, 1 / 10), 1 / 15, 1 - 1 / 15)
    assert abs(errors[-1] - 0.060240839128) < 1e-12
    assert abs(weighted_errors(0.4, np.full(12, 1 / 10), 1 / 15, 1.0)[-1] - 0.062499703851) < 1e-12
    limit = weighted_errors(0.4, np.full(400, 1 / 10), 1 / 15, 1 - 1 / 15)[-1]
    assert abs(limit - 0.060240963855) < 1e-12


def test_optimal_weights__tend_to_the_golden_ratio_and_equal_the_least_error():
    ones = np.ones(60)
    weights = optimal_weights(ones, ones, ones)
    fibonacci = [1 / 2, 3 / 5, 8 / 13, 21 / 34]
    np.testing.assert_allclose(weights[:4], fibonacci, rtol=1e-14)
    np.testing.assert_allclose(weighted_errors(weights, ones, ones, ones), weights, rtol=1e-14)
    assert abs(weights[-1] - 1 / PHI) < 1e-14
    for c, expected in ((4, 0.828427124746), (0.25, 0.390388203202), (0.01, 0.095124921973)):
        many = np.ones(4000)
        assert abs(optimal_weights(many, c * many, many)[-1] - expected) < 1e-12
    # Finite n: n = 10, m = 15.
    assert (
        abs(optimal_weights(*np.broadcast_arrays(0.1, 1 / 15, 1 - 1 / 15, np.ones(400))[:3])[-1] - 0.539142025050)
        < 1e-12
    )


def test_optimal_weights__are_those_of_a_search():
    real, synthetic, carried = np.array([0.1, 0.2, 0.05, np.inf]), np.array([0.3, 0.1, 0.2, 0.1]), np.full(4, 0.9)
    found = optimal_weights(real, synthetic, carried)
    error = 0.0
    for t in range(3):

        def after(w, t=t, error=error):
            return w**2 * real[t] + (1 - w) ** 2 * (synthetic[t] + carried[t] * error)

        best = minimize_scalar(after, bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
        assert abs(best.x - found[t]) < 1e-7
        error = after(found[t])
        # Negative control: another weight has a larger error.
        assert after(found[t] + 0.01) > error
    assert found[3] == 0.0
    assert abs(weighted_errors(found, real, synthetic, carried)[2] - error) < 1e-15


def test_best_weight__has_golden_values_and_equals_the_least_error():
    ratio = np.array([1, 4, 0.25, 0.01])
    weight, error = best_weight(1, ratio)
    np.testing.assert_allclose(weight, [1 / PHI, 0.828427124746, 0.390388203202, 0.095124921973], atol=1e-12)
    np.testing.assert_allclose(weight, (np.sqrt(ratio**2 + 4 * ratio) - ratio) / 2, rtol=1e-13)
    np.testing.assert_array_equal(error, weight)
    weight, error = best_weight(1 / 10, 1 / 15, 1 - 1 / 15)
    assert abs(weight - 0.539142025050) < 1e-12
    # Least squares of 5 inputs: 20 real and 30 synthetic rows.
    assert abs(best_weight(5 / 14, 5 / 24)[0] - 0.525892369598) < 1e-12
    # Endless synthetic data.
    assert abs(best_weight(1, 1e-12)[0] - 1e-6) < 1e-11


def test_best_weight__is_the_minimum_of_the_limit():
    for a, b, c in ((0.1, 1 / 15, 1 - 1 / 15), (1.0, 1.0, 1.0), (0.3, 2.0, 0.5)):

        def limit(w, a=a, b=b, c=c):
            return (w**2 * a + (1 - w) ** 2 * b) / (1 - (1 - w) ** 2 * c)

        weight, error = best_weight(a, b, c)
        found = minimize_scalar(limit, bounds=(1e-6, 1), method="bounded", options={"xatol": 1e-12})
        assert abs(weight - found.x) < 1e-7
        assert abs(error - found.fun) < 1e-12
        assert abs(weighted_errors([weight] * 4000, a, b, c)[-1] - error) < 1e-12
    # Pooling as much real as synthetic data: 2/3, and the best weight is 7.3 % better.
    pooled = weighted_errors([0.5] * 200, 1, 1, 1)[-1]
    assert abs(pooled - 2 / 3) < 1e-12
    assert round(100 * (1 - best_weight(1, 1)[1] / pooled), 1) == 7.3


def test_fixed_real_errors__are_no_better_than_the_real_data():
    n, c = 20, 0.5
    for w in (0.1, 0.5, 0.9):
        limit = fixed_real_errors([w] * 800, 1 / n, c / n, 1.0)[-1]
        assert abs(limit - (1 + (1 - w) ** 2 * c / (w * (2 - w))) / n) < 1e-14
        assert limit > 1 / n
    # Data of one batch more: the real batch has weight w, the last synthetic one the rest.
    weights = 0.7 * np.eye(12) + 0.3 * np.eye(12)[0]
    weights[0] = np.eye(12)[0]
    expected = pathway_factors(weights)[1:]
    np.testing.assert_allclose(fixed_real_errors([1.0] + [0.3] * 11, 1.0, 1.0, 1.0)[1:], expected, rtol=1e-13)
    assert abs(fixed_real_errors([0.3] * 200, 1.0, 1.0, 1.0)[-1] - fixed_real_factor(0.3)) < 1e-12


def test_contaminated_errors__vanish_between_the_exponents():
    t = np.arange(1.0, 200_001)
    for u, v, vanishes in ((0.5, 0.8, True), (1.0, 1.2, True), (0.5, 0.4, False), (1.3, 2.0, False), (0.5, 0.5, False)):
        q = contaminated_errors(np.rint(10 * t**v).astype(int), t**-u)
        assert (q[-1] < 0.5 * q[999]) == vanishes, (u, v)


def test_contaminated_errors__are_those_of_real_or_synthetic_data():
    np.testing.assert_allclose(contaminated_errors(5, np.ones(4)), 0.2, rtol=1e-14)
    np.testing.assert_allclose(contaminated_errors(5, np.zeros(4)), 1 - 0.8 ** np.arange(1, 5), rtol=1e-13)


def test_weighted_fit__refuses_weights_beyond_one():
    with pytest.raises(InputError, match=r"weight must be within \[0, 1\], got 1.2"):
        weighted_errors(1.2, 1, 1, 1)
    with pytest.raises(InputError, match="real and synthetic must be finite and above 0"):
        best_weight(0.0, 1.0)
