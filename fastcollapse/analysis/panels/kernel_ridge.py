"""Kernel regressions: test errors and accuracies over samples, ridges and generations, and predictions for some digits.

Theory is an estimate: deterministic equivalents with the spectrum of the kernel over held-out rows. It is exact if all
generations have the same rows, or fits are added to the function before: a run then records the expected errors given
the rows of each replicate.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import (
    GridCurve,
    grid_of,
    plots_over_ridge,
    plots_over_samples,
    points_of,
)
from fastcollapse.analysis.panels.family_panels import FamilyPanels, Maker
from fastcollapse.analysis.panels.kernel_labels import beside_expected, best_weight_panel, mixed_error_panel
from fastcollapse.analysis.panels.label_grid import default_panels
from fastcollapse.analysis.panels.panel import GENERATION, Axis, Line, Panel, is_wide
from fastcollapse.analysis.panels.schedules import cached_by_results, is_replace_only, schedule_of
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.regression.chain_asymptotic import chain_means, chain_test_means

ESTIMATE = "theory: estimate from held-out rows"
_SHOWN = Axis("t", "generation $t$", log=False)
# Eigenvalues below this share of the largest are rounding: nothing is learnt along their directions.
_LEAST = 1e-13
# Domain of the theory.
_LARGEST_EIGENVALUE, _LARGEST_WEIGHT = 1e40, 1e30
# The most samples of a fit as a share of the rows of the spectrum. The estimate is too low for more, because it has no
# more directions than rows.
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


@cached_by_results
def estimate_of(results: RecordedRun) -> Estimate | None:
    """Return the estimate for a run that only replaces its data; None for other runs.

    Kernel regression is linear regression on the eigenfunctions of the kernel. They are estimated from held-out rows,
    and their number is that of the rows. The error of several outputs is the mean of their errors. The inputs of this
    linear regression are not Gaussian, so the estimate is asymptotic and has no score.

    References
    ----------
    arXiv:2402.07712; its equivalents are checked in tests/verification/test_regression.py.
    """
    model: Any = results.experiment.model
    if (
        "spectrum" not in results.coordinates
        or not is_replace_only(results)
        or model.is_dependent
        or model.from_previous
    ):
        return None
    spectrum, power = (results.coordinates[name].values for name in ("spectrum", "power"))
    spectrum = np.maximum(spectrum, _LEAST * spectrum[0])
    weights = np.sqrt(power / spectrum)
    if spectrum[0] > _LARGEST_EIGENVALUE or spectrum[-1] < 1 / _LARGEST_EIGENVALUE or weights.max() > _LARGEST_WEIGHT:
        return None  # kernels and labels of a size that the theory refuses
    sizes, fits = schedule_of(results).n_synthetic, np.arange(results.last + 1)
    noise = (model.synthetic_noise, model.ridge)
    most = _MOST_SHARE * len(spectrum)
    generator = chain_means(spectrum, weights, sizes, fits, *noise)[0]
    generator[1:][sizes[: results.last] > most] = np.nan
    # The spectrum says nothing about the direction of the error of a generation.
    if "test_error" not in results.metrics or model.downstream.is_tuned:
        return Estimate(generator, None)
    grid = grid_of(results)
    test = np.full((len(fits), *grid.ridge.shape), np.nan)
    rows = grid.samples[:, None]
    for t in grid.generations:
        test[t] = chain_test_means(spectrum, weights, rows, grid.ridge, sizes, int(t), model.sigma, *noise)[0]
    test[:, grid.samples > most] = np.nan
    return Estimate(generator, test)


def _lines(values: np.ndarray | None) -> tuple[Line, ...]:
    """Return the estimate as a line, or none where it is not known."""
    return () if values is None or not np.isfinite(values).any() else (Line(ESTIMATE, values, "asymptotic"),)


def generator_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the test error of the generators over generations."""
    at = generations[generations >= 1]
    estimate = estimate_of(results)
    lines = _lines(None if estimate is None else estimate.generator[at])
    curve = beside_expected(results, at, "generator", at)
    title, log = "Test error of the generator", is_wide(curve.mean, GENERATION)
    return Panel(title, "mean squared error", "error", curve, lines, log=log, digits=4)


