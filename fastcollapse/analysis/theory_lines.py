"""Lines of theory and references in one axes, with their styles."""

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.style import EDGE, EXACT, SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Theory is drawn as marks or broken lines: solid lines are simulated.
MARK: dict[str, Any] = {"ls": "", "marker": "_", "ms": 9}
ASYMPTOTIC = (0, (4, 2, 1, 2))
# Colours and dashes of the lines of a kind, in their order; "" for the colour of the theory of a series.
STYLES: dict[str, list[tuple[str, Any]]] = {
    "bound": [("", (0, (6, 2, 1, 2))), ("", (0, (1, 1.5)))],
    "exact": [("", EXACT), ("", ":")],
    "published": [("#009E73", (0, (3, 2))), ("#CC79A7", (0, (1, 2))), ("#56B4E9", "-."), ("#E69F00", "-.")],
    "asymptotic": [("", ASYMPTOTIC)],
    "limit": [(EDGE, ":")],
    "reference": [(SECOND, (0, (1, 1.5))), (EDGE, (0, (5, 1.5, 1, 1.5)))],
}
# The part of the largest value that is rounding.
_ROUNDING = 1e-12
# Bounds that differ by less than this part of the range of a plot are one line to the eye.
_COINCIDE = 0.002
# Lines that are not theory of a curve: several curves share them.
SHARED = ("limit", "reference")


def seen_lines(panel: Panel) -> list[Line]:
    """Return the lines of a panel; bounds that all coincide to the eye are one line, whose label says so."""
    bounds = [line for line in panel.lines if line.kind in ("bound", "published")]
    values = np.array([panel.curve.mean, *(line.values for line in bounds)])
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.log(values) if panel.log else values
        spread = np.fmax.reduce(np.ptp(shown[1:], axis=0)) if len(bounds) > 1 else np.nan
        if not spread <= _COINCIDE * (np.nanmax(shown) - np.nanmin(shown)):
            return list(panel.lines)
    names = dict.fromkeys(re.sub("lower bound|upper bound", "both bounds", line.label) for line in bounds)
    one = dataclasses.replace(bounds[0], label=f"{'; '.join(names)} (coincide)")
    return [one if line is bounds[0] else line for line in panel.lines if line not in bounds[1:]]


def draw_exact(axes: "Axes", panel: Panel, **style: Any) -> None:
    """Draw the exact expectation of a panel; medians are known at some points only, which are joined."""
    curve = panel.curve
    shown = np.isfinite(curve.expected) if panel.median else np.full(len(curve.at), True)
    plot_theory(axes, curve.at[shown], curve.expected[shown] * panel.factor, **style)


def plot_theory(axes: "Axes", at: np.ndarray, values: np.ndarray, **style: Any) -> None:
    """Draw a line of theory, and marks where a point has no neighbours, which make no line."""
    alone = isolated(values)
    if has_marks_alone(values):
        axes.plot(at[alone], values[alone], color=style["color"], mew=1.2, zorder=3, label=style.get("label"), **MARK)
        return
    axes.plot(at, values, **style)
    if alone.any():
        axes.plot(at[alone], values[alone], color=style["color"], mew=1.2, zorder=3, **MARK)


def has_marks_alone(values: np.ndarray) -> bool:
    """Whether theory is known at points without neighbours alone, and is drawn as marks.

    Examples
    --------
    >>> has_marks_alone(np.array([np.nan, 0.5, np.nan])), has_marks_alone(np.array([0.5, 0.4]))
    (True, False)
    """
    known = np.isfinite(values)
    return bool(known.any()) and bool((isolated(values) == known).all())


def isolated(values: np.ndarray) -> np.ndarray:
    """Return where values are known and their neighbours are not, bool[B]."""
    known = np.isfinite(values)
    return known & ~np.append(known[1:], False) & ~np.append(False, known[:-1])


def draw_shared(axes: "Axes", panels: Sequence[Panel]) -> None:
    """Draw the limits that the curves of panels tend to, and the references beside them, each once."""
    drawn: dict[str, set[bytes]] = {}
    for panel in panels:
        for line, (colour, dash) in shared_lines(panel):
            values = drawn.setdefault(line.label, set())
            if line.values.tobytes() not in values:
                label = None if values else line.label
                axes.plot(panel.curve.at, line.values * panel.factor, color=colour, ls=dash, label=label)
            values.add(line.values.tobytes())


def shared_lines(panel: Panel) -> list[tuple[Line, tuple[str, Any]]]:
    """Return the limits and references of a panel, with their styles."""
    found: list[tuple[Line, tuple[str, Any]]] = []
    for kind in SHARED:
        lines = [line for line in panel.lines if line.kind == kind and not _is_below(panel, line)]
        found += [(line, STYLES[kind][i % len(STYLES[kind])]) for i, line in enumerate(lines)]
    return found


def _is_below(panel: Panel, line: Line) -> bool:
    """Whether a line is 0 but for rounding, which a logarithmic axis cannot show."""
    values = np.append(panel.curve.mean, line.values)
    known = np.isfinite(line.values)
    return panel.log and known.any() and bool(line.values[known].max() < _ROUNDING * np.nanmax(values))


def exact_label(panel: Panel) -> str:
    """Return the label of the exact theory of a panel."""
    return "theory: exact median" if panel.median else "theory: exact expectation"
