"""The figure of a run: simulation as solid lines, theory as broken ones."""

import io
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.axes import draw_plot, place_legend
from fastcollapse.analysis.figure_axes import figure_axes, width_of
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.overlays import draw_overlay
from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.panels.panel import Panel, plots_of
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import drawn_panels, metric_panel, named_panels, panels_for, panels_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.style import SECOND, SIMULATED, THEORY, font_size
from fastcollapse.analysis.panels.text import counted, settings_text
from fastcollapse.analysis.tables import case_names
from fastcollapse.config.output_paths import FIGURES, check_output_file, make_output_parent
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.atomic_write import Rename, remove_abandoned, write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most points of a curve over a logarithmic and over a linear axis of generations.
_POINTS, _LINEAR_POINTS = 200, 2500
# The most plots side by side.
_MOST_COLUMNS = 3
_LETTERS_AN_INCH = 11
# Letters in an inch and fewest letters of a title of given axes, and inches of the labels beside them.
_TITLE_LETTERS_AN_INCH, _FEWEST_LETTERS, _LABELS = 13, 20, 0.6
# Inches of a sketch.
_SKETCH_SIZE = (4.0, 2.6)


def save_figure(
    results: RecordedRun | Sequence[RecordedRun], path: str | Path, replace: bool = False, panel: str | None = None
) -> None:
    """Draw the figure of a run, or of the cases of a recipe, into a new file.

    Parameters
    ----------
    results : with the same recipe, if there are several.
    path : a new file that ends in .png, .pdf or .svg.
    replace : whether an existing figure is replaced; it stays until the new one is drawn.
    panel : the only panel that is drawn, see `draw`.

    Raises
    ------
    InputError
        The path has another ending, exists, or its folder does not exist or cannot be written.
    StoreError
        The file cannot be written.
    """
    path = Path(path)
    check_output_file(path, FIGURES, "figure")
    write_figure(draw([results] if isinstance(results, RecordedRun) else list(results), panel), path, replace)


@drawing
def write_figure(figure: "Figure", path: Path, replace: bool = False) -> None:
    """Write a figure into a file; see `save_figure`."""
    if os.path.lexists(path) and not replace:
        raise InputError(f"figure must be a new file, got {path}: it exists")
    make_output_parent(path, "figure")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix[1:].lower(), dpi=160)
    remove_abandoned(path.parent, path.name)
    write_bytes(path, drawn.getvalue(), Rename(replace=replace))


def plot(
    results: RecordedRun | Sequence[RecordedRun],
    panel: str | None = None,
    axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
    legend: bool = True,
) -> "Figure | Axes | np.ndarray":
    """Draw the figure of a run, or of the cases of a recipe, or one panel of it.

    Returns
    -------
    Figure or Axes
        The figure; with `panel` its Axes, or an array of Axes where the panel has several plots.

    Raises
    ------
    InputError
        See `draw`.
    """
    cases = [results] if isinstance(results, RecordedRun) else list(results)
    given = None if axes is None else [place for place in np.asarray(axes, object).ravel() if place is not None]
    figure = draw(cases, panel, given, legend)
    if panel is None:
        return figure
    places = np.array(given or [place for place in figure.axes if place.get_visible()], object)
    return places if len(places) > 1 else places[0]


@drawing
def sketch(results: RecordedRun) -> "Figure":
    """Return a small figure of the first metric of a run, without theory, which may take seconds."""
    from fastcollapse.analysis.inline_figure import InlineFigure  # start-up time

    figure = InlineFigure(figsize=_SKETCH_SIZE, layout="constrained")
    axes = figure.subplots()
    panel = metric_panel(next(iter(results.metrics)), results, _figure_generations(results))
    draw_plot(axes, [panel], results)
    _style(axes)
    return figure


@drawing
def draw(
    cases: Sequence[RecordedRun],
    panel: str | None = None,
    axes: "Sequence[Axes] | None" = None,
    legend: bool = True,
) -> "Figure":
    """Return the figure of a run, or of several that differ in the cases of their recipe.

    Parameters
    ----------
    panel : the only panel that is drawn: a name of `panel_names`; by default the panels of the recipe or the family.
    axes : one Axes for each plot, which keep their style and their figure its title; by default those of a new figure.
    legend : whether a legend is below each plot.

    Raises
    ------
    InputError
        A run has no finished generation, no panel has this name, or the number of axes is another.
    """
    if not cases:
        raise InputError("a figure must have at least one run, got none")
    for results in cases:
        if results.last < 1:
            where = f" in {results.path}" if results.path else ""
            raise InputError(f"a figure must have at least one finished generation, got none{where}")
    recipe = cases[0].recipe
    if recipe is not None and recipe.panels == ("scatter",) and panel in (None, "scatter"):
        points = [panels_for(results).scatter(results) for results in cases]
        scatters = [scatter for scatter in points if scatter is not None]
        if len(scatters) == len(cases):
            return _scatter(cases, scatters, axes, legend)
    panels = [figure_panels(results, panel) for results in cases]
    if not all(panels):
        raise InputError("a figure must have at least one recorded metric, got none")
    several = any(panel.group for some in panels for panel in some)
    if recipe is not None and recipe.overlay is not None and len(cases) == len(recipe.cases or ()) > 1 and not several:
        figure, used, n_columns = draw_overlay(cases, panels, axes)
    else:
        figure, used, n_columns = _side_by_side(cases, panels, axes, is_whole=panel is None)
    for place in used:
        width = figure.get_figwidth() / n_columns
        if axes is None:
            _style(place)
        else:
            width = width_of(place)
            letters = max(int(_TITLE_LETTERS_AN_INCH * (width - _LABELS) / font_size(1)), _FEWEST_LETTERS)
            lines = [part for line in place.get_title().splitlines() for part in textwrap.wrap(line, letters)]
            place.set_title("\n".join(lines), fontsize=font_size(10))
        if legend:
            place_legend(place, width)
    if axes is None:
        figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=font_size(11))
    return figure


