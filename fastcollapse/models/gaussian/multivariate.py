"""The Gaussian model in d > 1 dimensions: mean and Cholesky factor, sampled by Wishart factors."""

from dataclasses import dataclass

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.gaussian.multivariate_pooled import (
    Gaussians,
    MultivariateStates,
    Source,
    draw_real_batches,
    refit_multivariate,
)
from fastcollapse.kernels.gaussian.multivariate_subsampled import refit_multivariate_subsamples
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import ModelBlock, State, run_key
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.gaussian.maps import multivariate_source
from fastcollapse.models.pools import check_pool_memory, n_fixed_real, n_kept_after, pool_capacity
from fastcollapse.variables import Variable


@dataclass(eq=False)
class MultivariateState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    laws : the fitted laws.
    source : the truth and the moments of a fixed real batch.
    points : float64 (R, K, r), the points of the pool in coordinates of the span.
    order : int64 (R, K), the numbers of the points in the order of the pool.
    n_kept : number of pool points that the next generation keeps.
    """

    laws: Gaussians
    source: Source
    points: np.ndarray
    order: np.ndarray
    n_kept: int = 0

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {
            **self.laws._asdict(),
            "points": self.points[:, : self.n_kept],
            "order": self.order[:, : self.n_kept],
        }


class MultivariateGaussian(GaussianModel):
    """Recursive training of a Gaussian law in d > 1 dimensions.

    Parameters
    ----------
    mean : float64 (d), mean of the truth.
    factor : float64 (d, d), lower Cholesky factor of the covariance of the truth.
    is_isotropic : whether this covariance is a multiple of the identity.
    bias : 1 if the fitted covariance is divided by n - 1, 0 if it is divided by n.
    schedule : the workflow as arrays over generations.

    Raises
    ------
    InputError
        A fit has at most d points, and the exact law of this case is not implemented.
    """

    POOL = "points"

    def __init__(self, mean: np.ndarray, factor: np.ndarray, is_isotropic: bool, bias: int, schedule: Schedule) -> None:
        self._mean = mean
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule, bias=bias)
        self._subsampled = bool(schedule.n_train.any())
        self._rank = self._checked_rank(is_isotropic, bias)
        self._factor = np.ascontiguousarray(factor[: self._rank, : self._rank])

    def _checked_rank(self, is_isotropic: bool, bias: int) -> int:
        """Return the rank of all fits."""
        schedule, dimension = self._schedule, len(self._mean)
        fitted = self._kernel_schedule.divisor + bias
        rank = min(dimension, int(fitted[0]) - 1)
        if schedule.n_real.any() and schedule.keep.any():
            raise InputError("workflow.n_real must be 0 if the pool is kept, for a gaussian of more than one dimension")
        few = np.flatnonzero(fitted - 1 < dimension)
        # All later points are then in the span of the first fit.
        stays_in_span = is_isotropic and not schedule.n_real.any() and schedule.n_synthetic[0] == fitted[0]
        if (self._subsampled and schedule.replacement) or schedule.sampling is not None:
            stays_in_span = False  # repeated points span less, and a map may move the law out of the span
        if few.size and not (stays_in_span and fitted[0] - 1 < dimension and (fitted - 1 >= rank).all()):
            raise InputError(_too_few(schedule, int(few[0]), int(fitted[few[0]]), dimension))
        return rank

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {
            "mean": Variable("mean", dims=("component",)),
            "factor": Variable("lower Cholesky factor of the covariance", dims=("row", "column")),
            "log_diagonal": Variable("logs of the diagonal of the factor", dims=("row",), limits=(-np.inf,)),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"mean": self._mean, "factor": self._factor, "log_diagonal": np.log(self._factor.diagonal())}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> MultivariateState:
        """Return the state of generation 0."""
        rank = self._rank
        diagonal = self._factor.diagonal()
        laws = Gaussians(
            np.zeros((n_replicates, len(self._mean))),
            np.tile(self._factor / diagonal, (n_replicates, 1, 1)),
            np.tile(np.log(diagonal), (n_replicates, 1)),
        )
        n_real = n_fixed_real(self._schedule)
        n_batches = n_replicates if n_real else 0
        source = Source(self._mean, self._factor, np.zeros((n_batches, rank)), np.zeros((n_batches, rank, rank)))
        if n_real:
            draw_real_batches(n_real, source, normal_table(), run_key(seed, first_replicate))
        n_points = pool_capacity(self._kernel_schedule) if self._subsampled else 0
        check_pool_memory(n_points * n_replicates * rank)
        return MultivariateState(
            laws, source, np.zeros((n_replicates, n_points, rank)), np.zeros((n_replicates, n_points), np.int64)
        )

    def generation_bytes(self, state: MultivariateState) -> int:
        """Return the size of the states of one generation, in bytes."""
        n_replicates, rank = state.laws.log_diagonal.shape
        return 8 * n_replicates * (rank * rank + rank + len(self._mean))

    def advance(
        self, state: MultivariateState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates, rank = state.laws.log_diagonal.shape
        shape = (n_replicates, n_generations)
        out = MultivariateStates(
            np.empty((*shape, len(self._mean))), np.empty((*shape, rank, rank)), np.empty((*shape, rank))
        )
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._subsampled:
            source = multivariate_source(self._mean, self._factor, self._schedule)
            refit_multivariate_subsamples(
                state.laws, state.points, state.order, source, self._kernel_schedule, normals, span, out
            )
            state.n_kept = n_kept_after(self._kernel_schedule, first + n_generations - 1)
        else:
            refit_multivariate(state.laws, state.source, self._kernel_schedule, normals, span, out)
        return ModelBlock(out._asdict())


def _too_few(schedule: Schedule, where: int, size: int, dimension: int) -> str:
    return (
        f"{schedule.size_key(where)} must give more than truth.dimension = {dimension} points, "
        f"got {size} at generation {where + 1}; "
        "fewer are served only from the first fit to an isotropic truth on, to all of its points, "
        "without real data, replacement or maps, and not fewer later"
    )
