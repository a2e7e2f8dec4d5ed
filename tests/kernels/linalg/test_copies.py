"""Copies by loops, against NumPy."""

import numpy as np

from fastcollapse.kernels.linalg.copies import copy_matrix, copy_transpose, copy_vector, largest


def test_copies__write_views_and_nothing_beside_them():
    source = np.random.default_rng(1).normal(size=(3, 5))
    rows, columns, out = np.zeros((4, 5)), np.zeros((5, 4)), np.zeros(6)
    copy_matrix(source, rows[:3])
    copy_transpose(source, columns[:, 1:])
    copy_vector(source[1], out[1:])
    np.testing.assert_array_equal(rows, np.vstack([source, np.zeros(5)]))
    np.testing.assert_array_equal(columns, np.vstack([np.zeros(5), source]).T)
    np.testing.assert_array_equal(out, [0.0, *source[1]])


def test_largest__is_at_least_zero():
    assert largest(np.array([1.0, 7.0, 3.0])) == 7.0
    assert largest(np.array([-1.0])) == 0.0
