"""The Gaussian model in one dimension with weights, shares, windows, discounts and maps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_stages
from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.gaussian.univariate_staged import (
    UnivariateLaws,
    draw_fixed_batches,
    refit_staged,
)
from fastcollapse.kernels.gaussian.weighted_parts import Estimator
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import ModelBlock, State, run_key
from fastcollapse.models.gaussian.maps import univariate_source
from fastcollapse.models.gaussian.univariate import UnivariateGaussian
from fastcollapse.models.pools import check_pool_memory, n_fixed_real


@dataclass(eq=False)
class UnivariateStagedState(State):
    """Laws and batches of all replicates between two blocks."""

    kept: UnivariateLaws

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs: all but a fixed real batch, which its stream gives again."""
        return {"laws": self.kept.laws, "recent": self.kept.recent, "ring": self.kept.ring}


class StagedUnivariateGaussian(UnivariateGaussian):
    """Recursive training of a Gaussian law in one dimension, in any workflow without subsamples.

    Parameters
    ----------
    truth, bias, schedule : as in `UnivariateGaussian`.
    """

    POOL = ""

    def __init__(self, truth: np.ndarray, bias: int, schedule: Schedule) -> None:
        super().__init__(truth, bias, schedule)
        self._stages = kernel_stages(schedule)
        self._estimator = Estimator(bias, bool(bias and schedule.discount))
        self._source = univariate_source(float(truth[0]), float(truth[1]), schedule)

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        window = self._stages.window
        check_pool_memory(3 * window * n_replicates, "workflow.window")
        kept = UnivariateLaws(
            np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (n_replicates, 1)),
            np.zeros((n_replicates, 3)),
            np.zeros((n_replicates, window, 3)),
            np.zeros((n_replicates if n_real else 0, 3)),
        )
        if n_real:
            draw_fixed_batches(float(n_real), normal_table(), run_key(seed, first_replicate), kept.real)
        return UnivariateStagedState(kept)

    def generation_bytes(self, state: Any) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 16 * len(state.kept.laws)

    def advance(self, state: Any, first: int, n_generations: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        out = np.empty((2, len(state.kept.laws), n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        refit_staged(
            state.kept, self._kernel_schedule, self._stages, self._estimator, self._source, normal_table(), span, out
        )
        return ModelBlock({"mean": out[0], "log_sigma": out[1]})
