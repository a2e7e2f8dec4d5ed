"""Moments, Cholesky factors and linear maps of points, against NumPy."""

import itertools

import numpy as np

from fastcollapse.kernels.density.moments import add_moments, covariances, factorise, whiten


def moments(points, parts):
    mean, squares = np.zeros((2, len(points), points.shape[2]))
    for first, end in itertools.pairwise(parts):
        add_moments(points, first, end, 2, mean, squares)
    return mean, squares / parts[-1]


def test_add_moments__equal_those_of_all_points():
    points = 1e6 + np.random.default_rng(0).normal(size=(3, 100, 2))
    for parts in ([0, 100], [0, 1, 40, 100], [0, 70]):
        mean, variance = moments(points, parts)
        np.testing.assert_allclose(mean, points[:, : parts[-1]].mean(axis=1), rtol=1e-15)
        np.testing.assert_allclose(variance, points[:, : parts[-1]].var(axis=1), rtol=1e-9)
    # Negative control: the variance without the last point is another number.
    assert (np.abs(moments(points, [0, 99])[1] - points.var(axis=1)) > 1e-6).all()


def test_covariances__are_unbiased():
    points, out = np.random.default_rng(1).normal(size=(2, 50, 3)), np.empty((2, 3, 3))
    covariances(points, 40, points[:, :40].mean(axis=1), 2, out)
    np.testing.assert_allclose(out, [np.cov(one[:40], rowvar=False) for one in points], rtol=1e-12)
    assert np.abs(out - [np.cov(one[:40], rowvar=False, ddof=0) for one in points]).max() > 1e-3


def test_factorise__gives_cholesky_factors_and_nan():
    a = np.random.default_rng(2).normal(size=(3, 4, 4))
    matrices = a @ a.swapaxes(1, 2)
    out = np.empty_like(matrices)
    factorise(matrices, out)
    np.testing.assert_allclose(out, np.linalg.cholesky(matrices), atol=1e-12)
    matrices[1, 2, 2] = -1.0
    factorise(matrices, out)
    assert np.isnan(out[1]).any()
    assert np.isfinite(out[[0, 2]]).all()


def test_whiten__solves_with_factors_of_each_replicate_or_of_all():
    rng = np.random.default_rng(3)
    factors = np.tril(rng.normal(size=(2, 3, 3))) + 3 * np.eye(3)
    points, out = rng.normal(size=(2, 10, 3)), np.empty((2, 6, 3))
    whiten(points, 4, 10, factors, 2, out)
    np.testing.assert_allclose(np.einsum("rjk,rik->rij", factors, out), points[:, 4:], atol=1e-14)
    whiten(points[:1], 4, 10, factors, 2, out)
    np.testing.assert_allclose(factors[1] @ out[1].T, points[0, 4:].T, atol=1e-14)
