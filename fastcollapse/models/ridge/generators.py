"""Chains of generations of a linear regression: selection of the kernel, and the state between blocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import PURPOSE_DESIGN, PURPOSE_FIXED_REAL, StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import GAUSSIAN, RADEMACHER, REDUCED, ROWS, STUDENT, UNIFORM, Design
from fastcollapse.kernels.regression.generator_pooled import (
    Batches,
    FixedData,
    Pools,
    Refit,
    draw_batches,
    refit_fixed,
    refit_pools,
)
from fastcollapse.kernels.regression.generator_replace import follow_overlaps, follow_weights
from fastcollapse.kernels.regression.generator_subsampled import Samples, refit_rows
from fastcollapse.models.base import State, run_key
from fastcollapse.models.pools import check_pool_memory, n_fixed_real, n_kept_after, pool_capacity
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression

# Minimum number of rows that are drawn at a time.
_CHUNK_ROWS = 256
# A matrix of this dimension takes 7 GB.
_MAX_DIMENSION = 30_000
_LAWS = {"rademacher": RADEMACHER, "uniform": UNIFORM, "student": STUDENT, "rows": ROWS}


@dataclass(eq=False)
class ChainState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    now : float64 (R, d), the weights in the basis of the eigenvectors; or float64 (R, 3), the overlaps <w, w0>,
        <w - w0, w0> and |w - <w, w0> w0| in units in which |w0| = 1.
    pools : name -> array, the pools.
    redrawn : arrays that random streams can draw again.
    n_kept : number of pool samples that the next generation keeps, if `pools` holds samples (R, P, ...); else None.
    mixed : `mixed_chains.MixedState` of the chains on mixed labels, or None.
    """

    now: np.ndarray
    pools: dict[str, np.ndarray] = field(default_factory=dict)
    redrawn: Any = None
    n_kept: int | None = None
    mixed: Any = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        pools = self.pools if self.n_kept is None else {name: v[:, : self.n_kept] for name, v in self.pools.items()}
        mixed = {} if self.mixed is None else {"gaps": self.mixed.gaps}
        return {"now": self.now, **pools, **mixed}


class Chain(Protocol):
    """Simulates the generations of all replicates."""

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0, where `now` is `start`, float64 (R, d or 3)."""

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on and write `now` of each to `out`, float64 (R, B, d or 3)."""


