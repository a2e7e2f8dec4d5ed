"""Poisson laws refitted to counts that they generate: the rate is the mean of the counts, and their sum is again a
Poisson variate.
"""

import dataclasses

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, FloatField, parameter, power_text
from fastcollapse.config.schedule import KernelSchedule, Schedule, kernel_schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import poisson
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
    span_of,
)
from fastcollapse.kernels.random.subsample import copy_chosen
from fastcollapse.models.base import ArrayModel, ModelBlock, PooledState, check_kept, n_kept_after, run_key
from fastcollapse.models.poisson.metrics import METRICS
from fastcollapse.variables import Variable

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)


@dataclasses.dataclass(frozen=True)
class PoissonTruth(TruthSection):
    """The Poisson law of generation 0."""

    rate: float = parameter(FloatField(0, 1e15, above=True), "mean of a count")


@dataclasses.dataclass(frozen=True)
class PoissonParameters(ModelSection):
    """The Poisson family has no parameters of its own: the sample mean is the one estimator in use."""


@parallel_kernel
def _draw_real(n_real, rate, key, real):
    """Draw the sum of the fixed real batch of every replicate: ``->(R)``, O(R)."""
    for replicate in prange(real.shape[0]):
        stream = np.empty(STREAM_WORDS, np.uint64)
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        real[replicate] = poisson(n_real * rate, stream)


@parallel_kernel
def _refit_sums(sums, sizes, real, schedule, truth_rate, span, rates):
    """Refit R replicates over B generations without subsamples: ``(R),(R),(Q),...->(R,B)``, one Poisson variate a step.

    Parameters
    ----------
    sums, sizes : float64 (R), sum and number of the counts of the last fit, (rate, 1) at the start; updated.
    real : float64 (Q), the sums of a fixed real batch; Q = R, or 0 where there is none.
    schedule : `KernelSchedule`.
    truth_rate : the rate of real data.
    span : `Span`.
    rates : float64 (R, B), the rate of each state.
    """
    n_replicates = sums.shape[0]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic, n_real = schedule.n_kept, schedule.n_synthetic, schedule.n_real
        for replicate in range(thread, n_replicates, n_threads):
            total, size = sums[replicate], sizes[replicate]
            for step in range(n_generations):
                generation = first + step
                n, m = np.float64(n_synthetic[generation - 1]), np.float64(n_real[generation - 1])
                kept = np.float64(kept_points[generation - 1])
                drawn = 0.0
                # A sum of 0 stays 0, so that its streams need not be opened.
                if total > 0.0:
                    generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                    drawn = np.float64(poisson(total if n == size else n * (total / size), stream))
                total = drawn + (total if kept > 0.0 else 0.0)
                if m > 0.0 and real.shape[0] > 0:
                    total += real[replicate]
                elif m > 0.0:
                    generation_stream(span, replicate, generation, _REAL, stream)
                    total += poisson(m * truth_rate, stream)
                size = kept + n + m
                rates[replicate, step] = total / size
            sums[replicate], sizes[replicate] = total, size


@parallel_kernel
def _refit_subsamples(sums, sizes, pool, schedule, span, rates):
    """Refit as `_refit_sums` to subsamples of `pool`: ``(R),(R),(R,K),...->(R,B)``, O(n_synthetic + n_train) a step."""
    n_replicates = sums.shape[0]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic, n_train = schedule.n_kept, schedule.n_synthetic, schedule.n_train
        buffer = np.empty(max(1, n_train[first - 1 : first - 1 + n_generations].max()))
        for replicate in range(thread, n_replicates, n_threads):
            points = pool[replicate]
            for step in range(n_generations):
                generation = first + step
                kept, n, size = kept_points[generation - 1], n_synthetic[generation - 1], n_train[generation - 1]
                rate = sums[replicate] / sizes[replicate]
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                for i in range(kept, kept + n):
                    points[i] = poisson(rate, stream)
                if size > 0:
                    chosen = buffer[:size]
                    generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
                    copy_chosen(points, kept + n, schedule.replacement, stream, chosen)
                else:
                    chosen = points[: kept + n]
                sums[replicate], sizes[replicate] = chosen.sum(), chosen.shape[0]
                rates[replicate, step] = sums[replicate] / sizes[replicate]


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
            _draw_real(float(self._schedule.n_real[0]), self._rate, run_key(seed, first_replicate), real)
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
            _refit_subsamples(sums, sizes, state.pool, self._plan, span, rates)
            state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
        else:
            _refit_sums(sums, sizes, state.real, self._plan, self._rate, span, rates)
        return ModelBlock({"rate": rates})


MODEL = Poisson
