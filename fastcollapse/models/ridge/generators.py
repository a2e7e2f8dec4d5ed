"""The generations of a linear regression: which kernel follows them, and what it keeps between blocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fastcollapse.config.schedule import Schedule, kernel_schedule
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
from fastcollapse.models.base import State, check_kept, n_kept_after, run_key
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression

# Rows that are drawn at a time, where a generation has more than inputs.
_ROWS_AT_A_TIME = 256
# 7 GB a matrix.
_MOST_INPUTS = 30_000
_LAWS = {"rademacher": RADEMACHER, "uniform": UNIFORM, "student": STUDENT, "rows": ROWS}


@dataclass(eq=False)
class ChainState(State):
    """The replicates between two blocks.

    Parameters
    ----------
    now : float64 (R, d) weights in the basis of the eigenvectors, or (R, 3) <w, w0>, <w - w0, w0> and
        |w - <w, w0> w0| in units in which |w0| = 1.
    kept : name -> array, pools; samples (R, P, ...) are used up to `n_kept`.
    given : what a stream gives again.
    """

    now: np.ndarray
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    given: Any = None
    n_kept: int | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a resume needs."""
        kept = self.kept if self.n_kept is None else {name: v[:, : self.n_kept] for name, v in self.kept.items()}
        return {"now": self.now, **kept}


class Chain(Protocol):
    """Follows replicates over generations; made from (truth, parameters, schedule)."""

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0, which is `start` (R, d or 3)."""

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations `first` and following; write `now` of each to `out`, float64 (R, B, d or 3)."""


