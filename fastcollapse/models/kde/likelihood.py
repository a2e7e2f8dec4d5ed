"""The mean negative log density of held-out real points, exact."""

import math

import numpy as np

from fastcollapse.kernels.density.exponents import FARTHEST
from fastcollapse.kernels.density.log_sums import add_log_sums
from fastcollapse.kernels.density.moments import whiten
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.state import KdeState, Rows
from fastcollapse.models.kde.truth import KdeTruth

# Values of the density of the truth that are computed at a time.
_CHUNK_VALUES = 2_000_000
_HALF = np.array([0.5])


class Likelihood:
    """Negative log density of the fits at the held-out points.

    Where the pool keeps its points and the bandwidth is constant, the sums of kernels at the held-out points are
    continued, and only new points are evaluated. Those of fixed real data are computed once for one bandwidth.
    """

    def __init__(self, plan: KdePlan, dimension: int) -> None:
        self._plan, self._d = plan, dimension

    def sums(self, n_replicates: int, n_test: int) -> dict[str, np.ndarray]:
        """Return the sums that later generations continue, at the start; empty if none does."""
        if not self._plan.kernel_starts.any():
            return {}
        return dict(zip(("least_square", "kernel_sum"), _no_sums(n_replicates, n_test), strict=True))

    def fixed_sums(self, real: np.ndarray, tests: np.ndarray, n_threads: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return least squares and sums of fixed real data, float64 (R, M) each; None without them."""
        if not self._plan.has_fixed_sums:
            return None
        least, sums = _no_sums(len(real), tests.shape[1])
        factor = np.array([0.5 / float(self._plan.bandwidths[0]) ** 2])
        add_log_sums(real, 0, real.shape[1], tests, factor, n_threads, least, sums)
        return least, sums

    def evaluate(self, state: KdeState, t: int, n_threads: int) -> np.ndarray:
        """Return the metric of generation t, float64 (R), and continue the sums."""
        plan, h = self._plan, float(self._plan.bandwidths[t - 1])
        n_replicates, n_test = len(state.points.values), state.tests.shape[1]
        tests, rows, start = state.tests, state.fitted, int(plan.kernel_starts[t - 1])
        factor, log_det = np.array([0.5 / h**2]), np.full(n_replicates, self._d * math.log(h))
        if plan.is_scaled:
            tests, rows = self._whitened(state, n_threads)
            factor, start = _HALF, 0
            log_det = np.log(state.factors.diagonal(axis1=1, axis2=2)).sum(axis=1)
        least, sums = state.running.get("least_square"), state.running.get("kernel_sum")
        n_new = rows.n
        if least is None or sums is None:
            least, sums = _no_sums(n_replicates, n_test)
            n_real = 0 if plan.is_beside else int(plan.schedule.n_real[t - 1])
            if state.fixed_sums is not None and n_real:
                # The real points are the last ones of the pool.
                least, sums = state.fixed_sums[0].copy(), state.fixed_sums[1].copy()
                n_new -= n_real
        elif start == 0:
            least[...], sums[...] = FARTHEST, 0.0
        weights = plan.weights(t)
        density = np.full((n_replicates, n_test), -np.inf)
        with np.errstate(divide="ignore"):
            if rows.n:
                add_log_sums(rows.values, start, n_new, tests, factor, n_threads, least, sums)
                density = np.log(sums * (weights[0] / rows.n)) - factor * least
            if state.beside.n:
                real = state.beside
                if state.fixed_sums is None:
                    least, sums = _no_sums(n_replicates, n_test)
                    add_log_sums(real.values, 0, real.n, tests, factor, n_threads, least, sums)
                else:
                    least, sums = state.fixed_sums
                density = np.logaddexp(density, np.log(sums * (weights[1] / real.n)) - factor * least)
        return 0.5 * self._d * math.log(2 * math.pi) + log_det - density.mean(axis=1)

    def _whitened(self, state: KdeState, n_threads: int) -> tuple[np.ndarray, Rows]:
        """Return held-out points and points of the fit in units of the kernel."""
        rows, n_replicates = state.fitted, len(state.points.values)
        tests = np.empty((n_replicates, *state.tests.shape[1:]))
        points = np.empty((n_replicates, rows.n, self._d))
        whiten(state.tests, 0, tests.shape[1], state.factors, n_threads, tests)
        whiten(rows.values, 0, rows.n, state.factors, n_threads, points)
        return tests, Rows(points, rows.n)


def _no_sums(n_replicates: int, n_test: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the least squares and the sums of no points, float64 (R, M) each."""
    return np.full((n_replicates, n_test), FARTHEST), np.zeros((n_replicates, n_test))


def truth_likelihood(truth: KdeTruth, centres: np.ndarray, tests: np.ndarray, n_replicates: int) -> np.ndarray:
    """Return the mean negative log density of the truth at the held-out points, float64 (R); NaN without a density."""
    components = truth.components(centres)
    if components is None:
        return np.full(n_replicates, np.nan)
    weights, means, covariances = components
    logs = np.empty((n_replicates, tests.shape[1]))
    factors = np.linalg.cholesky(covariances)
    inverses = np.broadcast_to(np.linalg.inv(factors), (len(weights), *factors.shape[1:]))
    constant = np.log(weights) - np.log(factors.diagonal(axis1=1, axis2=2)).sum(axis=1)
    step = max(1, _CHUNK_VALUES // (len(weights) * truth.dimension))
    n_together = max(1, step // tests.shape[1])
    for first in range(0, n_replicates, n_together):
        rows = slice(first, first + n_together)
        for low in range(0, tests.shape[1], step):
            points = (tests if len(tests) == 1 else tests[rows])[:, low : low + step, None]
            gaps = points - (means if len(means) == 1 else means[rows])[:, None]
            scaled = np.einsum("kij,rmkj->rmki", inverses, gaps)
            exponents = constant - 0.5 * (scaled**2).sum(axis=3)
            top = exponents.max(axis=2)
            logs[rows, low : low + step] = top + np.log(np.exp(exponents - top[:, :, None]).sum(axis=2))
    return 0.5 * truth.dimension * math.log(2 * math.pi) - logs.mean(axis=1)
