"""Refitted regressions beside their theory: errors of the generators, and of what is fitted to their labels."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.base import Maker, curve_of
from fastcollapse.analysis.panels.downstream_theory import chosen, fit_of, grid_of, some_of
from fastcollapse.analysis.panels.medians import median_curve
from fastcollapse.analysis.panels.minimum import least
from fastcollapse.analysis.panels.panel import GENERATION, QUARTILES, Axis, Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.regression_theory import EQUIVALENT, chain_of, medians_of, setting_of
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw, skewed_curve
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.regression.optimal_ridge import optimal_ridge

SAMPLES = Axis("T", "samples of the downstream fit, T")
RIDGE = Axis("lambda", "ridge of the downstream fit, lambda")
EXPONENT = Axis("l", "exponent l of the ridge lambda = T^-l", log=False)
# Plots side by side.
_MOST_PLOTS = 3
_HEAVY = "the mean or variance is infinite, samples near the dimension"
# Of |w0|²: nothing but rounding is so small.
_NOTHING = 1e-24
_METRICS = {
    "error": "test_error",
    "bias": "test_bias",
    "variance": "test_variance",
    "synthetic": "test_synthetic",
}
_PARTS = {"bias": "bias", "variance": "variance", "synthetic": "synthetic labels", "error": "all"}


def generator_error_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the excess error of the generators over generations."""
    chain = chain_of(results)
    law = SkewedLaw(chain.error, chain.spread, chain.skew).at(generations)
    heavy = chain.heavy[generations]
    median = medians_of(results, generations) if heavy.any() else None
    theory = Theory(law, _all(chain.exact, generations), heavy, median, chain.label)
    words = Words("Excess error of the generator", "|w - w0|² in the norm of Sigma", "error")
    return _panel(words, generations, results.metrics["generator_error"][:, generations], theory)


def generator_norm_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared norm of the weights over generations."""
    chain = chain_of(results)
    # Its deviation is not that of the error; its tail is not heavier.
    law = SkewedLaw(chain.square, np.full(chain.square.shape, np.nan), chain.skew).at(generations)
    theory = Theory(law, _all(chain.exact, generations), chain.heavy[generations], None, chain.label)
    words = Words("Squared norm of the weights", "|w|²", "norm²")
    return _panel(words, generations, results.metrics["generator_norm"][:, generations] ** 2, theory)


def generator_alignment_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the cosine between the weights and the true ones over generations."""
    chain, setting = chain_of(results), setting_of(results)
    with np.errstate(invalid="ignore"):
        ratio = chain.overlap / np.sqrt(chain.square * (setting.w0**2).sum())
    # A ratio of expectations: the expectation itself differs by what vanishes with the dimension.
    law = SkewedLaw(ratio, *np.full((2, ratio.size), np.nan)).at(generations)
    never = _all(False, generations)
    words = Words("Alignment of the weights with the true ones", "cos(w, w0)", "cosine")
    panel = _panel(
        words, generations, results.metrics["generator_alignment"][:, generations], Theory(law, never, never)
    )
    return dataclasses.replace(panel, log=False, positive=False)


def ratio_to_first_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the error of the generators over that of the first: n if data is replaced, at most pi²/6 if it is kept."""
    chain, schedule = chain_of(results), setting_of(results).schedule
    at = generations[generations >= 1]
    values, heavy = results.metrics["generator_error"], bool(chain.heavy.any())
    median = medians_of(results, np.append(1, at)) if heavy else np.full(len(at) + 1, np.nan)
    first = median[0] if heavy else chain.error[1]
    if not np.isfinite(first):
        first = np.median(values[:, 1]) if heavy else values[:, 1].mean()
    law = SkewedLaw(chain.error / first, chain.spread, chain.skew).at(at)
    theory = Theory(law, _all(chain.exact, at), chain.heavy[at], median[1:] / first, chain.label)
    words = Words("Error of the generator over that of the first", "error / error of the first", "ratio")
    # From 1 to n, beside what stays near 1.
    panel = dataclasses.replace(_panel(words, at, values[:, at] / first, theory), log=True)
    if not schedule.keep[1:].all() or schedule.n_train.any() or schedule.n_real.any():
        return panel
    return dataclasses.replace(panel, lines=(*panel.lines, Line("pi²/6", np.full(len(at), math.pi**2 / 6), "limit")))


def error_by_ridge_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the ridge, a curve for each generation, a plot for each number of samples."""
    grid, panels = grid_of(results), list[Panel]()
    shown = some_of(grid.generations)
    for m in chosen(grid.samples, options, "samples", _MOST_PLOTS):
        curves = [Curved(f"n = {t:,}", (t, m, slice(None))) for t in shown]
        panels += _plot(results, f"Test error, T = {grid.samples[m]:,}", _ridge_axis(results), curves)
    return panels


