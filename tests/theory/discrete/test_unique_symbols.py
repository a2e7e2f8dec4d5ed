"""Bounds of the expected number of distinct symbols, against the exact chain; with and without binning."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete import unique_symbols
from fastcollapse.theory.discrete.binomial_chain import exact_unique_symbols
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds, unique_symbols_bounds_published

K = np.arange(201)


def _zipf(size):
    weights = 1 / (np.arange(1, size + 1) + 2.7)
    return weights / weights.sum()


@pytest.mark.parametrize("p", [_zipf(300), np.full(50, 0.02), np.array([0.9, 0.1, 0.0])])
def test_unique_symbols__bounds_hold_for_the_exact_chain(p):
    expected = exact_unique_symbols(p, 200, 200)
    for bounds in (unique_symbols_bounds, unique_symbols_bounds_published):
        lower, upper = bounds(p, 200, K)
        assert lower[0] == upper[0] == (p > 0).sum()
        assert (lower <= expected + 1e-9).all()
        assert (expected <= upper + 1e-9).all()
    lower, upper = unique_symbols_bounds(p, 200, K)
    # Negative control: the pair of the next generation does not hold it.
    assert (unique_symbols_bounds(p, 200, K + 1)[1] < expected - 1e-9).any()
    assert (upper / lower - 1).max() < 0.3


def test_unique_symbols__binned_bounds_are_valid_and_close(monkeypatch):
    p = _zipf(20_000)
    for bounds in (unique_symbols_bounds, unique_symbols_bounds_published):
        binned = bounds(p, 30_000, K)
        with monkeypatch.context() as patch:
            patch.setattr(unique_symbols, "_EXACT_DISTINCT", p.size)
            exact = bounds(p, 30_000, K)
        np.testing.assert_allclose(binned[0], exact[0], rtol=1e-6)
        np.testing.assert_allclose(binned[1], exact[1], rtol=1e-6)
        assert (binned[0] <= exact[0] * (1 + 1e-12)).all()
        if bounds is unique_symbols_bounds:
            assert (binned[1] >= exact[1] * (1 - 1e-12)).all()


def test_unique_symbols__singletons_decay_as_two_n_over_k():
    n = 100_000
    lower, upper = unique_symbols_bounds(np.full(n, 1 / n), n, 1000)
    assert abs(lower / (2 * n / 1000) - 1) < 0.01
    assert abs(upper / (2 * n / 1000) - 1) < 0.01


def test_unique_symbols__scalar_generation_and_refusals():
    lower, upper = unique_symbols_bounds([0.5, 0.5], 10, 3)
    assert lower.shape == upper.shape == ()
    with pytest.raises(InputError, match="p must be probabilities that sum to 1"):
        unique_symbols_bounds([0.5, 0.4], 10, 3)
    with pytest.raises(InputError, match="k must be a whole number of at least 0"):
        unique_symbols_bounds_published([0.5, 0.5], 10, -3)


def test_unique_symbols__classes_are_symbols():
    p, copies, k = np.array([0.1, 0.05, 0.02]), np.array([2.0, 6.0, 25.0]), np.arange(20)
    symbols = np.repeat(p, copies.astype(int))
    for function in (unique_symbols_bounds, unique_symbols_bounds_published):
        np.testing.assert_allclose(function(p, 60, k, copies), function(symbols, 60, k), rtol=1e-12)
    np.testing.assert_allclose(exact_unique_symbols(p, 60, 9, copies), exact_unique_symbols(symbols, 60, 9), rtol=1e-12)
