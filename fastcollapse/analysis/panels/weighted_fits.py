"""Errors relative to the truth of runs with weights, windows, discounts and real shares, beside their theory."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.mixing.pathways import pathway_factors
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.mixing.weighted_fit import fixed_real_errors, weighted_errors

# The most work of the recursion over batches: some seconds. A generation costs the square of its window and this much.
_MOST_WORK, _WORK_PER_GENERATION = 10**10, 10**5
# The most generations whose factor is computed as linear algebra: a tenth of a second.
_MOST_FACTORS = 400
# The largest relative difference of two lines that cover each other in a figure.
_COVERED = 0.01
LARGE_SAMPLES = "theory: large samples"


class ErrorOf(NamedTuple):
    """The error of a family relative to the truth.

    Parameters
    ----------
    curve : (results, generations, factor) -> the curve of the error times the factor.
    expected : results -> the expected error of generations 0..T, float64[T+1], NaN where it is not known.
    real_alone : (results, number of real points) -> the error of a fit to them alone, infinite if it is not known.
    noise : results -> variance of the noise of a synthetic point over that of a real one, with the same model.
    """

    curve: Callable[[RecordedRun, np.ndarray, float], Curve]
    expected: Callable[[RecordedRun], np.ndarray]
    real_alone: Callable[[RecordedRun, int], float]
    noise: Callable[[RecordedRun], float] = lambda results: 1.0


def staged_moments(results: RecordedRun, estimator: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected variance and squared error of the mean of a staged run of tokens or Gaussian points.

    Parameters
    ----------
    estimator : "mle" or "unbiased".

    Returns
    -------
    float64[T+1] each, relative to the truth, and NaN where the models are changed by a map before they are sampled.
    """
    schedule, last = schedule_of(results), results.last
    if schedule.sampling is not None or last * (_WORK_PER_GENERATION / 10 + schedule.window**2) > _MOST_WORK:
        unknown = np.where(np.arange(last + 1) == 0, 1.0, np.nan)
        return unknown, 1 - unknown
    is_fixed = schedule.real == "fixed"
    return expected_staged(
        schedule.n_synthetic[:last],
        schedule.n_real[:last],
        schedule.keep[:last],
        estimator=estimator,
        weight=None if schedule.weight is None else schedule.weight[:last],
        real_share=None if schedule.real_share is None else schedule.real_share[:last],
        window=schedule.window,
        discount=schedule.discount,
        real="fixed" if is_fixed else "fresh",
        real_is_truth=is_fixed and int(schedule.n_real[0]) == (results.real_size or 0),
    )


def smallest_part(schedule: Schedule) -> int:
    """Return the number of points of the smallest part that a generation fits a variance to, at least 2.

    A part is the real points, or the synthetic points that are fitted together with equal weights.
    """
    if schedule.weight is None and not schedule.discount:
        return max(2, int(schedule.fitted_sizes().min()))
    synthetic = schedule.n_synthetic if schedule.discount else schedule.synthetic_sizes()
    parts = np.concatenate([synthetic[synthetic > 0], schedule.n_real[schedule.n_real > 0]])
    return max(2, int(parts.min()))


