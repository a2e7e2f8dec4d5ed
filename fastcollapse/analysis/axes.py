"""One plot drawn into one axes: simulation, theory beside it, scales and labels."""

import functools
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.clouds import draw_cloud
from fastcollapse.analysis.panels.panel import DEVIATION, GENERATION, Panel
from fastcollapse.analysis.panels.style import EDGE, MAP, SIMULATED, THEORY, font_size, plain_number
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.theory_lines import (
    EXACT,
    MARK,
    SHARED,
    STYLES,
    draw_exact,
    draw_shared,
    exact_label,
    isolated,
    plot_theory,
    shared_lines,
)
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Exact values up to this number are drawn as marks, not as a line.
_FEW_POINTS = 2
# Inches of the handle of a legend and its space, and letters of its labels in an inch.
_HANDLE, _LEGEND_LETTERS = 0.6, 16
# The fewest letters in a line of a legend: narrower axes have one column.
_FEWEST_LETTERS = 18


def draw_plot(axes: "Axes", plot: Sequence[Panel], results: RecordedRun) -> None:
    """Draw a plot: one curve with its band, or several with error bars."""
    if plot[0].image is not None:
        _draw_images(axes, plot)
        return
    if plot[0].cloud is not None:
        draw_cloud(axes, plot[0])
        return
    if len(plot) == 1 and not plot[0].group and not plot[0].axis.categorical:
        _draw_panel(axes, plot[0])
    else:
        _draw_curves(axes, plot)
    format_axes(axes, plot[0], results)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    """Draw the only curve of a plot, with its band or its paths, and its theory."""
    curve, at = panel.curve, panel.curve.at
    if panel.paths is not None:
        for i, path in enumerate(panel.paths):
            label = counted(len(panel.paths), "replicate") if i == 0 else None
            axes.plot(at, path * panel.factor, color=SIMULATED, lw=0.7, alpha=0.6, label=label)
    else:
        _draw_simulated(axes, panel)
    if np.isfinite(curve.expected).any():
        draw_exact(axes, panel, color=THEORY, lw=1.6, ls=EXACT, label=exact_label(panel))
    n_drawn: dict[str, int] = {}
    for line in panel.lines:
        if not np.isfinite(line.values).any():
            continue
        styles = STYLES[line.kind]
        colour, dash = styles[n_drawn.get(line.kind, 0) % len(styles)]
        n_drawn[line.kind] = n_drawn.get(line.kind, 0) + 1
        plot_theory(axes, at, line.values * panel.factor, color=colour, lw=1.4, ls=dash, label=line.label)
    for points in panel.points:
        values = np.array(points.values) * panel.factor
        axes.plot(points.generations, values, "k+", ms=9, mew=1.6, label=points.label, clip_on=False)


