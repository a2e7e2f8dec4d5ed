"""One plot drawn into one axes: simulation, and theory beside it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.bands import drawn_band
from fastcollapse.analysis.clouds import draw_cloud
from fastcollapse.analysis.images import draw_images
from fastcollapse.analysis.panels.panel import DEVIATION, QUARTILES, Panel
from fastcollapse.analysis.panels.style import EDGE, EXACT, OTHER_DATA, SIMULATED, darker, lighter, series_colours
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.scales import dodged, format_axes
from fastcollapse.analysis.theory_lines import (
    MARK,
    SHARED,
    STYLES,
    draw_exact,
    draw_shared,
    exact_label,
    isolated,
    plot_theory,
    seen_lines,
    shared_lines,
)
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

# Exact values up to this number are drawn as marks, not as a line.
_FEW_POINTS = 2
# The most marks on a simulated line, and of a curve that is drawn as marks alone.
_FEW_MARKS, _MARKS = 8, 24
# A curve jumps up and down if its steps are, all together, this many times its range.
_ROUGH = 6.0
# The width of simulated lines over that of theory, which is drawn over them.
THIN = 0.75
# Size of a diamond over that of a disc.
_DIAMOND = 0.9


def draw_plot(axes: "Axes", plot: Sequence[Panel], results: RecordedRun) -> None:
    """Draw a plot: one curve with its band, or several with error bars."""
    if plot[0].image is not None:
        draw_images(axes, plot)
        return
    if plot[0].cloud is not None:
        draw_cloud(axes, plot[0])
        return
    if len(plot) == 1 and not plot[0].group and not plot[0].axis.categorical:
        _draw_panel(axes, plot[0])
    else:
        _draw_curves(axes, plot)
    format_axes(axes, plot, results, plot[0].log)
    axes.set_title(plot[0].title)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    """Draw the only curve of a plot, with its band or its paths, and its theory."""
    curve, at, theory = panel.curve, panel.curve.at, darker(SIMULATED)
    if panel.paths is not None:
        for i, path in enumerate(panel.paths):
            label = counted(len(panel.paths), "replicate") if i == 0 else None
            axes.plot(at, path * panel.factor, color=SIMULATED, lw=0.6, alpha=0.6, label=label)
    else:
        label = f"simulated {'median' if panel.median else 'mean'}"
        band = draw_simulated(axes, panel, SIMULATED, label, panel.log)
        if band:
            axes.fill_between([], [], [], color=SIMULATED, alpha=0.2, linewidth=0, label=band)
    if np.isfinite(curve.expected).any():
        draw_exact(axes, panel, color=theory, ls=EXACT, label=exact_label(panel))
    n_drawn: dict[str, int] = {}
    for line in seen_lines(panel):
        if not np.isfinite(line.values).any():
            continue
        styles = STYLES[line.kind]
        colour, dash = styles[n_drawn.get(line.kind, 0) % len(styles)]
        n_drawn[line.kind] = n_drawn.get(line.kind, 0) + 1
        plot_theory(axes, at, line.values * panel.factor, color=colour or theory, ls=dash, label=line.label)
    draw_published(axes, panel)


def draw_published(axes: "Axes", panel: Panel) -> None:
    """Draw the points of a panel that are read off a published figure."""
    for points in panel.points:
        values = np.array(points.values) * panel.factor
        look: dict[str, Any] = {"marker": "+", "color": "k"}
        if points.other_data:
            look = {"marker": "o", "color": OTHER_DATA, "mfc": "none"}
        (marks,) = axes.plot(points.generations, values, ls="", ms=5, mew=0.9, label=points.label, **look)
        _clip_beyond_edges(marks, axes)


def _clip_beyond_edges(marks: "Line2D", axes: "Axes") -> None:
    """Show marks at the edges of axes whole, and none beyond: without a clip, they would take space from the axes."""
    from matplotlib.transforms import Bbox, TransformedBbox  # start-up time

    marks.set_clip_box(TransformedBbox(Bbox.from_extents(-0.03, -0.03, 1.03, 1.03), axes.transAxes))


def draw_simulated(
    axes: "Axes", panel: Panel, colour: Any, label: str | None, log: bool, alpha: float | None = 0.2
) -> str:
    """Draw the mean or median of a panel with a few marks, and its band; return the name of the band, "" without one.

    Means have discs, medians diamonds. A curve that jumps up and down, as an average of few correlated values does, is
    drawn as marks alone.

    Parameters
    ----------
    alpha : opacity of the band, None for no band.
    """
    curve, middle, band = panel.curve, panel.curve.mean * panel.factor, drawn_band(panel, log)
    is_banded = band.is_visible and alpha is not None
    if is_banded:
        axes.fill_between(curve.at, band.low, band.high, color=colour, alpha=alpha, linewidth=0)
    style = series_style(colour, panel.median)
    if is_rough(np.log(middle[middle > 0]) if log else middle):
        shown = _spread_out(curve.at, _MARKS)
        axes.plot(curve.at[shown], middle[shown], **style | {"ls": ""})
        axes.plot([], [], label=label, **style)
    else:
        axes.plot(curve.at, middle, markevery=_spread_out(curve.at, _FEW_MARKS), label=label, **style)
    return band.name if is_banded else ""


def series_style(colour: Any, median: bool = False) -> dict[str, Any]:
    """Return how the simulated line of a series is drawn."""
    marks = {"marker": "D", "ms": _DIAMOND * _setting("lines.markersize")} if median else {"marker": "o"}
    return {"color": lighter(colour), "mfc": colour, "mec": "none", "lw": THIN * _line_width(), **marks}


def _line_width() -> float:
    return _setting("lines.linewidth")


def _setting(name: str) -> float:
    import matplotlib as mpl  # start-up time

    settings: Any = mpl.rcParams
    return float(settings[name])


def is_rough(values: np.ndarray) -> bool:
    """Whether a curve jumps up and down so much that a line through its points cannot be followed.

    Examples
    --------
    >>> is_rough(np.linspace(0, 1, 50)), is_rough(np.arange(50) % 2)
    (False, True)
    """
    known = values[np.isfinite(values)]
    reach = np.ptp(known) if known.size else 0.0
    return bool(known.size > _MARKS and np.abs(np.diff(known)).sum() > _ROUGH * reach > 0)


def _spread_out(at: np.ndarray, most: int) -> list[int]:
    """Return the numbers of at most so many points that are far apart on a logarithmic axis or a linear one."""
    if len(at) <= 12:
        return list(range(len(at)))
    steps = np.diff(at)
    places = np.asarray(at, float) if np.ptp(steps) <= 1e-9 * steps.max() else np.log1p(np.asarray(at, float))
    wanted = np.linspace(places[0], places[-1], most)
    return np.unique(np.abs(places[:, None] - wanted).argmin(axis=0)).tolist()


def band_of(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper edge of the spread of a panel over its replicates, float64[B] each."""
    curve, low, high = panel.curve, panel.curve.smallest, panel.curve.largest
    if panel.band == DEVIATION:
        low, high = np.fmax(curve.mean - curve.sd, low), np.fmin(curve.mean + curve.sd, high)
    return low * panel.factor, high * panel.factor


