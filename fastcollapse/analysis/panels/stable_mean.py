"""Means of stable data beside the exact scale of their error: medians, because no moment needs to exist."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.medians import median_curve
from fastcollapse.analysis.panels.panel import QUARTILES, Line, Panel
from fastcollapse.analysis.panels.schedules import accumulated_size, schedule_of
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.counterexamples.stable_mean import stable_mean_limit, stable_mean_scale, stable_quantile


def error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the median of |error| over the exact median of the first fit, which is the ratio of their scales."""
    truth: Any = results.experiment.truth
    schedule, alpha = schedule_of(results), float(truth.alpha)
    first = stable_mean_scale(alpha, schedule.n_synthetic[:1], schedule.n_real[:1], 0, schedule.real)[1]
    unit = truth.scale * first * float(stable_quantile(alpha, 0.5))
    values = np.abs(results.metrics["error"][:, generations]) / unit
    exact = np.full(len(generations), np.nan)
    if not schedule.n_train.any():
        sizes = schedule.n_synthetic, schedule.n_real, schedule.keep, schedule.real
        exact = stable_mean_scale(alpha, *sizes)[generations] / first
    limit, lines = stable_mean_limit(alpha), tuple[Line, ...]()
    if accumulated_size(results) is not None and math.isfinite(limit):
        lines = (Line(r"limit $\zeta(\alpha)^{1/\alpha}$", np.full(len(generations), limit), "limit"),)
    title = "Error over that of the first fit"
    curve = median_curve(generations, values, exact)
    return Panel(
        title, "error / error of the first fit", "error", curve, lines, band=QUARTILES, median=True, positive=True
    )


PANELS = FamilyPanels(
    {"error": error_panel},
    default=("error",),
    no_theory="the scale of the error is not known for subsamples",
    sources=(Statement("representation of stable variates", ("chambers1976",), ("error",)),),
)
