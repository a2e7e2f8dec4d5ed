"""BLAS and LAPACK on tiles: views of larger matrices, against NumPy; entries outside of the view do not change."""

import numpy as np
import pytest
from numba.core.errors import TypingError

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.scipy_routines import corner
from fastcollapse.kernels.linalg.tiles import (
    factor,
    factor_band,
    factor_panel,
    multiply,
    multiply_rows_single,
    reciprocal_condition,
    reciprocal_condition_of_band,
    solve_band,
    solve_left,
)

RNG = np.random.default_rng(20261121)


def symmetric(n):
    rows = RNG.standard_normal((n, n))
    return rows @ rows.T / n + 0.1 * np.eye(n)


@pytest.mark.parametrize(("left", "right"), [(False, False), (True, False), (False, True), (True, True)])
def test_multiply__accepts_views(left, right):
    room = RNG.standard_normal((40, 40))
    before = room.copy()
    a, b, out = room[:5, 3:10], room[10:17, 1:7], room[30:35, 20:26]
    expected = 2.0 * a @ b + 0.5 * out
    first = np.ascontiguousarray(a.T)[:, :] if left else a
    second = np.ascontiguousarray(b.T)[:, :] if right else b
    multiply(2.0, first, left, second, right, 0.5, out)
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    outside = np.ones(room.shape, bool)
    outside[30:35, 20:26] = False
    np.testing.assert_array_equal(room[outside], before[outside])


def test_multiply_rows_single__uses_single_precision():
    a, b = RNG.standard_normal((2, 6, 50)).astype(np.float32)
    out = np.empty((6, 6), np.float32)
    multiply_rows_single(a, b, out)
    np.testing.assert_allclose(out, a @ b.T, rtol=1e-5, atol=1e-5)


def test_factor__factors_and_solves_views():
    room = np.full((12, 15), 7.0)
    tile = room[2:9, 4:11]
    tile[:] = matrix = symmetric(7)
    assert factor(tile) == 0
    upper = np.triu(tile)
    np.testing.assert_allclose(upper.T @ upper, matrix, rtol=1e-12, atol=1e-13)
    x = RNG.standard_normal((7, 3))
    for transposed, expected in ((True, np.linalg.solve(upper.T, x)), (False, np.linalg.solve(upper, x))):
        out = x.copy()
        solve_left(tile, transposed, out)
        np.testing.assert_allclose(out, expected, rtol=1e-11)
    norm = np.abs(matrix).sum(axis=0).max()
    found = reciprocal_condition(tile, norm, np.empty(21), np.empty(7, np.int32))
    assert 1 / np.linalg.cond(matrix, 1) <= found * (1 + 1e-9) <= 3 / np.linalg.cond(matrix, 1)
    tile[:] = -matrix
    assert factor(tile) != 0


def test_band__factors_and_solves():
    n, width = 9, 3
    matrix = symmetric(n)
    matrix[np.abs(np.subtract.outer(range(n), range(n))) > width - 1] = 0.0
    matrix += 2 * np.eye(n)
    band = np.array([[matrix[i, i + k] if i + k < n else 0.0 for k in range(width)] for i in range(n)])
    assert factor_band(band) == 0
    x = RNG.standard_normal((2, n))
    out = x.copy()
    solve_band(band, out)
    np.testing.assert_allclose(out, np.linalg.solve(matrix, x.T).T, rtol=1e-12)
    norm = np.abs(matrix).sum(axis=0).max()
    found = reciprocal_condition_of_band(band, norm, np.empty(3 * n), np.empty(n, np.int32))
    assert found == pytest.approx(1 / np.linalg.cond(matrix, 1), rel=0.5)
    assert factor_band(-band) != 0


@pytest.mark.parametrize(("b", "m"), [(4, 9), (4, 4), (4, 2), (1, 5)])
def test_factor_panel__is_qr_factorisation(b, m):
    k = min(b, m)
    panel = RNG.standard_normal((b, m + 3))[:, :m]
    rows = panel.copy()
    table = np.full((k, k), np.nan)
    factor_panel(panel, table, np.empty(k * b))
    vectors = np.triu(panel[:k], 1) + np.eye(k, m)
    q = np.eye(m) - vectors.T @ table.T @ vectors
    np.testing.assert_allclose(q.T @ q, np.eye(m), atol=1e-14)
    np.testing.assert_allclose(q @ np.tril(panel).T, rows.T, atol=1e-13)


def test_corner__refuses_layouts_unsupported_by_blas():
    @kernel
    def place(array):
        return corner(array)

    assert place(np.zeros((2, 2))) > 0
    for wrong in (np.zeros((2, 2), order="F")[:, :1].T.copy(order="F"), np.zeros((2, 2), np.int64)):
        with pytest.raises(TypingError, match="a tile is a view of a row-major matrix of floats"):
            place(np.asfortranarray(np.zeros((3, 2))) if wrong.dtype == np.float64 else wrong)
