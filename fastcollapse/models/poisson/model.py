"""The Poisson family: laws refitted to counts that they generate.

The fitted rate is the mean of the counts, and the sum of the counts is again a Poisson variate.
"""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, FloatField, parameter, power_text
from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.models.base import ArrayModel, ModelBlock, run_key
from fastcollapse.models.poisson.kernels import draw_real, refit_subsamples, refit_sums
from fastcollapse.models.poisson.metrics import METRICS, ROLES
from fastcollapse.models.pools import PooledState, check_pool_memory, n_fixed_real, n_kept_after, pool_capacity
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class PoissonTruth(TruthSection):
    """The Poisson law of generation 0."""

    rate: float = parameter(FloatField(0, 1e15, above=True), "rate: the mean of a count")


@dataclasses.dataclass(frozen=True)
class PoissonParameters(ModelSection):
    """The Poisson family has no parameters: its only estimator is the sample mean."""


class PoissonState(PooledState):
    """Sum and number of the last fitted counts, the sums of a fixed real batch, float64 (R) or (0), and a pool."""

    MOMENTS = ("sum", "size")


class Poisson(ArrayModel):
    """Recursive training of a Poisson law.

    Parameters
    ----------
    truth : the law of generation 0.
    parameters : no parameters.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    Raises
    ------
    InputError
        The sum of a pool may exceed the largest exact integer of a float64.

    References
    ----------
    Suresh et al., arXiv:2412.17646, section 3: for a constant sample size the sums are a Galton-Watson process.
    """

    PARAMETERS = PoissonParameters
    TRUTH = PoissonTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real"})

    def __init__(
        self, truth: PoissonTruth, parameters: PoissonParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        self._rate = truth.rate
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)
        self._subsampled = bool(schedule.n_train.any())
        largest = int(schedule.pool_totals(None).max())
        if self._rate * largest > MAX_COUNT:
            raise InputError(
                f"truth.rate must keep the sum of a pool at most {power_text(MAX_COUNT)}, "
                f"got {self._rate:g} for {largest} counts"
            )

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {"rate": Variable("rate")}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"rate": np.array(self._rate)}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> PoissonState:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        real = np.zeros(n_replicates if n_real else 0)
        if n_real:
            draw_real(float(n_real), self._rate, run_key(seed, first_replicate), real)
        n_points = pool_capacity(self._kernel_schedule) if self._subsampled else 0
        check_pool_memory(n_points * n_replicates)
        moments = np.ones((2, n_replicates))
        moments[0] = self._rate
        return PoissonState(moments, real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: PoissonState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 8 * state.moments.shape[1]

    def advance(
        self, state: PoissonState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        rates = np.empty((state.moments.shape[1], n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        sums, sizes = state.moments
        if self._subsampled:
            refit_subsamples(sums, sizes, state.pool, self._kernel_schedule, span, rates)
            state.n_kept = n_kept_after(self._kernel_schedule, first + n_generations - 1)
        else:
            refit_sums(sums, sizes, state.real, self._kernel_schedule, self._rate, span, rates)
        return ModelBlock({"rate": rates})


MODEL = Poisson
