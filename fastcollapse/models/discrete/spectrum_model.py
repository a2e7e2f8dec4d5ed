"""The discrete family by count spectra: numbers of symbols by count, for vocabularies too large for an array.

Symbols with equal counts are exchangeable, so that the numbers of symbols by count are a Markov chain of their own. Its
law is that of `Discrete`, at a cost that grows with the number of different counts.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.count_spectrum import ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import (
    PURPOSE_SPECTRUM,
    PURPOSE_SPECTRUM_FIXED_REAL,
    PURPOSE_SPECTRUM_REAL,
    StreamKey,
)
from fastcollapse.kernels.spectrum.law_sample import Law
from fastcollapse.kernels.spectrum.refit import Step, Weights
from fastcollapse.kernels.spectrum.rows import N_SUMS, new_rows
from fastcollapse.models.base import Model, ModelBlock, run_key
from fastcollapse.models.discrete.engine import LABEL_FREE, SPECTRUM_CAPABILITIES, limit_of_spectrum, served_metrics
from fastcollapse.models.discrete.metrics import SPECTRUM_METRICS, CountSums, metrics_of
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.spectrum_buffers import SpectrumBuffers
from fastcollapse.models.discrete.spectrum_classes import original_groups, truth_classes, truth_metrics
from fastcollapse.models.discrete.spectrum_fixed_real import keyed_by_real_counts
from fastcollapse.models.discrete.spectrum_generation import refit_rows, sample_rows
from fastcollapse.models.discrete.spectrum_state import SpectrumState, check_rows, points_of, samples_of
from fastcollapse.models.saved_arrays import require, restore_array
from fastcollapse.variables import Coordinate, Variable

_LARGEST_BLOCK_BYTES = 64_000_000
_NO_WEIGHTS = np.zeros((1, 0))
_NO_REAL = np.zeros((1, 0), np.int64)
_NO_OWNERS = _NO_REAL


class SpectrumDiscrete(Model):
    """Recursive training of a discrete distribution, by count spectra.

    Parameters
    ----------
    truth : a `CountSpectrum`, a `ZipfMandelbrotLaw` or a `CategoricalDistribution`.
    parameters : the engine, which the class has already.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`. "trajectory" adds the spectrum of every generation; "survival" follows symbols by
        their original counts, which costs a row for each pair of an original and a present count.

    Raises
    ------
    InputError
        Count spectra cannot serve the run, see `limit_of_spectrum`.

    References
    ----------
    Derived: the law is that of `fastcollapse.models.discrete.model.Discrete`, see
    `fastcollapse.kernels.spectrum.refit`.
    """

    PARAMETERS = DiscreteParameters
    METRICS = SPECTRUM_METRICS
    ENGINE = "spectrum"
    CAPABILITIES = SPECTRUM_CAPABILITIES

    def __init__(
        self, truth: Any, parameters: DiscreteParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        limit = limit_of_spectrum(truth, schedule, record)
        if limit:
            raise InputError(limit)
        self._schedule = schedule
        self._sizes = schedule.pool_totals(truth.total)
        self._truth_total = truth.total
        available = served_metrics(truth, schedule, record)
        self._with_rows = "trajectory" in record
        self._has_fresh = schedule.real == "fresh" and bool(schedule.n_real.any())
        self._has_fixed = schedule.real == "fixed" and bool(schedule.n_real.any())
        # Symbols without a count stay where the real data pause.
        self._pauses = self._has_fixed and not schedule.n_real.all()
        self._with_survival = "survival" in available
        self._with_lost = "lost_mass" in available and "lost_mass" in record
        self._law = Law(float(truth.a), float(truth.b), truth.size) if isinstance(truth, ZipfMandelbrotLaw) else None
        self._size = truth.support_size
        self._total = 1.0
        self._by_group = self._with_survival and not (self._with_lost or self._has_fresh or self._has_fixed)
        self._buffers = SpectrumBuffers(self._size, int(self._sizes.max()))
        if self._law is None:
            self._classes = truth_classes(truth)
            self._total = float(self._classes.weights @ self._classes.numbers)
            self._size = int(self._classes.numbers.sum())
            if self._with_survival:
                self._starts, self._groups = original_groups(self._classes.weights.astype(np.int64))
        self._truth_values = truth_metrics(truth)

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the smallest original count of each group of `survival`."""
        if not self._with_survival:
            return {}
        return {"original_count": Coordinate(self._starts, "smallest original count of a group of symbols")}

    def state_variables(self) -> dict[str, Variable]:
        """Return the spectrum, if it is recorded: a point is a count and its number of symbols."""
        return {"spectrum": Variable("count and number of symbols", dims=("count_and_number",), ragged=True)}

    def length_settings(self, n_generations: int) -> tuple[Any, ...]:
        """Return which metrics are followed, and whether the real data pause."""
        return (self._with_survival, self._with_lost, self._by_group, self._pauses)

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0; the spectrum of a law has no rows."""
        metrics = {name: np.full((n_replicates, 1), self._truth_values[name]) for name in LABEL_FREE}
        if self._with_lost:
            metrics["lost_mass"] = np.zeros((n_replicates, 1))
        if self._with_survival:
            metrics["survival"] = np.ones((n_replicates, 1, len(self._starts)))
        points = np.zeros((0, 2))
        if self._truth_total is not None:
            points = np.column_stack([self._classes.weights, self._classes.numbers])
        return ModelBlock(metrics=metrics, samples=samples_of([points] * n_replicates))

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> SpectrumState:
        """Return the state of generation 0, and draw the fixed real data."""
        lengths, generation = np.zeros(n_replicates, np.int64), np.zeros(n_replicates, np.int64)
        if self._law is not None:
            return SpectrumState(new_rows(n_replicates, 1), lengths, generation, _NO_REAL, _NO_WEIGHTS, _NO_OWNERS)
        weights, numbers = self._classes
        n_classes = len(weights)
        lengths[:] = n_classes
        rows = new_rows(n_replicates, 2 * n_classes + 16)
        rows.numbers[:, :n_classes] = numbers
        rows.keys[:, :n_classes] = np.arange(n_classes)
        state = SpectrumState(rows, lengths, generation, _NO_REAL, weights[None], np.arange(n_classes)[None])
        if self._has_fixed and self._schedule.n_real[0] == self._truth_total:
            return replace(state, real=weights.astype(np.int64)[None])
        if self._has_fixed:
            return self._with_fixed_real(state, run_key(seed, first_replicate))
        if self._schedule.start_with_data:
            rows.counts[:, :n_classes] = weights
        if not self._has_fresh and not self._with_survival:
            rows.keys[:] = 0
        elif self._by_group:
            rows.keys[:, :n_classes] = self._groups
            state = replace(state, owners=np.arange(len(self._starts))[None])
        return state

    def _with_fixed_real(self, state: SpectrumState, key: StreamKey) -> SpectrumState:
        """Draw the fixed real data of each replicate, and return the state whose keys tell them apart."""
        step = self._step(PURPOSE_SPECTRUM_FIXED_REAL, int(self._schedule.n_real[0]), self._total)
        step = step._replace(by_row=True, keep_extinct=True)
        self._refit(state, step, key, _NO_REAL, 0)
        return keyed_by_real_counts(state, self._classes.weights, self._with_survival or self._with_lost)

    def _step(self, purpose: int, n_tokens: int, weight_total: float) -> Step:
        """Return the step of a plain sample of generation 0; `_replace` sets what another one needs."""
        return Step(
            generation=0,
            n_tokens=n_tokens,
            n_real=0,
            purpose=np.uint64(purpose),
            real_purpose=np.uint64(PURPOSE_SPECTRUM_REAL),
            weight_total=weight_total,
            real_total=1.0,
            keep=0,
            by_row=False,
            keep_extinct=False,
            alive_by=0,
            n_threads=current_threads(),
        )

    def _step_of(self, generation: int) -> Step:
        """Return the step that computes a generation."""
        index = generation - 1
        n_real = int(self._schedule.n_real[index]) if self._has_fresh else 0
        n_tokens = int(self._schedule.n_synthetic[index])
        total = self._total if index == 0 else float(self._sizes[index - 1])
        keep = int(self._sizes[index] > n_tokens + int(self._schedule.n_real[index]))
        by_class = self._with_survival or self._has_fresh
        alive_by = 0
        if self._law is None and (self._with_lost or self._with_survival):
            alive_by = 1 if by_class else 2
        step = self._step(PURPOSE_SPECTRUM, n_tokens, total)
        return step._replace(
            generation=generation,
            n_real=n_real,
            real_total=self._total,
            keep=keep,
            by_row=bool(keep) or alive_by == 2,
            keep_extinct=self._has_fresh or self._pauses,
            alive_by=alive_by,
        )

    def _refit(
        self, state: SpectrumState, step: Step, key: StreamKey, real: np.ndarray, n_alive: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Run one generation of all replicates, see `refit_rows`."""
        weights = Weights(
            state.first_weights if state.generation[0] == 0 else _NO_WEIGHTS,
            real,
            self._classes.weights if step.n_real else _NO_WEIGHTS[0],
        )
        return refit_rows(state, step, key, weights, n_alive, self._buffers)

    def advance(
        self, state: SpectrumState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        key = run_key(seed, first_replicate)
        n_replicates = len(state.lengths)
        sums = np.zeros((n_replicates, n_generations, N_SUMS))
        lost = np.zeros((n_replicates, n_generations))
        survival = np.zeros((n_replicates, n_generations, len(self._starts) if self._with_survival else 0))
        points = []
        for b in range(n_generations):
            step = self._step_of(first + b)
            n_alive = state.owners.shape[1] if step.alive_by else 0
            if self._law is not None and first + b == 1:
                sums[:, b], lost[:, b] = sample_rows(state, step, key, self._law, self._with_lost, self._buffers)
            else:
                real = state.real if self._schedule.n_real[first + b - 1] else _NO_REAL
                sums[:, b], alive = self._refit(state, step, key, real, n_alive)
                if step.alive_by:
                    lost[:, b], survival[:, b] = self._by_origin(state, alive)
            state.generation[:] = first + b
            if self._with_rows:
                points += [points_of(state, r) for r in range(n_replicates)]
        totals = self._sizes[first - 1 : first - 1 + n_generations]
        support, entropy, heterozygosity = np.moveaxis(sums, 2, 0)
        values = CountSums(support, heterozygosity, entropy, lost, lost, lost, totals)
        metrics = metrics_of(values, (*LABEL_FREE, *(["lost_mass"] if self._with_lost else [])))
        if self._with_survival:
            metrics["survival"] = survival
        return ModelBlock(metrics=metrics, samples=samples_of(points) if self._with_rows else {})

    def _by_origin(self, state: SpectrumState, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lost mass (R) and the survival (R, G) from the numbers of live symbols, int64 (R, K)."""
        n_replicates = len(alive)
        groups = self._groups if self._with_survival else np.zeros(len(self._classes.weights), np.int32)
        n_groups = len(self._starts) if self._with_survival else 0
        lost, survival = np.zeros(n_replicates), np.zeros((n_replicates, n_groups))
        weights, numbers = self._classes
        sizes = np.bincount(groups, numbers)
        for r in range(n_replicates):
            owners = state.owners[min(r, len(state.owners) - 1)]
            if self._by_group:
                survival[r] = alive[r] / sizes
                continue
            left = np.bincount(owners, alive[r], len(weights))
            lost[r] = weights @ (numbers - left) / self._total
            if n_groups:
                survival[r] = np.bincount(groups, left) / sizes
        return lost, survival

    def work_bytes(self) -> int:
        """Return the minimum working memory: the cells of a bag and its far values, for each thread."""
        return self._buffers.n_bytes(current_threads())

    def sample_bytes(self) -> int:
        """Return the bytes of a spectrum of as many different counts as the tokens of a generation can have."""
        most = (math.isqrt(8 * int(self._sizes.max()) + 1) - 1) // 2
        return 16 * min(self._size, most) if self._with_rows else 0

    def block_length(self, state: SpectrumState, max_generations: int) -> int:
        """Return the length of the next block: `max_generations`, or less if the spectra would take too much memory."""
        if not self._with_rows:
            return max_generations
        n_bytes = 16 * max(1, int(state.lengths.sum()))
        return max(1, min(max_generations, _LARGEST_BLOCK_BYTES // n_bytes))

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> SpectrumState:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        start = [values.copy() for values in (*state.rows, state.lengths)]
        restore_array(arrays, "lengths", state.lengths)
        restore_array(arrays, "generation", state.generation)
        end = int(state.lengths.max(initial=0))
        generation, last = state.generation, len(self._sizes)
        known = ((generation >= 0) & (generation <= last) & (generation == generation[0])).all()
        require("generation", known, f"one number from 0 to {last}")
        most = max(self._size, state.rows.counts.shape[1])
        require("lengths", (state.lengths >= 0).all() and end <= most, f"from 0 to {most}")
        if end > state.rows.counts.shape[1]:
            state.rows = new_rows(n_replicates, end)
        for name, values in state.rows._asdict().items():
            restore_array(arrays, name, values[:, :end])
        if state.generation[0] == 0:
            same = all(np.array_equal(a, b) for a, b in zip(start, (*state.rows, state.lengths), strict=True))
            require("rows", same, "those of the truth at generation 0")
        check_rows(state, self._sizes, self._size)
        return state