def error_by_samples_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the number of samples, a curve for each generation, a plot for each ridge."""
    grid, panels = grid_of(results), list[Panel]()
    shown = some_of(grid.generations)
    for i in chosen(grid.values, options, "ridge", _MOST_PLOTS):
        curves = [Curved(f"n = {t:,}", (t, slice(None), i)) for t in shown]
        panels += _plot(results, f"Test error, {grid.words(i)}", SAMPLES, curves)
    return panels


def error_by_generation_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over generations, a curve for each ridge, a plot for each number of samples."""
    grid, panels = grid_of(results), list[Panel]()
    at = grid.generations[np.isin(grid.generations, generations)]
    ridges = chosen(grid.values, options, "ridge", 1)
    for m in chosen(grid.samples, options, "samples", _MOST_PLOTS):
        alone = f", {grid.words(ridges[0])}" if len(ridges) == 1 else ""
        curves = [Curved("" if alone else grid.words(i), (at, m, i)) for i in ridges]
        panels += _plot(results, f"Test error, T = {grid.samples[m]:,}{alone}", GENERATION, curves)
    return panels


def test_error_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over what has most values: the ridge, or the number of samples, or else generations."""
    grid = grid_of(results)
    n_values, n_samples = len(grid.values), len(grid.samples)
    if max(n_values, n_samples) < 3:
        return error_by_generation_panel(results, generations, options)
    show = error_by_ridge_panel if n_values >= n_samples else error_by_samples_panel
    return show(results, generations, options)


def decomposition_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the parts of the test error of the last generation, over the ridge, or over samples where it is one."""
    grid = grid_of(results)
    over_ridge = len(grid.values) > 1
    m: Any = chosen(grid.samples, options, "samples", 1)[0] if over_ridge else slice(None)
    i: Any = slice(None) if over_ridge else 0
    axis, where = (_ridge_axis(results), f"T = {grid.samples[m]:,}") if over_ridge else (SAMPLES, grid.words(0))
    t = int(grid.generations[-1])
    curves = [Curved(words, (t, m, i), part) for part, words in _PARTS.items()]
    return _plot(results, f"Parts of the test error, n = {t:,}, {where}", axis, curves)


