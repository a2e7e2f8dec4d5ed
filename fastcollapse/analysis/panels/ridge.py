"""Linear regressions beside their theory: errors of the generators and of the downstream fit."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import (
    MOST_PLOTS,
    SAMPLES,
    GridCurve,
    chosen,
    grid_of,
    plots_over_ridge,
    plots_over_samples,
)
from fastcollapse.analysis.panels.downstream_plot import METRICS, plot_errors
from fastcollapse.analysis.panels.downstream_theory import even_gap
from fastcollapse.analysis.panels.family_panels import FamilyPanels, Maker
from fastcollapse.analysis.panels.label_grid import default_panels
from fastcollapse.analysis.panels.minimum import locate_minimum
from fastcollapse.analysis.panels.mixed_labels import best_weight_panel, mixed_error_panel
from fastcollapse.analysis.panels.panel import GENERATION, Curve, Line, Panel
from fastcollapse.analysis.panels.regression_curves import EXCESS_ERROR, Labels, Theory, panel_beside, scored_curve
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.regression_theory import EQUIVALENT, chain_of, medians_of
from fastcollapse.analysis.panels.ridge_sources import SOURCES
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw
from fastcollapse.analysis.panels.strong_collapse import best_ridge_panels, plateau_panel, ridge_gain_panel
from fastcollapse.analysis.panels.text import plain
from fastcollapse.analysis.panels.weighted_fits import ErrorOf, error_over_real_panel
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.regression.optimal_ridge import optimal_ridge

_PARTS = {
    "bias": "bias",
    "variance": "variance",
    "synthetic": "synthetic labels",
    "cross": "products",
    "error": "total",
}


def generator_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the excess error of the generators over generations."""
    chain = chain_of(results)
    law = SkewedLaw(chain.error, chain.spread, chain.skew).at(generations)
    heavy = chain.heavy[generations]
    median = medians_of(results, generations) if heavy.any() else None
    theory = Theory(law, _all(chain.exact, generations), heavy, median, chain.label)
    labels = Labels("Excess error of the generator", EXCESS_ERROR, "error")
    return panel_beside(labels, generations, results.metrics["generator_error"][:, generations], theory)


def generator_norm_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the squared norm of the weights over generations."""
    chain = chain_of(results)
    # Its deviation is not known; its tail is not heavier than that of the error.
    law = SkewedLaw(chain.square, np.full(chain.square.shape, np.nan), chain.skew).at(generations)
    theory = Theory(law, _all(chain.exact, generations), chain.heavy[generations], None, chain.label)
    labels = Labels("Squared norm of the weights", r"squared norm $\Vert w_t\Vert^2$", "norm²")
    return panel_beside(labels, generations, results.metrics["generator_norm"][:, generations] ** 2, theory)


def generator_alignment_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the cosine between the weights and the true ones over generations."""
    chain, setting = chain_of(results), setting_of(results)
    with np.errstate(invalid="ignore"):
        ratio = chain.overlap / np.sqrt(chain.square * (setting.w0**2).sum())
    # The ratio of expectations differs from the expectation of the ratio by a term that vanishes with the dimension.
    law = SkewedLaw(ratio, *np.full((2, ratio.size), np.nan)).at(generations)
    never = _all(False, generations)
    labels = Labels("Alignment with the true weights", r"cosine $\cos(w_t, w_0)$", "cosine")
    values = results.metrics["generator_alignment"][:, generations]
    panel = panel_beside(labels, generations, values, Theory(law, never, never))
    return dataclasses.replace(panel, log=False, positive=False)


def ratio_to_first_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the error of the generators over that of the first: n under replace, at most pi²/6 under accumulate."""
    chain, schedule = chain_of(results), setting_of(results).schedule
    at = generations[generations >= 1]
    values, heavy = results.metrics["generator_error"], bool(chain.heavy.any())
    median = medians_of(results, np.append(1, at)) if heavy else np.full(len(at) + 1, np.nan)
    first = median[0] if heavy else chain.error[1]
    if not np.isfinite(first):
        first = np.median(values[:, 1]) if heavy else values[:, 1].mean()
    law = SkewedLaw(chain.error / first, chain.spread, chain.skew).at(at)
    theory = Theory(law, _all(chain.exact, at), chain.heavy[at], median[1:] / first, chain.label)
    labels = Labels("Error over that of the first fit", "error / error of the first fit", "ratio")
    # Values from 1 to n are compared with those of other workflows that stay near 1.
    panel = dataclasses.replace(panel_beside(labels, at, values[:, at] / first, theory), log=True)
    if not schedule.keep[1:].all() or schedule.n_train.any() or schedule.n_real.any():
        return panel
    return dataclasses.replace(
        panel, lines=(*panel.lines, Line(r"$\pi^2/6$", np.full(len(at), math.pi**2 / 6), "limit"))
    )


def error_by_ridge_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the ridge, a curve for each generation, a plot for each number of samples."""
    return plots_over_ridge(results, options, "Test error", plot_errors)


