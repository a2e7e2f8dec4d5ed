"""Lines of theory: marks at single points, and lines that several curves share."""

import numpy as np
from matplotlib.figure import Figure

from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.analysis.theory_lines import draw_shared, plot_theory, seen_lines, shared_lines

AT = np.arange(3)


def panel(*lines):
    return Panel("title", "label", "heading", unscored_curve(AT, np.ones((2, 3))), lines)


def test_plot_theory__single_points_are_marks_in_legend_too():
    axes = Figure().subplots()
    plot_theory(axes, AT, np.array([np.nan, 0.5, np.nan]), color="k", ls="--", label="one")
    plot_theory(axes, AT, np.array([0.1, 0.5, np.nan]), color="k", ls="--", label="two")
    handles, labels = axes.get_legend_handles_labels()
    assert labels == ["one", "two"]
    assert [handle.get_marker() for handle in handles] == ["_", "None"]


def test_shared__each_value_is_drawn_once_and_each_label_is_named_once():
    low, high = Line("limit", np.full(3, 0.1), "limit"), Line("limit", np.full(3, 0.2), "limit")
    other, bound = Line("reference", np.full(3, 0.2), "reference"), Line("bound", np.full(3, 0.3), "bound")
    axes = Figure().subplots()
    draw_shared(axes, [panel(low, other, bound), panel(low, other), panel(high)])
    assert [float(line.get_ydata()[0]) for line in axes.lines] == [0.1, 0.2, 0.2]
    assert axes.get_legend_handles_labels()[1] == ["limit", "reference"]


def test_seen_lines__bounds_that_coincide_are_one_line_that_says_so():
    labels = ("theory: lower bound", "theory: upper bound", "Theorem 1, lower bound as published")
    kinds = ("bound", "bound", "published")
    values = np.array([0.9, 0.5, 0.3])
    bounds = [Line(label, values, kind) for label, kind in zip(labels, kinds, strict=True)]
    other = Line("limit", values, "limit")
    one, last = seen_lines(panel(*bounds, other))
    assert one.label == "theory: both bounds; Theorem 1, both bounds as published (coincide)"
    assert last is other
    # Negative control: one bound is away at one point, by 1 % of the range.
    bounds[1] = Line(labels[1], np.array([0.9, 0.5, 0.307]), "bound")
    assert seen_lines(panel(*bounds, other)) == [*bounds, other]
    assert seen_lines(panel(bounds[0], other)) == [bounds[0], other]


def test_shared__references_have_styles_of_their_own():
    names = [Line(name, np.ones(3), "reference") for name in "ab"]
    (_, first), (_, second) = shared_lines(panel(*names))
    assert first != second
