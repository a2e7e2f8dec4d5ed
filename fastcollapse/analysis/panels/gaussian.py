"""Gaussian models beside their theory: log deviation, variance, error of the mean, tail of the deviation."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.gaussian_maps import MAP_PANELS
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import cached_by_results, is_replace_only, replace_only_size, schedule_of
from fastcollapse.analysis.panels.scores import (
    EVENTS,
    curve_of,
    probability_panel,
    replicates_rule,
    share_of,
    unscored_curve,
)
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve, skewness, skewness_of_squares
from fastcollapse.analysis.panels.weighted_fits import (
    ErrorOf,
    error_over_real_panel,
    ratio_to_first_panel,
    smallest_part,
    staged_moments,
)
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.gaussian.collapse_time import tail_exact
from fastcollapse.theory.gaussian.log_chi import log_chi_variance
from fastcollapse.theory.gaussian.multivariate import (
    log_det_mean,
    log_det_variance,
    log_pseudo_det_mean,
    log_pseudo_det_variance,
    trace_moments,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.tail_bounds import tail_bertrand, tail_chernoff, tail_power, tail_theorem3
from fastcollapse.theory.gaussian.univariate import log_sigma_moment, mean_squared_error_of_mean
from fastcollapse.theory.gaussian.workflows import gaussian_replace_factor

# The fewest degrees of freedom, of all replicates and fits together, for which the mean of logs of chi-squares is close
# to normal.
_DEGREES = 100
_NOTEBOOK_POWER = 0.7


class _Moments(NamedTuple):
    """Theory of a run, float64 [T+1] each.

    Parameters
    ----------
    variance, mean_error : expectations of tr Sigma/tr Sigma_0 and |mean - mean_0|^2/tr Sigma_0.
    spread : second moment of the trace over the square of its first moment.
    dimensions : number of equal axes with the same E (tr Sigma)^2/E tr Sigma^2.
    """

    variance: np.ndarray
    mean_error: np.ndarray
    spread: np.ndarray
    dimensions: np.ndarray


def log_sigma_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln(sigma/sigma_0), in d dimensions its mean over the axes."""
    values = results.metrics["log_sigma"]
    values = values[:, generations] - values[0, 0]
    axes = np.where(generations == 0, _dimension(results), _rank(results))
    mean, variance = _log_det_theory(results, generations)
    curve = _scored(results, generations, values, mean / (2 * axes), variance / (2 * axes) ** 2)
    title = "Log deviation" if _dimension(results) == 1 else "Log deviation, mean over the axes"
    return Panel(f"{title}, over the true one", "ln(sigma/sigma_0)", "ln sigma", curve)


def log_det_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean of ln det of the covariance; of a singular one, of its positive eigenvalues alone."""
    values = results.metrics["log_det"]
    mean, variance = _log_det_theory(results, generations)
    isotropic = 2 * results.metrics["log_sigma"][0, 0]
    start = np.where(generations == 0, values[0, 0], _rank(results) * isotropic)
    if _rank(results) == _dimension(results):
        start = values[0, 0]
    curve = _scored(results, generations, values[:, generations], start + mean, variance)
    matrix = "covariance" if _rank(results) == _dimension(results) else "covariance within its span"
    return Panel(f"Log determinant of the {matrix}", "ln det Sigma", "ln det", curve, digits=4)


def variance_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the variance over the true one, with its exact expectation, which is known for every workflow."""
    theory = _moments(results)
    values = results.metrics["trace_ratio"][:, generations]
    law = SkewedLaw(theory.variance, theory.spread, skewness(theory.spread))
    curve = skewed_curve(generations, values, law.at(generations))
    title = "Variance over the true one" + _in_dimensions(results)
    return Panel(title, "tr Sigma / tr Sigma_0", "variance", curve)


