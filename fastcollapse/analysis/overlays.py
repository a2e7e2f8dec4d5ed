"""Runs drawn into the same axes: cases of a recipe that differ in one key, and runs of several files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcollapse.analysis.axes import draw_published, draw_simulated, series_style
from fastcollapse.analysis.panels.panel import Panel, is_log
from fastcollapse.analysis.panels.style import EDGE, EXACT, darker, series_colours
from fastcollapse.analysis.scales import format_axes
from fastcollapse.analysis.theory_lines import (
    ASYMPTOTIC,
    MARK,
    STYLES,
    draw_exact,
    draw_shared,
    has_marks_alone,
    plot_theory,
)
from fastcollapse.analysis.words import group_words, overlaid_words
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Opacity of bands, and of those of more than three curves; those of more curves than this would hide them.
_BAND, _MANY_BANDS = 0.2, 0.13
MOST_BANDS = 5


class Overlay(NamedTuple):
    """Curves of several runs in one plot.

    Parameters
    ----------
    title : of the plot.
    runs, panels, names : one for each curve.
    series : the names of all curves of the figure, which have one colour in all plots; () for those of this plot.
    """

    title: str
    runs: Sequence[RecordedRun]
    panels: Sequence[Panel]
    names: Sequence[str]
    series: Sequence[str] = ()

    @property
    def has_bands(self) -> bool:
        """Whether there are few enough curves for bands."""
        return len(self.panels) <= MOST_BANDS

    @property
    def shares_points(self) -> bool:
        """Whether all curves have the same published points, or none of them has any."""
        return all(panel.points == self.panels[0].points for panel in self.panels)


def overlays_of(cases: Sequence[RecordedRun], panels: Sequence[Sequence[Panel]]) -> tuple[list[Overlay], int]:
    """Return the plots of cases that differ in one key, row by row, and their columns.

    A plot has a panel of the cases with equal other keys. Each group of these keys is a column.
    """
    recipe = cases[0].recipe
    assert recipe is not None
    groups: dict[str, list[int]] = {}
    for i, case in enumerate(recipe.cases or ()):
        groups.setdefault(group_words(case, str(recipe.overlay)), []).append(i)
    plots = []
    for k in range(len(panels[0])):
        for group, members in groups.items():
            names = overlaid_words([(recipe.cases or ())[i] for i in members], recipe.overlay or "")
            title = panels[members[0]][k].title.partition(",")[0]
            # The label of the axis of values says what they are.
            plots.append(Overlay(group or title, [cases[i] for i in members], [panels[i][k] for i in members], names))
    series = list(dict.fromkeys(name for plot in plots for name in plot.names))
    return [plot._replace(series=series) for plot in plots], len(groups)


def joined_runs(
    runs: Sequence[RecordedRun], panels: Sequence[Sequence[Panel]], names: Sequence[str]
) -> tuple[list[Overlay], list[tuple[RecordedRun, list[Panel], str]]]:
    """Return the plots of runs of several files: the curves of equal panels together, and the plots of one run alone.

    A plot that has several curves of one run stays a plot of its own, with the name of the run.
    """
    found: dict[Any, Overlay] = {}
    alone: list[tuple[RecordedRun, list[Panel], str]] = []
    for results, some, name in zip(runs, panels, names, strict=True):
        titles = [panel.title for panel in some]
        own: dict[str, list[Panel]] = {}
        for panel in some:
            is_single = titles.count(panel.title) == 1 and not panel.group and panel.image is None
            if is_single and panel.cloud is None and not panel.axis.categorical:
                key = (panel.heading, panel.label, panel.axis.heading)
                plot = found.setdefault(key, Overlay(panel.title.partition(",")[0], [], [], []))
                found[key] = plot._replace(
                    runs=[*plot.runs, results], panels=[*plot.panels, panel], names=[*plot.names, name]
                )
            else:
                own.setdefault(panel.title, []).append(panel)
        alone += [(results, plot_panels, name) for plot_panels in own.values()]
    return [plot._replace(series=list(names)) for plot in found.values()], alone


def draw_overlay(axes: "Axes", plot: Overlay) -> None:
    """Draw one panel of several runs into one axes: a colour a run, simulation solid, theory broken and darker."""
    log = is_log(plot.panels)
    alpha = (_BAND if len(plot.panels) <= 3 else _MANY_BANDS) if plot.has_bands else None
    series = plot.series or plot.names
    colours = dict(zip(series, series_colours(len(series)), strict=True))
    bands, has_exact, bounds = dict[str, None](), False, dict[str, Any]()
    for panel, name in zip(plot.panels, plot.names, strict=True):
        colour = colours[name]
        bands[draw_simulated(axes, panel, colour, None if panel.median else name, log, alpha)] = None
        if panel.median:
            axes.plot([], [], label=name, **series_style(colour))
        theory, at = darker(colour), panel.curve.at
        if np.isfinite(panel.curve.expected).any():
            has_exact = True
            draw_exact(axes, panel, color=theory, ls=EXACT)
        else:
            for line, (_, dash) in zip(
                [one for one in panel.lines if one.kind == "bound"], STYLES["bound"], strict=False
            ):
                plot_theory(axes, at, line.values * panel.factor, color=theory, ls=dash)
                bounds[line.label] = dash
        if np.isfinite(panel.asymptotic()).any():
            plot_theory(axes, at, panel.asymptotic() * panel.factor, color=theory, ls=ASYMPTOTIC)
    longest = max(plot.runs, key=lambda results: results.last)
    format_axes(axes, plot.panels, longest, log)
    draw_shared(axes, plot.panels)
    if plot.shares_points:
        draw_published(axes, plot.panels[0])
    if has_exact:
        axes.plot([], [], color=EDGE, ls=EXACT, label="theory: exact")
    for label, dash in bounds.items():
        axes.plot([], [], color=EDGE, ls=dash, label=label)
    asymptotic = [line for panel in plot.panels for line in panel.lines if line.kind == "asymptotic"]
    for label, line in {line.label: line for line in asymptotic if np.isfinite(line.values).any()}.items():
        style = MARK if has_marks_alone(line.values) else {"ls": ASYMPTOTIC}
        axes.plot([], [], color=EDGE, label=label, **style)
    if any(panel.median for panel in plot.panels):
        axes.plot([], [], label="median where tails are heavy", **series_style(EDGE, median=True))
    for band in filter(None, bands):
        axes.fill_between([], [], [], color=EDGE, alpha=0.3, linewidth=0, label=f"band: {band}")
    axes.set_title(plot.title)
