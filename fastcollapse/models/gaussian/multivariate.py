"""The Gaussian family in d > 1 dimensions: mean and Cholesky factor, from Wishart factors."""

from dataclasses import dataclass

import numpy as np

from fastcollapse.config.schedule import Schedule, kernel_schedule
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
from fastcollapse.models.base import ModelBlock, State, check_kept, n_kept_after, run_key
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.variables import Variable

# Bytes of the states of one block.


@dataclass(eq=False)
class MultivariateState(State):
    """The replicates between two blocks: the laws, a fixed real batch (in `source`), and the points of a pool with
    their order, of which the next generation keeps `n_kept`.
    """

    laws: Gaussians
    source: Source
    points: np.ndarray
    order: np.ndarray
    n_kept: int = 0

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a resume needs."""
        return {
            **self.laws._asdict(),
            "points": self.points[:, : self.n_kept],
            "order": self.order[:, : self.n_kept],
        }


class MultivariateGaussian(GaussianModel):
    """Recursive training of a Gaussian law in D > 1 dimensions.

    Parameters
    ----------
    mean, factor: float64 (D) and (D, D), the truth and the lower Cholesky factor of its covariance
    is_isotropic: whether that covariance is a multiple of the identity
    bias: 1 divides by n - 1, 0 by n
    schedule: the workflow as arrays over generations

    Raises
    ------
    InputError
        A fit has fewer points than its dimensions need, and is not the first fit to an isotropic truth.
    """

    POOL = "points"

    def __init__(self, mean: np.ndarray, factor: np.ndarray, is_isotropic: bool, bias: int, schedule: Schedule) -> None:
        self._mean = mean
        self._schedule = schedule
        self._plan = kernel_schedule(schedule, bias=bias)
        self._subsampled = bool(schedule.n_train.any())
        fitted = self._plan.divisor + bias
        self._rank = min(len(mean), int(fitted[0]) - 1)
        if schedule.n_real.any() and schedule.keep.any():
            raise InputError(
                "workflow.n_real must be 0 where the pool is kept, for a gaussian of more than one dimension"
            )
        few = np.flatnonzero(fitted - 1 < len(mean))
        # All points that are ever drawn are then in the span of the first fit's.
        alone = is_isotropic and not schedule.n_real.any() and schedule.n_synthetic[0] == fitted[0]
        if self._subsampled and schedule.replacement:
            alone = False  # points that are chosen twice span less
        if few.size and not (alone and fitted[0] - 1 < len(mean) and (fitted - 1 >= self._rank).all()):
            raise InputError(_too_few(schedule, int(few[0]), int(fitted[few[0]]), len(mean)))
        self._factor = np.ascontiguousarray(factor[: self._rank, : self._rank])

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
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
        n_fixed = n_replicates if self._schedule.real == "fixed" else 0
        source = Source(self._mean, self._factor, np.zeros((n_fixed, rank)), np.zeros((n_fixed, rank, rank)))
        if n_fixed:
            draw_real_batches(int(self._schedule.n_real[0]), source, normal_table(), run_key(seed, first_replicate))
        n_points = int((self._plan.n_kept + self._plan.n_synthetic).max()) if self._subsampled else 0
        check_kept(n_points * n_replicates * rank)
        return MultivariateState(
            laws, source, np.zeros((n_replicates, n_points, rank)), np.zeros((n_replicates, n_points), np.int64)
        )

    def generation_bytes(self, state: MultivariateState) -> int:
        """Return the bytes of the states of one generation."""
        n_replicates, rank = state.laws.log_diagonal.shape
        return 8 * n_replicates * (rank * rank + rank + len(self._mean))

    def advance(
        self, state: MultivariateState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        n_replicates, rank = state.laws.log_diagonal.shape
        shape = (n_replicates, n_generations)
        out = MultivariateStates(
            np.empty((*shape, len(self._mean))), np.empty((*shape, rank, rank)), np.empty((*shape, rank))
        )
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._subsampled:
            refit_multivariate_subsamples(
                state.laws, state.points, state.order, state.source, self._plan, normals, span, out
            )
            state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
        else:
            refit_multivariate(state.laws, state.source, self._plan, normals, span, out)
        return ModelBlock(out._asdict())


def _too_few(schedule: Schedule, where: int, size: int, dimension: int) -> str:
    key = "workflow.n_train" if schedule.n_train[where] > 0 else "workflow.n_samples"
    return (
        f"{key} must give more than truth.dimension = {dimension} points, got {size} at generation {where + 1}; "
        "fewer are served only from the first fit to an isotropic truth on, to all of its points, "
        "without real data or replacement, and not fewer later"
    )
