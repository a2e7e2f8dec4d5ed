"""Theory of the downstream fit, which is trained on labels of a generator, on its grid of sample sizes and ridges."""

from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.panels.downstream_grid import Grid, grid_of
from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.regression_setting import Setting, setting_of
from fastcollapse.analysis.panels.regression_theory import EDGE, Chain, chain_of
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.regression.chain_asymptotic import chain_test_means
from fastcollapse.theory.regression.effective_ridge import effective_ridge
from fastcollapse.theory.regression.fine_tuning import fine_tuned_error, nearest_fit_error
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents


@dataclass(frozen=True, eq=False)
class Fit:
    """Theory of the downstream fit, float64 (T+1, M, L) each, or (T+1, M, P, L) with P shares; NaN where not known.

    Parameters
    ----------
    error, bias, variance, synthetic : expected excess error and its parts.
    exact : bool, whether the value is exact; otherwise it is a deterministic equivalent.
    spread, skew : of the error, as in `Chain`.
    heavy : bool, whether the mean or the variance of the error is infinite.
    cross : the product of bias and synthetic part, of a fit to real and synthetic rows.
    """

    error: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    synthetic: np.ndarray
    exact: np.ndarray
    spread: np.ndarray
    skew: np.ndarray
    heavy: np.ndarray
    cross: np.ndarray | None = None


@cached_by_results
def fit_of(results: RecordedRun) -> Fit:
    """Return the theory of the downstream fit of a run."""
    setting, chain, grid = setting_of(results), chain_of(results), grid_of(results)
    if setting.tuned:
        return _tuned(setting, chain, grid)
    rows = grid.samples[:, None]
    bias, variance, synthetic = ridge_equivalents(setting.spectrum, setting.w0, rows, grid.ridge)
    no_ridge = grid.ridge == 0
    least_squares, minimum_norm = no_ridge & (rows >= setting.d), no_ridge & (rows < setting.d) & setting.isotropic
    row_ratio = rows / setting.d
    bias = np.where(minimum_norm, (1 - row_ratio) * setting.length, bias)
    synthetic = np.where(minimum_norm, row_ratio, synthetic)
    with np.errstate(divide="ignore"):
        noise = np.where(setting.d - rows > 1, rows / np.maximum(setting.d - rows - 1.0, 0), np.inf)
    variance = np.where(minimum_norm, noise, variance)
    variance = np.multiply(setting.sigma**2, variance, where=setting.sigma**2 > 0, out=np.zeros(variance.shape))
    of_generator = chain.error[:, None, None] * synthetic
    if not chain.unbiased and not setting.isotropic:
        of_generator = np.where(least_squares, chain.error[:, None, None], np.nan)
    shape = of_generator.shape
    error = bias + variance + of_generator
    if not chain.unbiased:
        error = _biased(results, error, variance, synthetic)
    exact = (least_squares | minimum_norm) & setting.gaussian & chain.exact
    edge = no_ridge & (np.abs(rows - setting.d) <= EDGE) & (setting.sigma > 0)
    spread, skew = _shape(setting, chain, grid)
    heavy = chain.heavy[:, None, None] | edge
    return Fit(*(np.broadcast_to(p, shape) for p in (error, bias, variance, of_generator, exact, spread, skew, heavy)))


