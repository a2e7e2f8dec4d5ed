"""Panels of a positive quantity of regressions: scores, approximate lines and medians."""

import numpy as np

from fastcollapse.analysis.panels.panel import QUARTILES
from fastcollapse.analysis.panels.regression_curves import Labels, Theory, panel_beside, scored_curve
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw

LABELS = Labels("title", "label", "heading")
AT = np.array([0, 1])
VALUES = np.random.default_rng(1).chisquare(10, (400, 2)) / 10
UNKNOWN = np.full(2, np.nan)


def theory(expected, exact, heavy, median=None):
    law = SkewedLaw(np.array(expected), UNKNOWN, np.full(2, 0.9))
    return Theory(law, np.array(exact), np.array(heavy), median)


def test_panel__scores_exact_points_and_draws_others_as_line():
    panel = panel_beside(LABELS, AT, VALUES, theory([1.0, 1.0], [True, False], [False, False]))
    assert abs(panel.curve.z[0]) < 5
    assert np.isnan(panel.curve.z[1])
    np.testing.assert_array_equal(panel.asymptotic(), [np.nan, 1.0])
    # Negative control: another expectation.
    wrong = panel_beside(LABELS, AT, VALUES, theory([1.2, 1.0], [True, False], [False, False]))
    assert abs(wrong.curve.z[0]) > 5


def test_panel__of_infinite_moments_shows_medians():
    panel = panel_beside(LABELS, AT, VALUES, theory([1.0, 1.0], [True, True], [False, True], np.median(VALUES, axis=0)))
    assert panel.median
    assert panel.band == QUARTILES
    np.testing.assert_allclose(panel.curve.mean, np.median(VALUES, axis=0))


def test_curve__has_no_score_where_the_law_is_too_skewed():
    law = SkewedLaw(np.ones(2), UNKNOWN, np.array([0.9, 1e3]))
    assert np.isnan(scored_curve(AT, VALUES, law).z).tolist() == [False, True]
