"""The Gaussian model in one dimension: mean and ln sigma, relative to the truth until they are written."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.gaussian.univariate_pooled import draw_real, refit_pools
from fastcollapse.kernels.gaussian.univariate_replace import walk
from fastcollapse.kernels.gaussian.univariate_subsampled import refit_subsamples
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import log_chi_table, normal_table
from fastcollapse.models.base import ModelBlock, run_key
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.gaussian.maps import univariate_source
from fastcollapse.models.gaussian.metrics import derived_metrics
from fastcollapse.models.gaussian.parameters import GaussianTruth
from fastcollapse.models.pools import PooledState, check_pool_memory, n_fixed_real, n_kept_after, pool_capacity
from fastcollapse.variables import DerivedArray, Variable

# Sums of a few squares of numbers below exp(_LOG_LIMIT) = 1e152 do not overflow.
_LOG_LIMIT = 350.0


class UnivariateState(PooledState):
    """Mean and ln sigma relative to the truth, a fixed real batch and a pool.

    `real` holds the mean and the sum of squares of the batch, float64 (2, R), or (2, 0) without one.
    """

    MOMENTS = ("mean", "log_sigma")


class UnivariateGaussian(GaussianModel):
    """Recursive training of a Gaussian law in one dimension.

    Parameters
    ----------
    truth : float64 (3), mean, sigma and ln sigma of the truth.
    bias : 1 if the fitted variance is divided by n - 1, 0 if it is divided by n.
    schedule : the workflow as arrays over generations.
    """

    def __init__(self, truth: np.ndarray, bias: int, schedule: Schedule) -> None:
        self._truth = truth
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule, bias=bias)
        sizes = schedule.n_synthetic
        self._subsampled = bool(schedule.n_train.any())
        # Decided for the whole run, so that the sampler does not depend on the blocks.
        self._n_constant = int(sizes[0]) if schedule.is_replace_only and (sizes == sizes[0]).all() else 0
        if self._n_constant:
            nu = self._n_constant - 1
            shift = 0.5 * math.log(nu / (self._n_constant - bias))
            self._law = np.concatenate([[1.0 / math.sqrt(self._n_constant), shift, 1.0 / math.sqrt(2.0 * nu)], truth])

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {"mean": Variable("mean"), "log_sigma": Variable("log of the standard deviation", limits=(-math.inf,))}

    def measure(
        self, block: ModelBlock, truth: GaussianTruth, names: Iterable[str]
    ) -> Mapping[str, np.ndarray | DerivedArray]:
        """Return metrics of a block, all derived; a single one is computed, because the two states take more memory."""
        names = tuple(names)
        return super().measure(block, truth, names) if len(names) == 1 else derived_metrics(block.states, truth, names)

    def surely_legal(self, states: Mapping[str, np.ndarray]) -> bool:
        """Return whether sigma and the distance of the mean, also in units of the truth, are below the limit.

        Below it, no square overflows; NaN is not below. Where ln sigma is -inf, all metrics have their legal limits.
        """
        mean, sigma, log_sigma = (float(value) for value in self._truth)
        largest = float(states["log_sigma"].max())
        distance = max(float(states["mean"].max()) - mean, mean - float(states["mean"].min()))
        return max(largest, largest - log_sigma) < _LOG_LIMIT and max(distance, distance / sigma) < math.exp(_LOG_LIMIT)

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"mean": self._truth[0], "log_sigma": self._truth[2]}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> UnivariateState:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        real = np.zeros((2, n_replicates if n_real else 0))
        if n_real:
            draw_real(float(n_real), normal_table(), run_key(seed, first_replicate), real)
        n_points = pool_capacity(self._kernel_schedule) if self._subsampled else 0
        check_pool_memory(n_points * n_replicates)
        return UnivariateState(np.zeros((2, n_replicates)), real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: UnivariateState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 16 * state.moments.shape[1]

    def advance(
        self, state: UnivariateState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        shape = (state.moments.shape[1], n_generations)
        means, logs = np.empty(shape), np.empty(shape)
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._n_constant:
            increments = log_chi_table(float(self._n_constant - 1))
            walk(state.moments, self._law, normals, increments, span, means, logs)
        elif self._subsampled:
            source = univariate_source(float(self._truth[0]), float(self._truth[1]), self._schedule)
            refit_subsamples(state.moments, state.pool, self._kernel_schedule, source, normals, span, means, logs)
            state.n_kept = n_kept_after(self._kernel_schedule, first + n_generations - 1)
        else:
            refit_pools(state.moments, state.real, self._kernel_schedule, self._truth, normals, span, means, logs)
        return ModelBlock({"mean": means, "log_sigma": logs})
