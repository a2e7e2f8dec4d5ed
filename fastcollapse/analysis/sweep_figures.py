"""The figure of a sweep: curves, or heat maps of simulation and theory side by side."""

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import draw_plot, place_legend
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.panels.panel import Curve, Panel
from fastcollapse.analysis.panels.style import MAP
from fastcollapse.analysis.sweep_axes import WIDE, Side
from fastcollapse.analysis.sweep_panels import Choice, Drawn, chosen, drawn_of
from fastcollapse.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most curves of one plot; more are a heat map.
_MOST_CURVES = 8
_MOST_COLUMNS = 2
# The most cells of a heat map with numbers in them.
_MOST_NUMBERS = 150
# Letters of the title in one inch.
_LETTERS = 11
# Numbers are white on colours below this.
_DARK = 0.6
# The bottom of a logarithmic axis is at most this factor below the lowest middle, even where bars are longer.
_BELOW = 5.0
# Names of places on an axis: letters of all, the fewest letters of a line, and inches below the axes for one line of
# names with the label, and for each further line.
_NAME_LETTERS, _FEWEST_LETTERS, _BELOW_NAMES, _LINE_HEIGHT = 64, 8, 0.5, 0.15


@drawing
def draw_sweep(source: Any, choice: Choice | None = None) -> "Figure":
    """Return the figure of a sweep.

    Parameters
    ----------
    source : a `SweepFolder` or `CollectedSweep`.
    choice : the options of the figure; None for the defaults.

    Raises
    ------
    InputError
        A parameter or value is not one of the sweep, or no point can be drawn.
    """
    choice = chosen(source, choice or Choice())
    drawn = drawn_of(source, choice)
    two = len(drawn.sides) > 1
    heat = choice.heat_map if choice.heat_map is not None else two and drawn.sides[1].dimension.length > _MOST_CURVES
    if heat and not two:
        raise InputError("a heat map must be over two parameters, got one")
    figure = _heat_maps(drawn.plots, *drawn.sides) if heat else _curves(drawn)
    width = int(_LETTERS * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.fill(line, width) for line in drawn.title.split("\n")), fontsize=11)
    return figure


