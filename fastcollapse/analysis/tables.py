"""Tables of a run: each panel, simulated and in theory, at a few points of its axis."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.generations import table_generations
from fastcollapse.analysis.panels.panel import GENERATION, Panel, plots_of
from fastcollapse.analysis.panels.registry import drawn_panels, panels_for, panels_of
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.analysis.panels.text import table
from fastcollapse.analysis.words import case_words, plain
from fastcollapse.config.dotted_keys import flat
from fastcollapse.simulation.recorded_run import RecordedRun

# The most points of a curve over another axis than generations.
_MOST_POINTS = 5
# The most letters of the notes of a table in one line; longer notes have a line each.
_LONGEST_LINE = 240
# Differences from this factor on are factors, and not percentages: asymptotic theory does not hold there.
_FACTOR = 2.0
# Digits of larger numbers are beyond the precision of float64.
_WIDE = 1e16
_LEGEND = {
    "within bounds": "the bounds are too far apart for a score",
    "no score": "see the rule above",
    "-": "not known",
}


def case_names(cases: Sequence[RecordedRun]) -> list[str]:
    """Return the cases of a recipe in words, with mathtext, "" for a run without cases."""
    recipe = cases[0].recipe
    if recipe is None or recipe.cases is None or len(recipe.cases) != len(cases):
        return [""] * len(cases)
    keys = dict.fromkeys(key for case in recipe.cases for key in case)
    named = []
    for results, case in zip(cases, recipe.cases, strict=True):
        common = flat(results.experiment.to_mapping())
        named.append({key: case.get(key, common.get(key)) for key in keys if key in case or key in common})
    return case_words(named)


class PanelTable(NamedTuple):
    """Title, header and cells of a table."""

    title: str
    header: list[str]
    rows: list[list[str]]


def tables_of(results: RecordedRun) -> str:
    """Return the tables of the panels as text: one over generations, and one for each plot over another axis."""
    tables, notes = panel_tables(results)
    text = "\n\n".join(f"{part.title}\n{table(part.header, part.rows)}" for part in tables)
    return "\n".join(filter(None, [text, *notes]))


def panel_tables(results: RecordedRun) -> tuple[list[PanelTable], list[str]]:
    """Return the tables of the panels, see `tables_of`, and the notes below them."""
    generations = table_generations(results)
    if not generations[generations >= 1].size:
        return [], ["No generation is finished yet."]
    panels = table_panels(results)
    if not panels:
        return [], ["No metric was recorded."]
    over_generations = [panel for panel in panels if panel.axis is GENERATION]
    pictures = [panel for panel in panels if panel.is_picture]
    others = [panel for panel in panels if panel.axis is not GENERATION and not panel.is_picture]
    tables = [_generation_table(generations, over_generations)] if over_generations else []
    tables += [_plot_table(plot) for plot in plots_of(others)]
    tables += [_picture_table(pictures)] if pictures else []
    has_scores = any("z" in part.header for part in tables)
    cells = {cell for part in tables for row in part.rows for cell in row}
    legend = "; ".join(f"{cell}: {meaning}" for cell, meaning in _LEGEND.items() if cell in cells)
    notes = _notes(results, panels, has_scores)
    return tables, [note for note in (notes, f"  ({legend})" if legend else "") if note]


@cached_by_results
def table_panels(results: RecordedRun) -> list[Panel]:
    """Return the panels of a run at the generations of its tables."""
    return panels_of(results, table_generations(results))


def _generation_table(generations: np.ndarray, panels: Sequence[Panel]) -> PanelTable:
    """Return the table of the panels over generations."""
    columns = [column for panel in panels for column in _columns(panel, _rows_of(panel, generations), [panel])]
    header = ["generation", *(name for name, _ in columns)]
    rows = [[f"{t:,}", *(cells[i] for _, cells in columns)] for i, t in enumerate(generations)]
    titles = "\n".join(f"  {panel.heading}: {plain(panel.title)}" for panel in panels)
    return PanelTable(f"Over generations\n{titles}", header, rows)


def _rows_of(panel: Panel, generations: np.ndarray) -> list[int | None]:
    """Return the place of each generation on the curve, None for a generation that it does not have."""
    places = {int(t): i for i, t in enumerate(panel.curve.at)}
    return [places.get(int(t)) for t in generations]


def _plot_table(plot: Sequence[Panel]) -> PanelTable:
    """Return the table of one plot: a few points of each of its curves."""
    rows: list[list[str]] = []
    header = ["curve", plot[0].axis.heading]
    for panel in plot:
        n = len(panel.curve.at)
        points = [int(i) for i in np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).astype(int))]
        columns = _columns(panel, points, plot)
        header[2:] = [name for name, _ in columns]
        for row, i in enumerate(points):
            rows.append([plain(panel.group), f"{panel.curve.at[i]:.4g}", *(cells[row] for _, cells in columns)])
    if not plot[0].group:
        header, rows = header[1:], [row[1:] for row in rows]
    return PanelTable(plain(plot[0].title), header, rows)


def _picture_table(pictures: Sequence[Panel]) -> PanelTable:
    """Return the table of pictures of points: a line for each."""
    rows = [[f"{panel.curve.at[0]:,}", number(panel, panel.curve.mean[0])] for panel in pictures]
    return PanelTable(
        f"Pictures\n  {pictures[0].heading}: {plain(pictures[0].label)}", ["generation", pictures[0].heading], rows
    )


def _notes(results: RecordedRun, panels: Sequence[Panel], has_scores: bool) -> str:
    """Return the notes below the tables."""
    drawn = drawn_panels(results, panels)
    bounded = any(panel.curve.lower is not None for panel in panels)
    medians = [panel for panel in panels if panel.median]
    asymptotic = dict.fromkeys(line.label for panel in panels for line in panel.lines if line.kind == "asymptotic")
    means = [panel for panel in panels if not (panel.median or panel.is_picture)]
    notes = [
        *(["mean and standard deviation over replicates"] if means else []),
        *dict.fromkeys(f"{plain(panel.name)}: median and quartiles over replicates" for panel in medians),
        *dict.fromkeys(plain(panel.note) for panel in panels if panel.note),
        *(["lower, upper: bounds of the expectation"] if bounded else []),
        *(f"asymptotic: {plain(label.removeprefix('theory: '))}, not scored" for label in asymptotic),
        *(f"{plain(name)} is not compared ({reason})" for name, reason in _not_compared(results, panels)),
        *(["z: distance to exact theory in standard errors"] if has_scores else []),
        *(f"{plain(name)} has no score at some points: {rule}" for name, rule in _rules(panels)),
        *([f"the figure shows the first {len(drawn)} of these {len(panels)}"] if len(drawn) < len(panels) else []),
    ]
    line = "; ".join(notes)
    if not line:
        return ""
    return f"  {line}" if len(line) <= _LONGEST_LINE else "  " + ";\n  ".join(notes)


def _not_compared(results: RecordedRun, panels: Sequence[Panel]) -> list[tuple[str, str]]:
    """Return the names of panels without a score, and the reasons."""
    by_name: dict[str, list[Panel]] = {}
    for panel in panels:
        if not panel.is_picture:
            by_name.setdefault(panel.name, []).append(panel)
    return [(name, reason) for name, group in by_name.items() if (reason := why_not_compared(results, group))]


def _rules(panels: Sequence[Panel]) -> list[tuple[str, str]]:
    """Return the names of panels that have points with theory and no score, and the rule."""
    return list(dict.fromkeys((panel.name, panel.curve.rule) for panel in panels if panel.curve.is_unscored.any()))


def _columns(panel: Panel, rows: Sequence[int | None], plot: Sequence[Panel]) -> list[tuple[str, list[str]]]:
    """Return heading and cells of the columns of a panel: those that any panel of its plot needs."""
    curve = panel.curve

    def cells(values: np.ndarray) -> list[str]:
        return ["-" if i is None else number(panel, values[i]) for i in rows]

    columns = [(panel.heading, cells(curve.mean))]
    if panel.median:
        columns += [("25 %", cells(curve.smallest)), ("75 %", cells(curve.largest))]
    else:
        columns.append(("+- sd", cells(curve.sd)))
    if curve.lower is not None and curve.upper is not None:
        columns += [("lower", cells(curve.lower)), ("upper", cells(curve.upper))]
    if not all(np.isnan(other.curve.expected).all() for other in plot):
        columns.append(("exact", cells(curve.expected)))
    if any(np.isfinite(other.asymptotic()).any() for other in plot):
        columns.append(("asymptotic", cells(panel.asymptotic())))
    if any(np.isfinite(other.curve.z).any() for other in plot):
        columns.append(("z", ["-" if i is None else _score(panel, i) for i in rows]))
    return columns


def why_not_compared(results: RecordedRun, panels: Sequence[Panel]) -> str:
    """Return why the curves of a plot have no score by theory, "" if one has."""
    if any(panel.curve.lower is not None or np.isfinite(panel.curve.expected).any() for panel in panels):
        return ""
    ratios = np.concatenate([_ratios_to_asymptotic(panel) for panel in panels])
    if ratios.size:
        return f"no exact theory; {_distance_in_words(ratios)} the asymptotic one"
    if any(panel.median for panel in panels):
        return panels_for(results).no_median
    return panels_for(results).why_no_bounds(results)


def _ratios_to_asymptotic(panel: Panel) -> np.ndarray:
    """Return the mean over asymptotic theory at the points that have it, none where theory is near zero."""
    theory = panel.asymptotic()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = panel.curve.mean / theory
    # A ratio has no meaning where theory passes through zero.
    return ratios[np.isfinite(ratios) & (np.abs(theory) > 0.05 * np.nanmax(np.abs(theory), initial=0.0))]


def _distance_in_words(ratios: np.ndarray) -> str:
    """Return how far values are from others, given their ratios: in percent, or as a factor from 2 on.

    Examples
    --------
    >>> _distance_in_words(np.array([0.98, 1.01])), _distance_in_words(np.array([1.0, 68.0]))
    ('within 2 % of', 'up to a factor of 68 from')
    """
    largest = np.maximum(ratios, np.divide(1, ratios, out=np.full(ratios.shape, np.inf), where=ratios > 0)).max()
    if largest < _FACTOR:
        return f"within {100 * np.abs(ratios - 1).max():.2g} % of"
    factor = f"{largest:,.0f}" if largest >= 10 else f"{largest:.2g}"
    return f"up to a factor of {factor} from" if np.isfinite(largest) else "far from"


def number(panel: Panel, value: float) -> str:
    """Return a number of a panel as its table shows it: with the digits of the panel, or with four.

    Four are for a log axis, and for a number of more digits than float64 has.
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return f"{value:g}"
    shown = value * panel.factor
    return f"{shown:.4g}" if panel.log or abs(shown) >= _WIDE else f"{shown:.{panel.digits}f}"


def _score(panel: Panel, i: int) -> str:
    """Return the z-score of a point as text."""
    curve = panel.curve
    if not math.isfinite(curve.z[i]):
        return "no score"
    return "within bounds" if curve.is_within_bounds[i] else f"{curve.z[i]:+.1f}"
