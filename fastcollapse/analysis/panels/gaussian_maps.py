"""Gaussian models with a map of their samples, beside theory: bias, truncation, tilt, verifier.

A bias and a truncation have exact expectations under every workflow with equal weights, a tilt under replacement. The
path under a verifier is that of infinitely many points, so that it has no score.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.family_panels import Maker
from fastcollapse.analysis.panels.gaussian_theory import (
    dimension_of,
    estimator_of,
    in_dimensions,
    log_chi_curve,
    truth_of,
)
from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.schedules import cached_by_results, needs_beside_maps, sampling_of, schedule_of
from fastcollapse.analysis.panels.scores import EVENTS, curve_of, replicates_rule
from fastcollapse.analysis.panels.skewed_scores import (
    MOST_SKEWED,
    SkewedLaw,
    skewed_curve,
    skewness,
    skewness_of_squares,
)
from fastcollapse.config.capabilities import STAGES
from fastcollapse.config.sampling import Sampling
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.gaussian.log_chi import log_chi_variance
from fastcollapse.theory.gaussian.multivariate import log_det_mean, log_det_variance, trace_moments
from fastcollapse.theory.gaussian.sampling_bias import bias_accumulate_power_law
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.verifier import tilted_mean, truncated_variance_factor, verifier_path

_PATH = "theory: path of infinitely many points"


class _Theory(NamedTuple):
    """Expectations of tr Sigma/tr Sigma_0 and |mean - mean_0|^2/tr Sigma_0, float64 [T+1] each, NaN where unknown.

    `spread` is about the second moment of the trace over the square of its mean, or above it.
    """

    variance: np.ndarray
    mean_error: np.ndarray
    spread: np.ndarray


def map_variance_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the variance over the true one: exact for a bias, a truncation, and a tilt under replacement."""
    if sampling_of(results) is None:
        return ()
    theory = _theory(results)
    law = SkewedLaw(theory.variance, theory.spread, skewness(theory.spread)).at(generations)
    curve = skewed_curve(generations, results.metrics["trace_ratio"][:, generations], law)
    lines = _power_law(results, generations)
    path = _verifier_axes(results, generations)
    if path is not None:
        total = float((truth_of(results).factor() ** 2).sum())
        lines = (Line(_PATH, path[1].sum(axis=1) / total, "asymptotic"),)
    title = f"Variance over the true one{in_dimensions(results)}"
    return Panel(
        title,
        r"variance $\mathrm{tr}\,\Sigma_t/\mathrm{tr}\,\Sigma_0$",
        "variance",
        curve,
        lines,
        log=bool(lines),
        positive=True,
    )


def map_mean_error_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the squared error of the mean over the true variance: exact for a bias and a truncation."""
    if sampling_of(results) is None:
        return ()
    theory, factor = _theory(results), truth_of(results).factor()
    total = float((factor**2).sum())
    freedom = np.full(results.last + 1, total**2 / float(((factor @ factor.T) ** 2).sum()))
    law = SkewedLaw(
        theory.mean_error, theory.spread * (1 + 2 / freedom), skewness_of_squares(freedom, theory.spread)
    ).at(generations)
    curve = skewed_curve(generations, results.metrics["squared_error"][:, generations] / total, law)
    lines: tuple[Line, ...] = ()
    path = _verifier_axes(results, generations)
    if path is not None:
        lines = (Line(_PATH, ((path[0] - path[2]) ** 2).sum(axis=1) / total, "asymptotic"),)
    title = f"Squared error of the mean{in_dimensions(results)}"
    return Panel(
        title, r"error of the mean $\Vert\mu_t - \mu_0\Vert^2/\mathrm{tr}\,\Sigma_0$", "mean error", curve, lines
    )


def map_mean_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the mean, in several dimensions its first coordinate: exact but for a verifier."""
    sampling = sampling_of(results)
    if sampling is None:
        return ()
    if "mean" not in results.states:
        raise KeyError("trajectory")
    values = np.asarray(results.states["mean"][:, generations])
    several = values.ndim > 2
    values = values[..., 0] if several else values
    start, unknown = float(truth_of(results).means()[0]), np.full(len(generations), np.nan)
    expected, lines = unknown, tuple[Line, ...]()
    is_scored = np.full(len(generations), results.n_replicates >= EVENTS)
    rule = replicates_rule(EVENTS, results.n_replicates)
    if _scale(results) is not None:  # in every workflow the law of the mean is symmetric about the true one
        expected = np.full(len(generations), start)
    elif sampling.tilt is not None and _is_replacement(results):
        expected = _tilted(results, sampling, start)[generations]
        # The mean is a sum of skewed variances: half the usual skewness, because Student's score alone is used.
        is_scored &= skewness(_theory(results).spread[generations]) <= MOST_SKEWED / 2 * math.sqrt(results.n_replicates)
        rule = f"a score needs a mean over replicates of skewness at most {MOST_SKEWED / 2:g}"
    path = _verifier_axes(results, generations)
    if path is not None and sampling.verifier is not None:
        centre = float(np.broadcast_to(np.asarray(sampling.verifier.centre, dtype=float), path[2].shape)[0])
        basis = _principal_axes(results)[1]
        limit = Line("centre of the verifier", np.full(len(generations), centre), "limit")
        lines = (Line(_PATH, path[0] @ basis[0], "asymptotic"), limit)
    curve = curve_of(generations, values, None, None, expected, is_scored, rule)
    return Panel("Mean" + (", first coordinate" if several else ""), r"mean $\mu_t$", "mean", curve, lines)


