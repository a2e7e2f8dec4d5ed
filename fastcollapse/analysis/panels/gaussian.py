"""Gaussian models beside their theory: log deviation, variance, error of the mean, tail of the deviation."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.gaussian_maps import MAP_PANELS
from fastcollapse.analysis.panels.gaussian_theory import (
    dimension_of,
    estimator_of,
    in_dimensions,
    log_chi_curve,
    log_det_theory,
    mixing_of,
    moments_of,
    rank_of,
    sizes_of,
    truth_of,
)
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import is_replace_only, replace_only_size, schedule_of
from fastcollapse.analysis.panels.scores import (
    EVENTS,
    curve_of,
    probability_panel,
    replicates_rule,
    share_of,
    unscored_curve,
)
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve, skewness, skewness_of_squares
from fastcollapse.analysis.panels.statements import (
    ERROR_OVER_REAL,
    RATIO_TO_FIRST,
    Statement,
    has_constant_size,
    is_verified,
)
from fastcollapse.analysis.panels.weighted_fits import (
    ErrorOf,
    error_over_real_panel,
    ratio_to_first_panel,
)
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.gaussian.collapse_time import tail_exact
from fastcollapse.theory.gaussian.tail_bounds import tail_bertrand, tail_chernoff, tail_power, tail_theorem3
from fastcollapse.theory.gaussian.univariate import log_sigma_moment

_NOTEBOOK_POWER = 0.7


def log_sigma_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln(sigma/sigma_0), in d dimensions its mean over the axes."""
    values = results.metrics["log_sigma"]
    values = values[:, generations] - values[0, 0]
    axes = np.where(generations == 0, dimension_of(results), rank_of(results))
    mean, variance = log_det_theory(results, generations)
    curve = log_chi_curve(generations, values, mean / (2 * axes), variance / (2 * axes) ** 2, _freedom(results))
    title = "Log deviation" if dimension_of(results) == 1 else "Log deviation, mean over the axes"
    return Panel(title, r"log deviation $\ln(\sigma_t/\sigma_0)$", "ln sigma", curve)


def log_det_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln det of the covariance; of a singular one, of its positive eigenvalues alone."""
    values = results.metrics["log_det"]
    mean, variance = log_det_theory(results, generations)
    isotropic = 2 * results.metrics["log_sigma"][0, 0]
    start = np.where(generations == 0, values[0, 0], rank_of(results) * isotropic)
    if rank_of(results) == dimension_of(results):
        start = values[0, 0]
    curve = log_chi_curve(generations, values[:, generations], start + mean, variance, _freedom(results))
    where = "of the covariance" if rank_of(results) == dimension_of(results) else "within the span"
    return Panel(f"Log determinant {where}", r"log determinant $\ln\,\det\,\Sigma_t$", "ln det", curve, digits=4)


def variance_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the variance over the true one, with its exact expectation, which every workflow without maps has."""
    theory = moments_of(results)
    values = results.metrics["trace_ratio"][:, generations]
    law = SkewedLaw(theory.variance, theory.spread, skewness(theory.spread))
    curve = skewed_curve(generations, values, law.at(generations))
    title = "Variance over the true one" + in_dimensions(results)
    return Panel(title, r"variance $\mathrm{tr}\,\Sigma_t/\mathrm{tr}\,\Sigma_0$", "variance", curve)


def mean_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared error of the mean over the true variance, beside its exact expectation."""
    curve = _mean_error_curve(results, generations)
    title = "Squared error of the mean" + in_dimensions(results)
    return Panel(title, r"error of the mean $\Vert\mu_t - \mu_0\Vert^2/\mathrm{tr}\,\Sigma_0$", "mean error", curve)


def _mean_error_curve(results: RecordedRun, generations: np.ndarray, factor: float = 1.0) -> Curve:
    """Return the squared error of the mean over the true variance, times a factor."""
    theory = moments_of(results)
    values = results.metrics["squared_error"][:, generations] / float((truth_of(results).factor() ** 2).sum())
    # Given the variances, the mean is normal: its squared error is a sum of squares, one for each axis, times a random
    # factor.
    mixing, freedom = mixing_of(results), theory.dimensions
    law = SkewedLaw(factor * theory.mean_error, mixing * (1 + 2 / freedom), skewness_of_squares(freedom, mixing))
    return skewed_curve(generations, factor * values, law.at(generations))


def _expected_mean_error(results: RecordedRun) -> np.ndarray:
    """Return the expected squared error of the mean of all generations, float64 [T+1]."""
    return moments_of(results).mean_error


# Fits to n real points alone have squared errors 1/n, over the true variance.
_ERROR = ErrorOf(_mean_error_curve, _expected_mean_error, lambda results, n: 1 / n)


def tail_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(sigma_k > eps) beside the exact law, its sharp bound and the published ones."""
    _require_univariate(results, "tail")
    sigma0 = float(truth_of(results).factor()[0, 0])
    eps = float(options.get("eps") or 0.1 * sigma0)
    above = results.metrics["log_sigma"][:, generations] > math.log(eps)
    estimator, n = estimator_of(results), replace_only_size(results)
    exact, lines = None, tuple[Line, ...]()
    if n is not None:
        exact = tail_exact(sigma0, eps, n, generations, estimator)
        lines = (Line("theory: best bound by moments", tail_chernoff(sigma0, eps, n, generations, estimator), "bound"),)
        if options.get("published", True):
            lines += _published_tails(sigma0, eps, n, generations, estimator)
    curve = share_of(generations, above, None, exact)
    size = f", $n$ = {n:,}" if n is not None else ""
    return probability_panel(f"Deviation above {eps:g}{size}", rf"$\Pr(\sigma_t > {eps:g})$", "above", curve, lines)


