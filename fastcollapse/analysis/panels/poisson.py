"""Poisson models beside their theory: survival of the rate, and its mean."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import Curve, Panel
from fastcollapse.analysis.panels.schedules import replace_only_size, schedule_of
from fastcollapse.analysis.panels.scores import curve_of, probability_panel, share_of
from fastcollapse.analysis.panels.skewed_scores import skewness_rule
from fastcollapse.analysis.panels.statements import Statement, has_constant_size
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.survival import poisson_survival

# The largest skewness of the mean over replicates that has a score. Most replicates are extinct and a few have high
# rates, so a more skewed mean raises false alarms in a t-test.
_MOST_SKEWED = 0.1


def alive_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(Lambda_k != 0) beside Theorem 2, which is exact."""
    n, rate = replace_only_size(results), _rate(results)
    exact = None if n is None else poisson_survival(n * rate, generations)
    curve = share_of(generations, results.metrics["alive"][:, generations] > 0, None, exact)
    size = "" if n is None else f", $n$ = {n:,}"
    return probability_panel(
        rf"Survival of the rate, $\lambda_0$ = {rate:g}{size}", r"$\Pr(\lambda_t > 0)$", "alive", curve
    )


def rate_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean rate, whose expectation is the true rate in every generation."""
    return Panel("Mean rate", r"rate $\lambda_t$", "rate", _rates(results, generations))


def rate_paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the rate replicate by replicate."""
    paths = results.metrics["rate"][:, generations]
    return Panel("Rate", r"rate $\lambda_t$", "rate", _rates(results, generations), paths=paths)


def _rate(results: RecordedRun) -> float:
    """Return the true rate."""
    truth: Any = results.experiment.truth
    return float(truth.rate)


def _rates(results: RecordedRun, generations: np.ndarray) -> Curve:
    """Return the mean rate: a martingale without real data, and closer to the true rate with it."""
    values = results.metrics["rate"][:, generations]
    rate = _rate(results)
    # A branching process from m = n lambda counts on average has the second and third cumulants m k and
    # m k + (3/2) m k (k-1). Those of other workflows are at most those of workflow replace with the smallest fit.
    fitted = schedule_of(results).fitted_sizes()
    k = np.maximum(generations, 1)
    skewness = (1 + 1.5 * (k - 1)) / np.sqrt(float(fitted.min()) * rate * k)
    is_scored = skewness <= _MOST_SKEWED * math.sqrt(results.n_replicates)
    rule = skewness_rule(_MOST_SKEWED, skewness, is_scored, results.n_replicates)
    return curve_of(generations, values, None, None, np.full(len(generations), rate), is_scored, rule)


PANELS = FamilyPanels(
    {"alive": alive_panel, "rate": rate_panel, "rate_paths": rate_paths_panel},
    default=("alive", "rate"),
    no_theory="the survival is known for workflow replace with a constant n_samples only",
    sources=(Statement("survival of the rate, Theorem 2", ("suresh2024",), ("alive",), has_constant_size),),
)