def map_log_sigma_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel | tuple[()]:
    """Show the mean of ln(sigma/sigma_0) over the axes: exact for a bias and a tilt under replacement."""
    sampling = sampling_of(results)
    if sampling is None:
        return ()
    d = dimension_of(results)
    values = results.metrics["log_sigma"][:, generations] - results.metrics["log_sigma"][0, 0]
    expected, variance = np.full((2, len(generations)), np.nan)
    lines: tuple[Line, ...] = ()
    sizes = schedule_of(results).n_synthetic
    if _is_replacement(results) and sizes.min() > d and (sampling.bias is not None or sampling.tilt is not None):
        shift = math.log(sampling.bias) if sampling.bias is not None else 0.0
        expected = log_det_mean(d, sizes, generations, estimator_of(results)) / (2 * d) + shift * generations
        variance = log_det_variance(d, sizes, generations) / (2 * d) ** 2
    curve = log_chi_curve(generations, values, expected, variance, int(sizes.min()) - d)
    path = _verifier_axes(results, generations)
    if path is not None:
        start = results.metrics["log_sigma"][0, 0]
        lines = (Line(_PATH, np.log(path[1]).mean(axis=1) / 2 - start, "asymptotic"),)
    title = "Log deviation" if d == 1 else "Log deviation, mean over the axes"
    return Panel(title, r"log deviation $\ln(\sigma_t/\sigma_0)$", "ln sigma", curve, lines)


def _is_replacement(results: RecordedRun) -> bool:
    """Whether each generation is fitted to all mapped samples of the generation before and to nothing else."""
    schedule = schedule_of(results)
    return not schedule.first_is_real and not needs_beside_maps(schedule)


def _scale(results: RecordedRun) -> float | None:
    """Return the ratio of the deviations of samples and model, of a map that keeps the mean; None for others."""
    sampling = sampling_of(results)
    if sampling is None or (sampling.bias is None and sampling.truncate is None):
        return None
    return sampling.bias if sampling.bias is not None else math.sqrt(truncated_variance_factor(sampling.truncate or 1))


