"""Published shapes: products of characteristic functions by direct sums over points, golden values of even points."""

import numpy as np
import pytest
from scipy.special import j0

from fastcollapse.theory.density.chain import Chain
from fastcollapse.theory.density.shapes import Shape

H = 0.3


def fit_squares(shape, placement, sizes):
    chain = Chain.of(H, sizes, 0, 0, 0, False, "none")
    return chain.integrals(chain.shape_table(Shape.of(shape, 0.05, placement))).square


def test_circles__even_points_have_golden_values():
    np.testing.assert_allclose(fit_squares("circles", "even", [20] * 3)[0], 0.1639336856, atol=6e-11)
    np.testing.assert_allclose(fit_squares("circles", "even", [20] * 3), [0.1639337, 0.1628632, 0.1620492], atol=6e-8)
    np.testing.assert_allclose(fit_squares("circles", "iid", [20])[0], 0.1987813173, atol=6e-11)


@pytest.mark.parametrize("shape", ["circles", "moons"])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_shape__even_points_equal_pair_sums(shape, n):
    # The expected square of a fit is a sum of normal densities over pairs; noise widens those of different points.
    truth = Shape.of(shape, 0.05, "even")
    points = truth.points(n)
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    variance = 2 * H**2 + 2 * 0.05**2 * (1 - np.eye(n))
    expected = (np.exp(-squares / 2 / variance) / (2 * np.pi * variance)).sum() / n**2
    np.testing.assert_allclose(fit_squares(shape, "even", [n])[0], expected, rtol=1e-10)


def test_moons__truth_equals_double_average():
    # The squared density at one frequency, averaged over directions, is the mean of J0 over two random points.
    table = Shape.of("moons", 0.05, "iid").table(H, H, 1, [])
    points = Shape.of("moons", 0.05, "even").points(4000)
    # The midpoints of the arcs have no error from their ends.
    middle = (points[:-1] + points[1:])[np.arange(3999) != 1999] / 2
    at = np.searchsorted(table.radius, [0.5, 3.0, 9.0])
    distance = np.sqrt(((middle[::4, None] - middle[::4]) ** 2).sum(axis=-1))
    for i in at:
        expected = j0(table.radius[i] * distance).mean() * np.exp(-((0.05 * table.radius[i]) ** 2))
        np.testing.assert_allclose(table.gram[0, 0, i], expected, atol=3e-4)


def test_blobs__products_average_over_centres():
    rng = np.random.default_rng(3)
    table = Shape.of("blobs", 0.05, "iid").table(0.2, 0.2, 1, [])
    np.testing.assert_allclose(table.integral(table.product(table.target, table.target)), table.square, rtol=1e-10)
    centres = rng.uniform(-10, 10, (2, 200_000, 2))
    distance = np.sqrt(((centres[0] - centres[1]) ** 2).sum(axis=-1))
    for i in np.searchsorted(table.radius, [0.05, 0.2, 0.6]):
        u = table.radius[i]
        np.testing.assert_allclose(table.gram[0, 1, i], j0(u * distance).mean() * np.exp(-(u**2)), atol=5e-3)
    even = Shape.of("blobs", 0.05, "even").table(0.2, 0.2, 1, [7])
    np.testing.assert_allclose(even.mean(7)[:, 0], [3 / 7, 2 / 7, 2 / 7])


@pytest.mark.parametrize("shape", ["circles", "moons", "blobs"])
def test_shape__moments_equal_those_of_points(shape):
    rng = np.random.default_rng(8)
    iid = Shape.of(shape, 0.05, "iid").moments(9)
    assert iid[0] == pytest.approx(iid[1])
    second, pairs = Shape.of(shape, 0.05, "even").moments(9)
    if shape == "blobs":
        which = np.arange(9) % 3
        points = rng.uniform(-10, 10, (4000, 3, 2))[:, which] + rng.standard_normal((4000, 9, 2))
        got = points.var(axis=1, ddof=1).mean()
        assert abs(got - pairs) < 5 * points.var(axis=1, ddof=1).mean(axis=1).std() / np.sqrt(4000)
    else:
        exact = {"circles": np.zeros(2), "moons": np.array([0.5, 0.25])}[shape]
        points = Shape.of(shape, 0.05, "even").points(9)
        np.testing.assert_allclose(second - 0.05**2, ((points - exact) ** 2).mean())
        np.testing.assert_allclose(pairs - 0.05**2, points.var(axis=0, ddof=1).mean())
        many = Shape.of(shape, 0.05, "even").moments(100_000)
        np.testing.assert_allclose(many, iid, rtol=1e-4)
