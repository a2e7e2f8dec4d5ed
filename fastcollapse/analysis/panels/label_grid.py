"""The grid of weights and ridges of chains on mixed labels, and the panel of its best weights."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import chosen
from fastcollapse.analysis.panels.minimum import locate_minimum
from fastcollapse.analysis.panels.panel import Axis, Curve, Line, Panel
from fastcollapse.analysis.panels.text import plain
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun

WEIGHT = Axis("w", "weight $w$ of the real labels", log=False)
_MOST_CURVES = 5
_TITLE = "Best weight of the real labels"
# The fewest weights above 0 that locate a minimum.
_LEAST_WEIGHTS = 3


class LabelGrid(NamedTuple):
    """Values of chains on mixed labels.

    Attributes
    ----------
    values : float64 (R, T + 1, W, L).
    weights : float64 (W), in ascending order, each once.
    ridges : float64 (L).
    """

    values: np.ndarray
    weights: np.ndarray
    ridges: np.ndarray


def grid_of_labels(results: RecordedRun, metric: str = "mixed_error") -> LabelGrid:
    """Return a metric of chains on mixed labels."""
    given, ridges = (np.asarray(results.coordinates[name].values) for name in ("weight", "ridge"))
    weights, places = np.unique(given, return_index=True)
    return LabelGrid(results.metrics[metric][:, :, places], weights, ridges)


def default_panels(results: RecordedRun) -> tuple[str, ...]:
    """Return the names of the panels of a run with mixed labels; none without their errors."""
    if "mixed_error" not in results.metrics:
        return ()
    weights = grid_of_labels(results).weights
    has_minimum = int((weights > 0).sum()) >= _LEAST_WEIGHTS
    return ("mixed_error", "best_weight") if has_minimum else ("mixed_error",)


def shown_ridges(ridges: np.ndarray, options: Mapping[str, Any]) -> list[int]:
    """Return the places of the ridges to show."""
    return chosen(ridges, options, "ridge", _MOST_CURVES)


def ridge_name(ridge: float) -> str:
    """Return the name of a curve of a ridge."""
    return rf"$\lambda$ = {ridge:.3g}"


def best_weights(
    results: RecordedRun,
    generations: np.ndarray,
    options: Mapping[str, Any],
    lines_of: Callable[[int, np.ndarray], tuple[Line, ...]],
) -> list[Panel]:
    """Return the panels of the weight of the least mean error over generations, with two standard errors.

    Parameters
    ----------
    results, generations, options : as those of a panel.
    lines_of : returns the theory of the ridge of an index at generations from 1 on.
    """
    values, weights, ridges = grid_of_labels(results)
    positive = weights > 0
    if int(positive.sum()) < _LEAST_WEIGHTS:
        needed = f"at least {_LEAST_WEIGHTS} values above 0"
        raise InputError(f"model.mixed_labels.weight must have {needed} for the panel best_weight")
    at, panels = generations[generations > 0], []
    for i in shown_ridges(ridges, options):
        best, error = locate_minimum(values[:, at][:, :, positive, i], weights[positive])
        best = np.minimum(best, 1.0)
        unknown = np.full(len(at), np.nan)
        curve = Curve(at, best, error, best - 2 * error, best + 2 * error, None, None, unknown, unknown)
        note = "best weight: where the mean over replicates is least, and its standard error"
        group = ridge_name(ridges[i]) if len(ridges) > 1 else ""
        heading = f"best w, {plain(group)}" if group else "best w"
        lines = lines_of(i, at)
        shown = Panel(_TITLE, "best weight $w$", heading, curve, lines, limits=(-0.02, 1.03))
        panels.append(dataclasses.replace(shown, band="two standard errors", digits=4, note=note, group=group))
    return panels
