"""What is fitted to labels of the generators: its grid of rows and ridges, and theory on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import once
from fastcollapse.analysis.panels.error_shape import inverse_cumulants, shape_of
from fastcollapse.analysis.panels.regression_theory import EDGE, Chain, Setting, chain_of, setting_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.regression.chain_asymptotic import chain_test_means
from fastcollapse.theory.regression.effective_ridge import effective_ridge
from fastcollapse.theory.regression.ridge_risk import ridge_equivalents


@dataclass(frozen=True, eq=False)
class Grid:
    """What the metrics of the downstream fit are over.

    Parameters
    ----------
    generations : int64 [n], those that were evaluated.
    samples : int64 [M], rows.
    values : float64 [L], ridges, or exponents l of ridges T^-l.
    ridge : float64 (M, L), the ridges themselves.
    exponents : are the values exponents?
    """

    generations: np.ndarray
    samples: np.ndarray
    values: np.ndarray
    ridge: np.ndarray
    exponents: bool

    def words(self, i: int) -> str:
        """Return a ridge of the grid in words."""
        return f"lambda = T^-{self.values[i]:.3g}" if self.exponents else f"lambda = {self.values[i]:.3g}"


@once
def grid_of(results: Results) -> Grid:
    """Return the grid of a run.

    Raises
    ------
    KeyError
        The run has no test error.
    """
    error = results.metrics["test_error"]
    rows_name, ridge_name = results.variables["test_error"].dims
    samples, values = (np.asarray(results.coordinates[name].values) for name in (rows_name, ridge_name))
    exponents = ridge_name == "exponent"
    ridge = samples[:, None].astype(float) ** -values if exponents else np.broadcast_to(values, error.shape[2:])
    generations = np.flatnonzero(~np.isnan(error[0]).all(axis=(1, 2)))
    return Grid(generations, samples, values, ridge, exponents)


def some_of(values: np.ndarray, most: int = 6) -> np.ndarray:
    """Return values, or of many some, spread evenly from the first to the last.

    Examples
    --------
    >>> some_of(np.arange(100), 4)
    array([ 0, 33, 66, 99])
    """
    return values[np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).astype(int))]


def chosen(values: np.ndarray, options: Mapping[str, Any], key: str, most: int) -> list[int]:
    """Return the places in `values` that a recipe asks for under `key`, or of many some: the middle one of one.

    Raises
    ------
    InputError
        The recipe asks for a value that is not there.

    Examples
    --------
    >>> grid = np.array([0.1, 1.0, 10.0])
    >>> chosen(grid, {}, "ridge", 1), chosen(grid, {"ridge": [10.0]}, "ridge", 1)
    ([1], [2])
    """
    if options.get(key) is None:
        places = np.arange(len(values))
        return [len(values) // 2] if most == 1 else [int(k) for k in some_of(places, most)]
    found = []
    for value in options[key]:
        near = np.flatnonzero(np.isclose(values, value, rtol=1e-6, atol=0))
        if not near.size:
            raise InputError(f"recipe.{key} must be in the grid of the run, got {value:g}")
        found.append(int(near[0]))
    return found


@dataclass(frozen=True, eq=False)
class Fit:
    """Theory of the downstream fit, float64 (T+1, M, L) each, NaN where it is not known.

    Parameters
    ----------
    error, bias, variance, synthetic : expected excess error and its parts.
    exact : bool, is the value exact, or a deterministic equivalent?
    spread, skew : of the error, as in `Chain`.
    heavy : bool, is the mean or the variance of the error infinite?
    """

    error: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    synthetic: np.ndarray
    exact: np.ndarray
    spread: np.ndarray
    skew: np.ndarray
    heavy: np.ndarray


@once
def fit_of(results: Results) -> Fit:
    """Return the theory of the downstream fit of a run."""
    setting, chain, grid = setting_of(results), chain_of(results), grid_of(results)
    rows = grid.samples[:, None]
    bias, variance, synthetic = ridge_equivalents(setting.spectrum, setting.w0, rows, grid.ridge)
    without = grid.ridge == 0
    least_squares, minimum_norm = without & (rows >= setting.d), without & (rows < setting.d) & setting.isotropic
    fewer = rows / setting.d
    bias = np.where(minimum_norm, (1 - fewer) * setting.length, bias)
    synthetic = np.where(minimum_norm, fewer, synthetic)
    with np.errstate(divide="ignore"):
        noise = np.where(setting.d - rows > 1, rows / np.maximum(setting.d - rows - 1.0, 0), np.inf)
    variance = np.where(minimum_norm, noise, variance)
    variance = setting.sigma**2 * variance if setting.sigma > 0 else np.zeros(variance.shape)
    of_generator = chain.error[:, None, None] * synthetic
    if not chain.unbiased and not setting.isotropic:
        of_generator = np.where(least_squares, chain.error[:, None, None], np.nan)
    shape = of_generator.shape
    error = bias + variance + of_generator
    if not chain.unbiased:
        error = _biased(results, error, variance, synthetic)
    exact = (least_squares | minimum_norm) & setting.gaussian & chain.exact
    edge = without & (np.abs(rows - setting.d) <= EDGE) & (setting.sigma > 0)
    spread, skew = _shape(setting, chain, grid)
    heavy = chain.heavy[:, None, None] | edge
    return Fit(*(np.broadcast_to(p, shape) for p in (error, bias, variance, of_generator, exact, spread, skew, heavy)))


def _biased(results: Results, error: np.ndarray, variance: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Return the expected error of a fit to labels of generators that shrink, where its parts do not add up to it.

    Parameters
    ----------
    error : float64 (T+1, M, L), the sum of the parts.
    variance, synthetic : float64 (M, L), the noise of the fit itself, and the share of |w|^2 that it leaves.
    """
    setting, chain, grid = setting_of(results), chain_of(results), grid_of(results)
    rows, found = grid.samples[:, None], np.full(error.shape, np.nan)
    if setting.isotropic:
        # The fit is as likely in any direction beside that of w: all that counts of w are two numbers.
        unit = setting.spectrum[0]
        overlap, square = (unit * one[:, None, None] for one in (chain.overlap, chain.square))
        kept = unit / (unit + effective_ridge(setting.spectrum, rows, grid.ridge))
        found = setting.length - 2 * kept * overlap + synthetic * square + variance
    elif setting.plain and (not setting.dependent or (setting.ridge == 0 and isinstance(setting.sizes, int))):
        fits, ridges = np.arange(results.last + 1)[:, None, None], (setting.ridge, setting.design)
        noises = setting.sigma, setting.sigma0
        found = chain_test_means(setting.spectrum, setting.w0, rows, grid.ridge, setting.sizes, fits, *noises, *ridges)[
            0
        ]
    # Without a ridge the fit to enough rows is the generator itself, but for its own noise.
    return np.where((grid.ridge == 0) & (rows >= setting.d), error, found)


def _shape(setting: Setting, chain: Chain, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return spread and skewness of the error of a fit without a ridge, (T+1, M, 1)."""
    rows = grid.samples
    own = inverse_cumulants(np.abs(rows - setting.d) + 1.0, setting.sigma**2)
    cumulants = chain.cumulants[:, :, None] + own[:, None, :]
    spread, skew = shape_of(setting.d, cumulants)
    # Fewer rows than dimensions: the projection of what the generator has is not of this law.
    known = np.isfinite(chain.cumulants[0])[:, None] & (rows >= setting.d)
    alone = shape_of(setting.d, own)[1]
    spread = np.where(known, spread, np.nan)
    skew = np.where(known, skew, np.maximum(chain.skew[:, None], alone))
    return spread[:, :, None], skew[:, :, None]
