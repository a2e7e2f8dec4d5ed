"""Bounds of the negative log likelihood: closed forms, order and domain."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.likelihood import (
    kde_accumulate_nll_bound,
    kde_mix_nll_bound,
    kde_nll_bounds,
    kde_nll_bounds_shape,
)
from fastcollapse.theory.density.shapes import Shape


@pytest.mark.parametrize("d", [1, 3])
def test_nll_bounds__of_replace_equal_closed_forms(d):
    h, variance, t = 0.4, 2.0, np.arange(1, 31)
    lower, upper = kde_nll_bounds(h, [20] * 30, means=[[0] * d], covariances=variance)
    total = variance + t * h**2
    expected = d / 2 * np.log(2 * np.pi * total) + d * variance / (2 * total)
    np.testing.assert_allclose(lower[1:], expected, rtol=1e-12)
    expected = d / 2 * np.log(2 * np.pi * h**2) + (2 * d * variance + (t - 1) * d * h**2) / (2 * h**2)
    np.testing.assert_allclose(upper[1:], expected, rtol=1e-12)


@pytest.mark.parametrize("workflow", [{}, {"keep": 1}, {"n_real": 5, "real": "fresh"}, {"n_real": 5, "real": "fixed"}])
def test_nll_bounds__are_in_order(workflow):
    two = {"weights": [0.3, 0.7], "means": [[-1, 0], [2, 1]], "covariances": [0.5, 1.0]}
    for lower, upper in (
        kde_nll_bounds(0.5, [10] * 20, **workflow, **two),
        kde_nll_bounds_shape(0.5, [10] * 20, **workflow, shape="moons"),
        kde_nll_bounds_shape(0.5, [10] * 20, **workflow, shape="blobs"),
    ):
        assert (lower < upper).all()
        assert (np.diff(lower[1:]) >= -1e-12).all()
    # The bound by the integral of f q is below the one by the integral of -f ln q.
    closed = kde_nll_bounds(0.5, [10] * 20)[0]
    assert (kde_nll_bounds(0.5, [10] * 20, weights=[0.5, 0.5], means=[0, 0])[0] < closed).all()


def test_nll_bounds__grow_without_bound():
    """In `replace` as (d/2) ln t, in `accumulate` as (d/2) ln ln t, which the profile of a run says."""
    for d in (1, 2):
        lower = kde_nll_bounds(2.0, [10] * 4000, keep=1, means=[[0] * d], covariances=0.1)[0]
        t = np.array([40, 4000])
        slope = np.diff(lower[t]) / np.diff(np.log(np.log(t)))
        assert slope == pytest.approx(d / 2, rel=0.15)
        lower = kde_nll_bounds(2.0, [10] * 4000, means=[[0] * d], covariances=0.1)[0]
        assert np.diff(lower[t]) / np.diff(np.log(t)) == pytest.approx(d / 2, rel=0.01)


def test_nll_bounds__of_pools():
    np.testing.assert_allclose(kde_accumulate_nll_bound(1.0, 10 * np.arange(1, 4)), 1 + np.log([1, 2, 3]))
    np.testing.assert_allclose(kde_mix_nll_bound([1.0, 2.0], 10, 40), np.log(4) + np.array([1, 2]))
    with pytest.raises(InputError, match="N must be sizes that do not decrease"):
        kde_accumulate_nll_bound(1.0, [3, 2])
    with pytest.raises(InputError, match="n_real must be at most N"):
        kde_mix_nll_bound(1.0, 3, 2)


def test_mean_product__is_that_of_the_points():
    moons = Shape.of("moons", 0.05, "even")
    gaps = [moons.points(n).mean(axis=0) - [0.5, 0.25] for n in (1, 3)]
    assert moons.mean_product(1, 3) == pytest.approx(gaps[0] @ gaps[1] / 2)
    assert moons.mean_product(4, 3) == pytest.approx(0.0, abs=1e-15)
    # One point of the first blob, and one each of the first two: E (c1 - m) ((c1 + c2)/2 - m) for uniform centres.
    centres = np.random.default_rng(1).uniform(-10, 10, (400_000, 3))
    mean = centres.mean(axis=1)
    products = (centres[:, 0] - mean) * (centres[:, :2].mean(axis=1) - mean)
    expected = Shape.of("blobs", 0.05, "even").mean_product(1, 2)
    assert abs(products.mean() - expected) < 4 * products.std() / np.sqrt(len(products))
    assert Shape.of("moons", 0.05, "iid").mean_product(1, 3) == 0
