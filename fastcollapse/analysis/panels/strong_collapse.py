"""Strong collapse: errors of fits to real and synthetic rows over the number of rows, plateaus and best ridges."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import SAMPLES, Grid, GridCurve, chosen, grid_of
from fastcollapse.analysis.panels.downstream_mixed_theory import downstream_of, labels_of, unit_of
from fastcollapse.analysis.panels.downstream_plot import plot_errors, theory_of
from fastcollapse.analysis.panels.minimum import locate_minimum
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.regression_setting import setting_of
from fastcollapse.analysis.panels.regression_theory import EQUIVALENT
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.regression.strong_collapse import best_mixed_ridge, strong_collapse_plateau

_PLATEAU = r"plateau for $T \to \infty$, no ridge"


def plateau_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the number of samples beside its plateau, a curve for each share of synthetic ones."""
    grid, panels = _mixed_grid(results, "plateau"), list[Panel]()
    t = int(grid.generations[-1])
    for i in chosen(grid.values, options, "ridge", 1):
        shares = grid.share_places()
        curves = [GridCurve(grid.share_name(share), grid.place(t, slice(None), i, share)) for share in shares]
        title = f"Test error, {grid.ridge_name(i)}{grid.words()}"
        shown = plot_errors(results, title, SAMPLES, curves)
        panels += [_with_plateau(results, panel, share) for panel, share in zip(shown, shares, strict=True)]
    return panels


def ridge_gain_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the least mean test error over the ridges divided by that without a ridge, for each share."""
    grid = _mixed_grid(results, "ridge_gain")
    without = np.flatnonzero(grid.values == 0)
    if grid.exponents or not without.size:
        raise InputError("model.downstream.ridge must have the value 0 for the panel ridge_gain")
    t, fit, panels = int(grid.generations[-1]), theory_of(results), []
    title, label = f"Test error at the best ridge{grid.words()}", "error / error without a ridge"
    note = "the best ridge is that of the least mean in the grid; standard errors are those of the ratio of two means"
    for share in grid.share_places():
        errors = results.metrics["test_error"][:, t, :, share]
        best = errors.mean(axis=0).argmin(axis=1)
        both = errors[:, np.arange(len(best)), best], errors[..., without[0]]
        ratio = both[0].mean(axis=0) / both[1].mean(axis=0)
        error = np.full(len(best), np.nan)
        if len(errors) > 1:
            error = (both[0] - ratio * both[1]).std(axis=0, ddof=1) / both[1].mean(axis=0) / math.sqrt(len(errors))
        heavy = fit.heavy[t, :, share, without[0]]
        expected = _best(results, grid, share)[1] / fit.error[t, :, share, without[0]]
        lines = (Line(EQUIVALENT, np.where(heavy, np.nan, expected), "asymptotic"),)
        unknown = np.full(len(best), np.nan)
        ratio = np.where(heavy, np.nan, ratio)
        curve = Curve(grid.samples, ratio, error, ratio - 2 * error, ratio + 2 * error, None, None, unknown, unknown)
        panel = Panel(
            title, label, "ratio", curve, lines, band="two standard errors", axis=SAMPLES, digits=4, note=note
        )
        panels.append(dataclasses.replace(panel, group=grid.share_name(share)))
    return panels


def best_ridge_panels(results: RecordedRun) -> list[Panel]:
    """Return panels of the ridge of the least mean test error over the number of samples, for each share."""
    grid, panels = grid_of(results), []
    t, positive = int(grid.generations[-1]), grid.values > 0
    title, label, heading = f"Best ridge{grid.words()}", r"best ridge $\lambda$", "best lambda"
    for share in grid.share_places():
        errors = results.metrics["test_error"][:, t, :, share][..., positive]
        best, error = locate_minimum(errors, grid.values[positive])
        ridge = _best(results, grid, share)[0]
        lines = (Line(EQUIVALENT, np.where(np.isfinite(ridge), ridge, np.nan), "asymptotic"),)
        unknown = np.full(len(best), np.nan)
        curve = Curve(grid.samples, best, error, best - 2 * error, best + 2 * error, None, None, unknown, unknown)
        note = f"{heading}: where the mean over replicates is least, and its standard error"
        panel = Panel(
            title, label, heading, curve, lines, band="two standard errors", log=True, axis=SAMPLES, note=note
        )
        panels.append(dataclasses.replace(panel, group=grid.share_name(share)))
    return panels


def _mixed_grid(results: RecordedRun, panel: str) -> Grid:
    """Return the grid of a run with synthetic samples beside real ones."""
    if not setting_of(results).mixed:
        raise InputError(f"model.downstream.synthetic_share must be given for the panel {panel}")
    return grid_of(results)


def _with_plateau(results: RecordedRun, panel: Panel, share: int) -> Panel:
    """Add the limit of many samples without a ridge, where it is not 0."""
    grid, setting = grid_of(results), setting_of(results)
    labels = labels_of(results, int(grid.generations[-1]))
    assert grid.shares is not None
    if labels is None or grid.shares[share] == 0:
        return panel
    none = np.zeros(setting.d)
    unit = unit_of(setting, labels)
    square = labels.square / unit**2
    limit = unit**2 * float(strong_collapse_plateau(setting.spectrum, none, none, grid.shares[share], 0.0, square))
    line = Line(_PLATEAU, np.full(len(panel.curve.at), limit), "limit")
    return dataclasses.replace(panel, lines=(*panel.lines, line)) if limit > 0 else panel


def _best(results: RecordedRun, grid: Grid, share: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the best ridge and its error for each number of samples, NaN where they are not known."""
    setting, down = setting_of(results), downstream_of(results)
    labels = labels_of(results, int(grid.generations[-1]))
    if labels is None or not np.isfinite(labels.product).all():
        return np.full(len(grid.samples), np.nan), np.full(len(grid.samples), np.nan)
    unit = unit_of(setting, labels)
    start = np.sqrt(labels.start_square) / unit
    mean = np.divide(labels.product / unit**2, start, out=np.zeros(setting.d), where=start > 0)
    square = np.maximum(labels.square / unit**2, mean**2)
    rows, synthetic = grid.samples, down.synthetic_sizes()[:, share]
    noise = setting.sigma / unit, setting.sigma0 / unit
    ridge, error = best_mixed_ridge(setting.spectrum, start, mean, rows, synthetic, *noise, square)
    return ridge, unit**2 * error
