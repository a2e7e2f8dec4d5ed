"""Triangular products and factors, against NumPy."""

import numpy as np
import pytest

from fastcollapse.kernels.linalg.triangular import (
    add_gram,
    add_square,
    add_squares,
    clear_upper,
    factor_columns,
    factor_upper,
    multiply_columns,
    multiply_lower,
    multiply_unit,
    transpose,
)

SIZES = [1, 2, 3, 4, 5, 6, 9, 13, 30]


def lower(d, seed):
    return np.tril(np.random.default_rng(seed).normal(size=(d, d))) + 3 * np.eye(d)


@pytest.mark.parametrize("d", SIZES)
def test_multiply_unit__equals_numpy(d):
    left, right = (np.tril(lower(d, seed), -1) + np.eye(d) for seed in (1, 2))
    expected = left @ right
    # Entries above the diagonal of the left matrix, and on the diagonal of the right one, are not read.
    garbage = np.triu(np.full((d, d), np.nan))
    got, factor = left.copy(), np.where(np.isnan(garbage), garbage, right)
    multiply_unit(got, factor, np.empty(d), got)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_products__equal_numpy(d):
    left, right = lower(d, 3), lower(d, 4)
    upper = np.full((d, d), 7.0)
    multiply_lower(left, right, upper)
    np.testing.assert_allclose(np.triu(upper), (left @ right).T, rtol=1e-12, atol=1e-12)
    transpose(left, upper)
    np.testing.assert_array_equal(np.triu(upper), left.T)
    x = np.linspace(-1, 2, d)
    matrix = np.full((d, d), 7.0)
    clear_upper(0.5, matrix)
    add_gram(upper, matrix)
    add_square(-0.25, x, matrix)
    expected = 0.5 * np.eye(d) + left @ left.T - 0.25 * np.outer(x, x)
    np.testing.assert_allclose(np.triu(matrix), np.triu(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_factor_upper__equals_numpy(d):
    covariance = lower(d, 5) @ lower(d, 5).T
    got = np.triu(covariance)
    factor_upper(got)
    np.testing.assert_allclose(np.triu(got), np.linalg.cholesky(covariance).T, rtol=1e-10, atol=1e-12)


def test_factor_upper__is_nan_for_indefinite_matrix():
    got = np.array([[1.0, 2.0], [2.0, 1.0]])
    factor_upper(got)
    assert np.isnan(got[1, 1])


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("n", [0, 1, 4, 7])
def test_blocks_of_points__equal_numpy(d, n):
    rng = np.random.default_rng(7)
    rows, unit = rng.normal(size=(8, d)), np.tril(lower(d, 8), -1) + np.eye(d)
    upper = np.ones((d, d))
    add_squares(rows, n, upper)
    np.testing.assert_allclose(np.triu(upper), np.triu(1 + rows[:n].T @ rows[:n]), rtol=1e-12, atol=1e-12)
    columns, out = rows.T.copy(), np.ones((d, 8))
    multiply_columns(np.where(unit == 0, np.nan, unit), columns, out)
    np.testing.assert_allclose(out, 1 + unit @ columns, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", SIZES)
def test_factor_columns__detects_short_directions(d):
    rng = np.random.default_rng(9)
    columns = rng.normal(size=(d, d + 1))
    if d > 1:
        columns[-1] = columns[0] + 1e-10 * columns[-1]
    expected = np.linalg.qr(columns.T, mode="r")
    expected *= np.sign(np.diag(expected))[:, None]
    got = np.zeros((d, d))
    factor_columns(columns.copy(), np.zeros(d), np.nan, got)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-14)
    if d > 1:
        columns[-1] = columns[0]
        factor_columns(columns.copy(), np.zeros(d), np.nan, got)
        assert np.isnan(got[-1, -1])
        for error in (0.0, 1e-16):
            factor_columns(columns.copy(), np.full(d, error), 0.0, got)
            assert got[-1, -1] == 0
            np.testing.assert_allclose(np.triu(got).T @ np.triu(got), columns @ columns.T, rtol=1e-12, atol=1e-12)


def test_factor_columns__does_not_take_errors_for_lengths():
    # Points of a plane, nearly on a line: the error of the third coordinate is a thousand times that of the second.
    rng = np.random.default_rng(10)
    basis = np.array([[1.0, 0.3, 0.2], [0.0, 1e-3, 1.0]])
    points = rng.normal(size=(7, 2)) @ basis + 100.0
    columns = (points - points.mean(axis=0)).T
    error = 2.0**-52 * np.sqrt(7) * np.abs(points).max()
    got = np.zeros((3, 3))
    factor_columns(columns.copy(), np.zeros(3), 0.0, got)
    assert got[2, 2] > 0
    factor_columns(columns.copy(), np.full(3, error), 0.0, got)
    assert (got.diagonal() > 0).tolist() == [True, True, False]
    np.testing.assert_allclose(np.triu(got).T @ np.triu(got), columns @ columns.T, rtol=1e-10, atol=1e-10)
    # Negative control: a third direction of 1e-6 is no error.
    columns[2] += 1e-6 * rng.normal(size=7)
    factor_columns(columns, np.full(3, error), 0.0, got)
    assert (got.diagonal() > 0).all()
