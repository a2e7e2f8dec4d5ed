"""The Gaussian family in one dimension: mean and ln sigma, in units of the truth until they are written."""

import math

import numpy as np

from fastcollapse.config.schedule import Schedule, kernel_schedule
from fastcollapse.kernels.gaussian.univariate_pooled import draw_real, refit_pools
from fastcollapse.kernels.gaussian.univariate_replace import walk
from fastcollapse.kernels.gaussian.univariate_subsampled import refit_subsamples
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import log_chi_table, normal_table
from fastcollapse.models.base import ModelBlock, PooledState, check_kept, n_kept_after, run_key
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.variables import Variable


class UnivariateState(PooledState):
    """Mean and ln sigma in units of the truth, mean and sum of squares of a fixed real batch, (2, R) or (2, 0), and a
    pool.
    """

    MOMENTS = ("mean", "log_sigma")


class UnivariateGaussian(GaussianModel):
    """Recursive training of a Gaussian law on the line.

    Parameters
    ----------
    truth: float64 (3): mean, sigma and ln sigma
    bias: 1 divides by n - 1, 0 by n
    schedule: the workflow as arrays over generations
    """

    def __init__(self, truth: np.ndarray, bias: int, schedule: Schedule) -> None:
        self._truth = truth
        self._schedule = schedule
        self._plan = kernel_schedule(schedule, bias=bias)
        sizes = schedule.n_synthetic
        self._subsampled = bool(schedule.n_train.any())
        alone = not (self._plan.n_kept.any() or schedule.n_real.any() or self._subsampled)
        # One size for the whole run, whatever the blocks: a block never changes the way its numbers are made.
        self._n_constant = int(sizes[0]) if alone and (sizes == sizes[0]).all() else 0
        if self._n_constant:
            nu = self._n_constant - 1
            shift = 0.5 * math.log(nu / (self._n_constant - bias))
            self._law = np.concatenate([[1.0 / math.sqrt(self._n_constant), shift, 1.0 / math.sqrt(2.0 * nu)], truth])

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
        return {"mean": Variable("mean"), "log_sigma": Variable("log of the standard deviation", limits=(-math.inf,))}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"mean": self._truth[0], "log_sigma": self._truth[2]}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> UnivariateState:
        """Return the state of generation 0."""
        fixed = self._schedule.real == "fixed"
        real = np.zeros((2, n_replicates if fixed else 0))
        if fixed:
            draw_real(float(self._schedule.n_real[0]), normal_table(), run_key(seed, first_replicate), real)
        n_points = int((self._plan.n_kept + self._plan.n_synthetic).max()) if self._subsampled else 0
        check_kept(n_points * n_replicates)
        return UnivariateState(np.zeros((2, n_replicates)), real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: UnivariateState) -> int:
        """Return the bytes of the states of one generation."""
        return 16 * state.moments.shape[1]

    def advance(
        self, state: UnivariateState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        shape = (state.moments.shape[1], n_generations)
        means, logs = np.empty(shape), np.empty(shape)
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._n_constant:
            increments = log_chi_table(float(self._n_constant - 1))
            walk(state.moments, self._law, normals, increments, span, means, logs)
        elif self._subsampled:
            refit_subsamples(state.moments, state.pool, self._plan, self._truth, normals, span, means, logs)
            state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
        else:
            refit_pools(state.moments, state.real, self._plan, self._truth, normals, span, means, logs)
        return ModelBlock({"mean": means, "log_sigma": logs})
