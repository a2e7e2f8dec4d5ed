"""The figure of a run: simulation as solid lines, theory as broken ones."""

import dataclasses
import io
import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import draw_plot, format_axes, place_legend
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.panels.panel import Panel, is_wide, plots_of
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.registry import drawn_panels, panels_for, panels_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.style import MAP, SECOND, SIMULATED, THEORY
from fastcollapse.analysis.panels.text import counted, settings_text
from fastcollapse.analysis.tables import case_names
from fastcollapse.analysis.theory_lines import ASYMPTOTIC, MARK, draw_exact, draw_shared, has_marks_alone, plot_theory
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


def save_figure(results: RecordedRun | Sequence[RecordedRun], path: str | Path, replace: bool = False) -> None:
    """Draw the figure of a run, or of the cases of a recipe, into a new file.

    Parameters
    ----------
    results : with the same recipe, if there are several.
    path : a new file that ends in .png, .pdf or .svg.
    replace : whether an existing figure is replaced; it stays until the new one is drawn.

    Raises
    ------
    InputError
        The path has another ending, exists, or its folder does not exist or cannot be written.
    StoreError
        The file cannot be written.
    """
    path = Path(path)
    check_output_file(path, FIGURES, "figure")
    write_figure(draw([results] if isinstance(results, RecordedRun) else list(results)), path, replace)


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


@drawing
def draw(cases: Sequence[RecordedRun]) -> "Figure":
    """Return the figure of a run, or of several that differ in the cases of their recipe.

    Raises
    ------
    InputError
        A run has no finished generation.
    """
    if any(results.last < 1 for results in cases):
        raise InputError("a figure must have at least one finished generation, got none")
    recipe = cases[0].recipe
    if recipe is not None and recipe.panels == ("scatter",):
        points = [panels_for(results).scatter(results) for results in cases]
        scatters = [scatter for scatter in points if scatter is not None]
        if len(scatters) == len(cases):
            return _scatter(cases, scatters)
    panels = [drawn_panels(results, panels_of(results, _figure_generations(results))) for results in cases]
    if not all(panels):
        raise InputError("a figure must have at least one recorded metric, got none")
    several = any(panel.group for some in panels for panel in some)
    if recipe is not None and recipe.overlay is not None and len(cases) == len(recipe.cases or ()) > 1 and not several:
        figure, used, n_columns = _overlay(cases, panels)
    else:
        figure, used, n_columns = _side_by_side(cases, panels)
    for axes in used:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        place_legend(axes, figure.get_figwidth() / n_columns)
    figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=11)
    return figure


def _axes(n_rows: int, n_columns: int, width: float = 5.5) -> "tuple[Figure, np.ndarray]":
    """Return a new figure and its axes, (n_rows, n_columns)."""
    from matplotlib.figure import Figure  # start-up time; pyplot would open windows and keep state

    figure = Figure(figsize=(max(7.5, width * n_columns), 5 * n_rows), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False)


