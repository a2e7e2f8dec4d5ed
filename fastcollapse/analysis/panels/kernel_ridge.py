"""Refitted kernel regressions: test errors and accuracies over samples, ridges and generations, and digits with what
generations take them for. Theory is an estimate: equivalents fed with the spectrum of the kernel over held-out rows."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.base import Maker, curve_of, is_plain, once, schedule_of
from fastcollapse.analysis.panels.downstream_theory import chosen, grid_of, some_of
from fastcollapse.analysis.panels.panel import GENERATION, Axis, Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.ridge import EXPONENT, RIDGE, SAMPLES
from fastcollapse.simulation.results import Results
from fastcollapse.theory.regression.chain_asymptotic import chain_means, chain_test_means

ESTIMATE = "estimate from the spectrum of held-out rows"
_SHOWN = Axis("n", "generation n", log=False)
# Plots side by side.
_MOST_PLOTS = 3
# Eigenvalues below this share of the largest are rounding: what lies along them cannot be learnt.
_LEAST = 1e-13
# The estimate knows as many directions as it has rows: it is too low for samples that come near them.
_MOST_SHARE = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """Deterministic equivalents of the test errors, NaN where they are not known.

    Parameters
    ----------
    generator : float64 (T + 1).
    test : float64 (T + 1, M, L), or None without a predictor.
    """

    generator: np.ndarray
    test: np.ndarray | None


@once
def estimate_of(results: Results) -> Estimate | None:
    """Return the estimate for a run whose generations see nothing but the one before, otherwise None.

    The kernel is a linear regression on its eigenfunctions with as many dimensions as there are rows to estimate them
    from; targets of several outputs have the mean of their errors. Inputs are not Gaussian there: asymptotic, not
    scored.

    References
    ----------
    arXiv:2402.07712; its equivalents are checked in tests/test_verification_regression.py."""
    if "spectrum" not in results.coordinates or not is_plain(results):
        return None
    spectrum, power = (results.coordinates[name].values for name in ("spectrum", "power"))
    spectrum = np.maximum(spectrum, _LEAST * spectrum[0])
    weights = np.sqrt(power / spectrum)
    model: Any = results.experiment.model
    sizes, fits = schedule_of(results).n_synthetic, np.arange(results.last + 1)
    noise = (model.synthetic_noise, model.ridge)
    most = _MOST_SHARE * len(spectrum)
    generator = chain_means(spectrum, weights, sizes, fits, *noise)[0]
    generator[1:][sizes[: results.last] > most] = np.nan
    if "test_error" not in results.metrics:
        return Estimate(generator, None)
    grid = grid_of(results)
    test = np.full((len(fits), *grid.ridge.shape), np.nan)
    rows = grid.samples[:, None]
    for t in grid.generations:
        test[t] = chain_test_means(spectrum, weights, rows, grid.ridge, sizes, int(t), model.sigma, *noise)[0]
    test[:, grid.samples > most] = np.nan
    return Estimate(generator, test)


class Words(NamedTuple):
    """Title, label of the values and heading of a panel."""

    title: str
    label: str
    heading: str


class Curved(NamedTuple):
    """A curve of a plot: its name, and where it is in the metrics (generation, samples, ridge)."""

    group: str
    where: tuple[Any, Any, Any]


def _curve(at: np.ndarray, values: np.ndarray) -> Curve:
    """Return a curve whose expectation is not known."""
    return curve_of(at, values, None, None, np.full(len(at), np.nan), np.full(len(at), False))


def _lines(values: np.ndarray | None) -> tuple[Line, ...]:
    return () if values is None or not np.isfinite(values).any() else (Line(ESTIMATE, values, "asymptotic"),)


def generator_error_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the test error of the generators over generations."""
    at = generations[generations >= 1]
    estimate = estimate_of(results)
    lines = _lines(None if estimate is None else estimate.generator[at])
    curve = _curve(at, results.metrics["generator_error"][:, at])
    words = Words("Test error of the generator", "mean squared error", "error")
    return Panel(*words, curve, lines, log=is_wide(curve.mean, GENERATION), digits=4)


