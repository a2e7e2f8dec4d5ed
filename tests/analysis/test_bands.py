"""Bands about simulated curves."""

import dataclasses

import numpy as np

from fastcollapse.analysis.bands import ALL, ERRORS, MIDDLE, drawn_band
from fastcollapse.analysis.panels.panel import QUARTILES, Panel
from fastcollapse.analysis.panels.scores import curve_of, unscored_curve
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve

AT = np.arange(1)
VALUES = np.random.default_rng(1).exponential(size=(400, 1))


def panel(curve, **options):
    return Panel("title", "label", "heading", curve, factor=100, **options)


def test_band__of_means_is_two_standard_errors_and_holds_the_expectation():
    band = drawn_band(panel(unscored_curve(AT, VALUES)), log=False)
    error = VALUES.std(ddof=1) / 20
    np.testing.assert_allclose(band.high - band.low, 100 * 4 * error)
    assert band.name == ERRORS
    assert band.low < 100 < band.high


def test_band__on_a_logarithmic_axis_has_quantiles_or_all_replicates():
    band = drawn_band(panel(unscored_curve(AT, VALUES)), log=True)
    np.testing.assert_allclose((band.low, band.high), 100 * np.quantile(VALUES, [0.1, 0.9], axis=0))
    assert band.name == MIDDLE
    heavy = VALUES**6
    band = drawn_band(panel(unscored_curve(AT, heavy)), log=True)
    np.testing.assert_allclose((band.low, band.high), (100 * heavy.min(0), 100 * heavy.max(0)))
    assert band.name == ALL


def test_band__of_medians_is_that_of_the_panel():
    curve = dataclasses.replace(unscored_curve(AT, VALUES), smallest=np.array([1.0]), largest=np.array([2.0]))
    band = drawn_band(panel(curve, median=True, band=QUARTILES), log=True)
    assert (band.low, band.high, band.name) == (100, 200, QUARTILES)


def test_band__of_one_replicate_is_not_visible():
    assert not drawn_band(panel(unscored_curve(AT, VALUES[:1])), log=False).is_visible


def test_band__has_the_error_of_theory_where_replicates_lack_the_rare_large_values():
    """100 replicates of a law whose mean rests on rarer values: their own error does not reach the expectation."""
    sigma = 3.5
    values = np.exp(sigma * np.random.default_rng(1).standard_normal((100, 1)))
    expected = np.exp(np.array([sigma**2]) / 2)
    unknown = np.full(1, np.nan)
    own = drawn_band(panel(curve_of(AT, values, None, None, expected, np.array([True]))), log=False)
    law = SkewedLaw(expected, np.exp(np.array([sigma**2])), np.full(1, np.inf))
    band = drawn_band(panel(skewed_curve(AT, values, law)), log=False)
    assert not own.low < 100 * expected < own.high
    assert band.low < 100 * expected < band.high
    assert np.isnan(skewed_curve(AT, values, SkewedLaw(expected, unknown, unknown)).theory_error).all()