def mean_error_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared error of the mean over the true variance, beside its exact expectation."""
    curve = _mean_error_curve(results, generations)
    title = "Squared error of the mean over the true variance" + _in_dimensions(results)
    return Panel(title, "|mean - mean_0|² / tr Sigma_0", "mean error", curve)


def _mean_error_curve(results: Results, generations: np.ndarray, factor: float = 1.0) -> Curve:
    """Return the squared error of the mean over the true variance, times a factor."""
    theory = _moments(results)
    values = results.metrics["squared_error"][:, generations] / float((_truth(results).factor() ** 2).sum())
    # Given the variances, the mean is normal: its squared error is a sum of squares, one for each axis, times a random
    # factor.
    mixing, freedom = _mixing(results), theory.dimensions
    law = SkewedLaw(factor * theory.mean_error, mixing * (1 + 2 / freedom), skewness_of_squares(freedom, mixing))
    return skewed_curve(generations, factor * values, law.at(generations))


def _expected_mean_error(results: Results) -> np.ndarray:
    """Return the expected squared error of the mean of all generations, float64 [T+1]."""
    return _moments(results).mean_error


# Fits to n real points alone have squared errors 1/n, over the true variance.
_ERROR = ErrorOf(_mean_error_curve, _expected_mean_error, lambda results, n: 1 / n)


def tail_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show Pr(sigma_k > eps) beside the exact law, its sharp bound and the published ones."""
    _require_univariate(results, "tail")
    sigma0 = float(_truth(results).factor()[0, 0])
    eps = float(options.get("eps") or 0.1 * sigma0)
    above = results.metrics["log_sigma"][:, generations] > math.log(eps)
    estimator, n = _estimator(results), replace_only_size(results)
    exact, lines = None, tuple[Line, ...]()
    if n is not None:
        exact = tail_exact(sigma0, eps, n, generations, estimator)
        lines = (Line("theory: best bound by moments", tail_chernoff(sigma0, eps, n, generations, estimator), "bound"),)
        if options.get("published", True):
            lines += _published_tails(sigma0, eps, n, generations, estimator)
    curve = share_of(generations, above, None, exact)
    size = f", n = {n:,}" if n is not None else ""
    return probability_panel(f"Deviation above {eps:g}{size}", f"Pr(sigma_k > {eps:g})", "above", curve, lines)


def _published_tails(sigma0: float, eps: float, n: int, k: np.ndarray, estimator: str) -> tuple[Line, ...]:
    """Return the published bounds of the tail as lines."""
    published = {
        "Theorem 3": tail_theorem3(sigma0, eps, n, k, "4n-1"),
        "Theorem 3 with 4n": tail_theorem3(sigma0, eps, n, k, "4n"),
        "Bertrand et al., s = 1": tail_bertrand(sigma0, eps, n, k, estimator),
        f'notebook, "ours", s = {_NOTEBOOK_POWER}': tail_power(_NOTEBOOK_POWER, sigma0, eps, n, k, estimator),
    }
    return tuple(Line(f"{name}, as published", values, "published") for name, values in published.items())


def mean_paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean replicate by replicate, in d dimensions its first coordinate."""
    if "mean" not in results.states:
        raise InputError('run.record must contain "trajectory" for the panel mean_paths, got none')
    paths = np.asarray(results.states["mean"][:, generations])
    several = paths.ndim > 2
    paths = paths[..., 0] if several else paths
    # In every workflow the law of the mean is symmetric about the true one: Student's score is safe.
    expected = np.full(len(generations), float(_truth(results).means()[0]))
    is_scored = np.full(len(generations), results.n_replicates >= EVENTS)
    rule = replicates_rule(EVENTS, results.n_replicates)
    curve = curve_of(generations, paths, None, None, expected, is_scored, rule)
    return Panel("Mean" + (", first coordinate" if several else ""), "mu_k", "mean", curve, paths=paths)


def sigma_paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the deviation replicate by replicate."""
    _require_univariate(results, "sigma_paths")
    paths = np.exp(results.metrics["log_sigma"][:, generations])
    law = SkewedLaw(*np.full((3, len(generations)), np.nan))
    if is_replace_only(results):
        sizes, estimator = _sizes(results), _estimator(results)
        first, second = (log_sigma_moment(s, sizes, generations, estimator) for s in (1, 2))
        spread = np.exp(np.minimum(second - 2 * first, 700))
        law = SkewedLaw(np.exp(first) * float(_truth(results).factor()[0, 0]), spread, skewness(spread))
    curve = skewed_curve(generations, paths, law)
    return Panel("Standard deviation", "sigma_k", "sigma", curve, paths=paths)


