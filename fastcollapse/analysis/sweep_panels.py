"""What is drawn of a sweep: panels at one generation over one or two swept parameters, theory beside them."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import panels_of
from fastcollapse.analysis.panels.panel import GENERATION, Axis, Curve, Line, Panel
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.results import Results
from fastcollapse.sweeps.axes import Dimension, SweptParameter, named_axes, value_labels

# A range wider than this has a logarithmic axis.
WIDE = 10.0


@dataclass(frozen=True)
class Choice:
    """What is drawn of a sweep.

    Parameters
    ----------
    over : names or keys of one or two swept parameters, the first along the axis; by default those with most values.
    fixed : name or key -> the value, as words, of a parameter that is not drawn over; by default its first.
    generation : None for the last.
    heat_map : a heat map, or curves; None for what suits the number of values.
    """

    over: Sequence[str] = ()
    fixed: Mapping[str, str] | None = None
    generation: int | None = None
    heat_map: bool | None = None


@dataclass(frozen=True)
class Side:
    """A dimension that is drawn over: where its entries are, and what they are called."""

    dimension: Dimension
    axis: int

    @property
    def parameters(self) -> Sequence[SweptParameter]:
        """What is told of it: how much is run only where nothing else varies."""
        told = [one for one in self.dimension.parameters if not one.key.startswith("run.")]
        return told or self.dimension.parameters

    @property
    def label(self) -> str:
        """Names of its parameters."""
        return ", ".join(parameter.name for parameter in self.parameters)

    @property
    def is_number(self) -> bool:
        """Is it one parameter of numbers, each of them once?"""
        first = self.parameters[0]
        return len(self.parameters) == 1 and first.is_number and len(set(first.values.tolist())) == len(first.values)

    @property
    def at(self) -> np.ndarray:
        """The numbers, or 0, 1, 2, ..."""
        values = self.parameters[0].values
        return values.astype(float) if self.is_number else np.arange(self.dimension.length, dtype=float)

    @property
    def names(self) -> list[str]:
        """Its values in words."""
        columns = [parameter.texts for parameter in self.parameters]
        return [", ".join(row) for row in zip(*columns, strict=True)]

    @property
    def groups(self) -> list[str]:
        """What curves are called that are one for each entry."""
        columns = [[f"{one.name} = {text}" for text in one.texts] for one in self.parameters]
        return [", ".join(row) for row in zip(*columns, strict=True)]

    @property
    def log(self) -> bool:
        """Is its axis logarithmic?"""
        at = self.at
        return bool(self.is_number and at.min() > 0 and at.max() / at.min() >= WIDE)


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a figure of a sweep shows.

    Parameters
    ----------
    plots : the panels of each plot, a curve each; one of means and one of medians where some means are infinite.
    sides : what they are over: the axis, and what tells the curves apart, if there are several.
    results : one of the points.
    title : of the figure.
    """

    plots: Sequence[Sequence[Panel]]
    sides: Sequence[Side]
    results: Results
    title: str


def drawn_of(source: Any, choice: Choice) -> Drawn:
    """Return what is drawn of a sweep.

    Parameters
    ----------
    source : a `SweepFolder` or `CollectedSweep`.

    Raises
    ------
    InputError
        A parameter or value is not the sweep's, or there is nothing to draw.
    """
    axes = named_axes(source.sweep)
    sides = _sides(axes, choice.over, choice.fixed or {})
    chosen = _fixed(axes, choice.fixed or {}, {side.axis for side in sides})
    first, second = sides[0], sides[1] if len(sides) > 1 else None
    rows = [_row(source, chosen, first, second, j) for j in range(second.dimension.length if second else 1)]
    points = [one for row in rows for one in row if one is not None]
    if not points:
        raise InputError(f"a figure must have finished points, got none in {source.path}")
    longest = max(one.last for one in points)
    if choice.generation is not None and not 0 <= choice.generation <= longest:
        raise InputError(f"generation must be from 0 to {longest}, got {choice.generation}")
    results = points[0]
    panels = [[{} if one is None else _panels(one, choice.generation) for one in row] for row in rows]
    groups = second.groups if second else [""]
    plots = [
        [panel for row, group in zip(panels, groups, strict=True) for panel in _over(row, first, key, group)]
        for key in dict.fromkeys(key for row in panels for one in row for key in one)
    ]
    if not plots:  # panels over something else: a curve for each point along the first parameter
        sides, plots = [first], _own(rows[0], first)
    title = _title(source, points, axes, chosen, sides, choice.generation)
    z = np.concatenate([panel.curve.z[np.isfinite(panel.curve.z)] for plot in plots for panel in plot])
    if z.size:
        title += f"; {z.size:,} scores, largest |z| {np.abs(z).max():.1f}"
    return Drawn(plots, sides, results, title)


