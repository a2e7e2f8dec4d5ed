"""Errors of density estimates on a line by the empirical characteristic function of their points.

The sums of cosines and sines do not depend on the bandwidth, so that a pool costs only its new points. The truth is a
normal mixture. A trapezoidal sum over equidistant nodes has an error below 1e-15, because the period of the nodes is
longer than the range of the data.
"""

import math

import numpy as np

from fastcollapse.kernels.density.waves import add_waves
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.state import KdeState
from fastcollapse.models.kde.truth import KdeTruth

# At this multiple of one over the least deviation a characteristic function is below 1e-9, and its square below 1e-18.
_DEVIATIONS = 6.5
# The range of the data, in standard deviations.
_RANGE = 10.0
_MAX_NODES = 20_000


class Waves:
    """Errors of the fits of a run whose pool grows; see `waves_of`.

    Parameters
    ----------
    plan, truth : the run, and a normal mixture in one dimension.
    origin, spacing, n_nodes : the nodes are k spacing, k = 0..n_nodes-1, of points minus the origin.
    """

    def __init__(self, plan: KdePlan, truth: KdeTruth, origin: float, spacing: float, n_nodes: int) -> None:
        self._plan, self._origin, self._spacing = plan, origin, spacing
        self._nodes = spacing * np.arange(n_nodes)
        means, variances = truth.means[:, 0] - origin, truth.covariances[:, 0, 0]
        exponents = 1j * self._nodes[:, None] * means - 0.5 * self._nodes[:, None] ** 2 * variances
        self._turns: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._truth = (truth.weights * np.exp(exponents)).sum(axis=1)

    @property
    def nodes(self) -> tuple[float, float, int]:
        """Origin, spacing and number of the nodes."""
        return self._origin, self._spacing, len(self._nodes)

    def sums(self, n_replicates: int) -> dict[str, np.ndarray]:
        """Return the sums that later generations continue, at the start."""
        return {name: np.zeros((n_replicates, len(self._nodes))) for name in ("cosine_sum", "sine_sum")}

    def gaps(self, state: KdeState, t: int, n_threads: int) -> np.ndarray:
        """Return the characteristic function of the fit of generation t minus that of the truth, complex (R, U)."""
        plan = self._plan
        weight, real_weight = plan.weights(t)
        cosines, sines = state.running["cosine_sum"], state.running["sine_sum"]
        start = int(plan.starts[t - 1])
        if start == 0:
            cosines[...], sines[...] = 0.0, 0.0
        rows, real = state.points, state.beside
        found = np.zeros(cosines.shape, complex)
        if rows.n:
            add_waves(rows.values, start, rows.n, self._origin, self._spacing, n_threads, cosines, sines)
            found += (weight / rows.n) * (cosines + 1j * sines)
        if real.n:
            own = np.zeros((2, *cosines.shape))
            add_waves(real.values, 0, real.n, self._origin, self._spacing, n_threads, own[0], own[1])
            found += (real_weight / real.n) * (own[0] + 1j * own[1])
        return found * np.exp(-0.5 * (plan.bandwidths[t - 1] * self._nodes) ** 2) - self._truth

    def squared_gap(self, gaps: np.ndarray, width: float = 0.0) -> np.ndarray:
        """Return the squared gap (`SquaredGap`) of width s, float64 (R)."""
        squares = gaps.real**2 + gaps.imag**2
        return (squares * np.exp(-0.5 * (width * self._nodes) ** 2)).sum(axis=1) * (self._spacing / math.pi)

    def distribution_gaps(self, gaps: np.ndarray, means: np.ndarray, grid: np.ndarray) -> np.ndarray:
        """Return the distribution function of the fit minus that of the truth on a grid, float64 (R, G).

        `means` are those of the fits minus that of the truth, float64 (R): the gap at node 0 is minus their value.
        """
        nodes = self._nodes[1:]
        if self._turns is None or self._turns[0] is not grid:
            angles = (grid[:, None] - self._origin) * nodes
            self._turns = (grid, np.cos(angles), np.sin(angles))
        _, cosines, sines = self._turns
        scaled = gaps[:, 1:] * (1j / nodes)
        # No product of BLAS: its rounding depends on the number of replicates.
        found = np.einsum("ru,gu->rg", scaled.real, cosines) + np.einsum("ru,gu->rg", scaled.imag, sines)
        return (found * 2 - means[:, None]) * (self._spacing / (2 * math.pi))


def waves_of(plan: KdePlan, truth: KdeTruth) -> Waves | None:
    """Return the errors by characteristic functions, or None where sums over pairs are used.

    They need a mixture in one dimension as truth, a pool that grows, and a bandwidth that is not scaled by the data.
    """
    if truth.dimension != 1 or not len(truth.weights) or not plan.grows or plan.is_scaled:
        return None
    mean, variance = (float(moment[0, 0]) for moment in truth.moments(truth.means[None]))
    spread, farthest = truth.covariances[:, 0, 0], float(np.abs(truth.means[:, 0] - mean).max())
    share = plan.schedule.n_synthetic / np.maximum(plan.n_fitted, 1)
    walked = float((plan.bandwidths[:-1] ** 2 * share[1:]).sum()) + float(plan.bandwidths.max()) ** 2
    half = max(
        farthest + _RANGE * math.sqrt(float(spread.max())) + _RANGE * math.sqrt(walked), _RANGE * math.sqrt(variance)
    )
    spacing = math.pi / half
    n_nodes = math.ceil(_DEVIATIONS / min(float(plan.bandwidths.min()), math.sqrt(float(spread.min()))) / spacing) + 1
    return Waves(plan, truth, mean, spacing, n_nodes) if n_nodes <= _MAX_NODES else None
