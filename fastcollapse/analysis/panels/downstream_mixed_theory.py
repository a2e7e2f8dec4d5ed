"""Theory of the downstream fit to real and synthetic rows together, on its grid of sizes, shares and ridges."""

from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import grid_of
from fastcollapse.analysis.panels.downstream_theory import Fit
from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.regression_theory import EDGE, chain_of
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.regression.chain_asymptotic import chain_moments
from fastcollapse.theory.regression.mixed_rows import mixed_rows_factor
from fastcollapse.theory.regression.strong_collapse import mixed_row_parts


class Labels(NamedTuple):
    """Moments of what the labels of a fit depend on, in one generation, float64 [d].

    Parameters
    ----------
    start_square : expected squares of w0 less the weights that the ridge is towards.
    square : expected squares of delta, the weights of the synthetic labels less w0.
    product : expected products of both.
    """

    start_square: np.ndarray
    square: np.ndarray
    product: np.ndarray


@cached_by_results
def mixed_fit_of(results: RecordedRun) -> Fit:
    """Return the theory of the fit, float64 (T+1, M, P, L), NaN for generations without a fit."""
    setting, chain, grid = setting_of(results), chain_of(results), grid_of(results)
    down = downstream_of(results)
    rows, synthetic = grid.samples[:, None, None], down.synthetic_sizes()[:, :, None]
    ridge = np.broadcast_to(grid.ridge[:, None, :], (*synthetic.shape[:2], grid.ridge.shape[1]))
    no_ridge = ridge == 0
    parts = np.full((4, results.last + 1, *ridge.shape), np.nan)
    for t in grid.generations.tolist():
        parts[:, t] = _parts(setting, labels_of(results, t), chain.error[t], (rows, synthetic, ridge))
    solved = no_ridge & ((rows >= setting.d) | setting.isotropic) & setting.gaussian
    of_generator = down.of_generator & (synthetic > 0)
    exact = solved & (chain.exact | ~(of_generator | (setting.tuned & (rows < setting.d))))
    noisy = (setting.sigma > 0) & (synthetic < rows) | (setting.sigma0 > 0) & (synthetic > 0)
    mixed = (synthetic > 0) & (synthetic < rows)
    heavy = no_ridge & (np.abs(rows - setting.d) <= EDGE) & (noisy | mixed)
    inherits = of_generator | (setting.tuned & ~(no_ridge & (rows >= setting.d)))
    heavy = heavy | (chain.heavy[:, None, None, None] & inherits)
    # The labels that delta adds act like noise across its own direction.
    own = shape_of(setting.d, inverse_cumulants(np.abs(grid.samples - setting.d) + 1.0, 1.0))[1]
    skew = np.maximum(np.where(inherits, chain.skew[:, None, None, None], 0.0), own[:, None, None])
    bias, variance, zeta, cross = parts
    unknown = np.full((1, 1, 1, 1), np.nan)
    found = (bias + variance + zeta + cross, bias, variance, zeta, exact, unknown, skew, heavy, cross)
    return Fit(*(np.broadcast_to(part, bias.shape) for part in found))


def labels_of(results: RecordedRun, t: int) -> Labels | None:
    """Return the moments that the fit of a generation depends on, None where they are not known."""
    setting, down = setting_of(results), downstream_of(results)
    moments = _gap(results, t) if setting.tuned or down.of_generator else (setting.w0, setting.w0)
    if moments is None:
        return None
    gap, gap_square = moments
    if down.of_generator:
        delta, square = gap, gap_square
    elif isinstance(down.delta, tuple):
        delta = np.asarray(results.coordinates["delta"].values, np.float64)
        square = delta**2
    else:
        delta, square = np.zeros(setting.d), np.full(setting.d, float(down.delta))
    if not setting.tuned:
        return Labels(setting.w0**2, square, setting.w0 * delta)
    return Labels(gap_square, square, -gap_square if down.of_generator else -gap * delta)


def unit_of(setting: Setting, labels: Labels) -> float:
    """Return a power of 2 near the largest weight or noise.

    Theory gets numbers in this unit, because it limits weights and their squares alike.
    """
    sizes = np.concatenate([labels.start_square, labels.square, np.abs(labels.product)])
    most = max(float(np.sqrt(np.nanmax(sizes))), setting.sigma, setting.sigma0)
    return float(2.0 ** np.rint(np.log2(most))) if most > 0 else 1.0


def downstream_of(results: RecordedRun) -> Any:
    """Return the section `[model.downstream]` of a run."""
    model: Any = results.experiment.model
    return model.downstream


def _gap(results: RecordedRun, t: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return means and mean squares of the weights of a generation less w0, or None; of isotropic inputs their sums.

    Only the sums matter to a fit to isotropic inputs, whatever the directions.
    """
    setting, chain = setting_of(results), chain_of(results)
    if not np.isfinite(chain.error[t]):
        return None
    even = chain.error[t] / (setting.d * setting.spectrum)
    if chain.unbiased:
        return np.zeros(setting.d), even
    if setting.isotropic:
        norm = float((setting.w0**2).sum())
        return (chain.overlap[t] / norm - 1) * setting.w0, even
    constant = isinstance(setting.sizes, int)
    if (
        setting.replace_only
        and not setting.from_previous
        and (not setting.dependent or (setting.ridge == 0 and constant))
    ):
        generators = (setting.sigma0, setting.ridge, setting.design)
        mean, second = chain_moments(setting.spectrum, setting.w0, setting.sizes, t, *generators)
        return mean - setting.w0, np.maximum(second - 2 * mean * setting.w0 + setting.w0**2, 0.0)
    return None


def _parts(
    setting: Setting, labels: Labels | None, error: float, grid: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return bias, variance, zeta and cross, float64 (4, M, P, L).

    Parameters
    ----------
    labels : moments, None where they are not known.
    error : of the generator that labels the synthetic rows where the moments are not known.
    grid : rows, synthetic ones, and ridges.
    """
    rows, synthetic, ridge = grid
    d, none = setting.d, np.zeros(setting.d)
    known = Labels(none, none, none) if labels is None else labels
    unit = unit_of(setting, known)
    noise = setting.sigma / unit, setting.sigma0 / unit
    squares = np.sqrt(known.start_square) / unit, none, *grid, *noise, known.square / unit**2
    bias, variance, zeta, _ = (unit**2 * part for part in mixed_row_parts(setting.spectrum, *squares))
    if np.isfinite(known.product).all():
        # It depends on the products of both vectors alone.
        product = known.product / unit**2
        cross = unit**2 * mixed_row_parts(setting.spectrum, np.ones(d), product, *grid, *noise).cross
    else:
        cross = np.full(bias.shape, np.nan)
    free = (ridge == 0) & (rows >= d)
    few = (ridge == 0) & (rows < d) & (setting.isotropic and labels is not None)
    if labels is None:
        bias, zeta, cross = (np.where(free, exact, np.nan) for exact in (0.0, zeta, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = mixed_rows_factor(d, rows, synthetic)
        mean_noise = setting.sigma**2 + synthetic / rows * (setting.sigma0**2 - setting.sigma**2)
        spare = d - rows - 1.0
        noise_part = np.where(mean_noise > 0, mean_noise * np.where(spare > 0, rows / spare, np.inf), 0.0)
        size = error if labels is None else setting.spectrum @ known.square
        zeta = np.where(few | (free & (labels is None)), size * factor, zeta)
    bias = np.where(few, (1 - rows / d) * (setting.spectrum @ known.start_square), bias)
    return np.array(
        np.broadcast_arrays(bias, np.where(few, noise_part, variance), zeta, np.where(few | free, 0.0, cross))
    )