def _draw_images(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw images in a row, with the values of their curves below them, one line for each point."""
    width = 1 / len(plot)
    at = plot[0].curve.at
    for k, panel in enumerate(plot):
        assert panel.image is not None
        inset = axes.inset_axes((k * width + 0.05 * width, 0.66, 0.9 * width, 0.34))
        inset.imshow(panel.image, cmap="gray_r", vmin=0, vmax=1)
        inset.set_axis_off()
        for i, value in enumerate(panel.curve.mean):
            place = ((k + 0.5) * width, 0.6 - 0.55 * i / max(len(at) - 1, 1))
            axes.text(
                *place, f"{value:.{panel.digits}f}", ha="center", va="center", fontsize=font_size(8), color=SIMULATED
            )
    for i, generation in enumerate(at):
        place = (-0.01, 0.6 - 0.55 * i / max(len(at) - 1, 1))
        axes.text(*place, f"$t$ = {generation:,}", ha="right", va="center", fontsize=font_size(8))
    axes.set_axis_off()
    axes.set_title(plot[0].title, fontsize=font_size(10))


def _draw_group_limits(axes: "Axes", plot: Sequence[Panel], colours: Mapping[str, Any]) -> None:
    """Draw shared lines of several curves: once if they are the same, otherwise each in the colour of its curve."""
    values = [[(line.label, line.values.tobytes()) for line, _ in shared_lines(panel)] for panel in plot]
    if all(one == values[0] for one in values):
        draw_shared(axes, plot[:1])
        return
    for panel in plot:
        for line, (_, dash) in shared_lines(panel):
            axes.plot(panel.curve.at, line.values * panel.factor, color=colours[panel.group], lw=1.6, ls=dash)
    for label, (_, dash) in {line.label: style for panel in plot for line, style in shared_lines(panel)}.items():
        axes.plot([], [], color=EDGE, lw=1.6, ls=dash, label=label)


def band_of(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper edge of the band of a panel, float64[B] each."""
    curve, low, high = panel.curve, panel.curve.smallest, panel.curve.largest
    if panel.band == DEVIATION:
        low, high = np.fmax(curve.mean - curve.sd, low), np.fmin(curve.mean + curve.sd, high)
    return low * panel.factor, high * panel.factor


def _draw_simulated(axes: "Axes", panel: Panel) -> None:
    """Draw the mean or median of a panel and its band."""
    curve = panel.curve
    axes.fill_between(curve.at, *band_of(panel), color=SIMULATED, alpha=0.25, linewidth=0, label=panel.band)
    marker = "o" if curve.at.size <= 12 else None
    label = f"simulated {'median' if panel.median else 'mean'}"
    axes.plot(curve.at, curve.mean * panel.factor, color=SIMULATED, marker=marker, ms=5, lw=3.5, label=label)


def _draw_curves(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw several curves, one colour for each group: points with error bars, and theory in their colour."""
    import matplotlib  # start-up time

    groups = list(dict.fromkeys(panel.group for panel in plot))
    colours = dict(zip(groups, matplotlib.colormaps[MAP](np.linspace(0, 0.88, len(groups))), strict=True))
    mixed = len({panel.median for panel in plot}) > 1
    theories: dict[str, Any] = {}
    any_unscored = False
    for panel in plot:
        colour = colours[panel.group]
        theories |= _draw_theory(axes, panel, colour)
        any_unscored |= _draw_points(axes, panel, colour, _marker(panel, mixed))
    for group, colour in colours.items() if groups != [""] else ():
        # Legend entries of error bars would be drawn as tall crosses.
        axes.plot([], [], "o", color=colour, ms=4, label=group)
    _draw_group_limits(axes, plot, colours)
    for panel in {panel.median: panel for panel in plot}.values():
        middle = "mean" if not panel.median else "median where tails are heavy" if mixed else "median"
        axes.errorbar([], [], [], color=EDGE, fmt=_marker(panel, mixed), ms=4, label=f"{middle}, bars: {panel.band}")
    if any_unscored:
        axes.plot([], [], "o", color=EDGE, mfc="white", ms=4, label="no score against theory")
    for label, style in theories.items():
        axes.plot([], [], color=EDGE, lw=1.4, label=label, **style)


def _draw_theory(axes: "Axes", panel: Panel, colour: Any) -> dict[str, Any]:
    """Draw the theory of one curve of several, and return the style of each kind of theory by its label."""
    curve, factor = panel.curve, panel.factor
    theories: dict[str, Any] = {}
    known = np.isfinite(curve.expected)
    marked = known
    few = known.sum() <= _FEW_POINTS or panel.axis.categorical
    for line in panel.lines:
        if line.kind not in SHARED and np.isfinite(line.values).any():
            values = np.where(known, curve.expected, line.values) if few else line.values
            style = MARK if panel.axis.categorical else {"ls": STYLES[line.kind][0][1]}
            draw = axes.plot if panel.axis.categorical else functools.partial(plot_theory, axes)
            draw(curve.at, values * factor, color=colour, lw=1.4, **style)
            theories[line.label] = style
    if not few:
        exact = np.where(known, curve.expected, np.nan)
        axes.plot(curve.at, exact * factor, color=colour, lw=1.4, ls=EXACT)
        theories[exact_label(panel)] = {"ls": EXACT}
        marked = isolated(exact)
    elif known.any():
        theories[exact_label(panel)] = MARK
    axes.plot(curve.at[marked], curve.expected[marked] * factor, color=colour, mew=1.4, zorder=3, **MARK)
    return theories


def _draw_points(axes: "Axes", panel: Panel, colour: Any, marker: str) -> bool:
    """Draw the simulated points of one curve of several, and return whether any has theory but no score."""
    curve = panel.curve
    middle = curve.mean * panel.factor
    low, high = band_of(panel)
    bars = np.nan_to_num(np.clip([middle - low, high - middle], 0, None))
    known = np.isfinite(curve.expected)
    has_theory = known.any() or any(line.kind not in SHARED for line in panel.lines)
    joined = "none" if has_theory or panel.axis.categorical else "-"
    axes.errorbar(curve.at, middle, bars, color=colour, fmt=marker, ms=4, lw=1.0, elinewidth=0.9, ls=joined)
    unscored = known & np.isfinite(middle) & np.isnan(curve.z)
    axes.plot(curve.at[unscored], middle[unscored], marker, color=colour, mfc="white", ms=4, zorder=3)
    return bool(unscored.any())


def _marker(panel: Panel, mixed: bool) -> str:
    """Return a disc, or a diamond for medians that are mixed with means."""
    return "D" if mixed and panel.median else "o"


def place_legend(axes: "Axes", width: float, below: float = 0.5) -> None:
    """Place the legend below the axes, where it cannot cover a curve, in columns whose labels are wrapped to fit.

    Parameters
    ----------
    width : inches of the figure for each axes.
    below : inches from the axes to the legend.
    """
    from matplotlib.transforms import ScaledTranslation  # start-up time

    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    n_columns = 2
    letters = int((width / n_columns / font_size(1) - _HANDLE) * _LEGEND_LETTERS)
    if letters < _FEWEST_LETTERS:
        n_columns = 1
        letters = max(int((width / font_size(1) - _HANDLE) * _LEGEND_LETTERS), 1)
    offset = ScaledTranslation(0, -below * font_size(1), axes.figure.dpi_scale_trans)
    axes.legend(
        handles,
        ["\n".join(textwrap.wrap(label, letters)) for label in labels],
        loc="upper center",
        ncols=n_columns,
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + offset,
        borderaxespad=0,
        frameon=False,
        fontsize=font_size(9),
    )


def format_axes(axes: "Axes", panel: Panel, results: RecordedRun) -> None:
    """Set scales, limits and labels of the axes of a panel."""
    if panel.axis is GENERATION:
        _format_generations(axes, results)
    else:
        _format_other_axis(axes, panel)
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
    axes.set_title(panel.title, fontsize=font_size(10))


def _format_generations(axes: "Axes", results: RecordedRun) -> None:
    """Set scale, limits and label of the axis of generations."""
    if results.recipe is not None and results.recipe.linear:
        axes.set_xlim(0, max(results.last, 2))
        axes.locator_params(axis="x", integer=True)
    else:
        axes.set_xscale("log")
        axes.set_xlim(1, max(results.last, 2))
        axes.xaxis.set_major_formatter(plain_number)
        _log_ticks(axes.xaxis, *axes.get_xlim())
    axes.set_xlabel("generation")


def _format_other_axis(axes: "Axes", panel: Panel) -> None:
    """Set scale, limit and label of another axis."""
    at = panel.curve.at
    if panel.axis.log and (at > 0).any():
        least = float(at[at > 0].min())
        # A logarithmic axis cannot show 0; with a linear part around 0 it can.
        axes.set_xscale("symlog", linthresh=least) if (at == 0).any() else axes.set_xscale("log")
        axes.set_xlim(right=float(at.max()) * 1.1)
        if not (at == 0).any():
            _log_ticks(axes.xaxis, least, float(at.max()))
    axes.set_xlabel(panel.axis.label)


def _log_ticks(axis: Any, low: float, high: float) -> None:
    """Label a logarithmic axis of less than two decades with plain numbers; it has too few powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter  # start-up time

    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(plain_number)
