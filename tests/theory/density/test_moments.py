"""Moments of the points against their closed forms, limits and conservation laws."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.moments import kde_scaled_within_variance, kde_second_moment, kde_within_variance

T = 60
t = np.arange(1, T + 1)


def test_second_moment__equals_closed_forms():
    n, h, v = 10, 0.5, 2.0
    np.testing.assert_allclose(kde_second_moment(h, [n] * T, V=v)[1:], v + (t - 1) * h**2, rtol=1e-13)
    harmonic = np.cumsum(1 / t)
    np.testing.assert_allclose(kde_second_moment(h, [n] * T, keep=1, V=v)[1:], v + h**2 * (harmonic - 1), rtol=1e-13)
    bandwidths = (n * t) ** -0.2
    steps = np.append(0, np.cumsum(bandwidths[:-1] ** 2 / t[1:]))
    np.testing.assert_allclose(kde_second_moment(bandwidths, [n] * T, keep=1, V=v)[1:], v + steps, rtol=1e-13)
    for real in ("fresh", "fixed"):
        got = kde_second_moment(h, [8] * 500, 2, real=real, V=v)[-1]
        np.testing.assert_allclose(got, v + h**2 * 4, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_within_variance__equals_closed_form_of_replace(n):
    h, v, r = 0.5, 2.0, 1 - 1 / n
    expected = (n - 1) * h**2 + (r * v - (n - 1) * h**2) * r ** (t - 1)
    np.testing.assert_allclose(kde_within_variance(h, [n] * T, V=v)[1:], expected, rtol=1e-12)


def test_within_variance__of_equal_points():
    # Without spread of the truth, the variance is that of the kernels alone: half of it is within two points.
    assert kde_within_variance(1.0, [2, 2], V=0.0).tolist() == [0.0, 0.0, 0.5]
    # The first batch of even points has its own difference.
    np.testing.assert_allclose(kde_within_variance(1.0, [2], V=1.0, V_pairs=2.0), [1.0, 1.0])


def test_within_variance__subsamples_lose_one_degree():
    whole = kde_within_variance(0.5, [10] * 3, keep=1)
    part = kde_within_variance(0.5, [10] * 3, keep=1, n_train=10)
    twice = kde_within_variance(0.5, [10] * 3, keep=1, n_train=10, replacement=True)
    assert (part[2:] < whole[2:]).all()
    assert (twice[1:] < part[1:]).all()


def test_scaled_variance__grows_by_one_factor():
    got = kde_scaled_within_variance(30, [1, 2, 3], 30**-0.2)
    np.testing.assert_allclose(got[1:] / got[:-1], 1.2232045447, rtol=1e-10)


def test_moments__domain_is_checked():
    with pytest.raises(InputError, match="V must be within"):
        kde_second_moment(0.5, [5], V=-1.0)
    with pytest.raises(InputError, match="the training data of generation 1"):
        kde_second_moment(0.5, [0])
    with pytest.raises(InputError, match="n_train must be at most the 5 points"):
        kde_within_variance(0.5, [5], n_train=6)
