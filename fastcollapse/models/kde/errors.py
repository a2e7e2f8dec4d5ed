"""Errors of the density: integrated squared error, maximum mean discrepancy and Wasserstein-1 distance."""

import math

import numpy as np
from scipy.special import ndtr

from fastcollapse.kernels.density.distribution import add_distribution
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.squared_gap import MAX_PAIRED, Components, SquaredGap
from fastcollapse.models.kde.state import KdeState
from fastcollapse.models.kde.truth import KdeTruth
from fastcollapse.models.kde.waves import waves_of

# Width of the normal kernel of the discrepancy, and the grid of the distance: points and standard deviations of the
# truth on each side of its mean (arXiv:2602.16065).
MMD_WIDTH = 0.5
GRID_POINTS, GRID_DEVIATIONS = 500, 6.0
_WIDTHS = {"ise": 0.0, "mmd": MMD_WIDTH}


class Errors:
    """The errors of the density that a run computes; all are NaN where the truth has no density.

    Parameters
    ----------
    computed : names of the metrics of the run.
    """

    def __init__(self, plan: KdePlan, truth: KdeTruth, computed: set[str]) -> None:
        self._plan, self._truth, self._d = plan, truth, truth.dimension
        self._names = [name for name in ("ise", "mmd", "w1") if name in computed]
        self._waves = waves_of(plan, truth) if self._names else None
        self._pairs = {
            name: SquaredGap(plan, truth.dimension, name, width)
            for name, width in _WIDTHS.items()
            if name in computed and self._waves is None
        }
        self._evaluated = plan.evaluated & (plan.n_fitted <= MAX_PAIRED)
        self._grid: np.ndarray | None = None
        if "w1" in computed and len(truth.weights):
            self._grid, self._cdf = self._distribution()
        self._components: tuple[np.ndarray, Components | None, dict[str, np.ndarray]] | None = None

    def warnings(self) -> list[str]:
        """Return a line about generations without errors of the density."""
        observed = self._plan.observed
        n_left_out = int((observed & ~self._evaluated).sum())
        if not self._names or self._waves is not None or not n_left_out or not self._truth.has_density:
            return []
        return [
            f"{', '.join(self._names)} is not evaluated at {n_left_out:,} of {observed.sum():,} generations: "
            f"the fit has more than {MAX_PAIRED:,} points, or the bandwidth changes while the pool grows"
        ]

    def _of_truth(self, centres: np.ndarray) -> tuple[Components | None, dict[str, np.ndarray]]:
        """Return the truth as a mixture and the terms of the squared gaps that depend on it alone; kept for a run."""
        if self._components is None or self._components[0] is not centres:
            found = self._truth.components(centres) if self._names else None
            own = {} if found is None else {name: gap.truth_term(found) for name, gap in self._pairs.items()}
            self._components = (centres, found, own)
        return self._components[1:]

    @property
    def nodes(self) -> tuple[float, ...]:
        """Origin, spacing and number of the nodes of characteristic functions; empty without them."""
        return () if self._waves is None else self._waves.nodes

    def sums(self, n_replicates: int) -> dict[str, np.ndarray]:
        """Return the sums that later generations continue, at the start."""
        if not self._names or not self._truth.has_density:
            return {}
        if self._waves is not None:
            return self._waves.sums(n_replicates)
        return {name: values for gap in self._pairs.values() for name, values in gap.sums(n_replicates).items()}

    def evaluate(self, state: KdeState, t: int, mean: np.ndarray, n_threads: int) -> dict[str, np.ndarray]:
        """Return the errors of generation t by name, float64 (R) each; `mean` is that of the fit (R, d)."""
        components, own = self._of_truth(state.centres)
        if components is None:
            return {}
        if self._waves is not None:
            return self._by_waves(state, t, mean, n_threads)
        found = {name: gap.evaluate(state, components, own[name], t, n_threads) for name, gap in self._pairs.items()}
        if self._grid is not None and self._evaluated[t - 1]:
            found["w1"] = self._distance(self._fitted_distribution(state, t, n_threads) - self._cdf)
        return _with_discrepancy(found, self._d)

    def _by_waves(self, state: KdeState, t: int, mean: np.ndarray, n_threads: int) -> dict[str, np.ndarray]:
        assert self._waves is not None
        gaps = self._waves.gaps(state, t, n_threads)
        found: dict[str, np.ndarray] = {}
        for name, width in _WIDTHS.items():
            if name in self._names:
                found[name] = self._waves.squared_gap(gaps, width)
        if self._grid is not None:
            truth_mean = float(self._truth.moments(self._truth.means[None])[0][0, 0])
            found["w1"] = self._distance(self._waves.distribution_gaps(gaps, mean[:, 0] - truth_mean, self._grid))
        return _with_discrepancy(found, self._d)

    def _distribution(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the grid and the distribution function of the truth on it, float64 (G) each."""
        truth = self._truth
        mean, variance = (float(moment[0, 0]) for moment in truth.moments(truth.means[None]))
        reach = GRID_DEVIATIONS * math.sqrt(variance)
        grid = np.linspace(mean - reach, mean + reach, GRID_POINTS)
        steps = (grid[:, None] - truth.means[:, 0]) / np.sqrt(truth.covariances[:, 0, 0])
        return grid, (truth.weights * ndtr(steps)).sum(axis=1)

    def _fitted_distribution(self, state: KdeState, t: int, n_threads: int) -> np.ndarray:
        """Return the distribution function of the fit on the grid, float64 (R, G)."""
        scale = state.factors[:, 0, 0] if self._plan.is_scaled else self._plan.bandwidths[t - 1 : t]
        total = np.zeros((len(state.points.values), GRID_POINTS))
        for rows, weight in zip((state.fitted, state.beside), self._plan.weights(t), strict=True):
            if rows.n:
                sums = np.zeros_like(total)
                add_distribution(rows.values, rows.n, 1 / scale, self._grid, n_threads, sums)
                total += weight / rows.n * sums
        return total

    def _distance(self, gaps: np.ndarray) -> np.ndarray:
        """Return the integral of the size of a function on the grid by the trapezoidal rule: ``(R,G)->(R)``."""
        assert self._grid is not None
        sizes = np.abs(gaps)
        return (sizes.sum(axis=1) - 0.5 * (sizes[:, 0] + sizes[:, -1])) * (self._grid[1] - self._grid[0])


def _with_discrepancy(found: dict[str, np.ndarray], dimension: int) -> dict[str, np.ndarray]:
    """Return errors in which the squared gap of the discrepancy is replaced by the discrepancy."""
    if "mmd" in found:
        norm = (2 * math.pi * MMD_WIDTH**2) ** (dimension / 2)
        found["mmd"] = np.sqrt(norm * np.maximum(0.0, found["mmd"]))
    return found