def _side_by_side(cases: Sequence[RecordedRun], panels: Sequence[Sequence[Panel]]) -> "tuple[Figure, list[Axes], int]":
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
    figure, axes = _axes(-(-len(flat) // n_columns), n_columns)
    used = list(axes.ravel())
    for unused in used[len(flat) :]:
        unused.set_visible(False)
    for i, (place, (results, plot, name)) in enumerate(zip(used, flat, strict=False)):
        has_second = i == 1 and results.recipe is None and schedule_of(results).is_plain
        if has_second and panels_for(results).draw_second_plot(place, results):
            continue
        draw_plot(place, plot, results)
        if name:
            lines = textwrap.wrap(name, int(_LETTERS_AN_INCH * figure.get_figwidth() / n_columns))
            place.set_title("\n".join([plot[0].title, *lines]), fontsize=10)
    return figure, used[: len(flat)], n_columns


def _group_name(case: Mapping[str, Any], overlay: str) -> str:
    """Return a case without the overlaid key, in words: a workflow is its name without its parameters."""
    if "workflow.name" in case and overlay != "workflow.name":
        return str(case["workflow.name"])
    along = "workflow." if overlay == "workflow.name" else overlay
    return settings_text({key: value for key, value in case.items() if not key.startswith(along)})


def _overlaid_keys(cases: Sequence[Mapping[str, Any]], overlay: str) -> list[dict[str, Any]]:
    """Return what the curves of one plot are named by: the overlaid key, or all keys of workflows of the same name."""
    names = [case.get(overlay) for case in cases]
    if overlay != "workflow.name" or len(set(names)) == len(names):
        return [{overlay: name} for name in names]
    return [{key: value for key, value in case.items() if key.startswith("workflow.")} for case in cases]


def _overlay(cases: Sequence[RecordedRun], panels: Sequence[Sequence[Panel]]) -> "tuple[Figure, list[Axes], int]":
    """Draw cases that differ in one key into the same axes, one column for each group of the other keys.

    Solid lines are simulated, broken ones exact; each case has a colour.
    """
    recipe = cases[0].recipe
    assert recipe is not None
    groups: dict[str, list[int]] = {}
    for i, case in enumerate(recipe.cases or ()):
        groups.setdefault(_group_name(case, str(recipe.overlay)), []).append(i)
    figure, axes = _axes(len(panels[0]), len(groups), width=4.6)
    for column, (group, members) in zip(axes.T, groups.items(), strict=True):
        for k, place in enumerate(column):
            _draw_overlaid(place, [cases[i] for i in members], [panels[i][k] for i in members], members)
            place.set_title(f"{panels[members[0]][k].title.partition(',')[0]}\n{group}", fontsize=10)
    return figure, list(axes.ravel()), len(groups)


def _draw_overlaid(axes: "Axes", cases: Sequence[RecordedRun], panels: Sequence[Panel], members: Sequence[int]) -> None:
    """Draw one panel of several cases into one axes.

    Parameters
    ----------
    members : the numbers of the cases in their recipe, from 0.
    """
    import matplotlib  # start-up time

    recipe = cases[0].recipe
    assert recipe is not None
    # Theory is black: two curves are drawn in lighter colours.
    colours = matplotlib.colormaps[MAP](np.linspace(0 if len(panels) > 2 else 0.35, 0.9, len(panels)))
    log = any(panel.log for panel in panels)
    log |= all(panel.positive for panel in panels) and is_wide(np.concatenate([panel.curve.mean for panel in panels]))
    named = _overlaid_keys([(recipe.cases or ())[i] for i in members], recipe.overlay or "")
    for panel, results, names, colour in zip(panels, cases, named, colours, strict=True):
        label = settings_text(names) + (" (median)" if panel.median else "")
        axes.plot(panel.curve.at, panel.curve.mean * panel.factor, color=colour, lw=2.2, label=label)
        if np.isfinite(panel.curve.expected).any():
            draw_exact(axes, panel, color=SECOND, lw=1.0, ls=(0, (4, 3)))
        if np.isfinite(panel.asymptotic()).any():
            plot_theory(axes, panel.curve.at, panel.asymptotic() * panel.factor, color=SECOND, lw=1.0, ls=ASYMPTOTIC)
        format_axes(axes, dataclasses.replace(panel, log=log), results)
    draw_shared(axes, panels)
    if any(np.isfinite(panel.curve.expected).any() for panel in panels):
        axes.plot([], [], color=SECOND, lw=1.0, ls=(0, (4, 3)), label="theory: exact")
    asymptotic = [line for panel in panels for line in panel.lines if line.kind == "asymptotic"]
    for label, line in {line.label: line for line in asymptotic}.items():
        style = MARK if has_marks_alone(line.values) else {"lw": 1.0, "ls": ASYMPTOTIC}
        axes.plot([], [], color=SECOND, label=label, **style)


def _scatter(cases: Sequence[RecordedRun], points: Sequence[Scatter]) -> "Figure":
    """Return the figure of two estimates, one point for each replicate, one colour for each case."""
    from matplotlib.figure import Figure  # start-up time

    figure = Figure(figsize=(7.5, 6), layout="constrained")
    axes = figure.subplots()
    for scatter, name, colour, marker in zip(points, case_names(cases), (SIMULATED, THEORY), "ox", strict=False):
        axes.plot(scatter.x, scatter.y, marker, color=colour, ms=6, mfc="none", label=name)
    axes.plot(*points[0].truth, "*", color=SECOND, ms=14, label="truth")
    axes.set_xlabel(points[0].x_label)
    axes.set_ylabel(points[0].y_label)
    place_legend(axes, figure.get_figwidth())
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=11)
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
    return "\n".join(part for line in lines for part in textwrap.wrap(line, int(_LETTERS_AN_INCH * width)))


def _figure_generations(results: RecordedRun) -> np.ndarray:
    """Return the generations to draw."""
    recipe = results.recipe
    if recipe is not None and recipe.linear:
        return np.unique(np.linspace(0, results.last, min(results.last, _LINEAR_POINTS) + 1).astype(np.int64))
    return log_spaced_generations(results.last, _POINTS)