def _own(row: Sequence[Results | None], side: Side) -> list[list[Panel]]:
    """Return the panels of points that are not over generations, by plot."""
    plots: dict[str, list[Panel]] = {}
    for results, group in zip(row, side.groups, strict=True):
        for panel in panels_of(results, np.array([results.last])) if results is not None else ():
            if not panel.group:
                plots.setdefault(panel.title, []).append(dataclasses.replace(panel, group=group))
    if not plots:
        raise InputError("a figure must have panels of one curve each, got none")
    return list(plots.values())


def _sides(axes: Sequence[Dimension], over: Sequence[str], fixed: Iterable[str]) -> list[Side]:
    """Return one or two dimensions to draw over, by default the longest of numbers first, of those not fixed."""
    if len(over) > 2:
        raise InputError(f"a figure must be over one or two parameters, got {', '.join(over)}")
    if over:
        found = [Side(axes[k], k) for k in (_axis_of(axes, one) for one in over)]
        if len({side.axis for side in found}) < len(found):
            raise InputError(f"a figure must be over parameters that vary apart, got {', '.join(over)}")
        return found
    held = {_axis_of(axes, name) for name in fixed}
    sides = [Side(axis, k) for k, axis in enumerate(axes) if k not in held] or [Side(axes[0], 0)]
    first = max(sides, key=lambda side: (side.dimension.length > 1, side.is_number, side.dimension.length))
    others = [side for side in sides if side.axis != first.axis and side.dimension.length > 1]
    return [first, *sorted(others, key=lambda side: -side.dimension.length)[:1]]


def _axis_of(axes: Sequence[Dimension], name: str) -> int:
    """Return the number of the dimension along which a parameter varies, given by name or key."""
    known = {one: k for k, axis in enumerate(axes) for p in axis.parameters for one in (p.name, p.key)}
    if name not in known:
        names = [parameter.name for axis in axes for parameter in axis.parameters]
        raise InputError(f"parameter must be one of {', '.join(names)}, got {name!r}{nearest(name, names)}")
    return known[name]


def _fixed(axes: Sequence[Dimension], fixed: Mapping[str, str], drawn: set[int]) -> list[int]:
    """Return the entry of each dimension that is not drawn over, 0 for the others."""
    chosen = [0] * len(axes)
    for name, value in fixed.items():
        k = _axis_of(axes, name)
        if k in drawn:
            raise InputError(f"{name} must not be fixed: the figure is over it")
        parameter = next(p for p in axes[k].parameters if name in (p.name, p.key))
        names = value_labels(parameter.values.tolist())
        texts = [*names, *parameter.texts, *(f"{one:g}" for one in parameter.values)] if parameter.is_number else names
        if value not in texts:
            raise InputError(f"{name} must be one of {', '.join(names)}, got {value!r}")
        chosen[k] = texts.index(value) % len(names)
    return chosen


def _row(source: Any, chosen: list[int], first: Side, second: Side | None, j: int) -> list[Results | None]:
    """Return the points along the axis, None where one is not done."""
    done, shape, row = source.done(), source.sweep.shape, []
    for i in range(first.dimension.length):
        where = list(chosen)
        where[first.axis] = i
        if second is not None:
            where[second.axis] = j
        index = int(np.ravel_multi_index(where, shape))
        row.append(source.results(index) if index in done else None)
    return row