def generator_accuracy_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the test accuracy of the generators over generations."""
    curve = unscored_curve(generations, results.metrics["generator_accuracy"][:, generations])
    return Panel("Test accuracy of the generator", "share of rows (%)", "accuracy", curve, factor=100.0, digits=2)


def _plot(metric: str, results: RecordedRun, title: str, axis: Axis, curves: Sequence[GridCurve]) -> list[Panel]:
    """Return the panels of one plot of a metric of the predictor."""
    grid, estimate, panels = grid_of(results), estimate_of(results), []
    for grid_curve in curves:
        at = points_of(grid, grid_curve, axis)
        curve = unscored_curve(at, results.metrics[metric][(slice(None), *grid_curve.where)])
        place: dict[str, Any] = {"axis": axis, "group": grid_curve.group}
        if metric == "test_accuracy":
            panels.append(Panel(title, "test accuracy (%)", "accuracy", curve, factor=100.0, **place))
            continue
        lines = _lines(None if estimate is None or estimate.test is None else estimate.test[grid_curve.where])
        panels.append(Panel(title, "mean squared error", "error", curve, lines, log=True, digits=4, **place))
    return panels


def _by_samples(metric: str, name: str) -> Maker:
    """Return the maker of the panels of a metric over the number of samples."""

    def panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
        return plots_over_samples(results, options, name, functools.partial(_plot, metric))

    panel.__doc__ = f"Show the {name.lower()} over samples, a curve for each generation, a plot for each ridge."
    return panel


def _by_ridge(metric: str, name: str) -> Maker:
    """Return the maker of the panels of a metric over the ridge."""

    def panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
        return plots_over_ridge(results, options, name, functools.partial(_plot, metric))

    panel.__doc__ = f"Show the {name.lower()} over the ridge, a curve for each generation, a plot for each sample size."
    return panel


def test_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the longer axis of the grid, ridge or samples; over generations if both are short."""
    grid, plot = grid_of(results), functools.partial(_plot, "test_error")
    n_values, n_samples = len(grid.values), len(grid.samples)
    if max(n_values, n_samples) >= 3:
        plots = plots_over_ridge if n_values >= n_samples else plots_over_samples
        return plots(results, options, "Test error", plot)
    at, panels = grid.generations[np.isin(grid.generations, generations)], list[Panel]()
    for m in range(n_samples):
        curves = [GridCurve(grid.ridge_name(i) if n_values > 1 else "", (at, m, i)) for i in range(n_values)]
        panels += plot(results, f"Test error, $T$ = {grid.samples[m]:,}", GENERATION, curves)
    return panels


def digits_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show some held-out rows as images, with the predictions of generations below them.

    A prediction is the mean number over replicates, or the share of replicates with the right label.
    """
    values = results.metrics["generator_shown"]
    labels = results.coordinates["shown_label"].values
    pixels = results.coordinates["pixels"].values.reshape(len(labels), -1)
    side = math.isqrt(pixels.shape[1])
    square = side * side == pixels.shape[1]
    given = options.get("generations")
    at = generations if given is None else np.array([t for t in given if t <= results.last])
    truth: Any = results.experiment.truth
    is_number = truth.target == "number"
    title = "Mean prediction of generation $t$" if is_number else "Share of right labels at generation $t$"
    panels = []
    for i, label in enumerate(labels):
        shown = values[:, at, i] if is_number else (values[:, at, i] == label).astype(float)
        image = pixels[i].reshape(side, side) if square else None
        curve, group = unscored_curve(at, shown), f"label {label:g}"
        panels.append(Panel(title, "prediction", "prediction", curve, digits=2, axis=_SHOWN, group=group, image=image))
    return panels


class KernelRidgePanels(FamilyPanels):
    """Panels and descriptions of kernel regressions."""

    def default_names(self, results: RecordedRun) -> tuple[str, ...]:
        """Return the names of the panels of a run without a recipe; those of mixed labels for a run with them."""
        return default_panels(results) or super().default_names(results)

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has no exact theory."""
        model: Any = results.experiment.model
        if model.mixed_labels is not None and not model.is_dependent:
            return "mixed labels of new rows have no theory"
        if model.is_dependent or model.from_previous:
            return "the expected errors given the rows are not recorded, or say nothing about it"
        return super().why_no_bounds(results)

    def describe_truth(self, results: RecordedRun) -> str:
        """Return the files in words, and the divisor of the inputs where it is recorded and not 1."""
        pixels = results.coordinates.get("pixels")
        divisor = "1" if pixels is None else pixels.units
        return super().describe_truth(results) + ("" if divisor == "1" else f", inputs divided by {divisor}")


def _has_spectrum(results: RecordedRun) -> bool:
    model: Any = results.experiment.model
    plain = is_replace_only(results) and not model.is_dependent and not model.from_previous
    return plain and "spectrum" in results.coordinates


PANELS = KernelRidgePanels(
    {
        "generator_error": generator_error_panel,
        "generator_accuracy": generator_accuracy_panel,
        "test_error": test_error_panel,
        "error_by_samples": _by_samples("test_error", "Test error"),
        "error_by_ridge": _by_ridge("test_error", "Test error"),
        "accuracy_by_samples": _by_samples("test_accuracy", "Test accuracy"),
        "accuracy_by_ridge": _by_ridge("test_accuracy", "Test accuracy"),
        "mixed_error": mixed_error_panel,
        "best_weight": best_weight_panel,
        "digits": digits_panel,
    },
    default=("generator_error", "test_error"),
    no_theory="theory is an estimate from held-out rows",
    sources=(
        Statement(
            "deterministic equivalents of the test error",
            ("dohmatob2024b",),
            ("generator_error", "test_error", "error_by_samples", "error_by_ridge"),
            _has_spectrum,
        ),
    ),
)
