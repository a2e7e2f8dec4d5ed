"""Symmetric Gaussian mixtures: deviation and distance of the components, tail of the deviation beside Theorem 4."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels, Scatter
from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.schedules import replace_only_size
from fastcollapse.analysis.panels.scores import probability_panel, share_of, unscored_curve
from fastcollapse.analysis.panels.statements import Statement, has_constant_size
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.gaussian.mixture import tail_theorem4


def log_sigma_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln(sigma/sigma_0)."""
    values = results.metrics["log_sigma"]
    curve = unscored_curve(generations, values[:, generations] - values[0, 0])
    return Panel("Log deviation", r"log deviation $\ln(\sigma_t/\sigma_0)$", "ln sigma", curve)


def tail_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(sigma_k > eps) and its upper bound, Theorem 4; the exact value is not known."""
    truth: Any = results.experiment.truth
    sigma0 = float(truth.sigma)
    eps = float(options.get("eps") or 0.1 * sigma0)
    above = results.metrics["log_sigma"][:, generations] > math.log(eps)
    n = replace_only_size(results)
    title, bounds, lines = f"Deviation above {eps:g}", None, tuple[Line, ...]()
    if n is not None:
        title += f", $n$ = {n:,}"
        upper = tail_theorem4(sigma0, eps, n, generations)
        bounds = (np.zeros(len(generations)), upper)
        lines = (Line("Theorem 4, as published", upper, "published"),)
    curve = share_of(generations, above, bounds, None)
    return probability_panel(title, rf"$\Pr(\sigma_t > {eps:g})$", "above", curve, lines)


def mu_paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show half the distance of the means replicate by replicate."""
    paths = results.metrics["mu"][:, generations]
    return Panel(
        "Half the distance of the means",
        r"half distance $\mu_t$",
        "mu",
        unscored_curve(generations, paths),
        paths=paths,
    )


def sigma_paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the deviation of the components replicate by replicate."""
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    return Panel(
        "Deviation of each half", r"deviation $\sigma_t$", "sigma", unscored_curve(generations, paths), paths=paths
    )


def scatter_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the deviation in a table; the figure of this panel is that of `scatter`."""
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    return Panel("Estimate of the deviation", r"deviation $\sigma_t$", "sigma", unscored_curve(generations, paths))


class MixturePanels(FamilyPanels):
    """The panels of symmetric mixtures, with a figure of the estimates after the first fit."""

    def scatter(self, results: RecordedRun) -> Scatter:
        """Return the estimates of mu and sigma after the first fit.

        Raises
        ------
        InputError
            The run has no finished generation.
        """
        if results.last < 1:
            raise InputError("the estimates after the first fit must have a finished generation, got none")
        truth: Any = results.experiment.truth
        mu, sigma = results.metrics["mu"][:, 1], np.exp(results.metrics["log_sigma"][:, 1])
        return Scatter(mu, sigma, r"estimate of $\mu$", r"estimate of $\sigma$", (truth.mu, truth.sigma))


PANELS = MixturePanels(
    {
        "log_sigma": log_sigma_panel,
        "tail": tail_panel,
        "mu_paths": mu_paths_panel,
        "sigma_paths": sigma_paths_panel,
        "scatter": scatter_panel,
    },
    default=("log_sigma", "tail"),
    no_theory="theory of mixtures is only a bound of the tail, for workflow replace with a constant n_samples",
    sources=(
        Statement("bound of the tail of the deviation, Theorem 4", ("suresh2024",), ("tail",), has_constant_size),
    ),
)