def _draw_curves(axes: "Axes", plot: Sequence[Panel]) -> None:
    """Draw several curves, one colour for each group: points with error bars, and theory in their colour."""
    groups = list(dict.fromkeys(panel.group for panel in plot))
    colours = dict(zip(groups, series_colours(len(groups)), strict=True))
    mixed = len({panel.median for panel in plot}) > 1
    theories: dict[str, Any] = {}
    bars: dict[tuple[bool, str], Panel] = {}
    any_unscored = False
    for panel in plot:
        colour, i = colours[panel.group], groups.index(panel.group)
        theories |= _draw_theory(axes, panel, darker(colour))
        at = dodged(panel.axis, panel.curve.at, i, len(groups))
        band, unscored = _draw_points(axes, panel, at, colour, _marker(panel, mixed))
        bars.setdefault((panel.median, band), panel)
        any_unscored |= unscored
    for group, colour in colours.items() if groups != [""] else ():
        # Legend entries of error bars would be drawn as tall crosses.
        axes.plot([], [], "o", color=colour, label=group)
    _draw_group_limits(axes, plot, colours)
    for (median, band), panel in bars.items():
        if not band and groups != [""] and not mixed and (not median or (median, QUARTILES) in bars):
            continue  # the marks of the groups say it
        middle = "mean" if not panel.median else "median where tails are heavy" if mixed else "median"
        label = f"bars: {band}" if band.startswith(middle) else f"{middle}; bars: {band}" if band else middle
        axes.errorbar([], [], [], color=EDGE, fmt=_marker(panel, mixed), label=label)
    if any_unscored:
        axes.plot([], [], "o", color=EDGE, mfc="white", label="no score against theory")
    for label, style in theories.items():
        axes.plot([], [], color=EDGE, label=label, **style)


