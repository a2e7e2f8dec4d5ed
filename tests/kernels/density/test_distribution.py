"""Distribution functions of density estimates, against SciPy."""

import numpy as np
from scipy import stats

from fastcollapse.kernels.density.distribution import add_distribution


def test_add_distribution__equals_normal_law():
    points, grid = np.random.default_rng(0).normal(size=(2, 30, 1)), np.linspace(-8, 8, 41)
    for h in (np.array([0.3]), np.array([0.3, 2.0])):
        out = np.zeros((2, 41))
        add_distribution(points, 25, 1 / h, grid, 2, out)
        expected = stats.norm.cdf((grid - points[:, :25]) / h[:, None, None]).sum(axis=1)
        np.testing.assert_allclose(out, expected, rtol=1e-13)
    assert np.abs(out - stats.norm.cdf((grid - points) / h[:, None, None]).sum(axis=1)).max() > 0.1
