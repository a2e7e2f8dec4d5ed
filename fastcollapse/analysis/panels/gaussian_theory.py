"""Theory of the Gaussian models of a run: moments of variance and mean, log determinants, and scores of logs."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import Curve
from fastcollapse.analysis.panels.schedules import cached_by_results, is_replace_only, schedule_of
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.analysis.panels.weighted_fits import smallest_part, staged_moments
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.gaussian.log_chi import log_chi_variance
from fastcollapse.theory.gaussian.multivariate import (
    log_det_mean,
    log_det_variance,
    log_pseudo_det_mean,
    log_pseudo_det_variance,
    trace_moments,
)
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.univariate import mean_squared_error_of_mean
from fastcollapse.theory.gaussian.workflows import gaussian_replace_factor

# The fewest degrees of freedom, of all replicates and fits together, for which the mean of logs of chi-squares is close
# to normal.
_DEGREES = 100


class Moments(NamedTuple):
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


def truth_of(results: RecordedRun) -> Any:
    """Return the `GaussianTruth` of a run."""
    return results.experiment.truth


def estimator_of(results: RecordedRun) -> str:
    """Return the estimator of the variance."""
    model: Any = results.experiment.model
    return str(model.estimator)


def dimension_of(results: RecordedRun) -> int:
    """Return the number of dimensions."""
    return int(truth_of(results).dimension)


def rank_of(results: RecordedRun) -> int:
    """Return the rank of the covariances from the first fit on."""
    return min(dimension_of(results), int(schedule_of(results).fitted_sizes()[0]) - 1)


def in_dimensions(results: RecordedRun) -> str:
    """Return the dimensions as the end of a title, "" for one."""
    return "" if dimension_of(results) == 1 else f", $d$ = {dimension_of(results):,}"


def sizes_of(results: RecordedRun) -> np.ndarray | int:
    """Return the sample sizes of a run that only replaces its data; a number if they are constant."""
    sizes = schedule_of(results).n_synthetic
    return sizes if np.ptp(sizes) else int(sizes[0])


def log_det_theory(results: RecordedRun, generations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return expectation and variance of ln det Sigma_k - ln det Sigma_0, NaN where they are not known.

    The det of a singular Sigma_k is the product of its positive eigenvalues. Then, except for k = 0, Sigma_0 is
    restricted to the span of Sigma_k.
    """
    unknown = np.full(len(generations), np.nan)
    if not is_replace_only(results):
        return unknown, unknown
    d, estimator = dimension_of(results), estimator_of(results)
    sizes = sizes_of(results)
    if rank_of(results) == d:
        return log_det_mean(d, sizes, generations, estimator), log_det_variance(d, sizes, generations)
    if not isinstance(sizes, int):
        return unknown, unknown
    fits = np.maximum(generations, 1)
    mean, variance = log_pseudo_det_mean(d, sizes, fits, estimator), log_pseudo_det_variance(d, sizes, fits)
    return np.where(generations == 0, 0.0, mean), np.where(generations == 0, 0.0, variance)


def log_chi_curve(
    generations: np.ndarray, values: np.ndarray, expected: np.ndarray, variance: np.ndarray, freedom: int
) -> Curve:
    """Return the curve of sums of logs of chi-squares, whose exact variance gives the standard error.

    Parameters
    ----------
    generations : int64[B].
    values : float64 (R, B).
    expected, variance : float64[B], of a value, NaN where they are not known.
    freedom : degrees of freedom that each fit adds, at least.
    """
    rule = f"a score needs {_DEGREES} degrees of freedom over all fits and replicates"
    curve = curve_of(generations, values, None, None, expected, np.full(len(generations), True), rule)
    if np.isnan(expected).all():
        return curve
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (curve.mean - expected) / np.sqrt(variance / values.shape[0])
    z[freedom * generations * values.shape[0] < _DEGREES] = np.nan
    z[np.abs(curve.mean - expected) <= 1e-12 * np.abs(expected)] = 0.0
    return dataclasses.replace(curve, z=z)


@cached_by_results
def moments_of(results: RecordedRun) -> Moments:
    """Return the moments of the generations of a run."""
    schedule, estimator, last = schedule_of(results), estimator_of(results), results.last
    fits = np.arange(last + 1)
    factor = truth_of(results).factor()
    factor = factor / np.abs(factor).max()
    square = factor @ factor.T / (factor**2).sum()
    of_square = float((square**2).sum())
    if is_replace_only(results):
        sizes = sizes_of(results)
        variance = gaussian_replace_factor(sizes, fits, estimator)
        mean_error = mean_squared_error_of_mean(1.0, sizes, fits, estimator)
        # The unbiased estimator does not underflow, and the ratio is the same for both.
        squares, traces = trace_moments(of_square, 1.0, sizes, fits, "unbiased")
        with np.errstate(invalid="ignore"):
            return Moments(variance, mean_error, traces, traces / squares)
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
    return Moments(variance, mean_error, spread, np.full(last + 1, 1 / of_square))


def mixing_of(results: RecordedRun) -> np.ndarray:
    """Return an upper bound of E V^2/(E V)^2, V being the variance of the mean given all variances, float64 [T+1]."""
    theory = moments_of(results)
    if not is_replace_only(results):
        return theory.spread
    # V is a sum over earlier fits; its relative deviation is at most the weighted mean of theirs.
    weights = theory.variance / np.append(schedule_of(results).n_synthetic[: results.last], 1)
    with np.errstate(invalid="ignore", over="ignore"):
        relative = np.cumsum(weights * np.sqrt(np.maximum(theory.spread - 1, 0))) / np.cumsum(weights)
    return 1 + np.append(0.0, relative[:-1]) ** 2
