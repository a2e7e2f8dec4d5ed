"""The recursion of weighted fits and the best weights, against golden values and a search."""

import numpy as np
from scipy.optimize import minimize_scalar

from fastcollapse.theory.weighted_fit import optimal_weights, weighted_errors

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
