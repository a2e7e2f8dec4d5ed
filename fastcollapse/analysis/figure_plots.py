"""The plots of a figure: which panels of which runs share axes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.bands import drawn_band
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.overlays import MOST_BANDS, Overlay, joined_runs, overlays_of
from fastcollapse.analysis.panels.family_panels import Scatter
from fastcollapse.analysis.panels.panel import Panel, is_log, plots_of
from fastcollapse.analysis.panels.registry import drawn_panels, named_panels, panels_for, panels_of
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.text import plain
from fastcollapse.analysis.residuals import needs_residuals
from fastcollapse.analysis.run_names import run_names
from fastcollapse.analysis.tables import case_names
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun

# The most points of a curve over a logarithmic and over a linear axis of generations.
_POINTS, _LINEAR_POINTS = 200, 2500
# The most plots of a figure with axes of scores.
MOST_WITH_RESIDUALS = 3


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
    title : of the plot, None for that of the panels.
    case : the name of the case, "" for a run without cases.
    has_other : whether the family may draw another plot in place of it.
    """

    results: RecordedRun
    panels: Sequence[Panel]
    title: str | None = None
    case: str = ""
    has_other: bool = False


# A plot: curves of several runs, panels of one run, or estimates of the cases.
Plot = Overlay | Single | list[tuple[Scatter, str]]


class FigurePlots(NamedTuple):
    """The plots of a figure of runs: their panels are made once, for the picture and for its caption.

    Parameters
    ----------
    cases : the run, the cases of a recipe, or runs of several files.
    plots : row by row.
    n_columns : the number of plots side by side.
    """

    cases: Sequence[RecordedRun]
    plots: Sequence[Plot]
    n_columns: int


def plots_of_figure(cases: Sequence[RecordedRun], names: Sequence[str] = ()) -> FigurePlots:
    """Return the plots of the figure of runs.

    Parameters
    ----------
    names : of the only panels that are drawn, see `panel_names`; none for those of the recipe or the family.

    Raises
    ------
    InputError
        There is no run, one has no finished generation, or no panel has a name.
    """
    check_runs(cases)
    recipe = cases[0].recipe
    if recipe is not None and recipe.panels == ("scatter",) and tuple(names) in ((), ("scatter",)):
        points = [panels_for(results).scatter(results) for results in cases]
        scatters = [scatter for scatter in points if scatter is not None]
        if len(scatters) == len(cases):
            return FigurePlots(cases, [list(zip(scatters, case_names(cases), strict=True))], 1)
    panels = [figure_panels(results, names) for results in cases]
    if not all(panels):
        raise InputError("a figure must have at least one recorded metric, got none")
    if len(cases) > 1 and not are_cases(cases):
        joined, alone = joined_runs(cases, panels, run_names(cases))
        together: list[Plot] = [
            *joined, *(Single(run, plot, f"{plot[0].title}\n{name}".rstrip("\n")) for run, plot, name in alone)
        ]  # fmt: skip
        return FigurePlots(cases, together, _columns(len(together), len(together)))
    several = any(panel.group for some in panels for panel in some)
    if recipe is not None and recipe.overlay is not None and len(cases) > 1 and not several:
        overlays, n_columns = overlays_of(cases, panels)
        return FigurePlots(cases, overlays, n_columns if n_columns > 1 else _columns(len(overlays), len(overlays)))
    named = list(zip(cases, panels, case_names(cases), strict=True))
    plots = [(results, plot, name) for results, some, name in named for plot in plots_of(some)]
    titles = [plot[0].title for _, plot, _ in plots]
    singles = [Single(results, plot, _title(plot[0].title, name, titles), case=name) for results, plot, name in plots]
    has_own_panels = recipe is not None and (recipe.panels is not None or recipe.cases is not None)
    if not names and len(singles) > 1 and not has_own_panels and schedule_of(cases[0]).is_plain:
        singles[1] = singles[1]._replace(has_other=True)
    return FigurePlots(cases, singles, _columns(len(singles), len(plots_of(panels[0]))))


def _title(title: str, name: str, titles: Sequence[str]) -> str:
    """Return the title of a plot of a case: what is equal in all plots of a figure is left out, and what it says twice.

    Examples
    --------
    >>> _title("Mean", "$n$ = 10", ["Mean"] * 2), _title("Mean", "$n$ = 10", ["Mean", "Variance"] * 2)
    ('$n$ = 10', 'Mean\\n$n$ = 10')
    >>> _title("Alive, $p$ = 0.1", "$p$ = 0.1", ["Alive, $p$ = 0.1", "Alive, $p$ = 0.2"])
    'Alive, $p$ = 0.1'
    """
    if not name or len(set(titles)) == len(titles):
        return title
    return name if len(set(titles)) == 1 and "," not in title else f"{title}\n{name}"


def described_plots(plots: Sequence[Plot]) -> tuple[list[str], list[str], bool, bool]:
    """Return the bands and notes of the plots of a figure, and whether theory and distances to it are drawn."""
    bands: dict[str, None] = {}
    notes: dict[str, None] = {}
    has_theory = False
    for one in plots:
        if isinstance(one, list):
            continue
        log = is_log(one.panels) if isinstance(one, Overlay) else one.panels[0].log
        some_bands, some_notes, some_theory = described(one.panels, log)
        if not isinstance(one, Overlay) or one.has_bands:
            bands |= dict.fromkeys(some_bands)
        elif some_bands:
            notes[f"A plot of more than {MOST_BANDS} curves has no bands."] = None
        if isinstance(one, Overlay):
            if not one.shares_points:
                notes["Published points are not drawn where they do not belong to all curves of a plot."] = None
            notes |= dict.fromkeys(_overlay_notes(one, "" if len(plots) == 1 else plain(one.title)))
        else:
            notes |= dict.fromkeys(f"{plain(one.case)}: {note}" if one.case else note for note in some_notes)
        has_theory |= some_theory
    distances = len(plots) <= MOST_WITH_RESIDUALS and any(map(has_residuals, plots))
    return list(bands), list(notes), has_theory, distances


def _overlay_notes(plot: Overlay, title: str) -> list[str]:
    """Return the notes of the curves of a plot; what only some of them have is followed by their names."""
    curves: dict[str, list[str]] = {}
    for panel, name in zip(plot.panels, plot.names, strict=True):
        if panel.note:
            curves.setdefault(panel.note, []).append(plain(name))
    # Notes that differ in their last part, such as a number, are one line.
    values: dict[str, list[str]] = {}
    for note, names in curves.items():
        head, _, value = note.rpartition(": ")
        shown = value if len(names) == len(plot.panels) else f"{value} ({', '.join(names)})"
        values.setdefault(head, []).append(shown)
    return [": ".join(filter(None, [title, head, ", ".join(shown)])) for head, shown in values.items()]


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
    generations = figure_generations(results)
    if names:
        return [panel for name in names for panel in named_panels(results, generations, name)]
    return drawn_panels(results, panels_of(results, generations))


def has_residuals(one: Plot) -> bool:
    """Whether axes of scores are below a plot."""
    return isinstance(one, Single) and not one.has_other and needs_residuals(one.panels)


def figure_generations(results: RecordedRun) -> np.ndarray:
    """Return the generations to draw."""
    recipe = results.recipe
    if recipe is not None and recipe.linear:
        return np.unique(np.linspace(0, results.last, min(results.last, _LINEAR_POINTS) + 1).astype(np.int64))
    return np.append(0, log_spaced_generations(results.last, _POINTS))
