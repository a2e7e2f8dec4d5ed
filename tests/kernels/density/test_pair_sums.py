"""Sums of normal kernels over pairs, against NumPy."""

import itertools

import numpy as np
import pytest

from fastcollapse.kernels.density.pair_sums import add_pair_sums


def pair_sums(points, factor, parts, n_threads=1):
    out = np.zeros(len(points))
    for first, end in itertools.pairwise(parts):
        add_pair_sums(points, first, end, factor, n_threads, out)
    return out


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("n", [1, 64, 65, 300])
def test_add_pair_sums__equals_direct_sum(d, n):
    points, factor = np.random.default_rng(n).normal(size=(2, n, d)), np.array([0.7, 5.0])
    squares = ((points[:, :, None] - points[:, None]) ** 2).sum(axis=3)
    expected = np.exp(-factor[:, None, None] * squares).sum(axis=(1, 2))
    np.testing.assert_allclose(pair_sums(points, factor, [0, n]), expected, rtol=1e-14)
    # Calls with consecutive ranges add up; threads change no bit.
    parts = sorted({0, min(10, n), n // 2, n})
    np.testing.assert_allclose(pair_sums(points, factor, parts), expected, rtol=1e-14)
    np.testing.assert_array_equal(pair_sums(points, factor, parts, 3), pair_sums(points, factor, parts))
    # Negative control: without the last point.
    assert (pair_sums(points, factor, [0, n - 1]) < expected - 0.5).all()
