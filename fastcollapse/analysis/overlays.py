"""Cases of a recipe that differ in one key, drawn into the same axes."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.axes import format_axes
from fastcollapse.analysis.figure_axes import figure_axes
from fastcollapse.analysis.panels.panel import Panel, is_wide
from fastcollapse.analysis.panels.style import MAP, SECOND, font_size
from fastcollapse.analysis.theory_lines import ASYMPTOTIC, MARK, draw_exact, draw_shared, has_marks_alone, plot_theory
from fastcollapse.analysis.words import group_words, overlaid_words
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_overlay(
    cases: Sequence[RecordedRun], panels: Sequence[Sequence[Panel]], given: "Sequence[Axes] | None"
) -> "tuple[Figure, list[Axes], int]":
    """Draw cases that differ in one key into the same axes, one column for each group of the other keys.

    Solid lines are simulated, broken ones exact; each case has a colour.
    """
    recipe = cases[0].recipe
    assert recipe is not None
    groups: dict[str, list[int]] = {}
    for i, case in enumerate(recipe.cases or ()):
        groups.setdefault(group_words(case, str(recipe.overlay)), []).append(i)
    figure, used = figure_axes(given, len(panels[0]) * len(groups), len(groups), size=(4.6, 5.0))
    for column, (group, members) in zip(np.array(used, object).reshape(-1, len(groups)).T, groups.items(), strict=True):
        for k, place in enumerate(column):
            _draw_overlaid(place, [cases[i] for i in members], [panels[i][k] for i in members], members)
            place.set_title(f"{panels[members[0]][k].title.partition(',')[0]}\n{group}", fontsize=font_size(10))
    return figure, used, len(groups)


def _draw_overlaid(axes: "Axes", cases: Sequence[RecordedRun], panels: Sequence[Panel], members: Sequence[int]) -> None:
    """Draw one panel of several cases into one axes.

    Parameters
    ----------
    members : the numbers of the cases in their recipe, from 0.
    """
    import matplotlib  # start-up time

    recipe = cases[0].recipe
    assert recipe is not None
    # Theory is black: two curves are drawn in lighter colours.
    colours = matplotlib.colormaps[MAP](np.linspace(0 if len(panels) > 2 else 0.35, 0.9, len(panels)))
    log = any(panel.log for panel in panels)
    log |= all(panel.positive for panel in panels) and is_wide(np.concatenate([panel.curve.mean for panel in panels]))
    named = overlaid_words([(recipe.cases or ())[i] for i in members], recipe.overlay or "")
    for panel, results, name, colour in zip(panels, cases, named, colours, strict=True):
        label = name + (" (median)" if panel.median else "")
        axes.plot(panel.curve.at, panel.curve.mean * panel.factor, color=colour, lw=2.2, label=label)
        if np.isfinite(panel.curve.expected).any():
            draw_exact(axes, panel, color=SECOND, lw=1.0, ls=(0, (4, 3)))
        if np.isfinite(panel.asymptotic()).any():
            plot_theory(axes, panel.curve.at, panel.asymptotic() * panel.factor, color=SECOND, lw=1.0, ls=ASYMPTOTIC)
        format_axes(axes, dataclasses.replace(panel, log=log), results)
    draw_shared(axes, panels)
    if any(np.isfinite(panel.curve.expected).any() for panel in panels):
        axes.plot([], [], color=SECOND, lw=1.0, ls=(0, (4, 3)), label="theory: exact")
    asymptotic = [line for panel in panels for line in panel.lines if line.kind == "asymptotic"]
    for label, line in {line.label: line for line in asymptotic}.items():
        style = MARK if has_marks_alone(line.values) else {"lw": 1.0, "ls": ASYMPTOTIC}
        axes.plot([], [], color=SECOND, label=label, **style)
