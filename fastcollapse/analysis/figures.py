"""The figure of a run: simulation as solid lines, theory as broken ones."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import draw_plot
from fastcollapse.analysis.figure_axes import given_axes, new_axes, width_of
from fastcollapse.analysis.figure_plots import (
    MOST_WITH_RESIDUALS,
    FigurePlots,
    Plot,
    Single,
    figure_generations,
    has_residuals,
    plots_of_figure,
)
from fastcollapse.analysis.figure_size import finish, wrap_labels
from fastcollapse.analysis.figure_style import PAPER, SCREEN, inches_of, style_of
from fastcollapse.analysis.figure_words import remark_of, title_of
from fastcollapse.analysis.images import IMAGES
from fastcollapse.analysis.legends import place_legend
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.overlays import Overlay, draw_overlay
from fastcollapse.analysis.panels.registry import metric_panel, panels_for
from fastcollapse.analysis.residuals import draw_residuals
from fastcollapse.analysis.scatter import draw_scatter
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches of a sketch.
_SKETCH_SIZE = (4.0, 2.6)


@dataclasses.dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Parameters
    ----------
    style : "paper" or "screen".
    width : "one" or "two" columns of a journal, inches, or None for that of the style.
    title : of the figure, "" for none; None for that of the recipe or the run.
    legend : whether there is a legend.
    """

    style: str = PAPER
    width: str | float | None = None
    title: str | None = None
    legend: bool = True

    def __post_init__(self) -> None:
        style_of(self.style)
        inches_of(self.width)


def names_of(panel: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of panels that a user gives: one, several, or None."""
    return () if panel is None else (panel,) if isinstance(panel, str) else tuple(panel)


def plot(
    results: RecordedRun | Sequence[RecordedRun],
    panel: str | Sequence[str] | None = None,
    axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
    look: Look | None = None,
) -> "Figure | Axes | np.ndarray":
    """Draw the figure of runs, or one panel of it.

    Returns
    -------
    Figure or Axes
        The figure; with the name of a panel its Axes, or an array of Axes where the panel has several plots.

    Raises
    ------
    InputError
        See `draw`.
    """
    cases = [results] if isinstance(results, RecordedRun) else list(results)
    given = None if axes is None else [place for place in np.asarray(axes, object).ravel() if place is not None]
    figure, used = draw_plots(plots_of_figure(cases, names_of(panel)), look or Look(style=SCREEN), given)
    if not isinstance(panel, str):
        return figure
    places = np.array(used, object)
    return places if len(places) > 1 else places[0]


@drawing
def sketch(results: RecordedRun) -> "Figure":
    """Return a small figure of the first metric of a run, without theory, which may take seconds."""
    from fastcollapse.analysis.inline_figure import InlineFigure  # start-up time

    figure = InlineFigure(figsize=_SKETCH_SIZE, layout="constrained")
    axes = figure.subplots()
    panel = metric_panel(next(iter(results.metrics)), results, figure_generations(results))
    draw_plot(axes, [panel], results)
    frame(axes)
    return figure


def draw(
    cases: Sequence[RecordedRun],
    panel: str | Sequence[str] | None = None,
    axes: "Sequence[Axes] | None" = None,
    look: Look | None = None,
) -> "Figure":
    """Return the figure of a run, of the cases of a recipe, or of runs whose equal panels share their axes.

    Parameters
    ----------
    panel : the only panels that are drawn: names of `panel_names`; by default the panels of the recipe or the family.
    axes : one Axes for each plot, which keep their style and their figure its title; by default those of a new figure.
    look : how it is drawn, by default for paper.

    Raises
    ------
    InputError
        A run has no finished generation, no panel has this name, or the number of axes is another.
    """
    return draw_plots(plots_of_figure(cases, names_of(panel)), look or Look(), axes)[0]


@drawing
def draw_plots(
    figure_plots: FigurePlots, look: Look, axes: "Sequence[Axes] | None" = None
) -> "tuple[Figure, list[Axes]]":
    """Return the figure of some plots, and their axes; see `draw`."""
    import matplotlib as mpl  # start-up time

    cases, plots, wished = figure_plots
    style = style_of(look.style, float(mpl.rcParams["font.size"]))
    if axes is not None:
        scale = float(mpl.rcParams["font.size"])
        sizes: dict[Any, Any] = {"axes.titlesize": scale, "legend.fontsize": 0.9 * scale}
        with mpl.rc_context(sizes):
            figure, used = given_axes(axes, len(plots))
            for place, one in zip(used, plots, strict=True):
                _draw_one(place, one)
                column = width_of(place)
                wrap_labels(place, column, place.get_position().height * figure.get_figheight())
                if look.legend:
                    place_legend(place, column)
            return figure, used
    with mpl.rc_context(dict(style.settings)):
        width = inches_of(look.width)
        most = style.columns(width)
        n_columns = wished if wished <= most else min(len(plots), most)
        residuals = [has_residuals(one) and len(plots) <= MOST_WITH_RESIDUALS for one in plots]
        figure, used, low = new_axes(len(plots), n_columns, style.inches(width, n_columns), residuals)
        for place, below, one in zip(used, low, plots, strict=True):
            _draw_one(place, one)
            if place.axison:
                frame(place)
            if below is not None:
                assert isinstance(one, Single)
                draw_residuals(below, one.panels[0])
                frame(below)
                below.set_xlabel(place.get_xlabel())
                place.set_xlabel("")
                place.tick_params(labelbottom=False)
        title = title_of(cases) if look.title is None else look.title
        images = any(isinstance(one, Single) and one.panels[0].image is not None for one in plots)
        finish(
            figure, used, n_columns, title, remark_of(cases), look.legend,
            distances=low, images=IMAGES if images else 0.0,
        )  # fmt: skip
        return figure, used


def _draw_one(axes: "Axes", one: Plot) -> None:
    """Draw one plot of a figure."""
    if isinstance(one, Overlay):
        draw_overlay(axes, one)
    elif isinstance(one, list):
        draw_scatter(axes, one)
    else:
        if one.has_other and panels_for(one.results).draw_second_plot(axes, one.results):
            return
        draw_plot(axes, one.panels, one.results)
        if one.title is not None and axes.get_title():
            axes.title.set_text(one.title)


def frame(axes: "Axes") -> None:
    """Set the frame and the grid of axes of our own."""
    axes.spines[["top", "right"]].set_visible(False)
    if not axes.images:
        axes.grid(True, which="major", color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
