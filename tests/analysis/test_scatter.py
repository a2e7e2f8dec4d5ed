"""Two estimates of each replicate."""

import numpy as np
from matplotlib.figure import Figure

from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.scatter import draw_scatter


def test_draw_scatter__has_a_point_for_each_replicate_and_the_truth():
    axes = Figure().subplots()
    points = Scatter(np.array([1.0, 2.0]), np.array([3.0, 4.0]), "x", "y", (1.5, 3.5))
    draw_scatter(axes, [(points, "first"), (points, "second")])
    assert axes.get_legend_handles_labels()[1] == ["first", "second", "truth"]
    assert [line.get_xdata().tolist() for line in axes.get_lines()] == [[1, 2], [1, 2], [1.5]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