def effective_rank_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the effective rank of the covariance."""
    curve = unscored_curve(generations, results.metrics["effective_rank"][:, generations])
    return Panel(f"Effective rank, of {_dimension(results)}", "effective rank", "eff. rank", curve, digits=3)


def _truth(results: Results) -> Any:
    """Return the `GaussianTruth` of a run."""
    return results.experiment.truth


def _estimator(results: Results) -> str:
    """Return the estimator of the variance."""
    model: Any = results.experiment.model
    return str(model.estimator)


def _dimension(results: Results) -> int:
    """Return the number of dimensions."""
    return int(_truth(results).dimension)


def _rank(results: Results) -> int:
    """Return the rank of the covariances from the first fit on."""
    return min(_dimension(results), int(schedule_of(results).fitted_sizes()[0]) - 1)


def _in_dimensions(results: Results) -> str:
    """Return the dimensions as the end of a title, "" for one."""
    return "" if _dimension(results) == 1 else f", {_dimension(results)} dimensions"


def _require_univariate(results: Results, name: str) -> None:
    """Refuse a panel for a run of several dimensions."""
    if _dimension(results) != 1:
        raise InputError(f"truth.dimension must be 1 for the panel {name}, got {_dimension(results)}")


def _sizes(results: Results) -> np.ndarray | int:
    """Return the sample sizes of a run that only replaces its data; a number if they are constant."""
    sizes = schedule_of(results).n_synthetic
    return sizes if np.ptp(sizes) else int(sizes[0])


def _log_det_theory(results: Results, generations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return expectation and variance of ln det Sigma_k - ln det Sigma_0, NaN where they are not known.

    The det of a singular Sigma_k is the product of its positive eigenvalues. Then, except for k = 0, Sigma_0 is
    restricted to the span of Sigma_k.
    """
    unknown = np.full(len(generations), np.nan)
    if not is_replace_only(results):
        return unknown, unknown
    d, estimator = _dimension(results), _estimator(results)
    sizes = _sizes(results)
    if _rank(results) == d:
        return log_det_mean(d, sizes, generations, estimator), log_det_variance(d, sizes, generations)
    if not isinstance(sizes, int):
        return unknown, unknown
    fits = np.maximum(generations, 1)
    mean, variance = log_pseudo_det_mean(d, sizes, fits, estimator), log_pseudo_det_variance(d, sizes, fits)
    return np.where(generations == 0, 0.0, mean), np.where(generations == 0, 0.0, variance)


def _scored(
    results: Results, generations: np.ndarray, values: np.ndarray, expected: np.ndarray, variance: np.ndarray
) -> Curve:
    """Return the curve of sums of logs of chi-squares, whose exact variance gives the standard error."""
    rule = f"a score needs {_DEGREES} degrees of freedom over all fits and replicates"
    curve = curve_of(generations, values, None, None, expected, np.full(len(generations), True), rule)
    if np.isnan(expected).all():
        return curve
    least = int(np.min(_sizes(results))) - _rank(results)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (curve.mean - expected) / np.sqrt(variance / values.shape[0])
    z[least * generations * values.shape[0] < _DEGREES] = np.nan
    z[np.abs(curve.mean - expected) <= 1e-12 * np.abs(expected)] = 0.0
    return dataclasses.replace(curve, z=z)


@cached_by_results
def _moments(results: Results) -> _Moments:
    """Return the moments of the generations of a run."""
    schedule, estimator, last = schedule_of(results), _estimator(results), results.last
    fits = np.arange(last + 1)
    factor = _truth(results).factor()
    factor = factor / np.abs(factor).max()
    square = factor @ factor.T / (factor**2).sum()
    of_square = float((square**2).sum())
    if is_replace_only(results):
        sizes = _sizes(results)
        variance = gaussian_replace_factor(sizes, fits, estimator)
        mean_error = mean_squared_error_of_mean(1.0, sizes, fits, estimator)
        # The unbiased estimator does not underflow, and the ratio is the same for both.
        squares, traces = trace_moments(of_square, 1.0, sizes, fits, "unbiased")
        with np.errstate(invalid="ignore"):
            return _Moments(variance, mean_error, traces, traces / squares)
    if schedule.is_plain:
        parts = (schedule.n_synthetic, schedule.n_real, schedule.keep, schedule.n_train)
        variance, mean_error = expected_gaussian(
            *(part[:last] for part in parts), estimator=estimator, replacement=schedule.replacement, real=schedule.real
        )
    else:
        variance, mean_error = staged_moments(results, estimator)
    # To first order, the variance of the log variance is twice the error of the mean in every workflow (the universal
    # factors of theory/gaussian/workflows.py); fits to few points have a larger one.
    n = int(schedule.fitted_sizes()[0]) if schedule.is_plain else smallest_part(schedule)
    few = 2 * n * float(log_chi_variance(n - 1))
    risk = np.maximum(mean_error, -np.log(np.minimum(variance, 1.0)))
    spread = 1 + np.expm1(np.minimum(2 * few * risk, 700)) * of_square
    return _Moments(variance, mean_error, spread, np.full(last + 1, 1 / of_square))


def _mixing(results: Results) -> np.ndarray:
    """Return an upper bound of E V^2/(E V)^2, V being the variance of the mean given all variances, float64 [T+1]."""
    theory = _moments(results)
    if not is_replace_only(results):
        return theory.spread
    # V is a sum over earlier fits; its relative deviation is at most the weighted mean of theirs.
    weights = theory.variance / np.append(schedule_of(results).n_synthetic[: results.last], 1)
    with np.errstate(invalid="ignore", over="ignore"):
        relative = np.cumsum(weights * np.sqrt(np.maximum(theory.spread - 1, 0))) / np.cumsum(weights)
    return 1 + np.append(0.0, relative[:-1]) ** 2


class GaussianPanels(FamilyPanels):
    """The panels of Gaussian models."""

    def why_no_bounds(self, results: Results) -> str:
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
)
