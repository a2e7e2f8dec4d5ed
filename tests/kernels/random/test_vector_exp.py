"""Vectorised exponential function, against NumPy."""

import numpy as np

from fastcollapse.kernels.random.vector_exp import exponentials


def of(x):
    out = np.empty(len(x))
    exponentials(x, np.empty(len(x), np.int64), out)
    return out


def test_exponentials__equal_numpy_within_two_ulps():
    x = np.concatenate([np.linspace(-708, 709, 200_001), np.linspace(-1, 1, 100_001)])
    expected = np.exp(x)
    assert (np.abs(of(x) - expected) <= 2 * np.spacing(expected)).all()
    assert (of(x + 1e-13 * np.abs(x) + 1e-13) != expected).mean() > 0.1


def test_exponentials__limits_of_range():
    got = of(np.array([0.0, -0.0, -708.1, -1e300, -np.inf, 709.5, np.inf, np.nan]))
    np.testing.assert_array_equal(got, [1, 1, 0, 0, 0, np.inf, np.inf, np.nan])