def figure_panels(results: RecordedRun, panel: str | None = None) -> list[Panel]:
    """Return the panels of the figure of a run at the generations that it draws, or those of one name."""
    generations = _figure_generations(results)
    if panel is not None:
        return named_panels(results, generations, panel)
    return drawn_panels(results, panels_of(results, generations))


def _style(axes: "Axes") -> None:
    """Set the frame and the grid of axes of our own."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def _side_by_side(
    cases: Sequence[RecordedRun],
    panels: Sequence[Sequence[Panel]],
    given: "Sequence[Axes] | None",
    is_whole: bool,
) -> "tuple[Figure, list[Axes], int]":
    """Draw the panels of each case beside each other, and return the number of columns too."""
    plots = [plots_of(some) for some in panels]
    flat = [
        (results, plot, name)
        for results, some, name in zip(cases, plots, case_names(cases), strict=True)
        for plot in some
    ]
    # Cases with several panels have a row each.
    n_plots = len(plots[0])
    most = 2 if len(flat) == 4 else _MOST_COLUMNS
    n_columns = n_plots if 1 < n_plots <= most < len(flat) else min(len(flat), most)
    figure, used = figure_axes(given, len(flat), n_columns)
    for i, (place, (results, plot, name)) in enumerate(zip(used, flat, strict=True)):
        has_second = is_whole and i == 1 and results.recipe is None and schedule_of(results).is_plain
        if has_second and panels_for(results).draw_second_plot(place, results):
            continue
        draw_plot(place, plot, results)
        if name:
            lines = textwrap.wrap(name, int(_LETTERS_AN_INCH * figure.get_figwidth() / n_columns / font_size(1)))
            place.set_title("\n".join([plot[0].title, *lines]), fontsize=font_size(10))
    return figure, used, n_columns


def _scatter(
    cases: Sequence[RecordedRun], points: Sequence[Scatter], given: "Sequence[Axes] | None", legend: bool
) -> "Figure":
    """Return the figure of two estimates, one point for each replicate, one colour for each case."""
    figure, [axes] = figure_axes(given, 1, 1, size=(7.5, 6.0))
    for scatter, name, colour, marker in zip(points, case_names(cases), (SIMULATED, THEORY), "ox", strict=False):
        axes.plot(scatter.x, scatter.y, marker, color=colour, ms=6, mfc="none", label=name)
    axes.plot(*points[0].truth, "*", color=SECOND, ms=14, label="truth")
    axes.set_xlabel(points[0].x_label)
    axes.set_ylabel(points[0].y_label)
    if legend:
        place_legend(axes, figure.get_figwidth())
    if given is None:
        axes.grid(True, color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=font_size(11))
    return figure


def _title(cases: Sequence[RecordedRun], width: float) -> str:
    """Return the title of the figure, wrapped to its width in inches."""
    results, words = cases[0], recipe_words(cases)
    experiment = results.experiment
    run = f"{counted(results.n_replicates, 'replicate')}, seed {experiment.run.seed}"
    if words is not None:
        lines = (words.title, f"{words.source or 'own settings'}; {run}", words.note)
    else:
        truth = panels_for(results).describe_truth(results)
        what = f"Recursive training, {experiment.family} model, {truth}"
        maps = f", {settings_text(experiment.sampling.to_mapping())}" if experiment.sampling else ""
        lines = (what, f"workflow {experiment.workflow.name}{maps}, {run}", "")
    return "\n".join(
        part for line in lines for part in textwrap.wrap(line, int(_LETTERS_AN_INCH * width / font_size(1)))
    )


def _figure_generations(results: RecordedRun) -> np.ndarray:
    """Return the generations to draw."""
    recipe = results.recipe
    if recipe is not None and recipe.linear:
        return np.unique(np.linspace(0, results.last, min(results.last, _LINEAR_POINTS) + 1).astype(np.int64))
    return log_spaced_generations(results.last, _POINTS)
