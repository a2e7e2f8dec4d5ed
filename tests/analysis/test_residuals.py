"""Axes of scores below plots whose curves coincide."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.analysis.residuals import draw_residuals, needs_residuals

AT = np.arange(20)
EXPECTED = np.exp(-AT / 5)


def panel(noise, shift=0.0, bounds=None):
    values = EXPECTED + shift + noise * np.random.default_rng(1).standard_normal((200, 20))
    lower, upper = (None, None) if bounds is None else (EXPECTED - bounds, EXPECTED + bounds)
    expected = EXPECTED if bounds is None else np.full(20, np.nan)
    return Panel("t", "l", "h", curve_of(AT, values, lower, upper, expected, np.full(20, True)))


def test_needs_residuals__where_curves_are_closer_than_a_line_is_wide():
    assert needs_residuals([panel(0.01)])
    assert needs_residuals([panel(0.01, bounds=0.005)])
    assert not needs_residuals([panel(0.01, shift=0.05)])
    assert not needs_residuals([panel(0.01, bounds=0.05)])


def test_needs_residuals__not_without_theory_and_of_one_curve_alone():
    one = panel(0.01)
    unknown = dataclasses.replace(one.curve, expected=np.full(20, np.nan))
    assert not needs_residuals([dataclasses.replace(one, curve=unknown)])
    assert not needs_residuals([one, one])
    assert not needs_residuals([dataclasses.replace(one, group="a")])


def test_draw_residuals__shows_the_scores():
    one, axes = panel(0.01), Figure().subplots()
    draw_residuals(axes, one)
    [points] = [line for line in axes.get_lines() if line.get_marker() == "o"]
    np.testing.assert_allclose(points.get_ydata(), one.curve.z)
    assert np.abs(one.curve.z).max() < 4
    assert axes.get_ylim()[1] >= 3
