"""Maxima of uniform data beside their exact moments."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.schedules import own_schedule
from fastcollapse.analysis.panels.scores import EVENTS, curve_of, replicates_rule
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve, skewness
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.counterexamples.scale_estimators import uniform_maximum_moments


def log_ratio_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln(theta/theta_0), a sum of exponential variates over n."""
    values = results.metrics["log_ratio"][:, generations]
    fits = _fits(results)
    expected = np.full(len(generations), np.nan)
    if fits is not None:
        sizes, numbers = fits
        expected = -np.append(0.0, np.cumsum(1 / sizes))[numbers[generations]]
    n = results.n_replicates
    curve = curve_of(generations, values, None, None, expected, np.array(n >= EVENTS), replicates_rule(EVENTS, n))
    return Panel("Log of the maximum", r"log maximum $\ln(\theta_t/\theta_0)$", "ln theta", curve)


def squared_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of (theta/theta_0 - 1)^2."""
    values = results.metrics["squared_error"][:, generations]
    unknown = np.full(len(generations), np.nan)
    law = SkewedLaw(unknown, unknown, np.full(len(generations), np.inf))
    fits = _fits(results)
    if fits is not None:
        sizes, numbers = fits
        second, fourth = (uniform_maximum_moments(sizes, numbers[generations], order) for order in (2, 4))
        with np.errstate(invalid="ignore"):
            spread = fourth / second**2
        law = SkewedLaw(second, spread, skewness(spread))
    curve = skewed_curve(generations, values, law)
    return Panel(
        "Squared relative error of the maximum",
        r"squared error $(\theta_t/\theta_0 - 1)^2$",
        "error",
        curve,
        positive=True,
    )


def _fits(results: RecordedRun) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the sizes of the fits without kept points, and their number up to each generation; None if not known.

    A fit that keeps the points of the last one has the same maximum.
    """
    schedule = own_schedule(results)
    if schedule is None:
        return None
    is_new = schedule.pool_totals() == schedule.n_synthetic
    return schedule.n_synthetic[is_new], np.append(0, np.cumsum(is_new))


PANELS = FamilyPanels(
    {"squared_error": squared_error_panel, "log_ratio": log_ratio_panel},
    default=("squared_error", "log_ratio"),
    no_theory="the law of the maximum is not known for real data and subsamples",
)
