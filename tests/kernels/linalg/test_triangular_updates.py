"""Inverses, rotations and changes of coordinates against dense matrices."""

import numpy as np
import pytest

from fastcollapse.kernels.linalg.triangular_updates import change_coordinates, invert_lower, multiply_rows, update_upper


def lower(d, seed):
    rng = np.random.default_rng(seed)
    return np.tril(rng.normal(size=(d, d)), -1) + np.diag(rng.uniform(0.5, 2, d))


@pytest.mark.parametrize("d", [1, 2, 7])
def test_invert_lower__equals_inverse(d):
    matrix, out = lower(d, 1), np.full((d, d), np.nan)
    invert_lower(matrix, out)
    np.testing.assert_allclose(out, np.linalg.inv(matrix), atol=1e-13)


@pytest.mark.parametrize("d", [1, 2, 7])
def test_multiply_rows__equals_product(d):
    left, right, out = lower(d, 6), lower(d, 7), np.zeros((d, d))
    multiply_rows(left + np.triu(np.full((d, d), np.nan), 1), right, out)
    np.testing.assert_allclose(out, left @ right, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("d", [1, 2, 7])
def test_update_upper__is_factor_of_the_sum(d):
    upper, x = lower(d, 2).T.copy(), np.random.default_rng(3).normal(size=d)
    expected = upper.T @ upper + np.outer(x, x)
    update_upper(upper, x.copy())
    np.testing.assert_allclose(np.triu(upper).T @ np.triu(upper), expected, rtol=1e-13)


def test_update_upper__keeps_digits_beside_a_long_vector():
    """The determinant of I + x x^T is 1 + |x|^2; the sum of squares would lose the identity."""
    upper, x = np.eye(3), np.array([1e20, -2e20, 3e20])
    update_upper(upper, x.copy())
    np.testing.assert_allclose(upper.diagonal().prod(), np.linalg.norm(x), rtol=1e-14)
    with np.errstate(invalid="ignore"), pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(np.eye(3) + np.outer(x, x))


def test_update_upper__of_zeros_starts_a_factor():
    upper = np.zeros((2, 2))
    for x in (np.zeros(2), np.array([3.0, 4.0]), np.array([0.0, 2.0])):
        update_upper(upper, x.copy())
    np.testing.assert_allclose(upper.T @ upper, [[9, 12], [12, 20]], rtol=1e-14)


@pytest.mark.parametrize("d", [1, 3, 6])
def test_change_coordinates__equals_products(d):
    root = np.random.default_rng(4).normal(size=(d, d))
    symmetric, change = root @ root.T, lower(d, 5)
    got = np.triu(symmetric) + np.tril(np.full((d, d), np.nan), -1)
    change_coordinates(change, got, np.empty((d, d)))
    np.testing.assert_allclose(np.triu(got), np.triu(change @ symmetric @ change.T), rtol=1e-12, atol=1e-12)
