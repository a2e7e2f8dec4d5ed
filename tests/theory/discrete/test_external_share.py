"""Thresholds of the external share and fixed points of temperature loops."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.external_share import (
    collapsed_share_threshold,
    tempered_fixed_point,
    tempered_multiplier,
    uniform_share_threshold,
)

P0 = (0.4, 0.25, 0.15, 0.12, 0.08)


def test_collapsed_share_threshold__golden():
    K = [2, 3, 10, 100, 10**4, 10**6]
    got = collapsed_share_threshold(K, 0.5)
    golden = [0.5, 0.514718625761, 0.625, 0.834030104726, 0.980393118, 0.998003993]
    np.testing.assert_allclose(got, golden, atol=5e-10)
    np.testing.assert_allclose(got, K / (1 + np.sqrt(np.subtract(K, 1))) ** 2, rtol=1e-13)
    golden = [0.207938673, 0.274003218, 0.454418436, 0.753306802, 0.898147053]
    np.testing.assert_allclose(collapsed_share_threshold(K[1:], 0.8), golden, atol=6e-10)
    golden = [0.763048393, 0.848831037, 0.959638213]
    np.testing.assert_allclose(collapsed_share_threshold([3, 10, 100], 0.25), golden, atol=6e-10)


def test_thresholds__of_two_symbols_are_equal():
    T = np.array([0.1, 0.5, 0.9, 1.0, 2.0])
    np.testing.assert_allclose(collapsed_share_threshold(2, T), uniform_share_threshold(T), atol=1e-12)
    assert (collapsed_share_threshold(3, T[:3]) > uniform_share_threshold(T[:3]) + 1e-4).all()


def collapsed(K):
    return [0.9] + [0.1 / (K - 1)] * (K - 1)


@pytest.mark.parametrize(("K", "T"), [(3, 0.5), (10, 0.5), (10, 0.8)])
def test_collapsed_share_threshold__separates_fixed_points(K, T):
    edge = float(collapsed_share_threshold(K, T))
    uniform = [1 / K] * K
    below = tempered_fixed_point(uniform, edge - 0.003, T, collapsed(K))
    above = tempered_fixed_point(uniform, edge + 0.003, T, collapsed(K))
    assert below[0] > 1.1 / K
    np.testing.assert_allclose(above, 1 / K, rtol=1e-9)
    assert tempered_multiplier(uniform, edge - 0.003, T, collapsed(K)) < 1


def test_fixed_point__golden():
    got = tempered_fixed_point(P0, 0.5, 1 / 1.4)
    golden = [0.525346536744, 0.223072010878, 0.112712101029, 0.085696123684, 0.053173227666]
    np.testing.assert_allclose(got, golden, atol=5e-13)
    assert tempered_fixed_point([0.1] * 10, 0.58, 0.5, collapsed(10))[0] == pytest.approx(0.385575507654, abs=5e-13)


def test_multiplier__is_the_rate_of_the_iteration():
    """The ratio of two steps of the iteration in 50 digits."""
    with localcontext(prec=50):
        truth = [Decimal(str(p)) for p in P0]
        law, step, ratio = truth, None, None
        for _ in range(150):
            weights = [p ** Decimal("1.4") for p in law]
            moved = [(w / sum(weights) + p) / 2 for w, p in zip(weights, truth, strict=True)]
            last, step = step, moved[0] - law[0]
            law, ratio = moved, None if last is None else step / last
        expected = float(ratio)
    assert tempered_multiplier(P0, 0.5, 1 / 1.4) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(0.682922139958, abs=5e-13)


def test_multiplier__of_the_uniform_law():
    for lam, T in ((0.4, 0.8), (0.9, 0.5), (0.2, 2.0), (0.1, 0.5)):
        assert tempered_multiplier([0.2] * 5, lam, T) == pytest.approx((1 - lam) / T, rel=1e-12)
    assert uniform_share_threshold(0.5) == 0.5
    assert tempered_multiplier([0.2] * 5, 0.5 + 1e-6, 0.5) < 1 < tempered_multiplier([0.2] * 5, 0.5 - 1e-6, 0.5)


def test_fixed_point__keeps_absent_symbols_out():
    got = tempered_fixed_point([*P0, 0.0], 0.5, 1 / 1.4)
    np.testing.assert_allclose(got, [*tempered_fixed_point(P0, 0.5, 1 / 1.4), 0.0], rtol=1e-12)
    assert tempered_multiplier([*P0, 0.0], 0.5, 1 / 1.4) == pytest.approx(0.682922139958, abs=5e-13)


def test_external_share__refuses():
    with pytest.raises(InputError, match="lam must be above 0, got 0"):
        tempered_fixed_point(P0, 0, 1)
    with pytest.raises(InputError, match="start must be a vector of 5 probabilities"):
        tempered_fixed_point(P0, 0.5, 1, [0.5, 0.5])
    with pytest.raises(InputError, match="lam must be away from a threshold"):
        tempered_fixed_point([0.5, 0.5], 0.5, 0.5, [0.9, 0.1])
    with pytest.raises(InputError, match="K must be within"):
        collapsed_share_threshold(1, 0.5)