def error_by_samples_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the number of samples, a curve for each generation, a plot for each ridge."""
    return plots_over_samples(results, options, "Test error", plot_errors)


def error_by_generation_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over generations, a curve for each ridge or share, a plot for each number of samples."""
    grid, panels = grid_of(results), list[Panel]()
    at = grid.generations[np.isin(grid.generations, generations)]
    ridges = chosen(grid.values, options, "ridge", 1)
    for m in chosen(grid.samples, options, "samples", MOST_PLOTS):
        if grid.shares is not None:
            single = f", {grid.ridge_name(ridges[0])}"
            places = grid.share_places()
            curves = [GridCurve(grid.share_name(share), grid.place(at, m, ridges[0], share)) for share in places]
        else:
            single = f", {grid.ridge_name(ridges[0])}" if len(ridges) == 1 else ""
            curves = [GridCurve("" if single else grid.ridge_name(i), (at, m, i)) for i in ridges]
        panels += plot_errors(results, f"Test error, $T$ = {grid.samples[m]:,}{single}", GENERATION, curves)
    return panels


def fine_tuning_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the error of generations as they are and fine-tuned on labels of the truth, beside a fit from scratch."""
    grid, setting, chain = grid_of(results), setting_of(results), chain_of(results)
    if not setting.tuned:
        raise InputError("model.downstream.start must be 'generation' or a number for the panel fine_tuning")
    at = grid.generations[np.isin(grid.generations, generations)]
    law = SkewedLaw(chain.error, chain.spread, chain.skew).at(at)
    share = f", {grid.share_name(-1)}" if grid.shares is not None else ""
    as_they_are = Theory(law, _all(chain.exact, at), chain.heavy[at], None, chain.label)
    panels = []
    for m in chosen(grid.samples, options, "samples", MOST_PLOTS):
        title, T = f"Error, fine-tuned on $T$ = {grid.samples[m]:,} samples{share}", int(grid.samples[m])
        ridges = chosen(grid.values, options, "ridge", 3)
        tuned = plot_errors(
            results, title, GENERATION, [GridCurve(grid.ridge_name(i), grid.place(at, m, i)) for i in ridges]
        )
        labels = Labels(title, "excess test error", "as they are")
        first = panel_beside(labels, at, results.metrics["generator_error"][:, at], as_they_are)
        scratch = np.full(len(at), float(optimal_ridge(setting.spectrum, setting.w0, T, setting.sigma)[1]))
        reference = Line("theory: from scratch, best ridge", scratch, "reference")
        panels.append(dataclasses.replace(first, lines=(*first.lines, reference), group="not fine-tuned"))
        panels += [
            dataclasses.replace(p, heading=f"T = {T:,}, {plain(p.group)}", lines=(*p.lines, reference)) for p in tuned
        ]
    return panels


def test_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the test error over the longer axis of the grid, ridge or samples; over generations if both are short."""
    grid = grid_of(results)
    n_values, n_samples = len(grid.values), len(grid.samples)
    # Generation 0 alone has a fit where the law of the labels is that of all generations.
    if max(n_values, n_samples) < 3 and grid.generations[-1] > 0:
        return error_by_generation_panel(results, generations, options)
    show = error_by_ridge_panel if n_values >= n_samples else error_by_samples_panel
    return show(results, generations, options)