def batch_weights(schedule: Schedule, total: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights of all batches in each fit, for `pathway_factors`.

    Parameters
    ----------
    schedule : without subsamples and maps.
    total : size of the real data, or 0; a fixed batch or a start of this size is the truth itself, without noise.

    Returns
    -------
    weights float64 [T, 2 T + 1], noise and source [2 T + 1]: first the data at the start or the fixed real data, then
    the real and then the synthetic data of each generation.

    Examples
    --------
    >>> from fastcollapse.config.workflows import Accumulate
    >>> schedule = Accumulate(n_samples=5, keep_real=True, weight=0.5).schedule(3, truth_total=None)
    >>> batch_weights(schedule)[0][:, [0, 5, 6]]
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.5 , 0.25, 0.25]])
    """
    n_generations = schedule.n_generations
    age = np.subtract.outer(np.arange(n_generations), np.arange(n_generations))
    last_drop = np.maximum.accumulate(np.where(schedule.keep == 0, np.arange(n_generations), 0))
    kept = (age >= 0) & (np.arange(n_generations) >= last_drop[:, None])
    if schedule.window:
        kept &= age < schedule.window
    discount = (schedule.discount or 1.0) ** np.maximum(age, 0)
    synthetic = np.where(kept, discount * schedule.n_synthetic, 0.0)
    is_fixed, beside = schedule.real == "fixed", schedule.real == "fixed" or schedule.weight is not None
    fresh = np.zeros_like(synthetic)
    if not is_fixed:
        np.fill_diagonal(fresh, schedule.n_real)
        fresh = fresh if beside else np.where(kept, schedule.n_real, 0.0)
    if schedule.real_share is not None:
        np.fill_diagonal(fresh, schedule.real_share * schedule.n_synthetic)
        synthetic *= 1 - schedule.real_share
    start = np.where(last_drop == 0, float(total), 0.0) if schedule.start_with_data else np.zeros(n_generations)
    start = schedule.n_real.astype(float) if is_fixed else start
    weights = np.hstack([start[:, None], fresh, synthetic])
    sizes = np.concatenate([[start[0]], fresh.diagonal(), synthetic.diagonal()])
    noise = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    if start[0] == total:
        noise[0] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    if schedule.weight is not None:
        is_real = np.arange(weights.shape[1]) <= n_generations
        for part, share in ((is_real, schedule.weight), (~is_real, 1 - schedule.weight)):
            has_both = (weights[:, is_real].sum(axis=1) > 0) & (weights[:, ~is_real].sum(axis=1) > 0)
            own = weights[:, part].sum(axis=1)
            scale = np.divide(share, own, out=np.ones_like(own), where=has_both)
            weights[:, part] *= scale[:, None]
    source = np.concatenate([np.zeros(n_generations + 1, np.int64), np.arange(n_generations)])
    return weights, noise, source


def ratio_to_first_panel(
    error: ErrorOf, results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel:
    """Show the error over that of the first fit, beside the factor of large samples for any workflow."""
    schedule, at = schedule_of(results), generations[generations >= 1]
    first = float(error.expected(results)[1]) if results.last else np.nan
    if not np.isfinite(first):
        first = float(error.curve(results, np.array([1]), 1.0).mean[0])
    if not first > 0:
        raise InputError(f"the error of the first fit must be above 0 for the panel ratio_to_first, got {first:g}")
    curve = error.curve(results, at, 1 / first)
    lines: tuple[Line, ...] = ()
    if schedule.sampling is None and not schedule.n_train.any() and results.last <= _MOST_FACTORS and len(at):
        factors = pathway_factors(*batch_weights(schedule, results.real_size or 0))
        ratios = factors[at - 1] / factors[0] if factors[0] > 0 else np.full(len(at), np.nan)
        # A line that the exact one covers is left out.
        if np.isfinite(ratios).all() and not np.allclose(ratios, curve.expected, rtol=_COVERED):
            lines = (Line(LARGE_SAMPLES, ratios, "asymptotic"),)
    title, label = "Error over that of the first fit", "error / error of the first fit"
    # Values from 1 to t are compared with those of other workflows that stay near 1.
    return Panel(title, label, "ratio", curve, lines, log=True, digits=4, positive=True)


def error_over_real_panel(
    error: ErrorOf, results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel:
    """Show the error of a mix over that of a fit to the real data of a generation alone."""
    schedule, at = schedule_of(results), generations[generations >= 1]
    n_real = int(schedule.n_real[0])
    alone = error.real_alone(results, n_real) if n_real else 0.0
    if not 0 < alone < np.inf:
        needed = "real data whose error has a known mean and a finite variance"
        raise InputError(f"workflow.n_real must be {needed} for the panel error_over_real, got {n_real}")
    curve = error.curve(results, at, 1 / alone)
    # The deviation over replicates is about as large as the error itself.
    margin = 2 * curve.sd / np.sqrt(results.n_replicates)
    curve = dataclasses.replace(curve, smallest=curve.mean - margin, largest=curve.mean + margin)
    lines: tuple[Line, ...] = ()
    if not schedule.keep[1:].any() and schedule.sampling is None and (schedule.n_real > 0).all():
        real, synthetic = n_real / schedule.n_real, error.noise(results) * n_real / schedule.n_synthetic
        pooled = schedule.n_real / (schedule.n_real + schedule.n_synthetic)
        weight = pooled if schedule.weight is None else schedule.weight
        if schedule.real == "fixed":
            errors = fixed_real_errors(weight, 1.0, synthetic, 1.0)
        else:
            errors = weighted_errors(weight, real, synthetic, 1.0)
        lines = (Line(LARGE_SAMPLES, errors[at - 1], "asymptotic"),)
    title, label = "Error over that of the real data alone", "error / error of the real data"
    return Panel(title, label, "over real", curve, lines, digits=4, band="two standard errors", positive=True)
