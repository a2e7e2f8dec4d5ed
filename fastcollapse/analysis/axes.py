"""One plot into one axes: simulation, theory beside it, and what the axes say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.panels.panel import DEVIATION, GENERATION, Panel
from fastcollapse.analysis.tables import counted
from fastcollapse.simulation.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by every kind of colour vision.
SIMULATED, THEORY, SECOND, EDGE = "#0072B2", "#D55E00", "#000000", "#777777"
MAP = "viridis"
# So few exact values among others make no line.
_FEW_POINTS = 2
# The styles of theory: broken, for only simulation is solid.
_MARK: dict[str, Any] = {"ls": "", "marker": "_", "ms": 14}
_EXACT, _ASYMPTOTIC = (0, (5, 4)), (0, (4, 2, 1, 2))
_STYLES: dict[str, list[tuple[str, Any]]] = {
    "bound": [(EDGE, (0, (6, 2, 1, 2))), (SECOND, ":")],
    "exact": [(THEORY, _EXACT), (SECOND, ":")],
    "published": [("#009E73", (0, (3, 2))), ("#CC79A7", (0, (1, 2))), ("#56B4E9", "-."), ("#E69F00", "-.")],
    "asymptotic": [(THEORY, _ASYMPTOTIC)],
    "limit": [(EDGE, ":")],
}


def draw_plot(axes: "Axes", plot: Sequence[Panel], results: Results, number: int = 0, case: int = 1) -> None:
    """Draw a plot, the `number`th of its case: one curve with its band, or several with error bars."""
    if plot[0].image is not None:
        _pictures(axes, plot)
        return
    if len(plot) == 1 and not plot[0].group and not plot[0].axis.words:
        _panel(axes, plot[0], results, number, case)
    else:
        _curves(axes, plot)
    dress(axes, plot[0], results)


def _panel(axes: "Axes", panel: Panel, results: Results, number: int, case: int) -> None:
    curve, at = panel.curve, panel.curve.at
    if panel.paths is not None:
        for i, path in enumerate(panel.paths):
            label = counted(len(panel.paths), "replicate") if i == 0 else None
            axes.plot(at, path * panel.factor, color=SIMULATED, lw=0.7, alpha=0.6, label=label)
    else:
        _simulated(axes, panel)
    known = np.isfinite(curve.expected)
    if known.any():
        shown = known if panel.median else np.full(len(at), True)  # some of many medians are known
        values = curve.expected[shown] * panel.factor
        axes.plot(at[shown], values, color=THEORY, lw=1.6, ls=_EXACT, label=_exact_label(panel))
    seen: dict[str, int] = {}
    for line in panel.lines:
        known = _STYLES[line.kind]
        colour, dash = known[seen.get(line.kind, 0) % len(known)]
        seen[line.kind] = seen.get(line.kind, 0) + 1
        axes.plot(at, line.values * panel.factor, color=colour, lw=1.4, ls=dash, label=line.label)
    recipe = results.recipe
    for read in recipe.read_off or () if recipe is not None and number == 0 else ():
        if int(read.get("case", 1)) == case:
            values = np.array(read["values"], dtype=float) * panel.factor
            label = f"{read['label']}, read off the published figure"
            axes.plot(read["generations"], values, "k+", ms=9, mew=1.6, label=label)


def _pictures(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw pictures in a row, with the values of their curves below them, a line a point."""
    width = 1 / len(plot)
    at = plot[0].curve.at
    for k, panel in enumerate(plot):
        assert panel.image is not None
        inset = axes.inset_axes((k * width + 0.05 * width, 0.66, 0.9 * width, 0.34))
        inset.imshow(panel.image, cmap="gray_r", vmin=0, vmax=1)
        inset.set_axis_off()
        for i, value in enumerate(panel.curve.mean):
            place = ((k + 0.5) * width, 0.6 - 0.55 * i / max(len(at) - 1, 1))
            axes.text(*place, f"{value:.{panel.digits}f}", ha="center", va="center", fontsize=8, color=SIMULATED)
    for i, generation in enumerate(at):
        place = (-0.01, 0.6 - 0.55 * i / max(len(at) - 1, 1))
        axes.text(*place, f"n = {generation:,}", ha="right", va="center", fontsize=8)
    axes.set_axis_off()
    axes.set_title(plot[0].title, fontsize=10)


def draw_limits(axes: "Axes", panel: Panel) -> None:
    """Draw what the curve of a panel tends to."""
    for line in panel.lines:
        if line.kind == "limit":
            colour, dash = _STYLES["limit"][0]
            axes.plot(panel.curve.at, line.values * panel.factor, color=colour, lw=1.6, ls=dash, label=line.label)


def _exact_label(panel: Panel) -> str:
    return "theory: exact median" if panel.median else "theory: exact expectation"


