"""The integrated squared error of a density estimate, exact, by sums over pairs of points.

With f the estimate, f0 the truth and G a normal density of variance s^2, the squared gap is the integral of (f - f0) *
G * (f - f0), where * is the convolution. s = 0 gives the integrated squared error; a normal kernel of width s in a
maximum mean discrepancy gives its square times (2 pi s^2)^(-d/2).
"""

import math

import numpy as np

from fastcollapse.kernels.density.exponents import FARTHEST
from fastcollapse.kernels.density.log_sums import add_log_sums
from fastcollapse.kernels.density.moments import factorise, whiten
from fastcollapse.kernels.density.pair_sums import add_pair_sums
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.state import KdeState, Rows

Components = tuple[np.ndarray, np.ndarray, np.ndarray]
# Fits to more points have no squared gap by pairs: it costs 0.3 s a replicate and generation there.
MAX_PAIRED = 20_000
_HALF = np.array([0.5])


class SquaredGap:
    """The squared gap of the fits, float64 (R) a generation.

    Parameters
    ----------
    name : prefix of the sums that later generations continue.
    width : the width s.
    """

    def __init__(self, plan: KdePlan, dimension: int, name: str, width: float = 0.0) -> None:
        self._plan, self._d, self._name, self._extra = plan, dimension, name, width**2
        self.evaluated = plan.evaluated & (plan.n_fitted <= MAX_PAIRED)

    def sums(self, n_replicates: int) -> dict[str, np.ndarray]:
        """Return the sums that later generations continue, at the start; empty if none does."""
        if not self._plan.kernel_starts.any():
            return {}
        return {f"{self._name}_{sum}": np.zeros(n_replicates) for sum in ("pair_sum", "truth_sum")}

    def truth_term(self, components: Components) -> np.ndarray:
        """Return the integral of f0 * G * f0, float64 (Q)."""
        weights, means, covariances = components
        total = np.zeros(len(means))
        for k in range(len(weights)):
            both = covariances[min(k, len(covariances) - 1)] + covariances
            factors, norms = self._factorised(both)
            gaps = means - means[:, k : k + 1]
            scaled = np.empty_like(gaps)
            for c in range(len(factors)):
                part = slice(None) if len(factors) == 1 else slice(c, c + 1)
                scaled[:, part] = np.einsum("ij,qkj->qki", np.linalg.inv(factors[c]), gaps[:, part])
            total += (weights[k] * weights * norms * np.exp(-0.5 * (scaled**2).sum(axis=2))).sum(axis=1)
        return total

    def evaluate(self, state: KdeState, components: Components, own: np.ndarray, t: int, n_threads: int) -> np.ndarray:
        """Return the squared gap of generation t and continue the sums; `own` is `truth_term`.

        NaN where the fit has too many points or the generation is not evaluated.
        """
        n_replicates = len(state.points.values)
        if not self.evaluated[t - 1]:
            return np.full(n_replicates, np.nan)
        plan, h = self._plan, float(self._plan.bandwidths[t - 1])
        kernel = h**2 * np.eye(self._d)[None]
        if plan.is_scaled:
            kernel = np.einsum("rij,rkj->rik", state.factors, state.factors)
        rows, real, start = state.fitted, state.beside, int(plan.kernel_starts[t - 1])
        pairs, truth = np.zeros(n_replicates), np.zeros(n_replicates)
        if f"{self._name}_pair_sum" in state.running:
            pairs, truth = (state.running[f"{self._name}_{sum}"] for sum in ("pair_sum", "truth_sum"))
            if start == 0:
                pairs[...], truth[...] = 0.0, 0.0
        factors, norms = self._factorised(2 * kernel)
        weight, real_weight = plan.weights(t)
        result = np.zeros(n_replicates)
        if rows.n:
            points = self._whitened(rows, 0, factors, n_replicates, n_threads)
            add_pair_sums(points, start, rows.n, _HALF, n_threads, pairs)
            truth += self._at_truth(rows, start, components, kernel, n_threads)
            result += weight * weight * norms * (pairs / rows.n**2) - 2 * weight * (truth / rows.n)
        if real.n:
            beside, own_pairs = self._whitened(real, 0, factors, n_replicates, n_threads), np.zeros(n_replicates)
            add_pair_sums(beside, 0, real.n, _HALF, n_threads, own_pairs)
            result += real_weight * real_weight * norms * (own_pairs / real.n**2)
            result -= 2 * real_weight * (self._at_truth(real, 0, components, kernel, n_threads) / real.n)
            if rows.n:
                across = _sums(points, beside, n_threads).sum(axis=1)
                result += 2 * weight * real_weight * norms * (across / (rows.n * real.n))
        return result + own

    def _factorised(self, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower factors of covariances plus s^2 and their densities at the mean, (Q, d, d) and (Q)."""
        factors = np.empty_like(covariances)
        factorise(covariances + self._extra * np.eye(self._d), factors)
        logs = np.log(factors.diagonal(axis1=1, axis2=2)).sum(axis=1)
        return factors, np.exp(-0.5 * self._d * math.log(2 * math.pi) - logs)

    def _whitened(self, rows: Rows, first: int, factors: np.ndarray, n_replicates: int, n_threads: int) -> np.ndarray:
        """Return points from `first` on in units of the factors, float64 (R, n, d)."""
        out = np.empty((n_replicates, rows.n - first, self._d))
        whiten(rows.values, first, rows.n, factors, n_threads, out)
        return out

    def _at_truth(
        self, rows: Rows, first: int, components: Components, kernel: np.ndarray, n_threads: int
    ) -> np.ndarray:
        """Return the sum of f0 * G * kernel over the points from `first` on, float64 (R)."""
        weights, means, covariances = components
        n_replicates = len(rows.values)
        total = np.zeros(n_replicates)
        for c in range(len(covariances)):
            part = slice(None) if len(covariances) == 1 else slice(c, c + 1)
            factors, norms = self._factorised(covariances[c] + kernel)
            own = np.ascontiguousarray(means[:, part])
            positions = np.empty((max(len(own), len(factors)), *own.shape[1:]))
            whiten(own, 0, own.shape[1], factors, n_threads, positions)
            points = self._whitened(rows, first, factors, n_replicates, n_threads)
            total += norms * (weights[part] * _sums(points, positions, n_threads)).sum(axis=1)
        return total


def _sums(points: np.ndarray, positions: np.ndarray, n_threads: int) -> np.ndarray:
    """Return the sums of standard normal kernels, without their norm, at positions, float64 (R, M)."""
    shape = (len(points), positions.shape[1])
    least, sums = np.full(shape, FARTHEST), np.zeros(shape)
    add_log_sums(points, 0, points.shape[1], positions, _HALF, n_threads, least, sums)
    return sums * np.exp(-0.5 * least)
