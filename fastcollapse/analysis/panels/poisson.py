"""Refitted Poisson laws beside their theory: survival of the rate, its mean."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import Maker, chance, curve_of, plain_size, schedule_of, share_of
from fastcollapse.analysis.panels.panel import Curve, Panel
from fastcollapse.simulation.results import Results
from fastcollapse.theory.discrete.survival import poisson_survival

# The mean over replicates may be so skewed. Beyond it Student's score raises false alarms, when a few replicates with
# high rates stand for many that are lost.
_MOST_SKEWED = 0.1


def alive_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(Lambda_k != 0) beside Theorem 2, which is exact."""
    n, rate = plain_size(results), _rate(results)
    exact = None if n is None else poisson_survival(n * rate, generations)
    curve = share_of(generations, results.metrics["alive"][:, generations] > 0, None, exact)
    size = "" if n is None else f", n = {n:,}"
    return chance(f"Survival of the rate, lambda = {rate:g}{size}", "Pr(Lambda_k > 0)", "alive", curve)


def rate_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean rate, which is the true one for ever."""
    return Panel("Mean rate", "Lambda_k", "rate", _rates(results, generations))


def rate_paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the rate replicate by replicate."""
    paths = results.metrics["rate"][:, generations]
    return Panel("Rate", "Lambda_k", "rate", _rates(results, generations), paths=paths)


PANELS: Mapping[str, Maker] = MappingProxyType(
    {"alive": alive_panel, "rate": rate_panel, "rate_paths": rate_paths_panel}
)
DEFAULT = ("alive", "rate")


def why_no_bounds(results: Results) -> str:
    """Return why the survival has no theory."""
    return "the survival is known for plain resampling with a constant n_samples only"


def _rate(results: Results) -> float:
    truth: Any = results.experiment.truth
    return float(truth.rate)


def _rates(results: Results, generations: np.ndarray) -> Curve:
    """Return the mean rate: in every workflow a martingale, or pulled to the true rate by real data."""
    values = results.metrics["rate"][:, generations]
    rate = _rate(results)
    # Branching from m = n lambda counts on average, with m k and m k + (3/2) m k (k-1) for its second and third
    # cumulants; no workflow has more of them than plain resampling with its smallest fit.
    schedule = schedule_of(results)
    fitted = np.where(schedule.n_train > 0, schedule.n_train, schedule.pool_totals(None))
    k = np.maximum(generations, 1)
    skewness = (1 + 1.5 * (k - 1)) / np.sqrt(float(fitted.min()) * rate * k)
    told = skewness <= _MOST_SKEWED * math.sqrt(results.n_replicates)
    return curve_of(generations, values, None, None, np.full(len(generations), rate), told)
