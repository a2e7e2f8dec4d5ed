"""Hidden intervals beside the probability that the second fit has collapsed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.schedules import accumulated_size
from fastcollapse.analysis.panels.scores import probability_panel, share_of, unscored_curve
from fastcollapse.analysis.panels.statements import Statement, accumulates
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.counterexamples.hidden_interval import hidden_interval_collapse


def collapsed_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of collapsed models beside its limit for many points, at the second fit."""
    curve = share_of(generations, results.metrics["collapsed"][:, generations] > 0, None, None)
    n, lines = accumulated_size(results), tuple[Line, ...]()
    if n is not None:
        probability = hidden_interval_collapse()
        values = np.where(generations == 2, probability, np.nan)
        lines = (Line(f"theory: second fit, many points: {probability:.4f}", values, "asymptotic"),)
    size = "" if n is None else f", $n$ = {n:,}"
    return probability_panel(f"Collapsed models{size}", r"$\Pr$(collapsed)", "collapsed", curve, lines)


def total_variation_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of the total variation distance, which is the parameter a."""
    curve = unscored_curve(generations, results.metrics["total_variation"][:, generations])
    return Panel("Distance to the truth", "total variation", "distance", curve)


PANELS = FamilyPanels(
    {"collapsed": collapsed_panel, "total_variation": total_variation_panel},
    default=("collapsed",),
    no_theory="the probability of a collapse is known for the second fit to accumulated data only",
    sources=(Statement("construction of Theorem 5.1", ("barzilai2025",), ("collapsed",), accumulates),),
)
