"""The figure of a sweep: curves, or heat maps of simulation and theory."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import draw_plot
from fastcollapse.analysis.captions import look_lines
from fastcollapse.analysis.figure_axes import new_axes
from fastcollapse.analysis.figure_plots import described
from fastcollapse.analysis.figure_size import finish
from fastcollapse.analysis.figure_style import inches_of, style_of
from fastcollapse.analysis.figures import Look, frame
from fastcollapse.analysis.heat_maps import draw_heat_map, heat_maps_of
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.sweep_axes import WIDE
from fastcollapse.analysis.sweep_choice import Choice
from fastcollapse.analysis.sweep_panels import Drawn, drawn_of
from fastcollapse.analysis.text_layout import points_of, text_inches, wrapped
from fastcollapse.analysis.words import plain, source_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 2


@drawing
def draw_sweep(source: Any, choice: Choice | None = None, look: Look | None = None) -> "Figure":
    """Return the figure of a sweep.

    Parameters
    ----------
    source : a `SweepFolder` or `CollectedSweep`.
    choice : the options of the figure; None for the defaults.
    look : how it is drawn, by default for paper; a sweep has no choice of panels.

    Raises
    ------
    InputError
        A parameter or value is not one of the sweep, or no point can be drawn.
    """
    return _figure(drawn_of(source, choice or Choice()), look or Look())


@drawing
def draw_with_caption(source: Any, choice: Choice | None = None, look: Look | None = None) -> "tuple[Figure, str]":
    """Return the figure of a sweep and its caption; the points are read once. See `draw_sweep`."""
    drawn = drawn_of(source, choice or Choice())
    return _figure(drawn, look or Look()), _caption(drawn)


def _figure(drawn: Drawn, look: Look) -> "Figure":
    import matplotlib as mpl  # start-up time

    with mpl.rc_context(dict(style_of(look.style, float(mpl.rcParams["font.size"])).settings)):
        return _heat_maps(drawn, look) if drawn.is_heat_map else _curves(drawn, look)


def sweep_caption(source: Any, choice: Choice | None = None) -> str:
    """Return the caption of the figure of a sweep: title, source, what its points have in common, and the verdict."""
    return _caption(drawn_of(source, choice or Choice()))


def _caption(drawn: Drawn) -> str:
    words, facts = drawn.words, drawn.facts
    lines = [f"{drawn.title}."]
    if words is not None:
        lines += [
            f"Source: {plain(source_words(words))}." if words.source else "Own settings.",
            *([words.note] if words.note else []),
        ]
    lines.append(plain(f"{facts[:1].upper()}{facts[1:]}."))
    if drawn.is_heat_map:
        return "\n".join([*lines, "Cells: simulation, or theory where the title says so; in brackets: no score."])
    panels = [panel for plot in drawn.plots for panel in plot]
    logs = [panel.log or _is_wide(plot) for plot in drawn.plots for panel in plot]
    parts = [described([panel], log) for panel, log in zip(panels, logs, strict=True)]
    bands = [band for part in parts for band in part[0]]
    notes = [note for part in parts for note in part[1]]
    has_theory = any(part[2] for part in parts)
    return "\n".join([*lines, *look_lines(bands, notes, has_theory, has_distances=False)])


def _titles(drawn: Drawn, look: Look) -> tuple[str, str]:
    """Return the title of a figure, and the line in small letters below it."""
    words = drawn.words
    changed = [source_words(words)] if words is not None and words.changes else []
    return drawn.title if look.title is None else look.title, "; ".join([*changed, drawn.place])


def _curves(drawn: Drawn, look: Look) -> "Figure":
    """Return the figure with one plot for each panel, over the first parameter."""
    plots, style, width = drawn.plots, style_of(look.style), inches_of(look.width)
    n_columns = min(len(plots), _MOST_COLUMNS, style.columns(width))
    figure, used, _ = new_axes(len(plots), n_columns, style.inches(width, n_columns))
    below = 0.0
    for axes, shown in zip(used, plots, strict=True):
        plot = [dataclasses.replace(panel, log=panel.log or _is_wide(shown)) for panel in shown]
        draw_plot(axes, plot, drawn.results)
        below = max(below, _format_side(axes, plot, drawn, figure.get_figwidth() / n_columns))
        frame(axes)
    finish(figure, used, n_columns, *_titles(drawn, look), legend=look.legend, below=below)
    return figure


def _format_side(axes: "Axes", plot: Sequence[Panel], drawn: Drawn, column: float) -> float:
    """Name the places of an axis of names; return inches that names need."""
    side, below = drawn.sides[0], 0.0
    if plot[0].axis.label != side.label:
        axes.set_xlim(right=1.1 * max(float(panel.curve.at.max()) for panel in plot))
    elif not side.is_number:
        points = points_of("xtick.labelsize")
        room = max(0.75 * column / max(1, len(side.names)), 0.4)
        names = [wrapped(name, room, points) for name in side.names]
        if max(text_inches(line, points) for name in names for line in name.split("\n")) > 1.15 * room:
            axes.set_xticks(side.at, side.names, rotation=35, ha="right", rotation_mode="anchor")
            below = 0.57 * max(text_inches(name, points) for name in side.names)
        else:
            axes.set_xticks(side.at, names)
            below = 1.2 * points / 72 * max(name.count("\n") for name in names)
        axes.set_xlim(-0.5, len(side.at) - 0.5)
    return below


def _is_wide(plot: Sequence[Panel]) -> bool:
    """Whether the middles of curves are so far apart that their axis is logarithmic."""
    means = np.concatenate([panel.curve.mean for panel in plot])
    means = means[np.isfinite(means)]
    if plot[0].factor != 1 or plot[0].limits is not None or not means.size or means.min() <= 0:
        return False
    return bool(means.max() / means.min() >= WIDE)


def _heat_maps(drawn: Drawn, look: Look) -> "Figure":
    """Return the figure of heat maps: simulated values, and theory beside them where it is known."""
    style, width = style_of(look.style), inches_of(look.width)
    most = min(_MOST_COLUMNS, style.columns(width))
    maps = heat_maps_of(drawn)
    n_columns = min(most, len(maps))
    figure, used, _ = new_axes(len(maps), n_columns, style.inches(width, n_columns))
    for axes, one in zip(used, maps, strict=True):
        draw_heat_map(axes, one, drawn.sides, figure.get_figwidth() / n_columns)
    finish(figure, used, n_columns, *_titles(drawn, look), legend=False)
    return figure