def optimum_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the ridge of the least mean test error over generations, with two standard errors by the jackknife."""
    grid, setting, chain = grid_of(results), setting_of(results), chain_of(results)
    if grid.exponents or int((grid.values > 0).sum()) < 3:
        raise InputError("model.downstream.ridge must have at least 3 values above 0 for the panel optimum")
    at = grid.generations[np.isin(grid.generations, generations)]
    positive = grid.values > 0
    panels = []
    for m in chosen(grid.samples, options, "samples", _MOST_PLOTS):
        found, error = least(results.metrics["test_error"][:, at, m][..., positive], grid.values[positive])
        lines: tuple[Line, ...] = ()
        if chain.unbiased and np.isfinite(chain.error[at]).all():
            known = setting.spectrum, setting.w0, int(grid.samples[m]), setting.sigma
            lines = (Line(EQUIVALENT, optimal_ridge(*known, chain.error[at])[0], "asymptotic"),)
        unknown = np.full(len(at), np.nan)
        curve = Curve(at, found, error, found - 2 * error, found + 2 * error, None, None, unknown, unknown)
        title, label = f"Ridge of the least mean test error, T = {grid.samples[m]:,}", "best lambda"
        note = f"{label}: where the mean over replicates is least, and its standard error"
        panels.append(Panel(title, label, label, curve, lines, band="two standard errors", log=True, note=note))
    return panels


PANELS: Mapping[str, Maker] = MappingProxyType(
    {
        "generator_error": generator_error_panel,
        "generator_norm": generator_norm_panel,
        "generator_alignment": generator_alignment_panel,
        "ratio_to_first": ratio_to_first_panel,
        "test_error": test_error_panel,
        "error_by_ridge": error_by_ridge_panel,
        "error_by_samples": error_by_samples_panel,
        "error_by_generation": error_by_generation_panel,
        "decomposition": decomposition_panel,
        "optimum": optimum_panel,
    }
)
DEFAULT = ("generator_error", "test_error")


def why_no_bounds(results: Results) -> str:
    """Return why a panel has no theory."""
    return "its expectation is not known"


class Words(NamedTuple):
    """Title, label of the values and heading of a panel."""

    title: str
    label: str
    heading: str


class Theory(NamedTuple):
    """Theory of a curve of B points.

    Parameters
    ----------
    law : expectation, spread and skewness, float64 [B] each.
    exact : bool [B], is the expectation exact? Elsewhere it is a line without a score.
    heavy : bool [B], is the mean or the variance infinite?
    median : float64 [B], exact medians, None where they are not known.
    label : of expectations that are not exact.
    """

    law: SkewedLaw
    exact: np.ndarray
    heavy: np.ndarray
    median: np.ndarray | None = None
    label: str = EQUIVALENT


def _all(value: bool, at: np.ndarray) -> np.ndarray:
    return np.full(len(at), value)


def _panel(words: Words, at: np.ndarray, values: np.ndarray, theory: Theory, **more: Any) -> Panel:
    """Return the panel of a positive quantity, float64 (R, B), of its medians where its moments are infinite."""
    law, exact = theory.law, theory.exact
    known = {"digits": 4, "positive": True, **more}
    axis = more.get("axis", GENERATION)
    if theory.heavy.any():
        median = np.full(len(at), np.nan) if theory.median is None else theory.median
        curve = median_curve(at, values, median)
        note = f"{words.heading}: {_HEAVY}"
        return Panel(*words, curve, log=is_wide(curve.mean, axis), band=QUARTILES, median=True, note=note, **known)
    curve = _scored(at, values, law._replace(expected=np.where(exact, law.expected, np.nan)))
    close = np.where(exact, np.nan, law.expected)
    lines = (Line(theory.label, close, "asymptotic"),) if np.isfinite(close).any() else ()
    return Panel(*words, curve, lines, log=is_wide(curve.mean, axis), **known)


def _scored(at: np.ndarray, values: np.ndarray, law: SkewedLaw) -> Curve:
    """Return the curve scored by the law, by Student's score alone where its deviation is not known."""
    told = np.isfinite(law.expected) & np.isfinite(law.skewness)
    known = np.where(told, np.isfinite(law.spread), False)
    plain = curve_of(at, values, None, None, law.expected, told & (law.skewness <= 0.5 * math.sqrt(values.shape[0])))
    both = skewed_curve(at, values, law)
    plain.z[known] = both.z[known]
    return plain


class Curved(NamedTuple):
    """A curve of a plot: its name, where it is in the metrics (generation, samples, ridge), and which part it is of."""

    group: str
    where: tuple[Any, Any, Any]
    part: str = "error"


def _plot(results: Results, title: str, axis: Axis, curves: Sequence[Curved]) -> list[Panel]:
    """Return the panels of one plot of the test error, of medians where all of its points need them.

    Where only some points do, the fits without a ridge to about as many samples as inputs, these are left out.
    """
    grid, fit, panels = grid_of(results), fit_of(results), []
    inherited = any(np.any(chain_of(results).heavy[curve.where[0]]) for curve in curves)
    heavy = inherited or all(np.all(fit.heavy[curve.where]) for curve in curves)
    for group, where, part in curves:
        at = {SAMPLES: grid.samples, GENERATION: np.asarray(where[0])}.get(axis, grid.values)
        values = results.metrics[_METRICS[part]][(slice(None), *where)]
        # What is 0 but for rounding, the bias of least squares.
        values = np.where(values < _NOTHING * setting_of(results).length, 0.0, values)
        out = fit.heavy[where] & (not heavy)
        # The parts of the error have no law of their own here.
        spread = fit.spread[where] if part == "error" else np.full(len(at), np.nan)
        law = SkewedLaw(getattr(fit, part)[where], spread, fit.skew[where])
        heading = f"T = {grid.samples[where[1]]:,}" if axis is GENERATION else "error"
        theory = Theory(law, fit.exact[where], np.full(len(at), heavy))
        words = Words(title, "excess test error", heading)
        note = f"{title}: left out where {_HEAVY}" if out.any() else ""
        panel = _panel(words, at, np.where(out, np.nan, values), theory, axis=axis, group=group)
        panels.append(dataclasses.replace(panel, note=note or panel.note))
    # Scaling laws are straight lines.
    log = axis is SAMPLES or any(panel.log for panel in panels)
    return [dataclasses.replace(panel, log=log) for panel in panels]


def _ridge_axis(results: Results) -> Axis:
    return EXPONENT if grid_of(results).exponents else RIDGE
