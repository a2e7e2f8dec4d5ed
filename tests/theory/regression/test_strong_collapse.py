"""Fits to real and synthetic rows together: golden values, limits, exact factors, and refused arguments."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.effective_ridge import degrees_of_freedom, effective_ridge
from fastcollapse.theory.regression.mixed_rows import mixed_rows_factor
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents
from fastcollapse.theory.regression.strong_collapse import (
    best_mixed_ridge,
    mixed_row_parts,
    strong_collapse_plateau,
)

# Spectrum, rows, synthetic rows, ridge; kappa, u, bias, variance, zeta; zeta and cross of delta = -w0/2.
GOLDEN = [
    (
        (np.ones(100), 200, 60, 0.1),
        (
            0.174165738677,
            0.362669636232,
            0.034522483825,
            0.022761798706,
            0.092953400413,
            0.046476700207,
            0.034142698059,
        ),
    ),
    (
        (np.ones(150), 75, 38, 0.05),
        (
            1.095635610526,
            0.455405693948,
            0.501912073745,
            0.033449170429,
            0.163075693642,
            0.081537846821,
            0.010592237303,
        ),
    ),
    (
        (np.arange(1, 151.0) ** -1.5, 100, 20, 1e-3),
        (
            0.002856868067,
            0.373225597549,
            0.051499330008,
            0.023818815580,
            0.065635189111,
            0.032817594556,
            0.004862277240,
        ),
    ),
]
# The isotropic setting of the best ridge: d = 100, |w0| = 1, delta of variance .005, a share of .1, noise .2.
BEST = [1.0] * 100, [0.1] * 100, [0.0] * 100
SQUARE = [0.005] * 100


@pytest.mark.parametrize(("given", "expected"), GOLDEN)
def test_mixed_row_parts__golden(given, expected):
    spectrum, T, T2, ridge = given
    d = spectrum.size
    w0, square = np.full(d, spectrum.sum() ** -0.5), np.full(d, 0.5 / spectrum.sum())
    kappa = effective_ridge(spectrum, T, ridge)
    u = degrees_of_freedom(spectrum, kappa)[1] / T
    random = mixed_row_parts(spectrum, w0, np.zeros(d), T, T2, ridge, 0.2, None, square)
    fixed = mixed_row_parts(spectrum, w0, -w0 / 2, T, T2, ridge, 0.2)
    got = [kappa, u, random.bias, random.variance, random.zeta, fixed.zeta, fixed.cross]
    np.testing.assert_allclose(got, expected, atol=6e-13, rtol=0)
    assert random.cross == 0
    assert random.error == pytest.approx(random.bias + random.variance + random.zeta)


def test_mixed_row_parts__of_synthetic_rows_alone_are_a_fit_to_other_weights():
    """The fit to labels of w0 + delta has a bias towards these weights."""
    spectrum, rng = np.arange(1, 31.0) ** -1.0, np.random.default_rng(1)
    w0, delta = rng.normal(size=(2, 30))
    parts = mixed_row_parts(spectrum, w0, delta, [20, 60, 60], [20, 60, 60], [0.1, 0.1, 0.0], 0.3, 0.7)
    kappa = effective_ridge(spectrum, [20, 60, 60], [0.1, 0.1, 0.0])
    q = spectrum / (spectrum + kappa[:, None])
    u = (q**2).sum(axis=1) / [20, 60, 60]
    gap = q * (w0 + delta) - w0
    expected = gap**2 @ spectrum + u / (1 - u) * ((((1 - q) * (w0 + delta)) ** 2 @ spectrum) + 0.49)
    expected[2] = delta**2 @ spectrum + 0.49 * 30 / (60 - 31)
    np.testing.assert_allclose(parts.error, expected, rtol=1e-12)


def test_mixed_row_parts__of_real_rows_alone_are_those_of_ridge_regression():
    spectrum, w0 = np.arange(1, 31.0) ** -1.0, np.linspace(1, 2, 30)
    T, ridge = np.array([20, 60, 60]), [0.1, 0.1, 0.0]
    parts = mixed_row_parts(spectrum, w0, w0, T, 0, ridge, 0.3, 0.7)
    bias, variance, _ = ridge_equivalents(spectrum, w0, T, ridge)
    np.testing.assert_allclose(parts.error, bias + 0.09 * variance)
    np.testing.assert_array_equal(parts.zeta, 0.0)


def test_mixed_row_parts__shape_and_edges():
    parts = mixed_row_parts([1.0] * 5, [1.0] * 5, [0.5] * 5, [[4], [5], [6], [8]], [[2]], [0.0, 1.0, 1e300**0.1], 0.0)
    assert parts.zeta.shape == (4, 3)
    assert np.isinf(parts.zeta[1:3, 0]).all()
    assert np.isfinite(parts.zeta[:, 1:]).all()
    # Without noise a variance is 0, even if its factor is infinite.
    np.testing.assert_array_equal(parts.variance, 0.0)


def test_exact_factor__tends_to_the_equivalent():
    """The equivalent of a fit without a ridge is off by O(1/d)."""
    for d in (100, 1000):
        for T, T2 in ((2 * d, d // 2), (d // 2, d // 5)):
            parts = mixed_row_parts(np.ones(d), np.ones(d), np.ones(d), T, T2, 1e-12, 0.0)
            assert mixed_rows_factor(d, T, T2) == pytest.approx(parts.zeta / d, rel=4 / d)
            assert abs(parts.cross) < 1e-6 * d


def test_mixed_rows_factor__edges():
    np.testing.assert_array_equal(mixed_rows_factor(5, [4, 5, 6], 2), np.inf)
    np.testing.assert_array_equal(mixed_rows_factor(5, [4, 5, 6, 20], 0), 0.0)
    np.testing.assert_allclose(mixed_rows_factor(5, [1, 4, 5, 6, 20], [1, 4, 5, 6, 20]), [0.2, 0.8, 1, 1, 1])
    # Many rows: the squared share.
    assert mixed_rows_factor(5, 10**12, 10**11) == pytest.approx(0.01, rel=1e-9)


def test_plateau__is_the_limit_of_many_rows():
    spectrum, rng = np.arange(1, 31.0) ** -1.0, np.random.default_rng(1)
    w0, delta = rng.normal(size=(2, 30))
    ridges = [0.0, 0.1, 2.0]
    many = mixed_row_parts(spectrum, w0, delta, 10**13, 3 * 10**12, ridges, 0.5, None, delta**2 + 0.1).error
    plateau = strong_collapse_plateau(spectrum, w0, delta, 0.3, ridges, delta**2 + 0.1)
    np.testing.assert_allclose(plateau, many, rtol=1e-9)
    assert plateau[0] == pytest.approx(0.09 * (spectrum @ (delta**2 + 0.1)))
    # It does not go to 0 for any share above 0, whatever the ridge.
    assert strong_collapse_plateau(spectrum, w0, delta, 1e-3, np.geomspace(1e-9, 1e9, 99), delta**2 + 0.1).min() > 0


def test_best_mixed_ridge__golden():
    _, error = best_mixed_ridge(*BEST, [10**3, 10**5, 10**7], [10**2, 10**4, 10**6], 0.2, None, SQUARE)
    np.testing.assert_allclose(error, [0.0142316963, 0.0050593824, 0.0049759662], atol=6e-11, rtol=0)
    # Slightly below the plateau without a ridge: P |w0|^2/(P + |w0|^2).
    ridge, least = best_mixed_ridge(*BEST, 10**15, 10**14, 0.2, None, SQUARE)
    assert strong_collapse_plateau(*BEST, 0.1, 0.0, SQUARE) == pytest.approx(0.005)
    assert (float(ridge), float(least)) == pytest.approx((0.005, 0.005 / 1.005), rel=1e-9)


@pytest.mark.parametrize("T", [20, 30, 31, 200])
@pytest.mark.parametrize("scale", [-0.5, 0.0, 3.0])
def test_best_mixed_ridge__is_best_on_a_grid(T, scale):
    spectrum = np.arange(1, 31.0) ** -1.0
    given = spectrum, np.ones(30), np.full(30, scale), T, T // 3, 0.5, 0.2, np.full(30, scale**2 + 0.1)
    ridge, error = best_mixed_ridge(*given)

    def errors(ridges):
        return mixed_row_parts(*given[:5], ridges, *given[5:]).error

    assert errors(ridge) == pytest.approx(error, rel=1e-10)
    # Without a ridge the error is exact, and differs from the equivalent of a small one by O(1/d).
    rounding = 2 / 30 if ridge == 0 else 1e-10
    assert errors(np.geomspace(1e-8, 1e4, 2000)).min() >= error * (1 - rounding)


def test_best_mixed_ridge__ends():
    """No ridge where there is nothing to shrink for, and an endless one where all labels are of the opposite sign."""
    assert best_mixed_ridge([1.0] * 5, [1.0] * 5, [0.0] * 5, 20, 4, 0.0) == (0.0, 0.0)
    ridge, error = best_mixed_ridge([1.0] * 5, [1.0] * 5, [-2.0] * 5, 20, 20, 0.1)
    assert ridge == np.inf
    assert error == 5.0


BAD = [
    (dict(T2=7), "T2 must be at most T, got 7"),
    (dict(T2=-1), "T2 must be a whole number of at least 0, got -1"),
    (dict(T=0), "T must be a whole number of at least 1, got 0"),
    (dict(ridge=-1.0), "ridge must be within"),
    (dict(sigma=np.nan), "sigma must be within"),
    (dict(sigma2=-1.0), "sigma2 must be within"),
    (dict(delta=[0.5]), "delta must"),
    (dict(delta_square=[0.1, 0.3]), "delta_square must be at least the squares of delta"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_mixed_row_parts__refuses_bad_arguments(given, message):
    good = dict(spectrum=[1.0, 0.5], w0=[1.0, 1.0], delta=[0.5, 0.5], T=6, T2=2, ridge=0.1, sigma=0.2)
    with pytest.raises(InputError, match=message):
        mixed_row_parts(**{**good, **given})


def test_plateau__refuses_a_share_above_1():
    with pytest.raises(InputError, match="share must be within"):
        strong_collapse_plateau([1.0], [1.0], [1.0], 1.1, 0.0)
