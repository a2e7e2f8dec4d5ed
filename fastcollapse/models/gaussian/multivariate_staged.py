"""The Gaussian model in d > 1 dimensions with weights, shares, windows, discounts and maps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_stages
from fastcollapse.errors import InputError
from fastcollapse.kernels.gaussian.multivariate_frames import MultivariateLaws
from fastcollapse.kernels.gaussian.multivariate_pooled import MultivariateStates
from fastcollapse.kernels.gaussian.multivariate_staged import draw_fixed_batches, refit_multivariate_staged
from fastcollapse.kernels.gaussian.weighted_parts import Estimator
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import ModelBlock, State, run_key
from fastcollapse.models.gaussian.maps import multivariate_source
from fastcollapse.models.gaussian.multivariate import MultivariateGaussian
from fastcollapse.models.gaussian.weighted_parts import fitted_rank
from fastcollapse.models.pools import check_pool_memory, n_fixed_real


@dataclass(eq=False)
class MultivariateStagedState(State):
    """Laws and batches of all replicates between two blocks."""

    kept: MultivariateLaws

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs: all but a fixed real batch, which its stream gives again."""
        return {name: values for name, values in self.kept._asdict().items() if not name.startswith("real_")}


class StagedMultivariateGaussian(MultivariateGaussian):
    """Recursive training of a Gaussian law in d > 1 dimensions, in any workflow without subsamples.

    The parameters are those of `MultivariateGaussian`.
    """

    POOL = ""

    def _checked_rank(self, is_isotropic: bool, bias: int) -> int:
        """Return the dimension, which must be the rank of all fits."""
        dimension, ranks = len(self._mean), fitted_rank(self._schedule, bias)
        few = np.flatnonzero(ranks < dimension)
        if few.size:
            raise InputError(
                f"workflow.n_samples must give parts of a fit that span truth.dimension = {dimension} dimensions with "
                f"weights, shares, windows, discounts and maps, got {ranks[few[0]]} at generation {few[0] + 1}; "
                "n points span n - 1"
            )
        self._stages = kernel_stages(self._schedule)
        self._estimator = Estimator(bias, bool(bias and self._schedule.discount))
        return dimension

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state of generation 0."""
        n, d, window = n_replicates, len(self._mean), self._stages.window
        check_pool_memory(n * window * d * (d + 1), "workflow.window")
        diagonal = self._factor.diagonal()
        unit, logs = np.tile(self._factor / diagonal, (n, 1, 1)), np.tile(np.log(diagonal), (n, 1))
        n_real = n_fixed_real(self._schedule)
        n_batches = n if n_real else 0
        kept = MultivariateLaws(
            mean=np.zeros((n, d)),
            unit=unit,
            log_diagonal=logs,
            origin=np.zeros((n, d)),
            frame_unit=unit.copy(),
            frame_log=logs.copy(),
            is_truth=np.ones(n, np.int64),
            local_mean=np.zeros((n, d)),
            local_factor=np.tile(np.eye(d), (n, 1, 1)),
            counts=np.zeros((n, window + 1)),
            means=np.zeros((n, window + 1, d)),
            squares=np.zeros((n, window + 1, d, d)),
            real_mean=np.zeros((n_batches, d)),
            real_upper=np.zeros((n_batches, d, d)),
        )
        if n_real:
            draw_fixed_batches(n_real, kept, normal_table(), run_key(seed, first_replicate))
        return MultivariateStagedState(kept)

    def generation_bytes(self, state: Any) -> int:
        """Return the size of the states of one generation, in bytes."""
        n_replicates, d = state.kept.mean.shape
        return 8 * n_replicates * (d * d + 2 * d)

    def advance(self, state: Any, first: int, n_generations: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates, d = state.kept.mean.shape
        shape = (n_replicates, n_generations)
        out = MultivariateStates(np.empty((*shape, d)), np.empty((*shape, d, d)), np.empty((*shape, d)))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        refit_multivariate_staged(
            state.kept, multivariate_source(self._mean, self._factor, self._schedule), self._kernel_schedule,
            self._stages, self._estimator, normal_table(), span, out,
        )  # fmt: skip
        return ModelBlock(out._asdict())
