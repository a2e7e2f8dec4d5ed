"""Sums of cosines and sines, against NumPy."""

import itertools

import numpy as np

from fastcollapse.kernels.density.waves import add_waves


def waves(points, spacing, n_nodes, origin=0.5, parts=(0, 300), n_threads=1):
    cosines, sines = np.zeros((2, len(points), n_nodes))
    for first, end in itertools.pairwise(parts):
        add_waves(points, first, end, origin, spacing, n_threads, cosines, sines)
    return cosines + 1j * sines


def test_add_waves__equal_direct_sums():
    points = 3 * np.random.default_rng(0).normal(size=(2, 300, 1))
    nodes = 0.2 * np.arange(200)
    expected = np.exp(1j * nodes * (points - 0.5)).sum(axis=1)
    np.testing.assert_allclose(waves(points, 0.2, 200), expected, rtol=0, atol=3e-12)
    np.testing.assert_allclose(waves(points, 0.2, 200, parts=(0, 1, 100, 300)), expected, rtol=0, atol=3e-12)
    np.testing.assert_array_equal(waves(points, 0.2, 200, n_threads=3), waves(points, 0.2, 200))
    # Negative control: another spacing.
    assert np.abs(waves(points, 0.2001, 200) - expected).max() > 1e-3