def _draw_group_limits(axes: "Axes", plot: Sequence[Panel], colours: Mapping[str, Any]) -> None:
    """Draw shared lines of several curves: once if they are the same, otherwise each in the colour of its curve."""
    values = [[(line.label, line.values.tobytes()) for line, _ in shared_lines(panel)] for panel in plot]
    if all(one == values[0] for one in values):
        draw_shared(axes, plot[:1])
        return
    for panel in plot:
        for line, (_, dash) in shared_lines(panel):
            axes.plot(panel.curve.at, line.values * panel.factor, color=darker(colours[panel.group]), ls=dash)
    for label, (_, dash) in {line.label: style for panel in plot for line, style in shared_lines(panel)}.items():
        axes.plot([], [], color=EDGE, ls=dash, label=label)


def _draw_theory(axes: "Axes", panel: Panel, colour: Any) -> dict[str, Any]:
    """Draw the theory of one curve of several, and return the style of each kind of theory by its label."""
    curve, factor = panel.curve, panel.factor
    theories: dict[str, Any] = {}
    known = np.isfinite(curve.expected)
    marked = known
    few = known.sum() <= _FEW_POINTS or panel.axis.categorical
    n_drawn: dict[str, int] = {}
    for line in panel.lines:
        if line.kind not in SHARED and np.isfinite(line.values).any():
            values = np.where(known, curve.expected, line.values) if few else line.values
            dash = STYLES[line.kind][n_drawn.get(line.kind, 0) % len(STYLES[line.kind])][1]
            n_drawn[line.kind] = n_drawn.get(line.kind, 0) + 1
            style = MARK if panel.axis.categorical else {"ls": dash}
            if panel.axis.categorical:
                axes.plot(curve.at, values * factor, color=colour, **style)
            else:
                plot_theory(axes, curve.at, values * factor, color=colour, **style)
            theories[line.label] = style
    if not few:
        exact = np.where(known, curve.expected, np.nan)
        axes.plot(curve.at, exact * factor, color=colour, ls=EXACT)
        theories[exact_label(panel)] = {"ls": EXACT}
        marked = isolated(exact)
    elif known.any():
        theories[exact_label(panel)] = MARK
    if marked.any():
        axes.plot(curve.at[marked], curve.expected[marked] * factor, color=colour, mew=1.2, zorder=3, **MARK)
    return theories


def _draw_points(axes: "Axes", panel: Panel, at: np.ndarray, colour: Any, marker: str) -> tuple[str, bool]:
    """Draw the simulated points of one curve of several.

    Returns
    -------
    The name of its band, "" where no bar is visible, and whether any point has theory but no score.
    """
    curve, band = panel.curve, drawn_band(panel, panel.log)
    middle = curve.mean * panel.factor
    bars = np.nan_to_num(np.clip([middle - band.low, band.high - middle], 0, None))
    known = np.isfinite(curve.expected)
    has_theory = known.any() or any(line.kind not in SHARED for line in panel.lines)
    joined = "none" if has_theory or panel.axis.categorical else "-"
    axes.errorbar(at, middle, bars, color=colour, fmt=marker, lw=THIN * _line_width(), elinewidth=0.9, ls=joined)
    unscored = known & np.isfinite(middle) & np.isnan(curve.z)
    if unscored.any():
        axes.plot(at[unscored], middle[unscored], marker, color=colour, mfc="white", zorder=3)
    return band.name if band.is_visible else "", bool(unscored.any())


def _marker(panel: Panel, mixed: bool) -> str:
    """Return a disc, or a diamond for medians that are mixed with means."""
    return "D" if mixed and panel.median else "o"
