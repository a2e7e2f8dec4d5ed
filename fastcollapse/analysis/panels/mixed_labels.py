"""Regressions on mixed labels beside theory: the error over the weight of the real labels, and the best weight."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import chosen
from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.minimum import locate_minimum
from fastcollapse.analysis.panels.panel import Axis, Curve, Line, Panel
from fastcollapse.analysis.panels.regression_curves import Labels, Theory, panel_beside
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.regression_theory import EDGE, EQUIVALENT
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.mixing.weighted_fit import weighted_errors
from fastcollapse.theory.regression.fine_tuning import nearest_chain_error
from fastcollapse.theory.regression.mixed_labels import best_label_weight, mixed_label_means

_WEIGHT = Axis("w", "weight of the real labels, w", log=False)
_GOLDEN = (math.sqrt(5) - 1) / 2
_MOST_CURVES = 5
# The theory of a ridge is an integral for each weight and generation.
_LEAST_RIDGE, _MOST_RIDGE = 1e-8, 1e40
_LEAST_NOISE = 1e-30
_ROUNDING = 1e-9
_TITLE = "Weight of the least mean error"
# The fewest weights above 0 that locate a minimum.
_LEAST_WEIGHTS = 3


def default_panels(results: RecordedRun) -> tuple[str, ...]:
    """Return the names of the panels of a run with mixed labels; none without their errors."""
    if "mixed_error" not in results.metrics:
        return ()
    weights = _grid(results)[1]
    has_minimum = int((weights > 0).sum()) >= _LEAST_WEIGHTS
    return ("mixed_error", "best_weight") if has_minimum else ("mixed_error",)


def mixed_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the error of the last generation over the weight of the real labels, a curve for each ridge."""
    values, weights, ridges = _grid(results)
    last, setting = int(generations[-1]), setting_of(results)
    panels = []
    for i in _ridges(ridges, options):
        theory = _theory(results, setting, weights, float(ridges[i]), last)
        # Means and medians are not in one plot.
        title = f"Excess error with mixed labels, n = {last:,}{', medians' if theory.heavy.any() else ''}"
        labels = Labels(title, "|w - w0|² in the norm of Sigma", "error")
        panel = panel_beside(labels, weights, values[:, last, :, i], theory, axis=_WEIGHT)
        panels.append(dataclasses.replace(panel, group=_name(ridges[i]) if len(ridges) > 1 else ""))
    return [dataclasses.replace(panel, log=any(p.log for p in panels)) for panel in panels]


def best_weight_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the weight of the least mean error over generations, with two standard errors by the jackknife."""
    values, weights, ridges = _grid(results)
    positive = weights > 0
    if int(positive.sum()) < _LEAST_WEIGHTS:
        needed = f"at least {_LEAST_WEIGHTS} values above 0"
        raise InputError(f"model.mixed_labels.weight must have {needed} for the panel best_weight")
    at = generations[generations > 0]
    setting, panels = setting_of(results), []
    for i in _ridges(ridges, options):
        best, error = locate_minimum(values[:, at][:, :, positive, i], weights[positive])
        best = np.minimum(best, 1.0)
        unknown = np.full(len(at), np.nan)
        curve = Curve(at, best, error, best - 2 * error, best + 2 * error, None, None, unknown, unknown)
        lines = _stationary(results, setting, float(ridges[i]), len(at))
        note = "best weight: where the mean over replicates is least, and its standard error"
        group = _name(ridges[i]) if len(ridges) > 1 else ""
        heading = f"best w, {_name(ridges[i])}" if group else "best w"
        shown = Panel(_TITLE, "best weight of the real labels", heading, curve, lines, limits=(0.0, 1.0))
        panels.append(dataclasses.replace(shown, band="two standard errors", digits=4, note=note, group=group))
    return panels


def _grid(results: RecordedRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return errors (R, T + 1, W, L), weights in ascending order (W), each once, and ridges (L)."""
    values = results.metrics["mixed_error"]
    given, ridges = (np.asarray(results.coordinates[name].values) for name in ("weight", "ridge"))
    weights, places = np.unique(given, return_index=True)
    return values[:, :, places], weights, ridges


