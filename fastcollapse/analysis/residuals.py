"""Distances between simulation and theory, drawn below a plot whose curves coincide."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.style import EDGE, SIMULATED, darker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Curves coincide if they are at most this share of the axis apart.
_CLOSE = 0.015
# The fewest points with theory, and the largest distance that is shown, in standard errors.
_FEWEST, _LARGEST = 5, 6.0
# Height of the axes of distances over those of the plot.
HEIGHT = 0.34


def needs_residuals(plot: Sequence[Panel]) -> bool:
    """Whether simulation, expectation and bounds of a plot cover each other, so that it cannot show their distance."""
    panel = plot[0]
    if len(plot) > 1 or panel.group or panel.paths is not None or panel.median or panel.axis.categorical:
        return False
    curve, middle = panel.curve, _reference(panel)
    known = np.isfinite(middle) & np.isfinite(curve.mean)
    if curve.n_replicates < 2 or known.sum() < _FEWEST or not np.isfinite(curve.error[known]).any():
        return False
    references = [curve.expected, *(bound for bound in (curve.lower, curve.upper) if bound is not None)]
    values = [curve.mean, *(np.where(known, reference, np.nan) for reference in references)]
    if panel.log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = [np.where(one > 0, np.log10(one), np.nan) for one in values]
    reach = np.nanmax(values[0]) - np.nanmin(values[0])
    if panel.factor == 100:
        reach = 1.0
    apart = max(float(np.nanmax(np.abs(one - values[0]), initial=0.0)) for one in values[1:] if np.isfinite(one).any())
    return bool(reach > 0 and apart < _CLOSE * reach)


def _reference(panel: Panel) -> np.ndarray:
    """Return the exact expectation, or the middle of the bounds where it is not known."""
    curve = panel.curve
    if curve.lower is None or curve.upper is None:
        return curve.expected
    return np.where(np.isfinite(curve.expected), curve.expected, (curve.lower + curve.upper) / 2)


def draw_residuals(axes: "Axes", panel: Panel) -> None:
    """Draw the scores of the mean against theory, between its bounds where only they are known, and a band of two."""
    curve, middle = panel.curve, _reference(panel)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = (curve.mean - middle) / curve.error
        sides = [(bound - middle) / curve.error for bound in (curve.lower, curve.upper) if bound is not None]
    distance = np.where(curve.is_within_bounds, within, curve.z)
    distance[~np.isfinite(distance)] = np.nan
    axes.axhspan(-2, 2, color=EDGE, alpha=0.18, linewidth=0)
    axes.axhline(0, color=darker(SIMULATED), lw=0.8, ls=(0, (4, 3)))
    for side, dash in zip(sides, ((0, (6, 2, 1, 2)), (0, (1, 1.5))), strict=False):
        shown = np.where(np.isfinite(curve.expected), np.nan, side)
        axes.plot(curve.at, shown, color=darker(SIMULATED), lw=0.9, ls=dash)
    axes.plot(curve.at, distance, "o", color=SIMULATED, ms=2, mec="none")
    reach = min(_LARGEST, max(3.0, 1.15 * float(np.nanmax(np.abs(distance), initial=0.0))))
    axes.set_ylim(-reach, reach)
    axes.set_yticks([-2, 0, 2])
    axes.set_ylabel("$z$")
