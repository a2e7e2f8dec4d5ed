"""Small figure of a sweep: its first metric at the last generation over the swept parameters, without theory."""

from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.analysis.sweep_axes import Side, choose_sides
from fastcollapse.errors import InputError
from fastcollapse.sweeps.axes import named_axes
from fastcollapse.sweeps.collected_results import CollectedSweep
from fastcollapse.sweeps.folder import SweepFolder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (4.5, 3.0)
# The most points along the axis, and the most curves: each point is a file that is opened.
_MOST_POINTS, _MOST_CURVES = 20, 5


@drawing
def sketch_sweep(source: SweepFolder | CollectedSweep) -> "Figure":
    """Return a small figure of the first metric of a sweep, through its first finished point.

    Raises
    ------
    InputError
        No point is finished, or none has a metric of one number.
    """
    from fastcollapse.analysis.inline_figure import InlineFigure  # start-up time

    done, sweep = source.done(), source.sweep
    if not done:
        raise InputError(f"a figure must have finished points, got none in {source.path}")
    sides = choose_sides(named_axes(sweep), (), ())
    entries = [int(entry) for entry in np.unravel_index(min(done), sweep.shape)]
    name = next((name for name, values in _metrics(source, min(done)).items() if values.ndim == 2), None)
    if name is None:
        raise InputError(f"a figure must have a metric of one number, got none in {source.path}")
    figure = InlineFigure(figsize=_SIZE, layout="constrained")
    axes, first, second = figure.subplots(), sides[0], sides[1] if len(sides) > 1 else None
    along = _spread(first.dimension.length, _MOST_POINTS, entries[first.axis])
    for j in [0] if second is None else _spread(second.dimension.length, _MOST_CURVES, entries[second.axis]):
        means = np.full(len(along), np.nan)
        for k, i in enumerate(along):
            entries[first.axis] = i
            if second is not None:
                entries[second.axis] = j
            point = int(np.ravel_multi_index(entries, sweep.shape))
            values = _metrics(source, point).get(name) if point in done else None
            if values is not None and values.ndim == 2:
                means[k] = values[:, -1].mean()
        axes.plot(first.at[along], means, "o-", markersize=3, label=second.groups[j] if second else None)
    _label(axes, first, along)
    axes.set_title(f"{name}, mean at the last generation", fontsize=9)
    if second is not None:
        axes.legend(fontsize=7, frameon=False)
    return figure


def _metrics(source: SweepFolder | CollectedSweep, point: int) -> "dict[str, np.ndarray]":
    return source.metrics(point) if isinstance(source, CollectedSweep) else dict(source.results(point).metrics)


def _spread(n: int, most: int, kept: int) -> list[int]:
    """Return at most `most` + 1 of 0, ..., n - 1, evenly spread, with one that is kept."""
    return sorted({*np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist(), kept})


def _label(axes: "Axes", side: Side, along: list[int]) -> None:
    """Label the axis of a dimension."""
    axes.set_xlabel(side.label)
    if side.log:
        axes.set_xscale("log")
    if not side.is_number:
        axes.set_xticks(side.at[along], [side.names[i][:12] for i in along], fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)
