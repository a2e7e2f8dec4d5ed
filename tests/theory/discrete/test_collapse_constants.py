"""g_k against 40-digit arithmetic, its bounds, and its inverse against the recursion."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.collapse_constants import C_G, g, g_at, g_bounds, g_bounds_published, g_inverse


def _inverse_constants(k_max):
    """Return {k: 1/g_k} in 40-digit arithmetic."""
    with localcontext() as context:
        context.prec = 40
        y, values = Decimal(1), {1: Decimal(1)}
        for k in range(2, k_max + 1):
            y = 1 / (1 - (-1 / y).exp())
            values[k] = y
    return values


def test_collapse_constants__recursion_and_expansion_agree_with_40_digits():
    exact = _inverse_constants(20_000)
    k = np.array([1, 2, 10, 1000, 4096, 4097, 5000, 20_000])
    expected = np.array([float(1 / exact[i]) for i in k])
    np.testing.assert_allclose(g_at(k), expected, rtol=2e-13)
    np.testing.assert_allclose(g(20_000)[k], expected, rtol=2e-13)
    y = exact[20_000]
    got = float(y - 10_000) - np.log(20_000) / 6
    # The o(1) term is about ln(k)/(9 k), 6e-5 at this k; C_G itself is checked to 13 digits through g_at.
    assert abs(got - C_G) < 1e-4


def test_collapse_constants__bounds_hold_and_are_sharp():
    k = np.arange(1, 20_001)
    values = g(20_000)[1:]
    for bounds in (g_bounds, g_bounds_published):
        lower, upper = bounds(k)
        assert (lower <= values * (1 + 1e-14)).all()
        assert (values <= upper * (1 + 1e-14)).all()
    lower, _ = g_bounds(k)
    assert (values / lower - 1).max() < 0.0031
    # Negative control: the lower bound fails without its harmonic term, and with k one too small.
    assert (2 / (k + 1) > values * (1 + 1e-14)).any()
    assert (lower[:-1] > values[1:]).any()


def test_collapse_constants__inverse_is_the_first_index():
    values = g(6000)
    x = np.concatenate([values[1:], values[1:] * (1 + 1e-9), values[1:] * (1 - 1e-9)])
    expected = np.array([np.argmax(values <= level) if (values <= level).any() else 6001 for level in x])
    # Beyond the table the recursion and the expansion may differ by their rounding: no comparison is made at ties.
    off_tie = np.arange(x.size) >= 6000
    got = g_inverse(x)
    assert (got[off_tie] == expected[off_tie]).all()
    assert (got[:4096] == np.arange(1, 4097)).all()
    k = np.array([4097, 5000, 10**6, 10**9])
    assert (g_inverse(g_at(k)) == k).all()
    assert g_inverse(2.0) == 1


@pytest.mark.parametrize("bad", [-1, 1.5, "many"])
def test_collapse_constants__refuses(bad):
    with pytest.raises(InputError, match="k must be a whole number of at least 0"):
        g_at(bad)
    with pytest.raises(InputError, match="k_max must be a whole number of at least 0"):
        g(bad)
    with pytest.raises(InputError, match="x must be within"):
        g_inverse(0)