def create_chain(truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> Chain:
    """Return the fastest chain that has the law of the run.

    Raises
    ------
    InputError
        The parameters are incompatible with the truth or the schedule.
    """
    check_chain(truth, parameters, schedule)
    sizes = schedule.n_synthetic
    dependent, exact = parameters.designs == "dependent", parameters.sampler == "exact"
    replace_only = schedule.is_replace_only and exact and not dependent and parameters.ridge == 0
    # For other inputs the minimum-norm fit to fewer samples than inputs has no simple law.
    replace_only = replace_only and (truth.is_isotropic or bool((sizes >= truth.dimension).all()))
    # The start matters to a fit to fewer samples than inputs.
    replace_only = replace_only and not (parameters.from_previous and bool((sizes < truth.dimension).any()))
    if parameters.follow == "overlaps":
        if not (replace_only and truth.is_isotropic):
            raise no_overlaps()
        return ReplaceOnlyChain(truth, parameters, schedule, _follow_overlaps)
    if replace_only:
        return ReplaceOnlyChain(truth, parameters, schedule, _follow_weights)
    if schedule.n_train.any():
        return SubsampledChain(truth, parameters, schedule)
    if dependent and not schedule.n_real.any():
        return SharedInputsChain(truth, parameters, schedule)
    return PooledChain(truth, parameters, schedule)


def check_chain(truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
    """Refuse a law of the inputs, or sizes, that no chain serves."""
    # A generation without synthetic data has only real data.
    sizes = schedule.n_synthetic[schedule.n_synthetic > 0]
    if parameters.sampler == "exact" and truth.design != "gaussian":
        raise InputError(f"model.sampler must be 'raw' where truth.design is '{truth.design}', got 'exact'")
    if parameters.designs == "dependent" and (sizes != sizes[:1]).any():
        raise InputError("workflow.n_samples must be one number where model.designs is 'dependent'")
    if parameters.from_previous and schedule.needs & {"pool", "subsample", "weights"}:
        needed = "'replace' or 'mix', without a weight, where model.start is 'previous'"
        raise InputError(f"workflow.name must be {needed}")


def no_overlaps() -> InputError:
    """Return the error of a run that cannot follow overlaps alone."""
    needed = "isotropic gaussian inputs, independent designs, no ridge, the exact sampler and workflow replace"
    return InputError(f"model.follow must be 'weights' without {needed}, got 'overlaps'")


def create_design(truth: Regression, sampler: str, reduced: bool = True) -> Design:
    """Return the law of the inputs; with `reduced`, the exact sampler draws at most d rows that represent all."""
    exact = REDUCED if reduced else GAUSSIAN
    law = (exact if sampler == "exact" else GAUSSIAN) if truth.design == "gaussian" else _LAWS[truth.design]
    rows = np.empty((0, truth.dimension)) if truth.rows is None else truth.rows
    return Design(np.int64(law), np.float64(truth.degrees or 0.0), np.sqrt(truth.spectrum), rows)


def _follow_weights(truth: Regression) -> Callable[..., Any]:
    return lambda state, *rest: follow_weights(state.now, truth.spectrum, *rest)


def _follow_overlaps(truth: Regression) -> Callable[..., Any]:
    unit = np.sqrt(truth.spectrum[0]) * truth.norm
    return lambda state, sizes, sigma, *rest: follow_overlaps(state.now, truth.dimension, sizes, sigma / unit, *rest)


class ReplaceOnlyChain:
    """Chain of workflow replace with fresh normal inputs and no ridge: each fit is sampled from a few variates."""

    def __init__(
        self, truth: Regression, parameters: RidgeParameters, schedule: Schedule, follow: Callable[..., Any]
    ) -> None:
        self._sizes = schedule.n_synthetic
        self._sigma = parameters.synthetic_noise
        self._follow = follow(truth)

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0."""
        return ChainState(start)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        span = span_of(key, first, n_generations, current_threads())
        self._follow(state, self._sizes, self._sigma, normal_table(), span, out)


class NormalEquationsChain:
    """Base class of chains that solve normal equations."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        if truth.dimension > _MAX_DIMENSION:
            limit = f"at most {_MAX_DIMENSION} where matrices of its square are kept"
            raise InputError(f"truth.dimension must be {limit}, got {truth.dimension}")
        self._truth = truth
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)
        self._design = create_design(truth, parameters.sampler)
        self._dependent = parameters.designs == "dependent"
        n_rows = max(truth.dimension, _CHUNK_ROWS)
        noise = parameters.synthetic_noise, parameters.sigma
        self._refit = Refit(*noise, parameters.ridge, truth.weights, n_rows, parameters.from_previous)

    def _batches(self, n_replicates: int, n: int, purpose: int, sigma: float, key: Any) -> Batches:
        """Draw a batch of n samples of the truth for each replicate, used in all generations."""
        d = self._truth.dimension
        m = min(n, d) if self._design.law == REDUCED else n
        # Labels are counted too, so that the number of rows fits into the 32-bit integers of BLAS.
        check_pool_memory(n_replicates * m * (d + 1))
        batches = Batches(np.empty((n_replicates, m, d)), np.zeros((n_replicates, m)))
        weights = self._truth.weights
        draw_batches(self._design, n, normal_table(), key, np.uint64(purpose), weights, sigma, batches)
        return batches

    def _shared_inputs(self, n_replicates: int, key: Any) -> Batches:
        """Draw the inputs that all generations share; empty for independent designs."""
        n = int(self._schedule.n_synthetic.max()) if self._dependent else 0
        return self._batches(n_replicates if n else 0, n, PURPOSE_DESIGN, 0.0, key)


class SharedInputsChain(NormalEquationsChain):
    """Chain of generations that share their inputs and have synthetic labels only."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        self._rounds = self._kernel_schedule.n_kept // self._kernel_schedule.n_synthetic + 1
        self._refit = self._refit._replace(ridge=parameters.ridge * float(self._kernel_schedule.n_synthetic[0]))

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0."""
        batches = self._shared_inputs(len(start), run_key(seed, first_replicate))
        batches.labels[:] = 0.0
        return ChainState(start, {"labels": batches.labels}, batches)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        span = span_of(key, first, n_generations, current_threads())
        refit_fixed(state.now, state.redrawn, self._rounds, self._refit, normal_table(), span, out)


class PooledChain(NormalEquationsChain):
    """Chain of generations that are fitted to all samples of their pool."""

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0."""
        n_replicates, d = start.shape
        key = run_key(seed, first_replicate)
        n_pools = n_replicates if self._schedule.keep[1:].any() else 0
        check_pool_memory(n_pools * d * d)
        pools = {"gram": np.zeros((n_pools, d, d)), "sums": np.zeros((n_pools, d)), "held": np.zeros(n_pools, np.int64)}
        n_real = n_fixed_real(self._schedule)
        real = self._batches(n_replicates if n_real else 0, n_real, PURPOSE_FIXED_REAL, self._refit.real_noise, key)
        return ChainState(start, pools, (self._shared_inputs(n_replicates, key), real))

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        shared, real = state.redrawn
        pools, span = Pools(state.now, **state.pools), span_of(key, first, n_generations, current_threads())
        fixed = FixedData(shared.rows, real.rows, real.labels)
        refit_pools(pools, self._design, fixed, self._kernel_schedule, self._refit, normal_table(), span, out)


class SubsampledChain(NormalEquationsChain):
    """Chain of generations that are fitted to a subsample of their pool."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        self._design = create_design(truth, parameters.sampler, reduced=False)

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0."""
        n_replicates, d = start.shape
        n = pool_capacity(self._kernel_schedule)
        check_pool_memory(n_replicates * n * (2 if self._dependent else d + 2))
        pools = {"labels": np.zeros((n_replicates, n)), "order": np.zeros((n_replicates, n), np.int64)}
        inputs = self._shared_inputs(n_replicates, run_key(seed, first_replicate)).rows
        if not self._dependent:
            pools["inputs"] = inputs = np.zeros((n_replicates, n, d))
        return ChainState(start, pools, inputs, n_kept=0)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        samples = Samples(state.redrawn, state.pools["labels"], state.pools["order"], self._dependent)
        span = span_of(key, first, n_generations, current_threads())
        refit_rows(state.now, samples, self._design, self._kernel_schedule, self._refit, normal_table(), span, out)
        state.n_kept = n_kept_after(self._kernel_schedule, first + n_generations - 1)
