"""Uniform levels beside the exact probability that they have collapsed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.schedules import accumulated_size
from fastcollapse.analysis.panels.scores import probability_panel, share_of, unscored_curve
from fastcollapse.analysis.panels.statements import Statement, accumulates
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.counterexamples.uniform_levels import uniform_levels_not_collapsed


def collapsed_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of collapsed models, which is exact where the first point above level 0 decides."""
    parameters: Any = results.experiment.model
    n, exact = accumulated_size(results), None
    if n is not None and parameters.collapse_level == 1:
        exact = 1 - uniform_levels_not_collapsed(n, np.maximum(generations - 1, 0))
        # No fit before the second one is to synthetic points.
        exact[generations < 2] = 0.0
    curve = share_of(generations, results.metrics["collapsed"][:, generations] > 0, None, exact)
    size = "" if n is None else f", $n$ = {n:,}"
    return probability_panel(f"Collapsed models{size}", r"$\Pr$(collapsed)", "collapsed", curve)


def level_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of the highest level."""
    curve = unscored_curve(generations, results.metrics["level"][:, generations])
    return Panel("Highest level of the data", "level", "level", curve)


PANELS = FamilyPanels(
    {"collapsed": collapsed_panel, "level": level_panel},
    default=("collapsed",),
    no_theory="the probability of a collapse is known for accumulated data and collapse_level = 1 only",
    sources=(Statement("construction of Theorem 5.2", ("barzilai2025",), ("collapsed",), accumulates),),
)