def generator_accuracy_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the test accuracy of the generators over generations."""
    curve = _curve(generations, results.metrics["generator_accuracy"][:, generations])
    return Panel("Test accuracy of the generator", "share of rows (%)", "accuracy", curve, factor=100.0, digits=2)


def _plot(results: Results, metric: str, title: str, axis: Axis, curves: Sequence[Curved]) -> list[Panel]:
    """Return the panels of one plot of a metric of the predictor."""
    grid, estimate, panels = grid_of(results), estimate_of(results), []
    for group, where in curves:
        at = {SAMPLES: grid.samples, GENERATION: np.asarray(where[0])}.get(axis, grid.values)
        curve = _curve(at, results.metrics[metric][(slice(None), *where)])
        if metric == "test_accuracy":
            panels.append(Panel(title, "test accuracy (%)", "accuracy", curve, factor=100.0, axis=axis, group=group))
            continue
        known = None if estimate is None or estimate.test is None else estimate.test[where]
        lines = _lines(known)
        panels.append(
            Panel(title, "mean squared error", "error", curve, lines, log=True, digits=4, axis=axis, group=group)
        )
    return panels


def _by_samples(metric: str, name: str) -> Maker:
    def panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
        grid, panels = grid_of(results), list[Panel]()
        for i in chosen(grid.values, options, "ridge", _MOST_PLOTS):
            curves = [Curved(f"n = {t:,}", (t, slice(None), i)) for t in some_of(grid.generations)]
            panels += _plot(results, metric, f"{name}, {grid.words(i)}", SAMPLES, curves)
        return panels

    panel.__doc__ = f"Show the {name.lower()} over samples, a curve for each generation, a plot for each ridge."
    return panel


def _by_ridge(metric: str, name: str) -> Maker:
    def panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
        grid, panels = grid_of(results), list[Panel]()
        axis = EXPONENT if grid.exponents else RIDGE
        for m in chosen(grid.samples, options, "samples", _MOST_PLOTS):
            curves = [Curved(f"n = {t:,}", (t, m, slice(None))) for t in some_of(grid.generations)]
            panels += _plot(results, metric, f"{name}, T = {grid.samples[m]:,}", axis, curves)
        return panels

    panel.__doc__ = f"Show the {name.lower()} over the ridge, a curve for each generation, a plot for each sample size."
    return panel


def test_error_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over what has most values: the ridge, or the number of samples, or else generations."""
    grid = grid_of(results)
    n_values, n_samples = len(grid.values), len(grid.samples)
    if max(n_values, n_samples) >= 3:
        name = "error_by_ridge" if n_values >= n_samples else "error_by_samples"
        return list(PANELS[name](results, generations, options))  # type: ignore[arg-type]
    at, panels = grid.generations[np.isin(grid.generations, generations)], list[Panel]()
    for m in range(n_samples):
        curves = [Curved(grid.words(i) if n_values > 1 else "", (at, m, i)) for i in range(n_values)]
        panels += _plot(results, "test_error", f"Test error, T = {grid.samples[m]:,}", GENERATION, curves)
    return panels


def digits_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show some held-out rows as pictures with what generations take them for: the mean over replicates of a number, or
    the share of replicates that name the right label.
    """
    values = results.metrics["generator_shown"]
    labels = results.coordinates["shown_label"].values
    pixels = results.coordinates["pixels"].values.reshape(len(labels), -1)
    side = math.isqrt(pixels.shape[1])
    square = side * side == pixels.shape[1]
    wanted = options.get("generations")
    at = generations if wanted is None else np.array([t for t in wanted if t <= results.last])
    is_number = getattr(results.experiment.truth, "target", "") == "number"
    title = "Mean prediction of generation n" if is_number else "Share of generations n that are right"
    panels = []
    for i, label in enumerate(labels):
        shown = values[:, at, i] if is_number else (values[:, at, i] == label).astype(float)
        image = pixels[i].reshape(side, side) if square else None
        curve, group = _curve(at, shown), f"label {label:g}"
        panels.append(Panel(title, "prediction", "prediction", curve, digits=2, axis=_SHOWN, group=group, image=image))
    return panels


PANELS: Mapping[str, Maker] = MappingProxyType(
    {
        "generator_error": generator_error_panel,
        "generator_accuracy": generator_accuracy_panel,
        "test_error": test_error_panel,
        "error_by_samples": _by_samples("test_error", "Test error"),
        "error_by_ridge": _by_ridge("test_error", "Test error"),
        "accuracy_by_samples": _by_samples("test_accuracy", "Test accuracy"),
        "accuracy_by_ridge": _by_ridge("test_accuracy", "Test accuracy"),
        "digits": digits_panel,
    }
)
DEFAULT = ("generator_error", "test_error")


def why_no_bounds(results: Results) -> str:
    """Return why a panel has no theory that scores it."""
    return "theory is an estimate from held-out rows"
