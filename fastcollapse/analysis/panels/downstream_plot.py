"""Plots of the test error of the downstream fit, and of its parts, beside their theory."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import SAMPLES, GridCurve, grid_of, points_of
from fastcollapse.analysis.panels.downstream_mixed_theory import mixed_fit_of
from fastcollapse.analysis.panels.downstream_theory import Fit, fit_of
from fastcollapse.analysis.panels.panel import GENERATION, Axis, Panel
from fastcollapse.analysis.panels.regression_curves import HEAVY, Labels, Theory, panel_beside
from fastcollapse.analysis.panels.regression_setting import setting_of
from fastcollapse.analysis.panels.regression_theory import chain_of
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw
from fastcollapse.simulation.recorded_run import RecordedRun

# Values below this share of |w0|² are rounding.
_ROUNDING = 1e-24
METRICS = {
    "error": "test_error",
    "bias": "test_bias",
    "variance": "test_variance",
    "synthetic": "test_synthetic",
    "cross": "test_cross",
}


def theory_of(results: RecordedRun) -> Fit:
    """Return the theory of the downstream fit of a run."""
    return mixed_fit_of(results) if setting_of(results).mixed else fit_of(results)


def _part_of(fit: Fit, part: str) -> np.ndarray:
    """Return the expectation of a part of the error, float64 (T+1, M, L)."""
    values = getattr(fit, part)
    assert isinstance(values, np.ndarray)
    return values


def plot_errors(results: RecordedRun, title: str, axis: Axis, curves: Sequence[GridCurve]) -> list[Panel]:
    """Return the panels of one plot of the test error.

    They show medians if moments are infinite at all points. If they are infinite at some, those of fits without a ridge
    to about as many samples as inputs, these points are left out.
    """
    grid, fit, panels = grid_of(results), theory_of(results), []
    inherited = any(np.any(chain_of(results).heavy[curve.where[0]]) for curve in curves)
    heavy = inherited or all(np.all(fit.heavy[curve.where]) for curve in curves)
    for grid_curve in curves:
        where, at = grid_curve.where, points_of(grid, grid_curve, axis)
        values = results.metrics[METRICS[grid_curve.part]][(slice(None), *where)]
        # The bias of least squares is 0 up to rounding.
        values = np.where(np.abs(values) < _ROUNDING * setting_of(results).length, 0.0, values)
        left_out = fit.heavy[where] & (not heavy)
        # The deviation of the parts of the error is not known.
        spread = fit.spread[where] if grid_curve.part == "error" else np.full(len(at), np.nan)
        law = SkewedLaw(_part_of(fit, grid_curve.part)[where], spread, fit.skew[where])
        heading = f"T = {grid.samples[where[1]]:,}" if axis is GENERATION else "error"
        theory = Theory(law, fit.exact[where], np.full(len(at), heavy))
        labels = Labels(title, "excess test error", heading)
        note = f"{title}: left out where {HEAVY}" if left_out.any() else ""
        panel = panel_beside(labels, at, np.where(left_out, np.nan, values), theory, axis=axis, group=grid_curve.group)
        panels.append(dataclasses.replace(panel, note=note or panel.note))
    # Scaling laws over the number of samples are straight lines on logarithmic axes.
    log = axis is SAMPLES or any(panel.log for panel in panels)
    if any(curve.part == "cross" for curve in curves) and any(np.any(panel.curve.mean < 0) for panel in panels):
        # Products have either sign.
        return [dataclasses.replace(panel, log=False, positive=False) for panel in panels]
    return [dataclasses.replace(panel, log=log) for panel in panels]
