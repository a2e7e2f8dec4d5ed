"""Regressions on mixed labels beside theory: the error over the weight of the real labels, and the best weight."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.label_grid import WEIGHT, best_weights, grid_of_labels, ridge_name, shown_ridges
from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.regression_curves import EXCESS_ERROR, Labels, Theory, panel_beside
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.regression_theory import EDGE, EQUIVALENT
from fastcollapse.analysis.panels.skewed_scores import SkewedLaw
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.mixing.weighted_fit import weighted_errors
from fastcollapse.theory.regression.fine_tuning import nearest_chain_error
from fastcollapse.theory.regression.mixed_labels import best_label_weight, mixed_label_means

_GOLDEN = (math.sqrt(5) - 1) / 2
# The theory of a ridge is an integral for each weight and generation.
_LEAST_RIDGE, _MOST_RIDGE = 1e-8, 1e40
_LEAST_NOISE = 1e-30
_ROUNDING = 1e-9


def mixed_error_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the error of the last generation over the weight of the real labels, a curve for each ridge."""
    values, weights, ridges = grid_of_labels(results)
    last, setting = int(generations[-1]), setting_of(results)
    panels = []
    for i in shown_ridges(ridges, options):
        theory = _theory(results, setting, weights, float(ridges[i]), last)
        # Means and medians are not in one plot.
        title = f"Excess error with mixed labels, $t$ = {last:,}{', medians' if theory.heavy.any() else ''}"
        labels = Labels(title, EXCESS_ERROR, "error")
        panel = panel_beside(labels, weights, values[:, last, :, i], theory, axis=WEIGHT)
        panels.append(dataclasses.replace(panel, group=ridge_name(ridges[i]) if len(ridges) > 1 else ""))
    return [dataclasses.replace(panel, log=any(p.log for p in panels)) for panel in panels]


def best_weight_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the weight of the least mean error over generations, with two standard errors by the jackknife."""
    setting, ridges = setting_of(results), grid_of_labels(results).ridges

    def lines_of(i: int, at: np.ndarray) -> tuple[Line, ...]:
        return _stationary(results, setting, float(ridges[i]), len(at))

    return best_weights(results, generations, options, lines_of)


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
    name = r"$1/\varphi$ = 0.618" if abs(best - _GOLDEN) < _ROUNDING and ridge == 0 else "theory"
    return (Line(f"{name}, after many generations", np.full(n_points, best), "limit"),)
