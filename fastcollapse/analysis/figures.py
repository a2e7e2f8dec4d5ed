"""The figure of a run: simulation as solid lines, theory as broken ones."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcollapse.analysis.axes import draw_plot
from fastcollapse.analysis.bands import drawn_band
from fastcollapse.analysis.figure_axes import given_axes, new_axes, width_of
from fastcollapse.analysis.figure_size import finish, wrap_labels
from fastcollapse.analysis.figure_style import PAPER, SCREEN, inches_of, style_of
from fastcollapse.analysis.figure_words import remark_of, title_of
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.images import IMAGES
from fastcollapse.analysis.legends import place_legend
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.overlays import Overlay, draw_overlay, joined_runs, overlays_of
from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.panels.panel import Panel, is_log, plots_of
from fastcollapse.analysis.panels.registry import drawn_panels, metric_panel, named_panels, panels_for, panels_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.residuals import draw_residuals, needs_residuals
from fastcollapse.analysis.run_names import run_names
from fastcollapse.analysis.scatter import draw_scatter
from fastcollapse.analysis.tables import case_names
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most points of a curve over a logarithmic and over a linear axis of generations.
_POINTS, _LINEAR_POINTS = 200, 2500
# The most plots of a figure with axes of distances.
_MOST_WITH_RESIDUALS = 3
# Inches of a sketch.
_SKETCH_SIZE = (4.0, 2.6)


@dataclasses.dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Parameters
    ----------
    panels : names of the only panels that are drawn, see `panel_names`; none for those of the recipe or the family.
    style : "paper" or "screen".
    width : "one" or "two" columns of a journal, inches, or None for that of the style.
    title : of the figure, "" for none; None for that of the recipe or the run.
    legend : whether there is a legend.
    """

    panels: Sequence[str] = ()
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
    look = dataclasses.replace(look or Look(style=SCREEN), panels=names_of(panel))
    figure, used = _draw(cases, look, given)
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
    panel = metric_panel(next(iter(results.metrics)), results, _figure_generations(results))
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
    look = look or Look()
    return _draw(cases, dataclasses.replace(look, panels=names_of(panel) or look.panels), axes)[0]


@drawing
def _draw(
    cases: Sequence[RecordedRun], look: Look, axes: "Sequence[Axes] | None" = None
) -> "tuple[Figure, list[Axes]]":
    """Return the figure, and the axes of its plots."""
    import matplotlib as mpl  # start-up time

    check_runs(cases)
    style = style_of(look.style, float(mpl.rcParams["font.size"]))
    if axes is not None:
        scale = float(mpl.rcParams["font.size"])
        sizes: dict[Any, Any] = {"axes.titlesize": scale, "legend.fontsize": 0.9 * scale}
        with mpl.rc_context(sizes):
            plots, _ = _plots_of(cases, look.panels)
            figure, used = given_axes(axes, len(plots))
            for place, one in zip(used, plots, strict=True):
                _draw_one(place, one)
                column = width_of(place)
                wrap_labels(place, column, place.get_position().height * figure.get_figheight())
                if look.legend:
                    place_legend(place, column)
            return figure, used
    with mpl.rc_context(dict(style.settings)):
        plots, wished = _plots_of(cases, look.panels)
        width = inches_of(look.width)
        most = style.columns(width)
        n_columns = wished if wished <= most else min(len(plots), most)
        residuals = [_needs_residuals(one) and len(plots) <= _MOST_WITH_RESIDUALS for one in plots]
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


def check_runs(cases: Sequence[RecordedRun]) -> None:
    """Refuse runs that cannot be drawn.

    Raises
    ------
    InputError
        There is none, or one has no finished generation.
    """
    if not cases:
        raise InputError("a figure must have at least one run, got none")
    for results in cases:
        if results.last < 1:
            where = f" in {results.path}" if results.path else ""
            raise InputError(f"a figure must have at least one finished generation, got none{where}")


class Single(NamedTuple):
    """Panels of one run in one plot.

    Parameters
    ----------
    name : of its case, or "".
    has_other : whether the family may draw another plot in place of it.
    """

    results: RecordedRun
    panels: Sequence[Panel]
    name: str = ""
    has_other: bool = False


# A plot: curves of several runs, panels of one run, or estimates of the cases.
Plot = Overlay | Single | list[tuple[Scatter, str]]


