"""Base class of families whose model is one number, with an estimator that is one variate a generation."""

from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.scalar_estimates import draw_real, refit_estimates, refit_subsamples
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.models.base import ArrayModel, ModelBlock, run_key
from fastcollapse.models.pools import PooledState, check_pool_memory, n_fixed_real, n_kept_after, pool_capacity
from fastcollapse.variables import Variable


class ScalarState(PooledState):
    """Estimates relative to the truth, those of a fixed real batch, float64 (R) or (0), and a pool of points."""

    MOMENTS = ("value",)


class ScalarModel(ArrayModel):
    """Recursive training of a model of one number.

    Parameters
    ----------
    truth : the law of generation 0.
    parameters : no parameters.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    Attributes
    ----------
    LAW : law of the data and its estimator, see `kernels.random.scalar_estimates`.
    STATE : name of the state, which is 0 for the truth, and its variable.
    alpha, unit : stability of a stable law; value of a state that has the error 1.
    """

    BLOCK_BYTES = 4_000_000
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real"})
    LAW: ClassVar[int]
    STATE: ClassVar[tuple[str, Variable]]

    alpha: float = 1.0
    unit: float = 1.0

    def __init__(self, truth: Any, parameters: Any, schedule: Schedule, record: tuple[Any, ...] = ()) -> None:
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)
        self._subsampled = bool(schedule.n_train.any())

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return dict([self.STATE])

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {self.STATE[0]: np.array(0.0)}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ScalarState:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        real = np.zeros(n_replicates if n_real else 0)
        if n_real:
            draw_real(self.LAW, self.alpha, float(n_real), run_key(seed, first_replicate), real)
        n_points = pool_capacity(self._kernel_schedule) if self._subsampled else 0
        check_pool_memory(n_points * n_replicates)
        return ScalarState(np.zeros((1, n_replicates)), real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: ScalarState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 8 * state.moments.shape[1]

    def advance(
        self, state: ScalarState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        out = np.empty((state.moments.shape[1], n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        [values], schedule = state.moments, self._kernel_schedule
        if self._subsampled:
            refit_subsamples(values, state.pool, schedule, self.LAW, self.alpha, span, out)
            state.n_kept = n_kept_after(schedule, first + n_generations - 1)
        else:
            refit_estimates(values, state.real, schedule, self.LAW, self.alpha, span, out)
        return ModelBlock({self.STATE[0]: self.unit * out})
