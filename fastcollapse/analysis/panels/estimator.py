"""Estimators of the user: moments of their points and held-out likelihood, without theory."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels, Maker
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.simulation.recorded_run import RecordedRun

# Entries of the mean and of the covariance that have a panel each.
_MOST_ENTRIES = 4


def _single(name: str, title: str, label: str, results: RecordedRun, generations: np.ndarray, _: Any) -> list[Panel]:
    """Show a metric without further dimensions, at the generations where it has values, also infinite ones."""
    values = results.metrics[name][:, generations]
    known = ~np.isnan(values).any(axis=0)
    if not known.any():
        return []
    positive = bool((values[:, known] > 0).all())
    return [Panel(title, label, name, unscored_curve(generations[known], values[:, known]), positive=positive)]


def mean_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the mean of the points of each fit, a curve for each of the first coordinates."""
    values = results.metrics["mean"][:, generations]
    n = min(values.shape[2], _MOST_ENTRIES)
    return [
        Panel(
            "Mean of the points",
            "mean",
            "mean" if values.shape[2] == 1 else f"mean of coordinate {i}",
            unscored_curve(generations, values[:, :, i]),
        )
        for i in range(n)
    ]


def covariance_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the covariance of the points of each fit, a curve for each of its first entries."""
    values = results.metrics["covariance"][:, generations]
    d = values.shape[2]
    entries = [(i, i) for i in range(d)] + [(i, j) for i in range(d) for j in range(i)]
    title = "Variance of the points" if d == 1 else "Covariance of the points"
    return [
        Panel(
            title,
            "variance" if d == 1 else "covariance",
            "variance" if d == 1 else f"covariance of {j} and {i}" if i != j else f"variance of coordinate {i}",
            unscored_curve(generations, values[:, :, i, j]),
        )
        for i, j in entries[:_MOST_ENTRIES]
    ]


_SINGLE: dict[str, Maker] = {
    "nll": functools.partial(_single, "nll", "Negative log density of held-out points", "negative log density (nat)"),
    "within_variance": functools.partial(
        _single, "within_variance", "Variance of a coordinate of the points", "average variance"
    ),
    "centre": functools.partial(_single, "centre", "Squared distance of the mean to the true one", "squared distance"),
}
_MAKERS: dict[str, Maker] = {"covariance": covariance_panel, "mean": mean_panel, **_SINGLE}

PANELS = FamilyPanels(
    _MAKERS,
    ("covariance", "nll", "mean"),
    no_theory="the estimator is the user's, and no theory of it is known",
    staged=_MAKERS,
)
