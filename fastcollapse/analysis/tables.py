"""Tables of a run: each panel, simulated and in theory, at a few points of its axis."""

import math
from collections.abc import Sequence

import numpy as np

from fastcollapse.analysis.panels.base import marks, panels_of, view_of
from fastcollapse.analysis.panels.panel import GENERATION, Panel, plots_of
from fastcollapse.simulation.results import Results

# Points of a curve over another axis than generations that a table shows.
_MOST_POINTS = 5
# Longer notes are a line each.
_LONGEST_LINE = 240


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with right-aligned columns, two spaces apart.

    Examples
    --------
    >>> print(table(["k", "value"], [["1", "0.5"], ["10", "0.25"]]))
       k  value
       1    0.5
      10   0.25
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "replicate"), counted(2000, "replicate")
    ('1 replicate', '2,000 replicates')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def shown(results: Results) -> np.ndarray:
    """Return the generations of the table: those of the recipe, or 1, 2, 5, 10, ... and the last."""
    recipe = results.recipe
    if recipe is None or recipe.generations is None:
        return marks(results.last)
    wanted = np.array(recipe.generations, dtype=np.int64)
    return wanted[wanted <= results.last]


def curves(results: Results) -> str:
    """Return the tables of the panels: one over generations, and one for each plot over another axis."""
    generations = shown(results)
    if not generations[generations >= 1].size:
        return "No generation is finished yet."
    panels = panels_of(results, generations)
    over = [panel for panel in panels if panel.axis is GENERATION]
    others = [panel for panel in panels if panel.axis is not GENERATION]
    parts = [_over_generations(generations, over)] if over else []
    parts += [_over_axis(plot) for plot in plots_of(others)]
    parts[-1] += f"\n{_notes(results, panels)}"
    legend = "(in: between the bounds, which are too far apart to be called exact; -: cannot be told)"
    return "\n".join(["\n\n".join(parts), f"  {legend}"])


def _over_generations(generations: np.ndarray, panels: Sequence[Panel]) -> str:
    columns = [column for panel in panels for column in _columns(panel, _rows_of(panel, generations), [panel])]
    header = ["generation", *(name for name, _ in columns)]
    rows = [[f"{t:,}", *(cells[i] for _, cells in columns)] for i, t in enumerate(generations)]
    named = "\n".join(f"  {panel.heading}: {panel.title}" for panel in panels)
    return f"Over generations\n{named}\n{table(header, rows)}"


def _rows_of(panel: Panel, generations: np.ndarray) -> list[int | None]:
    """Return where each generation is on the curve, None where it is not."""
    places = {int(t): i for i, t in enumerate(panel.curve.at)}
    return [places.get(int(t)) for t in generations]


def _over_axis(plot: Sequence[Panel]) -> str:
    """Return the table of one plot: a few points of each of its curves."""
    rows: list[list[str]] = []
    header = ["curve", plot[0].axis.heading]
    for panel in plot:
        n = len(panel.curve.at)
        chosen = [int(i) for i in np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).astype(int))]
        columns = _columns(panel, chosen, plot)
        header[2:] = [name for name, _ in columns]
        for row, i in enumerate(chosen):
            rows.append([panel.group, f"{panel.curve.at[i]:.4g}", *(cells[row] for _, cells in columns)])
    if not plot[0].group:
        header, rows = header[1:], [row[1:] for row in rows]
    return f"{plot[0].title}\n{table(header, rows)}"


def _notes(results: Results, panels: Sequence[Panel]) -> str:
    """Return what has to be known to read a table."""
    bounded = any(panel.curve.lower is not None for panel in panels)
    medians = [panel for panel in panels if panel.median]
    close = dict.fromkeys(line.label for panel in panels for line in panel.lines if line.kind == "asymptotic")
    notes = [
        *(["mean and standard deviation over replicates"] if len(medians) < len(panels) else []),
        *dict.fromkeys(f"{panel.name}: median and quartiles over replicates" for panel in medians),
        *dict.fromkeys(panel.note for panel in panels if panel.note),
        *(["lower, upper: bounds of the expectation"] if bounded else []),
        *(f"asymptotic: {label.removeprefix('theory: ')}, not scored" for label in close),
        *(f"{name} is not compared ({why})" for name, why in _not_compared(results, panels)),
        "z: distance to exact theory in standard errors",
    ]
    line = "; ".join(notes)
    return f"  {line}" if len(line) <= _LONGEST_LINE else "  " + ";\n  ".join(notes)


def _not_compared(results: Results, panels: Sequence[Panel]) -> list[tuple[str, str]]:
    of: dict[str, list[Panel]] = {}
    for panel in panels:
        of.setdefault(panel.name, []).append(panel)
    return [(name, why) for name, some in of.items() if (why := why_not(results, some))]


def _columns(panel: Panel, rows: Sequence[int | None], alike: Sequence[Panel]) -> list[tuple[str, list[str]]]:
    """Return heading and cells of each column of a panel: those that any of `alike` needs."""
    curve = panel.curve

    def cells(values: np.ndarray) -> list[str]:
        return ["-" if i is None else number(panel, values[i]) for i in rows]

    found = [(panel.heading, cells(curve.mean))]
    if panel.median:
        found += [("25 %", cells(curve.smallest)), ("75 %", cells(curve.largest))]
    else:
        found.append(("+- sd", cells(curve.sd)))
    if curve.lower is not None and curve.upper is not None:
        found += [("lower", cells(curve.lower)), ("upper", cells(curve.upper))]
    if not all(np.isnan(one.curve.expected).all() for one in alike):
        found.append(("exact", cells(curve.expected)))
    if any(np.isfinite(one.asymptotic()).any() for one in alike):
        found.append(("asymptotic", cells(panel.asymptotic())))
    return [*found, ("z", ["-" if i is None else _score(panel, i) for i in rows])]


def why_not(results: Results, panels: Sequence[Panel]) -> str:
    """Return why the curves of a plot have no score by theory, "" if one has."""
    if any(panel.curve.lower is not None or np.isfinite(panel.curve.expected).any() for panel in panels):
        return ""
    off = [_largest_difference(panel) for panel in panels]
    if np.isfinite(off).any():
        return f"no exact theory; within {100 * np.nanmax(off):.2g} % of the asymptotic one"
    if any(panel.median for panel in panels):
        return "infinite moments, and no exact median is known"
    why = getattr(view_of(results), "why_no_bounds", None)
    return "no theory of it is here" if why is None else why(results)


def _largest_difference(panel: Panel) -> float:
    """Return the largest relative difference between the mean and asymptotic theory, NaN where there is none."""
    theory = panel.asymptotic()
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(panel.curve.mean / theory - 1)
    # Where it passes through zero a ratio says nothing.
    told = np.isfinite(off) & (np.abs(theory) > 0.05 * np.nanmax(np.abs(theory), initial=0.0))
    return float(off[told].max()) if told.any() else math.nan


def number(panel: Panel, value: float) -> str:
    """Return a number of a panel as its table shows it: a fixed number of decimals, or of digits on a log axis."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return f"{value:g}"
    return f"{value * panel.factor:.4g}" if panel.log else f"{value * panel.factor:.{panel.digits}f}"


def _score(panel: Panel, i: int) -> str:
    curve = panel.curve
    if not math.isfinite(curve.z[i]):
        return "-"
    return "in" if math.isnan(curve.expected[i]) and curve.z[i] == 0 else f"{curve.z[i]:+.1f}"
