"""Two estimates of each replicate against each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.panels.style import SECOND, SIMULATED, THEORY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_scatter(axes: "Axes", points: Sequence[tuple[Scatter, str]]) -> None:
    """Draw a point for each replicate, a colour and a mark for each case, and the truth."""
    for (scatter, name), colour, marker in zip(points, (SIMULATED, THEORY), "ox", strict=False):
        axes.plot(scatter.x, scatter.y, marker, color=colour, mfc="none", ls="", label=name or "replicates")
    truth = points[0][0].truth
    axes.plot(*truth, "*", color=SECOND, ms=9, ls="", label="truth")
    axes.set_xlabel(points[0][0].x_label)
    axes.set_ylabel(points[0][0].y_label)
