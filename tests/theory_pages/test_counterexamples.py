"""Formulas of docs/explanation/theory/counterexamples.md, written out, against the functions."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import zeta

from fastcollapse.theory import counterexamples


def test_stable_means():
    alpha, t = 1.5, 6
    s = np.arange(1, t + 1)
    assert counterexamples.stable_mean_factor(alpha, t) == pytest.approx(t ** (1 / alpha))
    expected = np.sum(s**-alpha) ** (1 / alpha)
    assert counterexamples.stable_mean_factor(alpha, t, "accumulate") == pytest.approx(expected)
    assert counterexamples.stable_mean_limit(alpha) == pytest.approx(zeta(alpha) ** (1 / alpha))
    assert counterexamples.stable_mean_limit(2) == pytest.approx(math.pi / math.sqrt(6))
    assert counterexamples.stable_mean_limit(1) == math.inf


def test_scale_estimators():
    n, t = 10, 5
    first = 1 - (n / (n + 1)) ** t
    second = 1 - 2 * (n / (n + 1)) ** t + (n / (n + 2)) ** t
    got = [counterexamples.uniform_maximum_moments(n, t, order) for order in (1, 2)]
    assert [float(x) for x in got] == pytest.approx([first, second])
    s = np.arange(1, t + 1)
    assert counterexamples.exponential_mean_square(n, t) == pytest.approx((1 + 1 / n) ** t)
    expected = np.prod(1 + 1 / (n * s**2))
    assert counterexamples.exponential_mean_square(n, t, "accumulate") == pytest.approx(expected)
    x = math.pi / math.sqrt(n)
    assert counterexamples.exponential_mean_square_limit(n) == pytest.approx(math.sinh(x) / x)


def test_error_over_that_of_the_first_fit():
    factor = math.pi**2 / 6
    assert counterexamples.error_ratio_quantile(0.5, factor) == pytest.approx(math.sqrt(factor))
    g = math.sqrt(factor - 1)
    for q in (0.2, 0.8):
        x = float(counterexamples.error_ratio_quantile(q, factor))
        below = (math.atan((x - 1) / g) + math.atan((x + 1) / g)) / math.pi
        assert below == pytest.approx(q)


def test_hidden_interval():
    def root(s):
        return brentq(lambda x: 2**-x - 1 - s / 4 + x / 4, 1e-3 if s == 0 else 0, 60)

    for s in (0.5, 1, 3):
        expected = (1 - 2 ** -root(0)) / (1 + s / 4 - 2 ** -root(s))
        assert counterexamples.hidden_interval_transform(s) == pytest.approx(expected)
    collapse = 1 - float(counterexamples.hidden_interval_transform(1))
    assert counterexamples.hidden_interval_collapse() == pytest.approx(collapse)
    assert collapse == pytest.approx(0.2411, abs=5e-5)


def test_uniform_levels():
    n, t = 30, 4
    expected = quad(lambda m: (1 - min(0.25, (1 - m) / 2)) ** (n * t) * n * m ** (n - 1), 0, 1, points=[0.5])[0]
    assert counterexamples.uniform_levels_not_collapsed(n, t) == pytest.approx(expected)
    assert counterexamples.uniform_levels_limit(t) == pytest.approx(1 / (1 + t / 2))
    assert counterexamples.uniform_levels_not_collapsed(10**6, t) == pytest.approx(1 / 3, rel=1e-4)