def _curves(drawn: Drawn) -> "Figure":
    """Return the figure with one plot for each panel, over the first parameter."""
    from matplotlib.figure import Figure  # start-up time

    plots, side = drawn.plots, drawn.sides[0]
    n_columns = min(len(plots), _MOST_COLUMNS)
    n_rows = -(-len(plots) // n_columns)
    figure = Figure(figsize=(max(7.5, 6.0 * n_columns), 5 * n_rows), layout="constrained")
    used = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    for unused in used[len(plots) :]:
        unused.set_visible(False)
    width = max(_FEWEST_LETTERS, _NAME_LETTERS // max(1, len(side.names)))
    names = ["\n".join(textwrap.wrap(name, width)) for name in side.names]
    below = _BELOW_NAMES + (0 if side.is_number else _LINE_HEIGHT * max(name.count("\n") for name in names))
    for axes, plot in zip(used, plots, strict=False):
        draw_plot(axes, plot, drawn.results)
        if plot[0].axis.label != side.label:
            axes.set_xlim(right=1.1 * max(float(panel.curve.at.max()) for panel in plot))
        elif not side.is_number:
            axes.set_xticks(side.at, names, fontsize=8)
            axes.set_xlim(-0.5, len(side.at) - 0.5)
        means = np.concatenate([panel.curve.mean for panel in plot]) * plot[0].factor
        means = means[np.isfinite(means)]
        if plot[0].factor == 1 and plot[0].limits is None and means.size and means.min() > 0:
            if means.max() / means.min() >= WIDE:
                axes.set_yscale("log")
        if axes.get_yscale() == "log":
            _show_middles(axes, plot)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        place_legend(axes, figure.get_figwidth() / n_columns, below)
    return figure


def _show_middles(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Set the bottom of a logarithmic axis below the middles and their theory; bars may be cut off."""
    values = np.concatenate([values for panel in plot for values in (panel.curve.mean, panel.curve.expected)])
    positive = values[np.isfinite(values) & (values > 0)] * plot[0].factor
    if positive.size:
        axes.set_ylim(bottom=max(axes.get_ylim()[0], float(positive.min()) / _BELOW))


def _heat_maps(plots: Sequence[Sequence[Panel]], first: Side, second: Side) -> "Figure":
    """Return the figure with one row for each plot: the simulated means, and their theory if it is known."""
    from matplotlib.figure import Figure  # start-up time

    figure = Figure(figsize=(13, 5 * len(plots)), layout="constrained")
    for columns, plot in zip(figure.subplots(len(plots), 2, squeeze=False), plots, strict=True):
        simulated = _cells(plot, first, second, lambda curve: curve.mean)
        expected = _cells(plot, first, second, lambda curve: curve.expected)
        z = _cells(plot, first, second, lambda curve: curve.z)
        unscored = np.isfinite(simulated) & np.isfinite(expected) & np.isnan(z)
        norm = _norm(np.concatenate([simulated.ravel(), expected.ravel()]))
        kinds = {panel.median for panel in plot}
        middle = "mean (median where tails are heavy)" if len(kinds) > 1 else "median" if True in kinds else "mean"
        for axes, values, name in zip(columns, (simulated, expected), (f"simulated {middle}", "theory"), strict=True):
            if not np.isfinite(values).any():
                axes.set_visible(False)
                continue
            _heat_map(axes, values, norm, first, second, plot[0], name, unscored & (values is simulated))
    return figure


def _cells(plot: Sequence[Panel], first: Side, second: Side, part: Callable[[Curve], np.ndarray]) -> np.ndarray:
    """Return a part of the curves of a plot as cells of a heat map, float64 (second, first)."""
    cells = np.full((second.dimension.length, first.dimension.length), np.nan)
    for panel in plot:
        columns = np.searchsorted(np.sort(first.at), panel.curve.at)
        order = np.argsort(first.at)[columns]
        is_known = np.isfinite(panel.curve.mean)
        cells[second.groups.index(panel.group), order[is_known]] = part(panel.curve)[is_known] * panel.factor
    return cells


def _norm(values: np.ndarray) -> Any:
    """Return the colour scale of values, logarithmic for a wide range."""
    from matplotlib.colors import LogNorm, Normalize  # start-up time

    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    return LogNorm(low, high) if low > 0 and high / low >= WIDE else Normalize(low, high if high > low else low + 1)


def _heat_map(
    axes: "Axes",
    values: np.ndarray,
    norm: Any,
    first: Side,
    second: Side,
    panel: Panel,
    name: str,
    unscored: np.ndarray,
) -> None:
    """Draw a heat map; numbers where `unscored`, bool of the shape of `values`, is true are in brackets."""
    image = axes.imshow(values, norm=norm, cmap=MAP, aspect="auto", origin="lower")
    axes.set_xticks(range(first.dimension.length), first.names)
    axes.set_yticks(range(second.dimension.length), second.names)
    for (j, i), value in np.ndenumerate(values):
        if np.isfinite(value) and values.size <= _MOST_NUMBERS:
            shade = "white" if norm(value) < _DARK else "black"
            number = f"({value:.3g})" if unscored[j, i] else f"{value:.3g}"
            axes.text(i, j, number, ha="center", va="center", color=shade, fontsize=8)
    axes.set_xlabel(first.label)
    axes.set_ylabel(second.label)
    brackets = "; in brackets: no score" if unscored.any() and values.size <= _MOST_NUMBERS else ""
    axes.set_title(f"{panel.title}\n{name}{brackets}", fontsize=10)
    axes.figure.colorbar(image, ax=axes, label=panel.label)