def _panels(results: Results, generation: int | None) -> dict[tuple[str, str, int], Panel]:
    """Return the panels of a point that are over generations, at one, by what they show: families differ in them."""
    at = results.last if generation is None else generation
    found: dict[tuple[str, str, int], Panel] = {}
    for one in panels_of(results, np.array([at])) if at <= results.last else ():
        if one.axis is GENERATION and one.curve.at.size == 1:
            title = _plain(one)
            n = sum(key[:2] == (title, one.label) for key in found)
            found[title, one.label, n] = one
    return found


def _plain(panel: Panel) -> str:
    """Return the title without what differs between points."""
    return panel.title.partition(",")[0]


def _over(
    row: Sequence[Mapping[tuple[str, str, int], Panel]], side: Side, key: tuple[str, str, int], group: str
) -> list[Panel]:
    """Return a panel of the points of a row over their parameter: of the means, and of the medians where there are."""
    panels = [point.get(key) for point in row]
    return [
        _joined([None if one is None or one.median is not median else one for one in panels], side, group)
        for median in (False, True)
        if any(one is not None and one.median is median for one in panels)
    ]


def _joined(found: Sequence[Panel | None], side: Side, group: str) -> Panel:
    """Return panels of one point each as one, with gaps."""
    curves = [None if one is None else one.curve for one in found]
    panels, at = [one for one in found if one is not None], side.at
    unknown = np.full(1, np.nan)

    def joined(name: str) -> np.ndarray:
        values = [None if curve is None else getattr(curve, name) for curve in curves]
        return np.concatenate([unknown if one is None else one for one in values])

    bounded = any(curve is not None and curve.lower is not None for curve in curves)
    curve = Curve(
        at=at,
        mean=joined("mean"),
        sd=joined("sd"),
        smallest=joined("smallest"),
        largest=joined("largest"),
        lower=joined("lower") if bounded else None,
        upper=joined("upper") if bounded else None,
        expected=joined("expected"),
        z=joined("z"),
    )
    first, own = panels[0], np.flatnonzero([curve is not None for curve in curves])
    lines: dict[str, Line] = {}
    for i, panel in zip(own, panels, strict=True):
        for line in panel.lines:
            known = lines.setdefault(line.label, Line(line.label, np.full(len(at), np.nan), line.kind))
            known.values[i] = line.values[0]
    return Panel(
        _plain(first),
        first.label,
        first.heading,
        curve,
        tuple(lines.values()),
        factor=first.factor,
        log=first.log,
        digits=first.digits,
        limits=first.limits,
        band=first.band,
        axis=Axis(side.label, side.label, side.log, words=not side.is_number),
        group=group,
        median=first.median,
    )


def _title(
    source: Any,
    points: Sequence[Results],
    axes: Sequence[Dimension],
    chosen: Sequence[int],
    sides: Sequence[Side],
    at: int | None,
) -> str:
    drawn = {side.axis for side in sides}
    fixed = [
        f"{parameter.name} = {parameter.texts[chosen[k]]}"
        for k, axis in enumerate(axes)
        for parameter in Side(axis, k).parameters
        if k not in drawn
    ]
    recipe = points[0].recipe
    families = dict.fromkeys(one.experiment.family for one in points)
    which = f"{' and '.join(families)} {'family' if len(families) == 1 else 'families'}"
    what = recipe.title if recipe is not None else f"Sweep of the {which}"
    when = f"generation {_range([one.last for one in points] if at is None else [at])}"
    n_replicates = _range([one.n_replicates for one in points])
    missing = len(source.sweep) - len(source.done())
    left = [f"{missing:,} of {len(source.sweep):,} points missing"] if missing else []
    return "\n".join([what, "; ".join([when, f"{n_replicates} replicates", *fixed, *left])])


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