def _tuned(setting: Setting, chain: Chain, grid: Grid) -> Fit:
    """Return the theory of a generation that is fine-tuned on labels of the truth: its error takes the part of w0."""
    rows, none = grid.samples[:, None], np.zeros((len(chain.error), *grid.ridge.shape))
    no_ridge = grid.ridge == 0
    one = fine_tuned_error(setting.spectrum, even_gap(setting.spectrum, 1.0), rows, grid.ridge, 0.0)
    one = np.where(no_ridge, np.maximum(0.0, 1 - rows / setting.d), one) if setting.isotropic else one
    # The direction of the error of a generator matters unless inputs are isotropic.
    known = setting.isotropic or chain.unbiased
    with np.errstate(invalid="ignore"):
        bias = np.where(one > 0, chain.error[:, None, None] * (one if known else np.nan), 0.0)
    zero = np.zeros(setting.d)
    variance = fine_tuned_error(setting.spectrum, zero, rows, grid.ridge, setting.sigma)
    if setting.isotropic:
        exact_noise = nearest_fit_error(setting.d, rows, 0.0, setting.sigma)
        variance = np.where(no_ridge, exact_noise, variance)
    solved = no_ridge & ((rows >= setting.d) | setting.isotropic) & setting.gaussian
    exact = solved & (chain.exact | (rows >= setting.d))
    edge = no_ridge & (np.abs(rows - setting.d) <= EDGE) & (setting.sigma > 0)
    own = inverse_cumulants(np.abs(grid.samples - setting.d) + 1.0, setting.sigma**2)
    skew = np.maximum(chain.skew[:, None], shape_of(setting.d, own)[1])[:, :, None]
    # Without a ridge, the fit to more rows than inputs does not inherit anything.
    heavy = (chain.heavy[:, None, None] & (one > 0)) | edge
    parts = (bias + variance, bias, variance + none, none, exact, np.full((1, 1, 1), np.nan), skew, heavy)
    return Fit(*(np.broadcast_to(part, none.shape) for part in parts))


def even_gap(spectrum: np.ndarray, error: float) -> np.ndarray:
    """Return a gap of a given error |gap|_Sigma^2 that is the same in all directions of this norm."""
    return np.sqrt(error / (spectrum.size * spectrum))


def _biased(results: RecordedRun, error: np.ndarray, variance: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Return the expected error of a fit to labels of biased generators, where it is not the sum of its parts.

    Parameters
    ----------
    error : float64 (T+1, M, L), the sum of the parts.
    variance, synthetic : float64 (M, L), the noise of the fit itself, and the share of |w|^2 that it leaves.
    """
    setting, chain, grid = setting_of(results), chain_of(results), grid_of(results)
    rows, expected = grid.samples[:, None], np.full(error.shape, np.nan)
    if setting.isotropic:
        # The law of the fit is symmetric about the direction of w: it depends on two numbers of w alone.
        unit = setting.spectrum[0]
        overlap, square = (unit * values[:, None, None] for values in (chain.overlap, chain.square))
        shrinkage = unit / (unit + effective_ridge(setting.spectrum, rows, grid.ridge))
        expected = setting.length - 2 * shrinkage * overlap + synthetic * square + variance
    elif (
        setting.replace_only
        and not setting.from_previous
        and (not setting.dependent or (setting.ridge == 0 and isinstance(setting.sizes, int)))
    ):
        fits = np.arange(results.last + 1)[:, None, None]
        noise, generators = (setting.sigma, setting.sigma0), (setting.ridge, setting.design)
        downstream = (rows, grid.ridge, setting.sizes, fits)
        expected = chain_test_means(setting.spectrum, setting.w0, *downstream, *noise, *generators)[0]
    # Without a ridge, the fit to at least d rows is the generator itself plus its own noise.
    return np.where((grid.ridge == 0) & (rows >= setting.d), error, expected)


def _shape(setting: Setting, chain: Chain, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return spread and skewness of the error of a fit without a ridge, (T+1, M, 1)."""
    rows = grid.samples
    own = inverse_cumulants(np.abs(rows - setting.d) + 1.0, setting.sigma**2)
    cumulants = chain.cumulants[:, :, None] + own[:, None, :]
    spread, skew = shape_of(setting.d, cumulants)
    # With fewer rows than dimensions the fit is a projection of the generator, which has another law.
    known = np.isfinite(chain.cumulants[0])[:, None] & (rows >= setting.d)
    alone = shape_of(setting.d, own)[1]
    spread = np.where(known, spread, np.nan)
    skew = np.where(known, skew, np.maximum(chain.skew[:, None], alone))
    return spread[:, :, None], skew[:, :, None]