def _range(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return from where to where the band of a panel reaches."""
    curve, low, high = panel.curve, panel.curve.smallest, panel.curve.largest
    if panel.band == DEVIATION:
        low, high = np.fmax(curve.mean - curve.sd, low), np.fmin(curve.mean + curve.sd, high)
    return low * panel.factor, high * panel.factor


def _simulated(axes: "Axes", panel: Panel) -> None:
    curve = panel.curve
    axes.fill_between(curve.at, *_range(panel), color=SIMULATED, alpha=0.25, linewidth=0, label=panel.band)
    marker = "o" if curve.at.size <= 12 else None
    label = f"simulated {'median' if panel.median else 'mean'}"
    axes.plot(curve.at, curve.mean * panel.factor, color=SIMULATED, marker=marker, ms=5, lw=3.5, label=label)


def _curves(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw several curves, a colour a group: points with error bars, and theory in their colour."""
    import matplotlib  # start-up time

    groups = list(dict.fromkeys(panel.group for panel in plot))
    colours = dict(zip(groups, matplotlib.colormaps[MAP](np.linspace(0, 0.88, len(groups))), strict=True))
    both = len({panel.median for panel in plot}) > 1
    theories: dict[str, Any] = {}
    any_untold = False
    for panel in plot:
        curve, factor, colour = panel.curve, panel.factor, colours[panel.group]
        lines = [(line.label, line.values, _STYLES[line.kind][0][1]) for line in panel.lines if line.kind != "limit"]
        known = np.isfinite(curve.expected)
        few = known.sum() <= _FEW_POINTS or panel.axis.words
        alone = known
        for label, values, dash in lines:
            along = np.where(known, curve.expected, values) if few else values
            style = _MARK if panel.axis.words else {"ls": dash}
            axes.plot(curve.at, along * factor, color=colour, lw=1.4, **style)
            theories[label] = style
        if not few:
            exact = np.where(known, curve.expected, np.nan)
            axes.plot(curve.at, exact * factor, color=colour, lw=1.4, ls=_EXACT)
            theories[_exact_label(panel)] = {"ls": _EXACT}
            alone = known & ~np.append(known[1:], False) & ~np.append(False, known[:-1])  # makes no line
        elif known.any():
            theories[_exact_label(panel)] = _MARK
        axes.plot(curve.at[alone], curve.expected[alone] * factor, color=colour, mew=1.4, zorder=3, **_MARK)
        middle = curve.mean * factor
        low, high = _range(panel)
        bars = np.nan_to_num(np.clip([middle - low, high - middle], 0, None))
        joined = "none" if lines or known.any() or panel.axis.words else "-"
        fmt = _marker(panel, both)
        axes.errorbar(curve.at, middle, bars, color=colour, fmt=fmt, ms=4, lw=1.0, elinewidth=0.9, ls=joined)
        untold = known & np.isfinite(middle) & np.isnan(curve.z)
        any_untold |= bool(untold.any())
        axes.plot(curve.at[untold], middle[untold], fmt, color=colour, mfc="white", ms=4, zorder=3)
    for group, colour in colours.items() if groups != [""] else ():
        # Not by the error bars themselves: their key is a cross as large as three lines of text.
        axes.plot([], [], "o", color=colour, ms=4, label=group)
    draw_limits(axes, plot[0])
    for panel in {panel.median: panel for panel in plot}.values():
        what = "mean" if not panel.median else "median where a mean or variance is infinite" if both else "median"
        axes.errorbar([], [], [], color=EDGE, fmt=_marker(panel, both), ms=4, label=f"{what}, bars: {panel.band}")
    if any_untold:
        axes.plot([], [], "o", color=EDGE, mfc="white", ms=4, label="too few replicates to score against theory")
    for label, style in theories.items():
        axes.plot([], [], color=EDGE, lw=1.4, label=label, **style)


def _marker(panel: Panel, both: bool) -> str:
    """Return a disc, or, beside means, a diamond for medians."""
    return "D" if both and panel.median else "o"


def dress(axes: "Axes", panel: Panel, results: Results) -> None:
    """Set scales, limits and words of the axes of a panel."""
    if panel.axis is GENERATION:
        _generation_axis(axes, results)
    else:
        _other_axis(axes, panel)
    if panel.log:
        axes.set_yscale("log")
        _log_ticks(axes.yaxis, *axes.get_ylim())
    elif panel.factor == 100:
        axes.set_ylim(0, 103)
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
    axes.set_ylabel(panel.label)
    axes.set_title(panel.title, fontsize=10)


def _generation_axis(axes: "Axes", results: Results) -> None:
    if results.recipe is not None and results.recipe.linear:
        axes.set_xlim(0, max(results.last, 2))
        axes.locator_params(axis="x", integer=True)
    else:
        axes.set_xscale("log")
        axes.set_xlim(1, max(results.last, 2))
        axes.xaxis.set_major_formatter(plain_number)
        _log_ticks(axes.xaxis, *axes.get_xlim())
    axes.set_xlabel("generation")


def _other_axis(axes: "Axes", panel: Panel) -> None:
    at = panel.curve.at
    if panel.axis.log and (at > 0).any():
        least = float(at[at > 0].min())
        # A logarithmic axis has no place for 0; a linear piece about it has.
        axes.set_xscale("symlog", linthresh=least) if (at == 0).any() else axes.set_xscale("log")
        axes.set_xlim(right=float(at.max()) * 1.1)
        if not (at == 0).any():
            _log_ticks(axes.xaxis, least, float(at.max()))
    axes.set_xlabel(panel.axis.label)


def _log_ticks(axis: Any, low: float, high: float) -> None:
    """Set plain numbers to a logarithmic axis of less than two decades, where powers of ten are too few."""
    from matplotlib.ticker import LogLocator, NullFormatter  # start-up time

    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(plain_number)


def plain_number(value: float, _: Any = None) -> str:
    """Return a number as an axis shows it, without powers of ten.

    Examples
    --------
    >>> plain_number(1000.0), plain_number(0.5)
    ('1,000', '0.5')
    """
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