def decomposition_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the parts of the test error of the last generation over the ridge, or over samples for a single ridge."""
    grid = grid_of(results)
    over_ridge = len(grid.values) > 1
    m: Any = chosen(grid.samples, options, "samples", 1)[0] if over_ridge else slice(None)
    i: Any = slice(None) if over_ridge else 0
    axis, where = (grid.ridge_axis, f"$T$ = {grid.samples[m]:,}") if over_ridge else (SAMPLES, grid.ridge_name(0))
    t = int(grid.generations[-1])
    share = f", {grid.share_name(-1)}" if grid.shares is not None else ""
    # Labels of the truth have no synthetic part.
    parts = {part: name for part, name in _PARTS.items() if METRICS[part] in results.variables}
    curves = [GridCurve(name, grid.place(t, m, i), part) for part, name in parts.items()]
    return plot_errors(results, f"Parts of the test error, $t$ = {t:,}, {where}{share}", axis, curves)


def optimum_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the ridge of the lowest mean test error over generations, with two standard errors by the jackknife.

    With synthetic samples beside real ones it is over the number of samples, a curve for each share.
    """
    grid, setting, chain = grid_of(results), setting_of(results), chain_of(results)
    if grid.exponents or int((grid.values > 0).sum()) < 3:
        raise InputError("model.downstream.ridge must have at least 3 values above 0 for the panel optimum")
    if setting.mixed:
        return best_ridge_panels(results)
    at = grid.generations[np.isin(grid.generations, generations)]
    if setting.tuned:
        # No finite ridge is best for a start without an error.
        at = at[at > 0]
        if not at.size:
            needed = "a generation above 0 for the panel optimum where start is not 'zero'"
            raise InputError(f"model.downstream must have {needed}")
    positive = grid.values > 0
    panels = []
    for m in chosen(grid.samples, options, "samples", MOST_PLOTS):
        errors = results.metrics["test_error"][:, at, m][..., positive]
        best, error = locate_minimum(errors, grid.values[positive])
        lines: tuple[Line, ...] = ()
        if chain.unbiased and np.isfinite(chain.error[at]).all():
            lines = (Line(EQUIVALENT, _best_ridges(setting, int(grid.samples[m]), chain.error[at]), "asymptotic"),)
        unknown = np.full(len(at), np.nan)
        curve = Curve(at, best, error, best - 2 * error, best + 2 * error, None, None, unknown, unknown)
        title, label, heading = f"Best ridge, $T$ = {grid.samples[m]:,}", r"best ridge $\lambda$", "best lambda"
        note = f"{heading}: where the mean over replicates is least, and its standard error"
        panels.append(Panel(title, label, heading, curve, lines, band="two standard errors", log=True, note=note))
    return panels


def _best_ridges(setting: Setting, T: int, errors: np.ndarray) -> np.ndarray:
    """Return the best ridge of a fit to T labels of generators of these errors, or that is fine-tuned from them."""
    if not setting.tuned:
        return optimal_ridge(setting.spectrum, setting.w0, T, setting.sigma, errors)[0]
    gaps = [even_gap(setting.spectrum, error) for error in errors]
    # Without noise a generation has no error, and no finite ridge is best for it.
    best = [float(optimal_ridge(setting.spectrum, gap, T, setting.sigma)[0]) if gap.any() else np.nan for gap in gaps]
    return np.array(best)


def _all(value: bool, at: np.ndarray) -> np.ndarray:
    """Return one truth value for all points."""
    return np.full(len(at), value)


def _error_curve(results: RecordedRun, generations: np.ndarray, factor: float = 1.0) -> Curve:
    """Return the excess error of the generators, times a factor."""
    chain = chain_of(results)
    law = SkewedLaw(np.where(chain.exact, factor * chain.error, np.nan), chain.spread, chain.skew).at(generations)
    return scored_curve(generations, factor * results.metrics["generator_error"][:, generations], law)


def _real_error(results: RecordedRun, n_real: int) -> float:
    """Return the expected error of least squares on n real rows alone; infinite if that of the run may be."""
    setting = setting_of(results)
    if setting.ridge > 0 or n_real <= setting.d + 1 or chain_of(results).heavy.any():
        return math.inf
    return setting.sigma**2 * setting.d / (n_real - setting.d - 1)


def _noise(results: RecordedRun) -> float:
    """Return the variance of the noise of synthetic labels over that of real ones, which is above 0."""
    setting = setting_of(results)
    return (setting.sigma0 / setting.sigma) ** 2


_ERROR = ErrorOf(_error_curve, lambda results: chain_of(results).error, _real_error, _noise)
_MAKERS: dict[str, Maker] = {
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
    "fine_tuning": fine_tuning_panel,
    "plateau": plateau_panel,
    "ridge_gain": ridge_gain_panel,
    "mixed_error": mixed_error_panel,
    "best_weight": best_weight_panel,
    "error_over_real": functools.partial(error_over_real_panel, _ERROR),
}


class RidgePanels(FamilyPanels):
    """The panels of linear regressions."""

    def default_names(self, results: RecordedRun) -> tuple[str, ...]:
        """Return the names of the panels of a run without a recipe; those of mixed labels for a run with them."""
        return default_panels(results) or super().default_names(results)

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has no theory."""
        schedule = setting_of(results).schedule
        if schedule.weight is not None and schedule.keep[1:].any():
            return "the fit to synthetic rows of several generations beside real rows has no simple expectation"
        return super().why_no_bounds(results)


# The theory of the generators covers weights, the only stage of this family.
PANELS = RidgePanels(
    _MAKERS,
    staged=_MAKERS,
    default=("generator_error", "test_error"),
    no_theory="its expectation is not known",
    sources=SOURCES,
)