def _plots_of(cases: Sequence[RecordedRun], names: Sequence[str]) -> tuple[list[Plot], int]:
    """Return the plots of a figure, row by row, and its columns."""
    recipe = cases[0].recipe
    if recipe is not None and recipe.panels == ("scatter",) and tuple(names) in ((), ("scatter",)):
        points = [panels_for(results).scatter(results) for results in cases]
        scatters = [scatter for scatter in points if scatter is not None]
        if len(scatters) == len(cases):
            return [list(zip(scatters, case_names(cases), strict=True))], 1
    panels = [figure_panels(results, names) for results in cases]
    if not all(panels):
        raise InputError("a figure must have at least one recorded metric, got none")
    if len(cases) > 1 and not are_cases(cases):
        joined, alone = joined_runs(cases, panels, run_names(cases))
        together: list[Plot] = [*joined, *(Single(*one) for one in alone)]
        return together, _columns(len(together), len(together))
    several = any(panel.group for some in panels for panel in some)
    if recipe is not None and recipe.overlay is not None and len(cases) > 1 and not several:
        overlays, n_columns = overlays_of(cases, panels)
        return list(overlays), n_columns if n_columns > 1 else _columns(len(overlays), len(overlays))
    named = list(zip(cases, panels, case_names(cases), strict=True))
    singles = [Single(results, plot, name) for results, some, name in named for plot in plots_of(some)]
    if not names and len(singles) > 1 and recipe is None and schedule_of(cases[0]).is_plain:
        singles[1] = singles[1]._replace(has_other=True)
    return list(singles), _columns(len(singles), len(plots_of(panels[0])))


def described_plots(cases: Sequence[RecordedRun], names: Sequence[str]) -> tuple[list[str], list[str], bool, bool]:
    """Return the bands and notes of the plots of a figure, and whether theory and distances to it are drawn."""
    plots, _ = _plots_of(cases, names)
    bands: dict[str, None] = {}
    notes: dict[str, None] = {}
    has_theory = False
    for one in plots:
        if isinstance(one, list):
            continue
        log = is_log(one.panels) if isinstance(one, Overlay) else one.panels[0].log
        some_bands, some_notes, some_theory = described(one.panels, log)
        bands |= dict.fromkeys(some_bands)
        notes |= dict.fromkeys(some_notes)
        has_theory |= some_theory
    distances = len(plots) <= _MOST_WITH_RESIDUALS and any(map(_needs_residuals, plots))
    return list(bands), list(notes), has_theory, distances


def described(panels: Sequence[Panel], log: bool) -> tuple[list[str], list[str], bool]:
    """Return the bands and notes of panels, and whether theory is drawn.

    Parameters
    ----------
    log : whether their axis of values is logarithmic.
    """
    shown = [panel for panel in panels if panel.paths is None and not panel.is_picture and panel.image is None]
    bands = [band.name for band in (drawn_band(panel, log) for panel in shown) if band.is_visible]
    has_theory = any(panel.lines or np.isfinite(panel.curve.expected).any() for panel in panels)
    return list(dict.fromkeys(bands)), list(dict.fromkeys(p.note for p in panels if p.note)), bool(has_theory)


def are_cases(cases: Sequence[RecordedRun]) -> bool:
    """Whether runs are all cases of one recipe."""
    recipe = cases[0].recipe
    return len(cases) == 1 or (
        recipe is not None
        and len(recipe.cases or ()) == len(cases)
        and all(results.recipe == recipe for results in cases)
    )


def _columns(n_plots: int, n_of_a_case: int) -> int:
    """Return the columns of plots side by side: cases with several panels have a row each."""
    most = 2 if n_plots == 4 else 3
    return n_of_a_case if 1 < n_of_a_case <= most < n_plots else min(n_plots, most)


def figure_panels(results: RecordedRun, names: Sequence[str] = ()) -> list[Panel]:
    """Return the panels of the figure of a run at the generations that it draws, or those of some names."""
    generations = _figure_generations(results)
    if names:
        return [panel for name in names for panel in named_panels(results, generations, name)]
    return drawn_panels(results, panels_of(results, generations))


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
        if one.name and axes.get_title():
            axes.title.set_text(f"{one.panels[0].title}\n{one.name}")


def _needs_residuals(one: Plot) -> bool:
    return isinstance(one, Single) and not one.has_other and needs_residuals(one.panels)


def frame(axes: "Axes") -> None:
    """Set the frame and the grid of axes of our own."""
    axes.spines[["top", "right"]].set_visible(False)
    if not axes.images:
        axes.grid(True, which="major", color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)


def _figure_generations(results: RecordedRun) -> np.ndarray:
    """Return the generations to draw."""
    recipe = results.recipe
    if recipe is not None and recipe.linear:
        return np.unique(np.linspace(0, results.last, min(results.last, _LINEAR_POINTS) + 1).astype(np.int64))
    return np.append(0, log_spaced_generations(results.last, _POINTS))
