"""Panels of a sweep: one generation over one or two swept parameters, with theory."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.panel import GENERATION, Axis, Curve, Line, Panel
from fastcollapse.analysis.panels.published import RecipeWords, recipe_words
from fastcollapse.analysis.panels.registry import drawn_panels, panels_of
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.sweep_axes import Side, choose_sides, fixed_entries
from fastcollapse.analysis.sweep_choice import Choice, chosen
from fastcollapse.analysis.words import parameter_values, plain, value_words
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.axes import Dimension, named_axes

# The most curves of one plot; more are a heat map.
_MOST_CURVES = 8
# Title, label and number of a panel among those with the same title and label.
Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class Drawn:
    """The plots of a figure of a sweep.

    Parameters
    ----------
    plots : the panels of each plot, one for each curve; where some means are infinite, one of means and one of medians.
    sides : the dimension along the axis, and the dimension of the curves if there are several.
    results : those of one point.
    title : that of the recipe in the figure of the recipe; of others, which may not show what it claims, the families.
    facts : what the points have in common, and their scores.
    place : generation and fixed values, which are not on the axes.
    is_heat_map : whether each plot is a heat map over both sides.
    words : of the recipe of the points, None without one.
    """

    plots: Sequence[Sequence[Panel]]
    sides: Sequence[Side]
    results: RecordedRun
    title: str
    facts: str
    place: str
    is_heat_map: bool
    words: RecipeWords | None = None


def drawn_of(source: Any, choice: Choice) -> Drawn:
    """Return the plots of a figure of a sweep; a choice without parameters and kind is that of its recipe.

    Parameters
    ----------
    source : a `SweepFolder` or `CollectedSweep`.

    Raises
    ------
    InputError
        A parameter or value is not one of the sweep, or no point can be drawn.
    """
    choice, is_own = chosen(source, choice)
    axes = named_axes(source.sweep)
    sides = choose_sides(axes, choice.over, choice.fixed or {})
    entries = fixed_entries(axes, choice.fixed or {}, {side.axis for side in sides})
    first, second = sides[0], sides[1] if len(sides) > 1 else None
    drawn = [_row(source, entries, first, second, j) for j in range(second.dimension.length if second else 1)]
    rows = [[None if point is None else source.results(point) for point in row] for row in drawn]
    points = [point for row in rows for point in row if point is not None]
    if not points:
        raise InputError(f"a figure must have finished points, got none in {source.path}")
    longest = max(point.last for point in points)
    if choice.generation is not None and not 0 <= choice.generation <= longest:
        raise InputError(f"generation must be from 0 to {longest}, got {choice.generation}")
    results = points[0]
    panels = [[{} if point is None else _panels(point, choice.generation) for point in row] for row in rows]
    groups = second.groups if second else [""]
    plots = [
        [panel for row, group in zip(panels, groups, strict=True) for panel in _over(row, first, key, group)]
        for key in dict.fromkeys(key for row in panels for by_key in row for key in by_key)
    ]
    if not plots:  # panels over another axis than generations have a curve for each point
        sides, plots = [first], _point_curves(rows[0], first)
    two = len(sides) > 1
    heat = choice.heat_map if choice.heat_map is not None else two and sides[1].dimension.length > _MOST_CURVES
    if heat and not two:
        raise InputError("a heat map must be over two parameters, got one")
    words = sweep_words(source, [point for row in drawn for point in row if point is not None])
    generation = (
        f"generation {_range([one.last for one in points] if choice.generation is None else [choice.generation])}"
    )
    fixed = _fixed_values(axes, entries, sides)
    families = dict.fromkeys(value_words("model.family", one.experiment.family) for one in points)
    title = words.title if words is not None and is_own else f"Sweep: {' and '.join(families)}"
    scores = _scores([panel.curve for plot in plots for panel in plot])
    facts = "; ".join([generation, *_sizes(source, points, fixed), *scores])
    return Drawn(plots, sides, results, title, facts, "; ".join([generation, *fixed]), heat, words)


def sweep_words(source: Any, points: Sequence[int]) -> RecipeWords | None:
    """Return the words of the recipe of points of a sweep, None without a recipe.

    The first point with each value of each axis is looked at: together they have all values of the points.

    Parameters
    ----------
    source : a `SweepFolder` or `CollectedSweep`.
    points : numbers of finished points, at least one.
    """
    first: dict[tuple[int, int], int] = {}
    for point in points:
        for value in enumerate(map(int, np.unravel_index(point, source.sweep.shape))):
            first.setdefault(value, point)
    return recipe_words([source.results(point) for point in dict.fromkeys(first.values())])


def _scores(curves: Sequence[Curve]) -> list[str]:
    """Return how many points of a figure are compared with exact theory, with bounds alone, and not at all."""
    z = np.concatenate([curve.z[curve.is_compared] for curve in curves])
    n_bounded = sum(int(curve.has_bounds_only.sum()) for curve in curves)
    n_unscored = sum(int(curve.is_unscored.sum()) for curve in curves)
    scores = [f"{counted(z.size, 'score')}, largest |z| {np.abs(z).max():.1f}"] if z.size else []
    scores += [f"{n_bounded:,} compared with bounds alone"] if n_bounded else []
    return scores + ([f"{counted(n_unscored, 'point')} with theory and without a score"] if n_unscored else [])


def _point_curves(row: Sequence[RecordedRun | None], side: Side) -> list[list[Panel]]:
    """Return the panels over another axis than generations, by plot: one curve for each point of a row."""
    plots: dict[str, list[Panel]] = {}
    for results, group in zip(row, side.groups, strict=True):
        for panel in panels_of(results, np.array([results.last])) if results is not None else ():
            if not panel.group:
                plots.setdefault(panel.title, []).append(dataclasses.replace(panel, group=group))
    if not plots:
        raise InputError("a figure must have panels of one curve each, got none")
    return list(plots.values())


def _row(source: Any, entries: list[int], first: Side, second: Side | None, j: int) -> list[int | None]:
    """Return the numbers of the points along the axis, None for a point that is not finished."""
    done, shape = source.done(), source.sweep.shape
    row: list[int | None] = []
    for i in range(first.dimension.length):
        where = list(entries)
        where[first.axis] = i
        if second is not None:
            where[second.axis] = j
        index = int(np.ravel_multi_index(where, shape))
        row.append(index if index in done else None)
    return row


def _panels(results: RecordedRun, generation: int | None) -> dict[Key, Panel]:
    """Return the panels of a point over generations, at one of them; points of other families have other keys."""
    at = results.last if generation is None else generation
    by_key: dict[Key, Panel] = {}
    panels = drawn_panels(results, panels_of(results, np.array([at]))) if at <= results.last else []
    for panel in panels:
        if panel.axis is GENERATION and panel.curve.at.size == 1:
            title = _common_title(panel)
            n = sum(key[:2] == (title, panel.label) for key in by_key)
            by_key[title, panel.label, n] = panel
    return by_key


def _common_title(panel: Panel) -> str:
    """Return the title without its second part, which differs between points."""
    return panel.title.partition(",")[0]


def _over(row: Sequence[Mapping[Key, Panel]], side: Side, key: Key, group: str) -> list[Panel]:
    """Join the panels of a row of points into at most two: one of means and one of medians."""
    panels = [point.get(key) for point in row]
    return [
        _joined([panel if panel is not None and panel.median is median else None for panel in panels], side, group)
        for median in (False, True)
        if any(panel is not None and panel.median is median for panel in panels)
    ]


def _joined(row: Sequence[Panel | None], side: Side, group: str) -> Panel:
    """Return panels of one point each as one panel, with NaN for missing points."""
    curves = [None if panel is None else panel.curve for panel in row]
    panels, at = [panel for panel in row if panel is not None], side.at
    unknown = np.full(1, np.nan)

    def joined(part: Callable[[Curve], np.ndarray | None]) -> np.ndarray:
        values = [None if curve is None else part(curve) for curve in curves]
        return np.concatenate([unknown if value is None else value for value in values])

    bounded = any(curve is not None and curve.lower is not None for curve in curves)
    curve = Curve(
        at=at,
        mean=joined(lambda curve: curve.mean),
        sd=joined(lambda curve: curve.sd),
        smallest=joined(lambda curve: curve.smallest),
        largest=joined(lambda curve: curve.largest),
        lower=joined(lambda curve: curve.lower) if bounded else None,
        upper=joined(lambda curve: curve.upper) if bounded else None,
        expected=joined(lambda curve: curve.expected),
        z=joined(lambda curve: curve.z),
        n_replicates=min(panel.curve.n_replicates for panel in panels),
        quantiles=np.array([joined(lambda curve: _quantile(curve, 0)), joined(lambda curve: _quantile(curve, 1))]),
        heavy_tailed=any(panel.curve.heavy_tailed for panel in panels),
    )
    first, places = panels[0], np.flatnonzero([curve is not None for curve in curves])
    lines: dict[str, Line] = {}
    for i, panel in zip(places, panels, strict=True):
        for line in panel.lines:
            joined_line = lines.setdefault(line.label, Line(line.label, np.full(len(at), np.nan), line.kind))
            joined_line.values[i] = line.values[0]
    axis = Axis(plain(side.label), side.label, side.log, categorical=not side.is_number)
    return Panel(
        _common_title(first),
        first.label,
        first.heading,
        curve,
        tuple(lines.values()),
        factor=first.factor,
        log=first.log,
        digits=first.digits,
        limits=first.limits,
        band=first.band,
        axis=axis,
        group=group,
        median=first.median,
    )


def _quantile(curve: Curve, k: int) -> np.ndarray | None:
    """Return the lower (0) or the upper (1) quantiles of a curve, None where they are not known."""
    return None if curve.quantiles is None else np.asarray(curve.quantiles[k])


def _fixed_values(axes: Sequence[Dimension], entries: Sequence[int], sides: Sequence[Side]) -> list[str]:
    """Return the parameters that a figure is not over, each with its value."""
    drawn = {side.axis for side in sides}
    return [
        parameter_values(parameter, with_key=True)[entries[k]]
        for k, axis in enumerate(axes)
        for parameter in Side(axis, k).parameters
        if k not in drawn
    ]


def _sizes(source: Any, points: Sequence[RecordedRun], fixed: Sequence[str]) -> list[str]:
    """Return the number of replicates, the fixed values, and how many points are missing."""
    n_replicates = _range([results.n_replicates for results in points])
    n_missing = len(source.sweep) - len(source.done())
    missing = [f"{n_missing:,} of {len(source.sweep):,} points missing"] if n_missing else []
    return [f"{n_replicates} replicates", *fixed, *missing]


def _range(numbers: Sequence[int]) -> str:
    """Return the smallest and the largest number as text, or the one number."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