@cached_by_results
def _theory(results: RecordedRun) -> _Theory:
    """Return the expectations of a run."""
    schedule, last, scale = schedule_of(results), results.last, _scale(results)
    unknown = np.full(last + 1, np.nan)
    is_tilt = schedule.sampling is not None and schedule.sampling.tilt is not None and _is_replacement(results)
    if (scale is None and not is_tilt) or needs_beside_maps(schedule) & STAGES:
        return _Theory(unknown, unknown, unknown)
    parts = [part[:last] for part in (schedule.n_synthetic, schedule.n_real, schedule.keep, schedule.n_train)]
    estimator = estimator_of(results)

    def expected(bias: float) -> tuple[np.ndarray, np.ndarray]:
        biases = np.full(last, bias)
        biases[: int(schedule.first_is_real)] = 1.0
        return expected_gaussian(
            *parts, estimator=estimator, replacement=schedule.replacement, real=schedule.real, bias=biases
        )

    variance, mean_error = expected(scale or 1.0)
    plain, plain_error = expected(1.0) if scale is not None else (variance, mean_error)
    factor = truth_of(results).factor()
    factor = factor / np.abs(factor).max()
    of_square = float(((factor @ factor.T) ** 2).sum()) / float((factor**2).sum()) ** 2
    sizes = schedule.n_synthetic[:last]
    if _is_replacement(results):
        # A bias leaves the relative spread as it is, and truncated points have a smaller one.
        spread = trace_moments(of_square, 1.0, sizes, np.arange(last + 1), "unbiased")[1]
    else:
        # As without a map, the variance of ln sigma^2 is twice the error of the mean to first order; a bias multiplies
        # the noise of later samples as it does their variance.
        few = 2 * float(np.max(sizes * log_chi_variance(np.maximum(sizes - 1, 1))))
        risk = np.maximum(plain_error, -np.log(np.minimum(plain, 1.0)))
        risk = np.maximum(risk, mean_error * (scale is not None and scale > 1)) * max(1.0, scale or 1.0) ** 2
        spread = 1 + np.expm1(np.minimum(2 * few * risk, 700)) * of_square
    return _Theory(variance, unknown if is_tilt else mean_error, spread)


def _power_law(results: RecordedRun, generations: np.ndarray) -> tuple[Line, ...]:
    """Return the power law that the variance tends to under accumulation of equal batches with a bias."""
    schedule, scale = schedule_of(results), _scale(results)
    sizes = schedule.n_synthetic
    equal = bool((sizes[1:] == sizes[-1]).all()) and sizes[0] + schedule.n_real[0] == sizes[-1]
    if scale is None or needs_beside_maps(schedule) - {"fresh_real"} != {"pool"} or sizes[-1] < 2:
        return ()
    if not equal or schedule.n_real[1:].any():
        return ()
    if estimator_of(results) != "mle" or schedule.start_with_data or (schedule.keep[1:] == 0).any():
        return ()
    n = int(sizes[-1])
    constant, power = bias_accumulate_power_law(scale, n)
    at = np.where(generations > 0, generations, np.nan).astype(float)
    label = "theory: power law" if power else "theory: limit"
    return (Line(label, constant * at**-power, "limit"),)


def _tilted(results: RecordedRun, sampling: Sampling, start: float) -> np.ndarray:
    """Return the expected first coordinate of the mean under a tilt, float64 [T+1]."""
    factor = truth_of(results).factor()
    tilt = np.broadcast_to(np.asarray(sampling.tilt, dtype=float), len(factor))
    drift = float((factor @ factor.T @ tilt)[0])
    sizes = schedule_of(results).n_synthetic
    return tilted_mean(drift, sizes, np.arange(results.last + 1), estimator_of(results), start)


def _principal_axes(results: RecordedRun) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviations along the principal axes of the truth, float64 (d), and the axes as columns."""
    factor = truth_of(results).factor()
    axes, deviations, _ = np.linalg.svd(factor)
    return deviations, axes


def _verifier_axes(results: RecordedRun, generations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return mean and variance of the population path along the principal axes, (B, d) each, and the true mean (d).

    None without a verifier, and under other workflows than replacement.
    """
    sampling = sampling_of(results)
    if sampling is None or sampling.verifier is None or not _is_replacement(results):
        return None
    deviations, axes = _principal_axes(results)
    means = axes.T @ np.asarray(truth_of(results).means(), dtype=float)
    centre = axes.T @ np.broadcast_to(np.asarray(sampling.verifier.centre, dtype=float), means.shape)
    paths = [
        verifier_path(float(v), sampling.verifier.tau, generations, float(m), float(s))
        for v, m, s in zip(centre, means, deviations, strict=True)
    ]
    return np.stack([path[0] for path in paths], axis=1), np.stack([path[1] for path in paths], axis=1), means


MAP_PANELS: dict[str, Maker] = {
    "map_variance": map_variance_panel,
    "map_mean_error": map_mean_error_panel,
    "map_mean": map_mean_panel,
    "map_log_sigma": map_log_sigma_panel,
}
