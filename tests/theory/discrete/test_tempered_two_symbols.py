"""Two symbols at a temperature, exactly: golden values and the exact recursion at temperature 1."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.tempered_two_symbols import (
    tempered_absorption,
    tempered_eigenvalue,
    tempered_stationary_variance,
)

BETA = np.array([0.8, 0.9, 1, 1.1, 1.5, 2])


@pytest.mark.parametrize(
    ("n", "golden"),
    [
        (20, [237.875661089, 63.8218817137, 26.2294853480, 15.5444249938, 7.02972129137, 5.02659140164]),
        (50, [297228.4949, 1826.49202207, 67.5171716674, 24.0121081308, 8.88223113375, 6.08538990148]),
        (100, [1.003e11, 882577.437, 136.602278382, 30.1343847423, 10.1783451365, 6.82742528453]),
    ],
)
def test_absorption__golden(n, golden):
    got = [float(tempered_absorption(n, 1 / beta, n // 2)) for beta in BETA]
    digits = [4 if value == 1.003e11 else 10 if value == 297228.4949 else 9 if value > 1e5 else 12 for value in golden]
    assert [f"{value:.{d}g}" for value, d in zip(got, digits, strict=True)] == [
        f"{value:.{d}g}" for value, d in zip(golden, digits, strict=True)
    ]


def test_absorption__is_symmetric_and_0_at_the_ends():
    got = tempered_absorption(30, 0.7, np.arange(31))
    np.testing.assert_allclose(got, got[::-1], rtol=1e-12)
    assert got[0] == got[-1] == 0


def test_eigenvalue__is_the_temperature():
    got = [tempered_eigenvalue(100, 1 / beta) for beta in (1.1, 1.5, 2)]
    np.testing.assert_allclose(got, [0.909090, 0.666667, 0.5], atol=6e-7)
    np.testing.assert_allclose(tempered_eigenvalue(100, 1), 0.99, rtol=1e-12)
    # Above 1 the chain hardly ends: its rate is that of the mean time.
    np.testing.assert_allclose(
        1 / (1 - tempered_eigenvalue(20, 1 / 0.8)), tempered_absorption(20, 1 / 0.8, 10), rtol=0.05
    )


@pytest.mark.parametrize(
    ("lam", "beta", "golden"),
    [
        (0.1, 1, 0.00131020386772),
        (0.3, 0.5, 2.8492862682e-4),
        (0.5, 1.5, 5.66625060891e-4),
        (0.6, 2, 6.74534083532e-4),
    ],
)
def test_stationary_variance__golden(lam, beta, golden):
    assert tempered_stationary_variance(1000, lam, 1 / beta) == pytest.approx(golden, rel=2e-11)


def test_stationary_variance__at_temperature_1_is_linear():
    n, lam, p0 = 60, 0.2, 0.3
    expected = p0 * (1 - p0) / n / (1 - (1 - lam) ** 2 * (1 - 1 / n))
    assert tempered_stationary_variance(n, lam, 1, p0) == pytest.approx(expected, rel=1e-11)


def test_two_symbols__refuse():
    with pytest.raises(InputError, match="n must be at most 2000"):
        tempered_absorption(2001, 1, 5)
    with pytest.raises(InputError, match=r"T must be within \[0.001, 1000\], got 0"):
        tempered_eigenvalue(20, 0)
    with pytest.raises(InputError, match="lam must be within"):
        tempered_stationary_variance(20, 0, 1)
    with pytest.raises(InputError, match="p0 must be strictly between 0 and 1"):
        tempered_stationary_variance(20, 0.5, 1, 1.0)
