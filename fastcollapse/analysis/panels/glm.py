"""Generalised linear models beside the factors of large samples, and when their labels are separated."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.panel import QUARTILES, Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.schedules import accumulated_size, cached_by_results, schedule_of
from fastcollapse.analysis.panels.scores import probability_panel, share_of, unscored_curve
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.analysis.panels.text import table
from fastcollapse.analysis.panels.weighted_fits import LARGE_SAMPLES, batch_weights
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.mixing.other_estimator import other_estimator_factors

# The most generations whose factor is computed as linear algebra: a tenth of a second.
_MOST_FACTORS = 400
# The least ratio to the first error that needs a logarithmic axis beside ratios near 1.
_LOG_FROM = 10
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@cached_by_results
def expected_errors(results: RecordedRun) -> np.ndarray:
    """Return the expected squared error of generations 0..T for large samples, float64 [T+1]; NaN if not known."""
    expected = np.full(results.last + 1, np.nan)
    expected[0] = 0.0
    if 1 <= results.last <= _MOST_FACTORS:
        model: Any = results.experiment.model
        variance = math.pi / 2 if model.estimator == "median" else 1.0
        weights, noise, source = batch_weights(schedule_of(results))
        factors = other_estimator_factors(weights, variance, noise, source)
        expected[1:] = label_variances(results).sum() * factors[: results.last]
    return expected


def label_variances(results: RecordedRun) -> np.ndarray:
    """Return the principal variances of a fit to one label, for large samples, float64 [p]."""
    return np.asarray(results.coordinates["label_variance"].values, np.float64)


def is_exact(results: RecordedRun) -> bool:
    """Whether the expected errors of large samples are exact, because the run draws Gaussian fits."""
    model: Any = results.experiment.model
    return bool(model.sampler == "limit" or model.response == "gaussian")


def squared_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared error of the coefficients, with its expectation for large samples."""
    title, label = "Squared error of the coefficients", r"squared error $\Vert w_t - w_0\Vert^2$"
    return _error_panel(results, generations, (title, label, "error"), 1.0)


def ratio_to_first_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared error over that of the first fit: t under replace, at most pi²/6 under accumulate."""
    if not results.last:
        raise InputError("run.n_generations must be at least 1 for the panel ratio_to_first, got a run without a fit")
    at = generations[generations >= 1]
    values = results.metrics["squared_error"]
    first = expected_errors(results)[1] if is_exact(results) else np.nan
    if not np.isfinite(first):
        # The mean or the median of the curve, so that the first ratio is 1.
        is_finite = np.isfinite(values[:, at]).all()
        first = float(values[:, 1].mean() if is_finite else np.quantile(values[:, 1], 0.5, method="inverted_cdf"))
    if not 0 < first < math.inf:
        problem = "must be above 0 and finite in most replicates for the panel ratio_to_first"
        raise InputError(f"the error of the first fit {problem}, got {first:g}")
    labels = ("Error over that of the first fit", "error / error of the first fit", "ratio")
    panel = _error_panel(results, at, labels, 1 / first, of_first=True)
    model: Any = results.experiment.model
    is_pathway = accumulated_size(results) is not None and model.estimator == "mle"
    limits = (Line(r"$\pi^2/6$", np.full(len(at), math.pi**2 / 6), "limit"),) if is_pathway else ()
    is_log = bool((panel.curve.mean > _LOG_FROM).any())
    return dataclasses.replace(panel, lines=(*panel.lines, *limits), log=is_log)


def separated_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of chains that have ended, because a direction separates the labels."""
    curve = share_of(generations, results.metrics["separated"][:, generations] > 0, None, None)
    panel = probability_panel("Chains ended at separated labels", r"$\Pr$(separated)", "separated", curve)
    times = np.quantile(separation_times(results), (0.1, 0.5, 0.9), method="inverted_cdf")
    if not np.isfinite(times[0]):
        return panel
    pairs = zip((10, 50, 90), _words(results, times), strict=True)
    first, *later = (f"{share} % {{}}by generation {time}" for share, time in pairs)
    words = ", ".join([first.format("of the chains have ended "), *(one.format("") for one in later)])
    return dataclasses.replace(panel, note=f"separated: {words}")