def _published_tails(sigma0: float, eps: float, n: int, k: np.ndarray, estimator: str) -> tuple[Line, ...]:
    """Return the published bounds of the tail as lines."""
    published = {
        "Theorem 3": tail_theorem3(sigma0, eps, n, k, "4n-1"),
        "Theorem 3 with $4n$": tail_theorem3(sigma0, eps, n, k, "4n"),
        "Bertrand et al., $s$ = 1": tail_bertrand(sigma0, eps, n, k, estimator),
        f'"ours" in the notebook, $s$ = {_NOTEBOOK_POWER}': tail_power(_NOTEBOOK_POWER, sigma0, eps, n, k, estimator),
    }
    return tuple(Line(f"{name}, as published", values, "published") for name, values in published.items())


def mean_paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean replicate by replicate, in d dimensions its first coordinate."""
    if "mean" not in results.states:
        raise InputError('run.record must contain "trajectory" for the panel mean_paths, got none')
    paths = np.asarray(results.states["mean"][:, generations])
    several = paths.ndim > 2
    paths = paths[..., 0] if several else paths
    # In every workflow the law of the mean is symmetric about the true one: Student's score is safe.
    expected = np.full(len(generations), float(truth_of(results).means()[0]))
    is_scored = np.full(len(generations), results.n_replicates >= EVENTS)
    rule = replicates_rule(EVENTS, results.n_replicates)
    curve = curve_of(generations, paths, None, None, expected, is_scored, rule)
    return Panel("Mean" + (", first coordinate" if several else ""), r"mean $\mu_t$", "mean", curve, paths=paths)


def sigma_paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the deviation replicate by replicate."""
    _require_univariate(results, "sigma_paths")
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    law = SkewedLaw(*np.full((3, len(generations)), np.nan))
    if is_replace_only(results):
        sizes, estimator = sizes_of(results), estimator_of(results)
        first, second = (log_sigma_moment(s, sizes, generations, estimator) for s in (1, 2))
        spread = np.exp(np.minimum(second - 2 * first, 700))
        law = SkewedLaw(np.exp(first) * float(truth_of(results).factor()[0, 0]), spread, skewness(spread))
    curve = skewed_curve(generations, paths, law)
    return Panel("Standard deviation", r"standard deviation $\sigma_t$", "sigma", curve, paths=paths)


def effective_rank_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the effective rank of the covariance."""
    curve = unscored_curve(generations, results.metrics["effective_rank"][:, generations])
    return Panel(f"Effective rank, of {dimension_of(results)}", "effective rank", "eff. rank", curve, digits=3)


def _freedom(results: RecordedRun) -> int:
    """Return the fewest degrees of freedom of a fit along the last axis, for a run that only replaces its data."""
    return int(np.min(sizes_of(results))) - rank_of(results)


def _require_univariate(results: RecordedRun, name: str) -> None:
    """Refuse a panel for a run of several dimensions."""
    if dimension_of(results) != 1:
        raise InputError(f"truth.dimension must be 1 for the panel {name}, got {dimension_of(results)}")


class GaussianPanels(FamilyPanels):
    """The panels of Gaussian models."""

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has no theory."""
        if is_replace_only(results) or not schedule_of(results).is_plain:
            return "its expectation is not known"
        return "its expectation is known for workflow replace only"


_RATIO = functools.partial(ratio_to_first_panel, _ERROR)
_OVER_REAL = functools.partial(error_over_real_panel, _ERROR)
PANELS = GaussianPanels(
    {
        "log_sigma": log_sigma_panel,
        "variance": variance_panel,
        "mean_error": mean_error_panel,
        "log_det": log_det_panel,
        "tail": tail_panel,
        "mean_paths": mean_paths_panel,
        "sigma_paths": sigma_paths_panel,
        "effective_rank": effective_rank_panel,
        "ratio_to_first": _RATIO,
        "error_over_real": _OVER_REAL,
    },
    default=("log_sigma", "variance"),
    staged={
        "log_sigma": log_sigma_panel,
        "variance": variance_panel,
        "mean_error": mean_error_panel,
        "log_det": log_det_panel,
        "sigma_paths": sigma_paths_panel,
        "effective_rank": effective_rank_panel,
        "ratio_to_first": _RATIO,
        "error_over_real": _OVER_REAL,
    },
    sampled=MAP_PANELS,
    sources=(
        Statement("bounds of the tail of the deviation", ("suresh2024", "bertrand2023"), ("tail",), has_constant_size),
        Statement(
            "convergence to the centre of a verifier",
            ("yi2025",),
            ("map_variance", "map_mean_error", "map_mean", "map_log_sigma"),
            is_verified,
        ),
        RATIO_TO_FIRST,
        ERROR_OVER_REAL,
    ),
)