def _ridges(ridges: np.ndarray, options: Mapping[str, Any]) -> list[int]:
    """Return the places of the ridges to show."""
    return chosen(ridges, options, "ridge", _MOST_CURVES)


def _name(ridge: float) -> str:
    return f"lambda = {ridge:.3g}"


def _law(results: RecordedRun, setting: Setting) -> tuple[str, str]:
    """Return the real labels and the start of the fits, as theory names them."""
    model: Any = results.experiment.model
    return model.real_labels or "fresh", "previous" if setting.previous else "zero"


def _scaled(setting: Setting, ridge: float) -> float:
    """Return a ridge for inputs of covariance I."""
    return ridge / float(setting.spectrum[0])


def _is_known(setting: Setting, ridge: float) -> bool:
    """Return whether the errors of chains on the same rows have a theory for any numbers of rows and inputs."""
    return setting.isotropic and (ridge == 0 or _LEAST_RIDGE <= _scaled(setting, ridge) <= _MOST_RIDGE)


def _theory(results: RecordedRun, setting: Setting, weights: np.ndarray, ridge: float, n: int) -> Theory:
    """Return the theory of the errors of generation n over the weights."""
    d, rows = setting.d, setting.schedule.n_synthetic
    is_near = bool((np.abs(rows - d) <= EDGE).any()) and ridge == 0
    heavy = np.full(weights.shape, is_near and setting.sigma + setting.sigma0 > 0 and n > 0)
    exact = np.full(weights.shape, ridge == 0 and setting.gaussian)
    expected = np.full(weights.shape, np.nan)
    if setting.dependent:
        T, scaled = int(rows[0]), _scaled(setting, ridge)
        if _is_known(setting, ridge) or (ridge == 0 and d <= T):
            noise = setting.sigma, setting.sigma0, setting.length
            expected = mixed_label_means(d, T, weights, scaled, n, *noise, *_law(results, setting))
    elif ridge == 0 and int(rows.min()) >= d + 2:
        real, synthetic = (noise**2 * d / (rows[:n] - d - 1) for noise in (setting.sigma, setting.sigma0))
        expected = np.array([weighted_errors(w, real, synthetic, 1.0)[-1] if n else 0.0 for w in weights])
    elif ridge == 0 and setting.previous and setting.isotropic and np.ptp(rows) == 0:
        law = d, int(rows[0]), n, setting.sigma, setting.sigma0
        expected = np.array([float(nearest_chain_error(*law, float(w))) for w in weights])
    T = int(rows[np.abs(rows - d).argmin()])
    # The skewness of one fit bounds that of a mean of several.
    skew = shape_of(min(T, d), inverse_cumulants(np.array([abs(T - d) + 1.0]), 1.0))[1][0] if n and ridge == 0 else 0.0
    unknown = np.full(weights.shape, np.nan)
    return Theory(SkewedLaw(expected, unknown, np.full(weights.shape, skew)), exact, heavy, None, EQUIVALENT)


def _stationary(results: RecordedRun, setting: Setting, ridge: float, n_points: int) -> tuple[Line, ...]:
    """Return the best weight after many generations as a line, where it is known."""
    rows, noise = setting.schedule.n_synthetic, (setting.sigma, setting.sigma0)
    is_new = not setting.dependent and (ridge > 0 or np.ptp(rows) > 0 or int(rows[0]) < setting.d + 2)
    if is_new or min(noise) < _LEAST_NOISE or (ridge > 0 and not _is_known(setting, ridge)):
        return ()
    scaled, law = _scaled(setting, ridge), _law(results, setting)
    best = float(best_label_weight(setting.d, int(rows[0]), scaled, *noise, setting.length, *law))
    name = "1/phi = 0.618" if abs(best - _GOLDEN) < _ROUNDING and ridge == 0 else "theory"
    return (Line(f"{name}, after many generations", np.full(n_points, best), "limit"),)
