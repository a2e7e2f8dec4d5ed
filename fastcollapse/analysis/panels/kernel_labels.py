"""Kernel regressions beside the expected errors given their rows: chains on the same rows, and mixed labels."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.label_grid import WEIGHT, best_weights, grid_of_labels, ridge_name, shown_ridges
from fastcollapse.analysis.panels.minimum import locate_minimum
from fastcollapse.analysis.panels.panel import Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.scores import curve_of, replicates_rule, unscored_curve
from fastcollapse.simulation.recorded_run import RecordedRun

# Given the rows an error is a sum of squares of normal variates, with a skewness of at most that of one of them. Of so
# many replicates the mean is skewed by 0.5 at most, see `skewed_scores`.
_LEAST_REPLICATES = 32
# Differences below this share of the mean are rounding.
_ROUNDING = 1e-9


def beside_expected(results: RecordedRun, at: np.ndarray, name: str, *place: Any) -> Curve:
    """Return the errors of chains beside their expectations given the rows, where a run has them.

    The score is that of the differences in each replicate, because replicates differ in their rows.

    Parameters
    ----------
    results : the run.
    at : the points of the axis.
    name : "generator" or "mixed", for the metrics of that name.
    place : indices of the points in the metrics, behind the replicate.
    """
    values = results.metrics[f"{name}_error"][(slice(None), *place)]
    curve = unscored_curve(at, values)
    if f"{name}_expected" not in results.metrics:
        return curve
    expected = results.metrics[f"{name}_expected"][(slice(None), *place)]
    n_replicates = len(values)
    mean = expected.mean(axis=0)
    is_scored = np.full(len(at), n_replicates >= _LEAST_REPLICATES)
    z = curve_of(at, values - expected + mean, None, None, mean, is_scored).z
    z[(np.abs(values - expected) <= _ROUNDING * expected).all(axis=0)] = 0.0
    rule = replicates_rule(_LEAST_REPLICATES, n_replicates)
    return dataclasses.replace(curve, expected=mean, z=z, rule=rule)


def mixed_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the error of the last generation over the weight of the real labels, a curve for each ridge."""
    _, weights, ridges = grid_of_labels(results)
    places = np.unique(np.asarray(results.coordinates["weight"].values), return_index=True)[1]
    last, panels = int(generations[-1]), []
    for i in shown_ridges(ridges, options):
        curve = beside_expected(results, weights, "mixed", last, places, i)
        group = ridge_name(ridges[i]) if len(ridges) > 1 else ""
        title = f"Test error with mixed labels, $t$ = {last:,}"
        panels.append(Panel(title, "mean squared error", "error", curve, digits=4, axis=WEIGHT, group=group))
    return [dataclasses.replace(p, log=any(is_wide(one.curve.mean, WEIGHT) for one in panels)) for p in panels]


def best_weight_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the weight of the least mean error over generations, with two standard errors by the jackknife."""
    has_theory = "mixed_expected" in results.metrics

    def lines_of(i: int, at: np.ndarray) -> tuple[Line, ...]:
        if not has_theory:
            return ()
        values, weights, _ = grid_of_labels(results, "mixed_expected")
        mean, positive = values[:, at].mean(axis=0, keepdims=True), weights > 0
        best = np.minimum(locate_minimum(mean[:, :, positive, i], weights[positive])[0], 1.0)
        # A simulated minimum is a biased estimate of that of the expectation.
        return (Line("theory: given the rows", best, "limit"),)

    return best_weights(results, generations, options, lines_of)
