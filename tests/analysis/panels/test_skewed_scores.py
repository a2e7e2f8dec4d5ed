"""Scores of skewed quantities: few false rejections with few replicates, and rejection of wrong laws."""

import numpy as np
import pytest

from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve, skewness, skewness_of_squares

N_RUNS = 2000


def drawn(rng, freedom, mixing, n_replicates):
    """Return positive values (R, N_RUNS) of mean 1: a mean of squares times a log-normal factor."""
    shape = (n_replicates, N_RUNS)
    variance = np.log(mixing)
    return rng.chisquare(freedom, shape) / freedom * np.exp(rng.normal(size=shape) * np.sqrt(variance) - variance / 2)


def law_of(freedom, mixing):
    ones = np.ones(N_RUNS)
    found = skewness_of_squares(freedom * ones, mixing * ones)
    return SkewedLaw(ones, mixing * (1 + 2 / freedom) * ones, found)


@pytest.mark.parametrize(("freedom", "mixing", "n_replicates"), [(1, 1.0, 32), (1, 1.2, 150), (3, 1.2, 50)])
def test_scores__rarely_reject_correct_runs(freedom, mixing, n_replicates):
    values = drawn(np.random.default_rng(1), freedom, mixing, n_replicates)
    at = np.arange(1, N_RUNS + 1)
    got = skewed_curve(at, values, law_of(freedom, mixing))
    assert np.isfinite(got.z).all()
    # 2,000 correct runs each. A normal score exceeds 4 once in 16,000; Student's law alone exceeds it several times.
    assert np.abs(got.z).max() < 4
    alone = curve_of(at, values, None, None, np.ones(N_RUNS), np.full(N_RUNS, True))
    assert np.abs(alone.z).max() > 4
    # A mean that is wrong by six standard errors of 32 squares is usually rejected at the same limit.
    wrong = skewed_curve(at, values + 1.5, law_of(freedom, mixing))
    assert np.median(np.abs(wrong.z)) > 4


@pytest.mark.parametrize(("freedom", "mixing"), [(1, 1.0), (4, 1.3), (2, 1.5)])
def test_skewness__equals_definition(freedom, mixing):
    values = np.concatenate([drawn(np.random.default_rng(seed), freedom, mixing, 1000) for seed in range(4)])
    centred = values - 1
    expected = (centred**3).mean() / (centred**2).mean() ** 1.5
    np.testing.assert_allclose(skewness_of_squares(np.array(freedom), np.array(mixing)), expected, rtol=0.2)
    # With very many degrees of freedom only the log-normal factor varies.
    found = skewness_of_squares(np.array(1e9), np.array(mixing + 0.1))
    np.testing.assert_allclose(found, skewness(np.array(mixing + 0.1)), rtol=1e-6)


def test_scores__are_missing_for_large_skewness_or_underflow():
    at = np.array([0, 1, 2, 3])
    values = np.array([[1.0, 0.9, 2.0, 0.0], [1.0, 1.1, 0.1, 0.0]])
    spread = np.array([1.0, 1.01, 1e300, np.inf])
    with np.errstate(invalid="ignore"):
        curve = skewed_curve(at, values, SkewedLaw(np.array([1.0, 1.0, 1.0, 0.0]), spread, skewness(spread)))
    assert curve.z[0] == 0
    assert np.isfinite(curve.z[1])
    assert np.isnan(curve.z[2:]).all()


def test_curve__of_values_whose_squares_overflow_is_that_in_other_units():
    values = np.random.default_rng(3).lognormal(0.0, 0.1, (50, 4))
    at, known, unit = np.arange(4), np.full(4, True), 2.0**600
    one, large = (curve_of(at, values * u, None, None, np.full(4, u), known) for u in (1.0, unit))
    np.testing.assert_allclose(large.sd, one.sd * unit, rtol=1e-12)
    np.testing.assert_allclose(large.z, one.z, rtol=1e-9)
    assert not large.heavy_tailed
