"""Kernel matrices: their definition pair by pair, for every tile size, and equal or nearly equal rows."""

import numpy as np
import pytest

from fastcollapse.kernels.regression.kernel_matrix import (
    LAPLACIAN,
    LINEAR,
    MATERN_1,
    MATERN_3,
    MATERN_5,
    POLYNOMIAL,
    RBF,
    TILE,
    Kernel,
    predict,
    squares_of_rows,
    write_gram,
)

RNG = np.random.default_rng(20261121)
KINDS = (RBF, POLYNOMIAL, LINEAR, LAPLACIAN, MATERN_1, MATERN_3, MATERN_5)


def law_of(kind):
    return Kernel(np.int64(kind), np.float64(1.7), np.int64(3), np.float64(0.5))


def naive(law, x, y):
    gap = (x[:, None] - y[None]) / law.scale
    r, product = np.sqrt((gap**2).sum(axis=2)), x @ y.T / law.scale**2
    a, b = np.sqrt(3) * r, np.sqrt(5) * r
    return {
        RBF: np.exp(-(r**2) / 2),
        POLYNOMIAL: (product + law.offset) ** law.degree,
        LINEAR: product,
        LAPLACIAN: np.exp(-np.abs(gap).sum(axis=2)),
        MATERN_1: np.exp(-r),
        MATERN_3: (1 + a) * np.exp(-a),
        MATERN_5: (1 + b + b**2 / 3) * np.exp(-b),
    }[law.kind]


def squares(rows):
    out = np.empty(rows.shape[:-1])
    squares_of_rows(rows.reshape(-1, rows.shape[-1]), out.reshape(-1))
    return out


def gram(law, rows, threads=1):
    out = np.full((len(rows), rows.shape[1], rows.shape[1]), np.nan)
    write_gram(law, rows, squares(rows), threads, out)
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_gram__equals_definition(kind):
    law = law_of(kind)
    # More than two tiles.
    rows = RNG.standard_normal((2, 2 * TILE + 7, 5))
    for one, expected in zip(gram(law, rows, 2), [naive(law, x, x) for x in rows], strict=True):
        np.testing.assert_allclose(np.triu(one), np.triu(expected), rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(one[:TILE, :TILE], one[:TILE, :TILE].T)


@pytest.mark.parametrize("kind", KINDS)
def test_predict__equals_definition(kind):
    law = law_of(kind)
    at, support = RNG.standard_normal((TILE + 9, 4)), RNG.standard_normal((2, TILE + 3, 4))
    coefficients = RNG.standard_normal((2, 3, TILE + 3))
    out = np.empty((2, 3, len(at)))
    predict(law, at[None], squares(at)[None], support, squares(support), coefficients, 2, out)
    expected = [c @ naive(law, z, at) for c, z in zip(coefficients, support, strict=True)]
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)
    # Each replicate has its own rows.
    own = RNG.standard_normal((2, 6, 4))
    out = np.empty((2, 3, 6))
    predict(law, own, squares(own), support, squares(support), coefficients, 1, out)
    expected = [c @ naive(law, z, x) for c, z, x in zip(coefficients, support, own, strict=True)]
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", [RBF, MATERN_1, MATERN_3, MATERN_5])
def test_gram__equal_or_close_rows(kind):
    law = law_of(kind)
    rows = 1e3 + RNG.standard_normal((1, 12, 30))
    rows[0, 3] = rows[0, 7]
    rows[0, 4] = rows[0, 8] + 1e-7
    found = gram(law, rows)[0]
    assert found[3, 7] == 1.0
    np.testing.assert_allclose(np.triu(found), np.triu(naive(law, rows[0], rows[0])), rtol=1e-12)
    # Negative control: the formula by squares and products loses all digits.
    plain = (rows[0] ** 2).sum(axis=1)
    plain = plain[:, None] + plain - 2 * rows[0] @ rows[0].T
    assert abs(plain[4, 8] - 30e-14) > 1e-13


@pytest.mark.parametrize("kind", KINDS)
def test_gram__float32_loses_seven_digits(kind):
    law, rows = law_of(kind), RNG.standard_normal((1, 300, 40)).astype(np.float32)
    exact = gram(law, rows.astype(np.float64))[0]
    found = gram(law, rows)[0]
    lost = np.abs(np.triu(found - exact)).max() / np.abs(exact[np.triu_indices(300)]).max()
    assert lost < 3e-6
    assert kind == LAPLACIAN or lost > 1e-9


def test_gram__bits_do_not_depend_on_threads_or_other_rows():
    law, rows = law_of(RBF), RNG.standard_normal((3, TILE + 50, 20))
    expected = gram(law, rows, 1)
    np.testing.assert_array_equal(gram(law, rows, 2), expected)
    np.testing.assert_array_equal(gram(law, rows[1:2].copy(), 2)[0], expected[1])
