"""Scales, limits, ticks and labels of the axes of a plot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.bands import drawn_band
from fastcollapse.analysis.panels.panel import GENERATION, Axis, Panel
from fastcollapse.analysis.panels.style import log_ticks, plain_number
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Decades that the linear part of a symmetrical logarithmic axis takes.
_LINEAR_PART = 0.4
# The smallest value of an axis of values with a linear part, over the largest one of the smallest curve: below it
# values have underflowed.
_UNDERFLOW = 1e-15
# The bottom of a logarithmic axis is at most this factor below the lowest middle, even where bands are longer.
_BELOW = 5.0
# Bands on a linear axis are cut off beyond this many times the range of the middles.
_BEYOND = 1.0
# Share of an axis that stays free beyond its first and last marks.
_MARGIN = 0.04
# Share of the distance of two points that curves with bars are shifted by in all, and of the axis.
_SHIFT_OF_STEP, _SHIFT_OF_AXIS = 0.5, 0.007


def format_axes(axes: "Axes", panels: Sequence[Panel], results: RecordedRun, log: bool) -> None:
    """Set scales, limits and labels of the axes of panels.

    Parameters
    ----------
    log : whether the axis of values is logarithmic.
    """
    panel = panels[0]
    if panel.axis is GENERATION:
        _format_generations(axes, panels, results)
    else:
        _format_other_axis(axes, panels)
    if log:
        format_log_values(axes, panels)
    elif panel.factor == 100:
        axes.set_ylim(0, 103)
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
        _show_middles(axes, panels)
        _thousands(axes.yaxis, *axes.get_ylim())
    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
    axes.set_ylabel(panel.label)


def format_log_values(axes: "Axes", panels: Sequence[Panel]) -> None:
    """Make the axis of values logarithmic, with a linear part where values are 0; long bands may be cut off."""
    values = _middles(panels)
    positive = values[values > 0]
    if not positive.size:
        return
    least = float(max(positive.min(), _UNDERFLOW * min(_largest(one) for one in panels)))
    top = float(np.nanmax([positive.max(), *(_highest(one, log=True) for one in panels)]))
    if (values == 0).any():
        axes.set_yscale("symlog", linthresh=least, linscale=_LINEAR_PART)
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.5 * float(values.max())))
        axes.yaxis.set_minor_locator(_no_ticks())
        _few_powers(axes.yaxis, least, axes.get_ylim()[1])
        return
    axes.set_yscale("log")
    bottom = max(axes.get_ylim()[0], least / _BELOW)
    axes.set_ylim(bottom, max(axes.get_ylim()[1], top * (top / bottom) ** _MARGIN))
    log_ticks(axes.yaxis, *axes.get_ylim())


def _show_middles(axes: "Axes", panels: Sequence[Panel]) -> None:
    """Show all middles, references and what was published; cut off bands and bounds much longer than their range."""
    if any(one.paths is not None for one in panels):
        return
    values = _middles(panels)
    if not values.size or not np.ptp(values) > 0:
        return
    reach = _BEYOND * float(np.ptp(values))
    low, high = float(values.min()) - reach, float(values.max()) + reach
    bands = [drawn_band(one, log=False) for one in panels]
    edges = np.concatenate([edge for band in bands for edge in (band.low, band.high)])
    lines = np.concatenate([values, *(line.values * one.factor for one in panels for line in one.lines)])
    references = [line.values * one.factor for one in panels for line in one.lines if line.kind == "reference"]
    shown = [
        values,
        np.clip(edges, low, high),
        lines[(low <= lines) & (lines <= high)],
        _published(panels),
        *references,
    ]
    least, most = (float(end(np.concatenate(shown))) for end in (np.nanmin, np.nanmax))
    margin = _MARGIN * (most - least)
    axes.set_ylim(least - margin, most + margin)


def _middles(panels: Sequence[Panel]) -> np.ndarray:
    """Return the known middles of curves, their theory, and what was published for them, as the axis shows them."""
    values = [part * one.factor for one in panels for part in (one.curve.mean, one.curve.expected)]
    known = np.concatenate([*values, _published(panels)])
    return known[np.isfinite(known)]


def _published(panels: Sequence[Panel]) -> np.ndarray:
    """Return the values read off the published figure, as the axis shows them."""
    return np.array([value * one.factor for one in panels for points in one.points for value in points.values])


def _largest(panel: Panel) -> float:
    """Return the largest positive middle of a curve, infinity if there is none."""
    values = panel.curve.mean * panel.factor
    positive = values[np.isfinite(values) & (values > 0)]
    return float(positive.max()) if positive.size else np.inf


def _highest(panel: Panel, log: bool) -> float:
    """Return the highest point of the band of a curve, NaN without a band."""
    high = drawn_band(panel, log).high
    return float(high[np.isfinite(high)].max()) if np.isfinite(high).any() else np.nan


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator  # start-up time

    return NullLocator()


def _few_powers(axis: Any, least: float, most: float, n_most: int = 6) -> None:
    """Set 0 and a few powers of ten as ticks."""
    powers = np.arange(np.ceil(np.log10(least) - 1e-9), np.floor(np.log10(most) + 1e-9) + 1)
    step = max(1, -(-len(powers) // n_most))
    shown = powers[::-1][::step][::-1]
    # The label of the smallest one would cover that of 0.
    shown = shown[1:] if len(shown) > 1 and shown[0] - np.log10(least) < 0.5 * step else shown
    axis.set_ticks([0.0, *(10.0**power for power in shown)])


def _format_generations(axes: "Axes", panels: Sequence[Panel], results: RecordedRun) -> None:
    """Set scale, limits and label of the axis of generations; a logarithmic one starts at 0 if the curves do."""
    last = max(results.last, 2)
    axes.set_xlabel("generation $t$")
    if results.recipe is not None and results.recipe.linear:
        axes.set_xlim(-0.02 * last, 1.02 * last)
        axes.locator_params(axis="x", integer=True)
        _thousands(axes.xaxis, 0, last)
        return
    from matplotlib.ticker import FixedLocator, NullFormatter  # start-up time

    starts_at_0 = any(np.isfinite(one.curve.mean[one.curve.at == 0]).any() for one in panels)
    if not starts_at_0:
        axes.set_xscale("log")
        beyond = last ** (0.5 * _MARGIN)
        axes.set_xlim(1 / beyond, last * beyond)
        axes.xaxis.set_major_formatter(plain_number)
        log_ticks(axes.xaxis, *axes.get_xlim())
        return
    axes.set_xscale("symlog", linthresh=1, linscale=_LINEAR_PART)
    axes.set_xlim(-0.12, last * (last * 10**_LINEAR_PART) ** (0.5 * _MARGIN))
    powers = 10.0 ** np.arange(int(np.log10(last) + 1e-9) + 1)
    within = (powers[:, None] * np.arange(1, 10)).ravel()
    ticks = (
        np.sort(powers[::-1][:: 2 if last >= 10**4 else 1])
        if last >= 100
        else (powers[:, None] * np.array([1, 2, 5])).ravel()
    )
    axes.xaxis.set_major_locator(FixedLocator([0.0, *ticks[ticks <= last]]))
    axes.xaxis.set_minor_locator(FixedLocator(within[within <= last].tolist()))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(plain_number)


def _format_other_axis(axes: "Axes", panels: Sequence[Panel]) -> None:
    """Set scale, limit and label of another axis."""
    at, axis = np.concatenate([one.curve.at for one in panels]), panels[0].axis
    axes.set_xlabel(axis.label)
    if not axis.log or not (at > 0).any():
        return
    least, most = float(at[at > 0].min()), float(at.max())
    # A logarithmic axis cannot show 0; with a linear part around 0 it can.
    if (at == 0).any():
        axes.set_xscale("symlog", linthresh=least, linscale=_LINEAR_PART)
        axes.set_xlim(right=most * (most / least * 10**_LINEAR_PART) ** _MARGIN)
        axes.xaxis.set_minor_locator(_no_ticks())
        _few_powers(axes.xaxis, least, most, 3)
    else:
        axes.set_xscale("log")
        beyond = (most / least) ** _MARGIN if most > least else 1.5
        axes.set_xlim(least / beyond, most * beyond)
        log_ticks(axes.xaxis, least, most)


def _thousands(axis: Any, low: float, high: float) -> None:
    """Separate the thousands of large numbers of a linear axis."""
    if max(abs(low), abs(high)) >= 1000:
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}".replace("-", "\N{MINUS SIGN}"))


def dodged(axis: Axis, at: np.ndarray, i: int, n: int) -> np.ndarray:
    """Return the points of curve i of n, shifted by a few hundredths of the axis so that bars do not cover each other.

    Examples
    --------
    >>> dodged(Axis("x", "x", log=False), np.array([0.0, 10.0]), 1, 2)
    array([ 0.035, 10.035])
    >>> dodged(Axis("x", "x"), np.array([1.0, 100.0]), 0, 1)
    array([  1., 100.])
    """
    at = np.asarray(at, float)
    side = i - (n - 1) / 2
    if n < 2 or len(at) == 0:
        return at
    if not axis.log:
        return at + side * _shift(at, n)
    positive = at > 0
    logs = np.log(at[positive])
    shifted = at.copy()
    if logs.size:
        shift = _shift(logs, n)
        shifted[positive] = np.exp(logs + side * shift)
        shifted[~positive] += side * shift * float(at[positive].min())
    return shifted


def _shift(at: np.ndarray, n: int) -> float:
    """Return the distance of two curves of n at equal points."""
    steps = np.diff(np.unique(at))
    if not steps.size:
        return 0.0
    return float(min(_SHIFT_OF_AXIS * np.ptp(at), _SHIFT_OF_STEP * steps.min() / n))
