"""What is drawn of a sweep: panels at one generation over one or two swept parameters, theory beside them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.errors import InputError, nearest
from fastcollapse.results import Results
from fastcollapse.sweeps.axes import Dimension, named_axes, words
from fastcollapse.views.base import panels_of
from fastcollapse.views.panel import GENERATION, Axis, Curve, Line, Panel

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
    def label(self) -> str:
        """Names of its parameters."""
        return ", ".join(parameter.name for parameter in self.dimension.parameters)

    @property
    def is_number(self) -> bool:
        """Is it one parameter of numbers?"""
        return len(self.dimension.parameters) == 1 and self.dimension.parameters[0].is_number

    @property
    def at(self) -> np.ndarray:
        """The numbers, or 0, 1, 2, ..."""
        values = self.dimension.parameters[0].values
        return values.astype(float) if self.is_number else np.arange(self.dimension.length, dtype=float)

    @property
    def names(self) -> list[str]:
        """Its values in words."""
        columns = [parameter.texts for parameter in self.dimension.parameters]
        return [", ".join(row) for row in zip(*columns, strict=True)]

    @property
    def groups(self) -> list[str]:
        """What curves are called that are one for each entry."""
        first = self.dimension.parameters[0]
        if first.is_number and len(set(first.values.tolist())) == self.dimension.length:
            return [f"{first.name} = {text}" for text in first.texts]
        return self.names

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
    source : a `SweepFolder` or `Collected`.

    Raises
    ------
    InputError
        A parameter or value is not the sweep's, or there is nothing to draw.
    """
    axes = named_axes(source.sweep)
    sides = _sides(axes, choice.over)
    chosen = _fixed(axes, choice.fixed or {}, {side.axis for side in sides})
    first, second = sides[0], sides[1] if len(sides) > 1 else None
    rows = [_row(source, chosen, first, second, j) for j in range(second.dimension.length if second else 1)]
    results = next((one for row in rows for one in row if one is not None), None)
    if results is None:
        raise InputError(f"a figure must have finished points, got none in {source.path}")
    n_panels = len(_panels(results, choice.generation))
    groups = second.groups if second else [""]
    plots = [
        [
            panel
            for row, group in zip(rows, groups, strict=True)
            for panel in _over(row, first, k, group, choice.generation)
        ]
        for k in range(n_panels)
    ]
    if not n_panels:  # panels over something else: a curve for each point along the first parameter
        sides, plots = [first], _own(rows[0], first)
    title = _title(source, results, axes, chosen, sides, choice.generation)
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


def _sides(axes: Sequence[Dimension], over: Sequence[str]) -> list[Side]:
    """Return one or two dimensions to draw over, the longest of numbers first."""
    if len(over) > 2:
        raise InputError(f"a figure must be over one or two parameters, got {', '.join(over)}")
    if over:
        found = [Side(axes[k], k) for k in (_axis_of(axes, one) for one in over)]
        if len({side.axis for side in found}) < len(found):
            raise InputError(f"a figure must be over parameters that vary apart, got {', '.join(over)}")
        return found
    sides = [Side(axis, k) for k, axis in enumerate(axes)]
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
        names = words(parameter.values.tolist())
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


def _panels(results: Results, generation: int | None) -> list[Panel]:
    """Return the panels of a point that are over generations, at one."""
    at = results.last if generation is None else generation
    if not 0 <= at <= results.last:
        raise InputError(f"generation must be from 0 to {results.last}, got {at}")
    return [one for one in panels_of(results, np.array([at])) if one.axis is GENERATION and one.curve.at.size == 1]


def _over(row: Sequence[Results | None], side: Side, k: int, group: str, generation: int | None) -> list[Panel]:
    """Return panel k of the points of a row over their parameter: of the means, and of the medians where there are."""
    found = [(at, _panels(one, generation)[k]) for at, one in zip(side.at, row, strict=True) if one is not None]
    panels, at = [panel for _, panel in found], np.array([at for at, _ in found])
    return [
        _joined(panels, at, side, group, median)
        for median in (False, True)
        if any(panel.median is median for panel in panels)
    ]


def _joined(panels: Sequence[Panel], at: np.ndarray, side: Side, group: str, median: bool) -> Panel:
    """Return panels of one point each as one, with a gap where a point has not this kind of middle."""
    curves = [panel.curve if panel.median is median else None for panel in panels]
    panels = [panel for panel in panels if panel.median is median]
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
        first.title.partition(",")[0],
        first.label,
        first.heading,
        curve,
        tuple(lines.values()),
        factor=first.factor,
        log=first.log,
        digits=first.digits,
        limits=first.limits,
        band=first.band,
        axis=Axis(side.label, side.label, side.log),
        group=group,
        median=median,
    )


def _title(
    source: Any,
    results: Results,
    axes: Sequence[Dimension],
    chosen: Sequence[int],
    sides: Sequence[Side],
    at: int | None,
) -> str:
    drawn = {side.axis for side in sides}
    fixed = [
        f"{parameter.name} = {parameter.texts[chosen[k]]}"
        for k, axis in enumerate(axes)
        for parameter in axis.parameters
        if k not in drawn
    ]
    recipe = results.recipe
    what = recipe.title if recipe is not None else f"Sweep of the {results.experiment.family} family"
    when = f"generation {results.last if at is None else at:,}"
    missing = len(source.sweep) - len(source.done())
    left = [f"{missing:,} of {len(source.sweep):,} points missing"] if missing else []
    return "\n".join([what, "; ".join([when, f"{results.n_replicates:,} replicates", *fixed, *left])])
