"""Poisson laws refitted to counts that they generate: the rate is the mean of the counts, and their sum is again a
Poisson variate.
"""

import dataclasses

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, FloatField, parameter, power_text
from fastcollapse.config.schedule import KernelSchedule, Schedule, kernel_schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import (
    span_of,
)
from fastcollapse.models.base import ArrayModel, ModelBlock, PooledState, check_kept, n_kept_after, run_key
from fastcollapse.models.poisson.kernels import draw_real, refit_subsamples, refit_sums
from fastcollapse.models.poisson.metrics import METRICS
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class PoissonTruth(TruthSection):
    """The Poisson law of generation 0."""

    rate: float = parameter(FloatField(0, 1e15, above=True), "mean of a count")


@dataclasses.dataclass(frozen=True)
class PoissonParameters(ModelSection):
    """The Poisson family has no parameters of its own: the sample mean is the one estimator in use."""


class PoissonState(PooledState):
    """Sum and number of the counts fitted to last, the sums of a fixed real batch, and the counts of the pool."""

    MOMENTS = ("sum", "size")


class Poisson(ArrayModel):
    """Recursive training of a Poisson law.

    Parameters
    ----------
    truth: the law of generation 0
    parameters: none
    schedule: the workflow as arrays over generations
    record: what a run records; the states are given whatever it holds

    Raises
    ------
    InputError
        The counts of a pool may pass what is exact.

    References
    ----------
    Suresh et al., arXiv:2412.17646, section 3: with samples of one size the sums are a Galton-Watson process.
    """

    PARAMETERS = PoissonParameters
    TRUTH = PoissonTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real"})

    def __init__(
        self, truth: PoissonTruth, parameters: PoissonParameters, schedule: Schedule, record: tuple = ()
    ) -> None:
        self._rate = truth.rate
        self._schedule = schedule
        self._plan: KernelSchedule = kernel_schedule(schedule)
        largest = int(schedule.pool_totals(None).max())
        if self._rate * largest > MAX_COUNT:
            raise InputError(
                f"truth.rate must keep the sum of a pool at most {power_text(MAX_COUNT)}, "
                f"got {self._rate:g} for {largest} counts"
            )

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
        return {"rate": Variable("rate")}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"rate": np.array(self._rate)}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> PoissonState:
        """Return the state of generation 0."""
        fixed = self._schedule.real == "fixed"
        real = np.zeros(n_replicates if fixed else 0)
        if fixed:
            draw_real(float(self._schedule.n_real[0]), self._rate, run_key(seed, first_replicate), real)
        subsampled = self._schedule.n_train.any()
        n_points = int((self._plan.n_kept + self._plan.n_synthetic).max()) if subsampled else 0
        check_kept(n_points * n_replicates)
        moments = np.ones((2, n_replicates))
        moments[0] = self._rate
        return PoissonState(moments, real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: PoissonState) -> int:
        """Return the bytes of the states of one generation."""
        return 8 * state.moments.shape[1]

    def advance(
        self, state: PoissonState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        rates = np.empty((state.moments.shape[1], n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        sums, sizes = state.moments
        if self._schedule.n_train.any():
            refit_subsamples(sums, sizes, state.pool, self._plan, span, rates)
            state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
        else:
            refit_sums(sums, sizes, state.real, self._plan, self._rate, span, rates)
        return ModelBlock({"rate": rates})


MODEL = Poisson
