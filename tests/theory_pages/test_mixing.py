"""Formulas of docs/explanation/theory/mixing.md, written out, against the functions."""

import math

import numpy as np
import pytest

from fastcollapse.theory import mixing


def test_weighted_errors():
    a, b, c, w = 0.1, 0.07, 0.9, np.array([0.3, 0.5, 0.8])
    e = 0.0
    for weight in w:
        e = weight**2 * a + (1 - weight) ** 2 * (b + c * e)
    assert mixing.weighted_errors(w, a, b, c)[-1] == pytest.approx(e)
    assert mixing.weighted_errors([0.5] * 60, a, a, 1)[-1] == pytest.approx(2 * a / 3)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_best_weight(ratio):
    weight, error = mixing.best_weight(0.1, 0.1 * ratio)
    assert weight == pytest.approx((math.sqrt(ratio**2 + 4 * ratio) - ratio) / 2)
    assert error == pytest.approx(0.1 * weight)
    e = 0.0
    for weight in mixing.optimal_weights([0.1] * 5, 0.1 * ratio, 0.8):
        assert weight == pytest.approx((0.1 * ratio + 0.8 * e) / (0.1 + 0.1 * ratio + 0.8 * e))
        e = 0.1 * weight


def test_golden_ratio():
    assert mixing.best_weight(1, 1)[0] == pytest.approx((math.sqrt(5) - 1) / 2)
    assert mixing.optimal_weights([1] * 4, 1, 1) == pytest.approx([1 / 2, 3 / 5, 8 / 13, 21 / 34])


def test_fixed_real_data():
    w, n, ratio = 0.4, 10, 2.0
    expected = (1 + (1 - w) ** 2 * ratio / (w * (2 - w))) / n
    assert mixing.fixed_real_errors([w] * 200, 1 / n, ratio / n, 1.0)[-1] == pytest.approx(expected)
    assert mixing.fixed_real_factor(w) == pytest.approx(1 + (1 - w) ** 2 / (w * (2 - w)))
    # The real batch is column 1; all synthetic batches share the rest.
    n_fits = 600
    a = np.tril(np.ones((n_fits, n_fits)))
    a[:, 0] = 0
    a[1:] *= (1 - w) / np.arange(1, n_fits)[:, None]
    a[:, 0] = np.append(1.0, np.full(n_fits - 1, w))
    assert mixing.pathway_factors(a)[-1] == pytest.approx(1, abs=0.01)


def test_contaminated_tokens():
    n, a, q = [10, 20, 15], [1.0, 0.5, 0.3], 0.0
    for size, share in zip(n, a, strict=True):
        q = 1 / size + (1 - 1 / size) * (1 - share) ** 2 * q
    assert mixing.contaminated_errors(n, a)[-1] == pytest.approx(q)


def test_pathways():
    n_fits, W, beta, v = 400, 4, 0.8, math.pi / 2
    t = np.arange(n_fits)
    age = t[:, None] - t
    accumulate = np.where(age >= 0, 1.0, 0.0)
    window = np.where((age >= 0) & (age < W), 1.0, 0.0)
    discount = np.where(age >= 0, beta ** np.maximum(age, 0), 0.0)
    factors = [mixing.pathway_factors(a / a.sum(axis=1, keepdims=True)) for a in (accumulate, window, discount)]
    assert mixing.pathway_factors(np.eye(5)) == pytest.approx(np.arange(1, 6))
    assert factors[0] == pytest.approx(np.cumsum(1 / (t + 1.0) ** 2))
    assert np.diff(factors[1])[-1] == pytest.approx(4 / (W + 1) ** 2) == mixing.window_slope(W)
    assert np.diff(factors[2])[-1] == pytest.approx((1 - beta) ** 2)
    assert mixing.discount_slope(beta) == pytest.approx((1 - beta) ** 2)
    assert mixing.other_estimator_factors(np.eye(5), v) == pytest.approx(np.arange(5) + v)
    a = accumulate / accumulate.sum(axis=1, keepdims=True)
    expected = factors[0] + (v - 1) * (a**2).sum(axis=1)
    assert mixing.other_estimator_factors(a, v) == pytest.approx(expected)
    assert expected[0] == pytest.approx(v)
    assert expected[-1] == pytest.approx(math.pi**2 / 6, abs=0.01)


def test_tokens_and_gaussians():
    n, m, w, v = 10, 15, 0.4, 0.0
    variance, error = mixing.expected_staged([m] * 6, n, estimator="mle", weight=w)
    assert variance + error == pytest.approx(1)
    assert error[1:] == pytest.approx(mixing.weighted_errors([w] * 6, 1 / n, 1 / m, 1 - 1 / m))
    for _ in range(6):
        v = 2 * w**2 / (n - 1) + (1 - w) ** 2 * (v + 2 * (1 + v) / (m - 1))
    assert mixing.weighted_variance_spread([w] * 6, n, m)[-1] == pytest.approx(v)