def excess_risk_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the divergence of the law of a label from the true one, of chains that have not ended."""
    if "excess_risk" not in results.metrics:
        raise InputError('run.record must contain "excess_risk" for the panel excess_risk, got none')
    values = results.metrics["excess_risk"][:, generations]
    curve = _curve_without_theory(generations, values)
    title = "Divergence of the law of a label"
    panel = Panel(title, "excess risk (nat)", "risk", curve, log=is_wide(curve.mean), digits=4, positive=True)
    return panel if np.isfinite(values).all() else dataclasses.replace(panel, band=QUARTILES, median=True)


def separation_times(results: RecordedRun) -> np.ndarray:
    """Return the first generation with separated labels of each replicate, float64 [R]; infinite if there is none."""
    events = results.metrics["separated"] > 0
    return np.where(events.any(axis=1), events.argmax(axis=1), math.inf)


def separation_table(results: RecordedRun) -> str:
    """Return the quantiles over replicates of the first generation with separated labels."""
    times = separation_times(results)
    found = np.quantile(times, _QUANTILES, method="inverted_cdf")
    rows = [[f"{100 * q:.0f} %", time] for q, time in zip(_QUANTILES, _words(results, found), strict=True)]
    n_ended = int(np.isfinite(times).sum())
    head = f"First generation with separated labels, {n_ended:,} of {results.n_replicates:,} replicates:"
    return f"{head}\n{table(['replicates', 'by generation'], rows)}"


def _words(results: RecordedRun, times: np.ndarray) -> list[str]:
    """Return generations in words; an infinite one is beyond the run."""
    return [f"{time:,.0f}" if np.isfinite(time) else f"> {results.last:,}" for time in times]


def _error_curve(results: RecordedRun, at: np.ndarray, factor: float) -> Curve:
    """Return the curve of the squared error, times a factor: with a score where its law is exact."""
    values = factor * results.metrics["squared_error"][:, at]
    if not is_exact(results):
        return _curve_without_theory(at, values)
    variances = label_variances(results)
    squares, cubes = (variances**2).sum(), (variances**3).sum()
    spread = 1 + 2 * squares / variances.sum() ** 2
    expected = factor * expected_errors(results)[at]
    skewness = math.sqrt(8) * cubes / squares**1.5
    return skewed_curve(at, values, SkewedLaw(expected, np.full(len(at), spread), np.full(len(at), skewness)))


def _curve_without_theory(at: np.ndarray, values: np.ndarray) -> Curve:
    """Return means, or medians and quartiles if a chain has ended: then its error is infinite, and so is the mean.

    A median or quartile that is infinite is left out.
    """
    if np.isfinite(values).all():
        return unscored_curve(at, values)
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    unknown = np.full(len(at), np.nan)
    median, low, high = (np.where(np.isfinite(part), part, np.nan) for part in (median, low, high))
    return Curve(at, median, unknown, low, high, None, None, unknown, unknown)


def _error_panel(
    results: RecordedRun, at: np.ndarray, labels: tuple[str, str, str], factor: float, of_first: bool = False
) -> Panel:
    """Return the panel of the squared error times a factor; `of_first` for its ratio to that of the first fit."""
    curve = _error_curve(results, at, factor)
    has_medians = not np.isfinite(results.metrics["squared_error"][:, at]).all()
    lines: tuple[Line, ...] = ()
    expected = expected_errors(results)
    # Medians have the ratios of the means, as long as errors are Gaussian.
    if not is_exact(results) and np.isfinite(expected).all() and (of_first or not has_medians):
        scale = 1 / expected[1] if of_first else factor
        lines = (Line(LARGE_SAMPLES, scale * expected[at], "asymptotic"),)
    panel = Panel(*labels, curve, lines, log=is_wide(curve.mean), digits=4, positive=True)
    if not has_medians:
        return panel
    n_ended = int((results.metrics["separated"][:, -1] > 0).sum())
    ended = (
        f"{n_ended:,} of {results.n_replicates:,} chains have ended at separated labels, so that the mean is infinite, "
        "and so is a quantile without a number"
    )
    return dataclasses.replace(panel, band=QUARTILES, median=True, note=f"{labels[2]}: {ended}")


class GlmPanels(FamilyPanels):
    """The panels of generalised linear models."""

    def default_names(self, results: RecordedRun) -> tuple[str, ...]:
        """Return the names of the panels of a run without a recipe; Gaussian fits never end."""
        return self.default[:1] if is_exact(results) else self.default

    def summary_tables(self, results: RecordedRun) -> list[str]:
        """Return the table of the generations at which chains have ended, if any has."""
        has_ended = bool((results.metrics["separated"] > 0).any()) if "separated" in results.metrics else False
        return [separation_table(results)] if has_ended else []


PANELS = GlmPanels(
    {
        "squared_error": squared_error_panel,
        "ratio_to_first": ratio_to_first_panel,
        "separated": separated_panel,
        "excess_risk": excess_risk_panel,
    },
    default=("squared_error", "separated"),
    no_theory="no exact theory of it is available",
    sources=(Statement("factors of large samples in any workflow", ("dey2024",), ("squared_error", "ratio_to_first")),),
)
