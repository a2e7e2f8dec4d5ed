"""Means of exponential data beside their exact moments, and the ratio of an error to that of the first fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.medians import median_curve
from fastcollapse.analysis.panels.panel import QUARTILES, Line, Panel
from fastcollapse.analysis.panels.schedules import own_schedule
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve, skewness
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.counterexamples.error_ratio import error_ratio_quantile
from fastcollapse.theory.counterexamples.scale_estimators import exponential_mean_moments
from fastcollapse.theory.counterexamples.stable_mean import stable_mean_scale

# Replicates whose ratios have one mean.
_GROUP = 50


def squared_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of (mean/mean_0 - 1)^2."""
    values = results.metrics["squared_error"][:, generations]
    unknown = np.full(len(generations), np.nan)
    law = SkewedLaw(unknown, unknown, np.full(len(generations), np.inf))
    schedule = own_schedule(results)
    if schedule is not None:
        sizes = schedule.n_synthetic, schedule.keep
        second, fourth = (exponential_mean_moments(*sizes, order)[generations] for order in (2, 4))
        with np.errstate(invalid="ignore"):
            spread = fourth / second**2
        law = SkewedLaw(second, spread, skewness(spread))
    curve = skewed_curve(generations, values, law)
    return Panel(
        "Squared relative error of the mean", r"squared error $(\mu_t/\mu_0 - 1)^2$", "error", curve, positive=True
    )


def error_ratio_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the median of the error of theta = 1/mean over that of the first fit, whose mean is infinite."""
    unknown = np.full(len(generations), np.nan)
    lines = tuple[Line, ...]()
    schedule = own_schedule(results)
    if schedule is not None:
        # The variance of a mean of many points is that of Gaussian data.
        scale = stable_mean_scale(2, schedule.n_synthetic, 0, schedule.keep)
        factor = (scale / scale[1])[generations] ** 2
        quartiles = ((0.5, "median"), (0.25, "lower quartile"), (0.75, "upper quartile"))
        lines = tuple(
            Line(f"theory: {name}, many points", _quantile_of_ratio(q, factor, generations), "asymptotic")
            for q, name in quartiles
        )
    curve = median_curve(generations, _ratios(results, generations), unknown)
    label = r"error $|e_t|/|e_1|$ of $\theta = 1/\mu$"
    return Panel("Error over that of the first fit", label, "error ratio", curve, lines, band=QUARTILES, median=True)


def mean_of_ratios_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show means of 50 ratios of errors, or of all of a smaller run: the law of a ratio has no mean."""
    size = min(_GROUP, results.n_replicates)
    n_groups = results.n_replicates // size
    ratios = _ratios(results, generations)[: n_groups * size]
    means = ratios.reshape(n_groups, size, len(generations)).mean(axis=1)
    curve = median_curve(generations, means, np.full(len(generations), np.nan))
    title, label = f"Means over {size} runs", r"mean of $|e_t|/|e_1|$ of $\theta = 1/\mu$"
    return Panel(title, label, "mean of ratios", curve, band="middle half of such means", median=True)


def _ratios(results: RecordedRun, generations: np.ndarray) -> np.ndarray:
    """Return |e_t|/|e_1| for the error e of theta = 1/mean, at most 1e300, float64 (R, B)."""
    error = np.abs(results.metrics["theta_error"])
    # NumPy has no quantiles between infinite values.
    return np.minimum(error[:, generations] / error[:, 1:2], 1e300)


def _quantile_of_ratio(q: float, factor: np.ndarray, generations: np.ndarray) -> np.ndarray:
    """Return a quantile of the ratio for many points, NaN at generation 0."""
    return np.where(generations > 0, error_ratio_quantile(q, np.maximum(factor, 1.0)), np.nan)


PANELS = FamilyPanels(
    {"squared_error": squared_error_panel, "error_ratio": error_ratio_panel, "mean_of_ratios": mean_of_ratios_panel},
    default=("squared_error", "error_ratio"),
    no_theory="the moments are not known for real data and subsamples",
)