def chain_of(truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> Chain:
    """Return the quickest chain that has the law of a run.

    Raises
    ------
    InputError
        The parameters want what this truth or schedule does not allow.
    """
    sizes = schedule.n_synthetic
    dependent, exact = parameters.designs == "dependent", parameters.sampler == "exact"
    if exact and truth.design != "gaussian":
        raise InputError(f"model.sampler must be 'raw' where truth.design is '{truth.design}', got 'exact'")
    if dependent and (sizes != sizes[0]).any():
        raise InputError("workflow.n_samples must be one number where model.designs is 'dependent'")
    alone = not (schedule.keep[1:].any() or schedule.n_real.any() or schedule.n_train.any())
    plain = alone and exact and not dependent and parameters.ridge == 0
    direct = plain and (truth.is_isotropic or bool((sizes >= truth.dimension).all()))
    if parameters.follow == "overlaps":
        if not (direct and truth.is_isotropic):
            wanted = "isotropic gaussian inputs, independent designs, no ridge, the exact sampler and workflow replace"
            raise InputError(f"model.follow must be 'weights' without {wanted}, got 'overlaps'")
        return _Direct(truth, parameters, schedule, _overlaps)
    if direct:
        return _Direct(truth, parameters, schedule, _weights)
    if schedule.n_train.any():
        return _Subsampled(truth, parameters, schedule)
    if dependent and not schedule.n_real.any():
        return _Fixed(truth, parameters, schedule)
    return _Pooled(truth, parameters, schedule)


def design_of(truth: Regression, sampler: str, reduced: bool = True) -> Design:
    """Return the law of the inputs; `reduced` gives the few rows that stand for all where the sampler is exact."""
    exact = REDUCED if reduced else GAUSSIAN
    law = (exact if sampler == "exact" else GAUSSIAN) if truth.design == "gaussian" else _LAWS[truth.design]
    rows = np.empty((0, truth.dimension)) if truth.rows is None else truth.rows
    return Design(np.int64(law), np.float64(truth.degrees or 0.0), np.sqrt(truth.spectrum), rows)


def _weights(truth: Regression) -> Callable:
    return lambda state, *rest: follow_weights(state.now, truth.spectrum, *rest)


def _overlaps(truth: Regression) -> Callable:
    unit = np.sqrt(truth.spectrum[0]) * truth.norm
    return lambda state, sizes, sigma, *rest: follow_overlaps(state.now, truth.dimension, sizes, sigma / unit, *rest)


class _Direct:
    """Generations that have the law of a few variates: fresh normal inputs, no ridge, no pool."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule, follow: Callable) -> None:
        self._sizes = schedule.n_synthetic
        self._sigma = parameters.synthetic_noise
        self._follow = follow(truth)

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        return ChainState(start)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        span = span_of(key, first, n_generations, current_threads())
        self._follow(state, self._sizes, self._sigma, normal_table(), span, out)


class _Refitted:
    """What chains have in common that solve normal equations."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        if truth.dimension > _MOST_INPUTS:
            wanted = f"at most {_MOST_INPUTS} where matrices of its square are kept"
            raise InputError(f"truth.dimension must be {wanted}, got {truth.dimension}")
        self._truth = truth
        self._schedule = schedule
        self._plan = kernel_schedule(schedule)
        self._design = design_of(truth, parameters.sampler)
        self._dependent = parameters.designs == "dependent"
        n_rows = max(truth.dimension, _ROWS_AT_A_TIME)
        self._refit = Refit(parameters.synthetic_noise, parameters.sigma, parameters.ridge, truth.weights, n_rows)

    def _batches(self, n_replicates: int, n: int, purpose: int, sigma: float, key: Any) -> Batches:
        """Draw samples of the truth that stay for the run, of n each."""
        d = self._truth.dimension
        m = min(n, d) if self._design.law == REDUCED else n
        # With the labels, so that no batch has more rows than 32 bits count, which are all that BLAS knows.
        check_kept(n_replicates * m * (d + 1))
        batches = Batches(np.empty((n_replicates, m, d)), np.zeros((n_replicates, m)))
        weights = self._truth.weights
        draw_batches(self._design, n, normal_table(), key, np.uint64(purpose), weights, sigma, batches)
        return batches

    def _same_inputs(self, n_replicates: int, key: Any) -> Batches:
        n = int(self._schedule.n_synthetic[0]) if self._dependent else 0
        return self._batches(n_replicates if n else 0, n, PURPOSE_DESIGN, 0.0, key)


class _Fixed(_Refitted):
    """Generations that all have the same inputs, and synthetic labels alone."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        sizes, kept = self._plan.n_synthetic, self._plan.n_kept
        self._rounds = kept // sizes + 1
        self._refit = self._refit._replace(ridge=parameters.ridge * float(sizes[0]))

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        batches = self._same_inputs(len(start), run_key(seed, first_replicate))
        batches.labels[:] = 0.0
        return ChainState(start, {"labels": batches.labels}, batches)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        span = span_of(key, first, n_generations, current_threads())
        refit_fixed(state.now, state.given, self._rounds, self._refit, normal_table(), span, out)


class _Pooled(_Refitted):
    """Generations that are fitted to all that their pool holds."""

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        n_replicates, d = start.shape
        key, schedule = run_key(seed, first_replicate), self._schedule
        n_pools = n_replicates if schedule.keep[1:].any() else 0
        check_kept(n_pools * d * d)
        kept = {"gram": np.zeros((n_pools, d, d)), "sums": np.zeros((n_pools, d)), "held": np.zeros(n_pools, np.int64)}
        n_real = int(schedule.n_real[0]) if schedule.real == "fixed" else 0
        real = self._batches(n_replicates if n_real else 0, n_real, PURPOSE_FIXED_REAL, self._refit.real_noise, key)
        return ChainState(start, kept, (self._same_inputs(n_replicates, key), real))

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        same, real = state.given
        pools, span = Pools(state.now, **state.kept), span_of(key, first, n_generations, current_threads())
        fixed = FixedData(same.rows, real.rows, real.labels)
        refit_pools(pools, self._design, fixed, self._plan, self._refit, normal_table(), span, out)


class _Subsampled(_Refitted):
    """Generations that are fitted to a subsample of the rows of their pool."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        self._design = design_of(truth, parameters.sampler, reduced=False)

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        n_replicates, d = start.shape
        n = int((self._plan.n_kept + self._plan.n_synthetic).max())
        check_kept(n_replicates * n * (2 if self._dependent else d + 2))
        kept = {"labels": np.zeros((n_replicates, n)), "order": np.zeros((n_replicates, n), np.int64)}
        inputs = self._same_inputs(n_replicates, run_key(seed, first_replicate)).rows
        if not self._dependent:
            kept["inputs"] = inputs = np.zeros((n_replicates, n, d))
        return ChainState(start, kept, inputs, n_kept=0)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        samples = Samples(state.given, state.kept["labels"], state.kept["order"], self._dependent)
        span = span_of(key, first, n_generations, current_threads())
        refit_rows(state.now, samples, self._design, self._plan, self._refit, normal_table(), span, out)
        state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
