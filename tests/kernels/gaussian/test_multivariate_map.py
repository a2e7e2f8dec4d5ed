"""Maps of a Gaussian law in d dimensions against precision matrices."""

import math

import numpy as np
import pytest

from fastcollapse.config.workflows import Replace
from fastcollapse.kernels.gaussian.multivariate_map import has_map, map_law
from fastcollapse.models.gaussian.maps import multivariate_source

MEAN = np.array([0.3, -1.0, 2.0])
FACTOR = np.array([[1.5, 0.0, 0.0], [0.4, 0.2, 0.0], [-0.7, 0.1, 3.0]])
CENTRE, TILT, WIDTH = np.array([0.5, 0.1, -2.0]), np.array([0.2, -0.5, 0.1]), 0.8

PLAIN = Replace(n_samples=5).schedule(1, None)


def mapped(scale=1.0, **keys):
    """Return mean and covariance of the law after a map."""
    factor = FACTOR * scale
    source = multivariate_source(np.zeros(3), np.eye(3), PLAIN)._replace(**keys)
    shift, out = np.empty(3), np.zeros((3, 3))
    unit, logs = factor / factor.diagonal(), np.log(factor.diagonal())
    map_law(MEAN, unit, logs, source, *(np.empty((3, 3)) for _ in range(3)), shift, out)
    root = factor @ np.tril(out)
    return MEAN + factor @ shift, root @ root.T


def test_map_law__bias():
    mean, covariance = mapped(log_scale=math.log(0.7))
    np.testing.assert_array_equal(mean, MEAN)
    np.testing.assert_allclose(covariance, 0.49 * FACTOR @ FACTOR.T, rtol=1e-13)


def test_map_law__tilt():
    mean, covariance = mapped(tilt=TILT)
    np.testing.assert_allclose(mean, MEAN + FACTOR @ FACTOR.T @ TILT, rtol=1e-13)
    np.testing.assert_allclose(covariance, FACTOR @ FACTOR.T, rtol=1e-13)


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e3])
def test_map_law__verifier(scale):
    mean, covariance = mapped(scale, centre=CENTRE, width=WIDTH)
    precision = np.linalg.inv(scale**2 * FACTOR @ FACTOR.T)
    expected = np.linalg.inv(precision + np.eye(3) / WIDTH**2)
    np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-14 * WIDTH)
    np.testing.assert_allclose(mean, expected @ (precision @ MEAN + CENTRE / WIDTH**2), rtol=1e-9)


def test_map_law__of_an_underflowing_law_is_the_law():
    mean, _ = mapped(1e-250, centre=CENTRE, width=WIDTH)
    np.testing.assert_array_equal(mean, MEAN)


def test_has_map__sees_each_map():
    source = multivariate_source(np.zeros(3), np.eye(3), PLAIN)
    assert not has_map(source)
    for keys in ({"log_scale": -0.1}, {"tilt": TILT}, {"centre": CENTRE}):
        assert has_map(source._replace(**keys))
