"""Sums of normal kernels at positions, against SciPy."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from fastcollapse.kernels.density.exponents import FARTHEST
from fastcollapse.kernels.density.log_sums import add_log_sums


def log_sums(points, positions, factor, parts, n_threads=1):
    shape = (len(points), positions.shape[1])
    least, sums = np.full(shape, FARTHEST), np.zeros(shape)
    for first, end in itertools.pairwise(parts):
        add_log_sums(points, first, end, positions, factor, n_threads, least, sums)
    return np.log(sums) - factor[:, None] * least


def direct(points, positions, factor):
    squares = ((positions[:, :, None] - points[:, None]) ** 2).sum(axis=3)
    return logsumexp(-factor[:, None, None] * squares, axis=2)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (31, 63), (33, 65), (200, 130)])
def test_add_log_sums__equals_direct_sum(d, n, m):
    rng = np.random.default_rng(n + d)
    points, positions = rng.normal(size=(3, n, d)), 2 * rng.normal(size=(3, m, d))
    factor = np.array([0.5, 3.0, 200.0])
    expected = direct(points, positions, factor)
    got = log_sums(points, positions, factor, [0, n])
    np.testing.assert_allclose(got, expected, rtol=3e-15, atol=3e-15)
    # Negative control: without one of the points.
    if n > 1:
        assert np.abs(log_sums(points, positions, factor, [0, n - 1]) - expected).max() > 1e-6


def test_add_log_sums__far_points_do_not_underflow():
    points, positions = np.array([[[0.0], [1.0], [1e4]]]), np.array([[[-1e4], [3e4], [0.5]]])
    factor = np.array([0.5])
    np.testing.assert_allclose(
        log_sums(points, positions, factor, [0, 3]), direct(points, positions, factor), rtol=1e-14
    )


def test_add_log_sums__of_parts_continue_and_threads_share_positions():
    rng = np.random.default_rng(1)
    points, positions = rng.normal(size=(2, 500, 2)), rng.normal(size=(1, 100, 2))
    factor = np.array([8.0])
    expected = direct(points, np.repeat(positions, 2, axis=0), np.repeat(factor, 2))
    got = log_sums(points, positions, factor, [0, 3, 200, 200, 500])
    np.testing.assert_allclose(got, expected, rtol=3e-15, atol=3e-15)
    np.testing.assert_array_equal(log_sums(points, positions, factor, [0, 3, 200, 200, 500], 3), got)


def test_add_log_sums__is_exact_to_a_few_units_of_the_sum():
    """Against the same sum in extended precision, where there is one."""
    rng = np.random.default_rng(2)
    points, positions = rng.normal(size=(1, 1000, 2)), rng.normal(size=(1, 64, 2))
    squares = ((positions[:, :, None] - points[:, None]).astype(np.longdouble) ** 2).sum(axis=3)
    expected = np.log(np.exp(-2 * squares).sum(axis=2))
    got = log_sums(points, positions, np.array([2.0]), [0, 1000])
    assert np.abs(got - expected.astype(float)).max() < 1e-14


def test_add_log_sums__skip_of_far_points_is_exact():
    """Two far clouds: the points of one are skipped at the positions of the other."""
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(size=(1, 500, 2)), 40 + rng.normal(size=(1, 500, 2))], axis=1)
    positions = np.concatenate([rng.normal(size=(1, 64, 2)), 40 + rng.normal(size=(1, 64, 2))], axis=1)
    points = points[:, rng.permutation(1000)]
    factor = np.array([2.0])
    np.testing.assert_allclose(
        log_sums(points, positions, factor, [0, 1000]), direct(points, positions, factor), rtol=3e-15, atol=3e-15
    )
