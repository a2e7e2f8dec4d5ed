"""Refitted symmetric mixtures: deviation and distance of the halves, the tail of the deviation beside Theorem 4."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import Maker, chance, curve_of, plain_size, share_of
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.gaussian.mixture import tail_theorem4


def log_sigma_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln(sigma/sigma_0)."""
    values = results.metrics["log_sigma"]
    curve = _unknown(generations, values[:, generations] - values[0, 0])
    return Panel("Log deviation, over the true one", "ln(sigma/sigma_0)", "ln sigma", curve)


def tail_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(sigma_k > eps) below Theorem 4; its exact value is not known."""
    truth: Any = results.experiment.truth
    sigma0 = float(truth.sigma)
    eps = float(options.get("eps") or 0.1 * sigma0)
    above = results.metrics["log_sigma"][:, generations] > math.log(eps)
    n = plain_size(results)
    title, bounds, lines = f"Deviation above {eps:g}", None, tuple[Line, ...]()
    if n is not None:
        title += f", n = {n:,}"
        upper = tail_theorem4(sigma0, eps, n, generations)
        bounds = (np.zeros(len(generations)), upper)
        lines = (Line("Theorem 4, as published", upper, "published"),)
    curve = share_of(generations, above, bounds, None)
    return chance(title, f"Pr(sigma_k > {eps:g})", "above", curve, lines)


def mu_paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show half the distance of the means replicate by replicate."""
    paths = results.metrics["mu"][:, generations]
    return Panel("Half the distance of the means", "mu_k", "mu", _unknown(generations, paths), paths=paths)


def sigma_paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the deviation of the halves replicate by replicate."""
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    return Panel("Deviation of each half", "sigma_k", "sigma", _unknown(generations, paths), paths=paths)


def scatter_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show in a table the deviation whose estimates after the first fit the figure scatters, see `scatter`."""
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    return Panel("Estimate of the deviation", "sigma", "sigma", _unknown(generations, paths))


def scatter(results: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimates of mu and sigma after the first fit, float64 (R) each.

    Raises
    ------
    InputError
        The run has no finished generation.
    """
    if results.last < 1:
        raise InputError("the estimates after the first fit must have a finished generation, got none")
    return results.metrics["mu"][:, 1], np.exp(results.metrics["log_sigma"][:, 1])


PANELS: Mapping[str, Maker] = MappingProxyType(
    {
        "log_sigma": log_sigma_panel,
        "tail": tail_panel,
        "mu_paths": mu_paths_panel,
        "sigma_paths": sigma_paths_panel,
        "scatter": scatter_panel,
    }
)
DEFAULT = ("log_sigma", "tail")


def why_no_bounds(results: Results) -> str:
    """Return why a panel has no theory."""
    return "of mixtures theory knows no more than a bound of the tail, for plain resampling with a constant n_samples"


def _unknown(generations: np.ndarray, values: np.ndarray) -> Curve:
    """Return a curve whose expectation is not known."""
    unknown = np.full(len(generations), np.nan)
    return curve_of(generations, values, None, None, unknown, np.full(len(generations), False))
