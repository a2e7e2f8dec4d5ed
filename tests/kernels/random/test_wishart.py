"""Points from the factor of their inner products; the laws of the factors are tested with the refits."""

import numpy as np

from fastcollapse.kernels.random.wishart import spread_points


def test_spread_points__have_mean_0_and_inner_products_of_factor():
    rng = np.random.default_rng(1)
    for d in (1, 2, 7, 40):
        factor = np.tril(rng.standard_normal((d, d)))
        points = np.empty((d + 1, d))
        spread_points(factor, points)
        helmert = np.zeros((d + 1, d))
        for k in range(1, d + 1):
            helmert[:k, k - 1] = 1 / np.sqrt(k * (k + 1))
            helmert[k, k - 1] = -k / np.sqrt(k * (k + 1))
        np.testing.assert_allclose(points, helmert @ factor, atol=1e-12)
        np.testing.assert_allclose(points.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(points.T @ points, factor.T @ factor, atol=1e-11)
