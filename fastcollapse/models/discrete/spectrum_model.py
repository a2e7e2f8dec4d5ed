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
from fastcollapse.kernels.spectrum.bag import TOO_SHORT, Bag, new_bags
from fastcollapse.kernels.spectrum.law_sample import Law, sample_law
from fastcollapse.kernels.spectrum.refit import (
    N_SUMS,
    SHORT,
    WAITING,
    Scratch,
    Step,
    Weights,
    new_rows,
    new_scratch,
    refit_spectra,
)
from fastcollapse.kernels.spectrum.split import N_PROBABILITIES
from fastcollapse.models.base import Model, ModelBlock, restore_array, run_key
from fastcollapse.models.discrete.engine import LABEL_FREE, SPECTRUM_CAPABILITIES
from fastcollapse.models.discrete.metrics import SPECTRUM_METRICS, CountSums, metrics_of
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.spectrum_classes import original_groups, truth_classes, truth_metrics
from fastcollapse.models.discrete.spectrum_state import SpectrumState, check_rows, points_of, require, samples_of
from fastcollapse.variables import Coordinate, Variable

_LARGEST_BLOCK_BYTES = 64_000_000
# First length of the list of far values, which grows.
_MOST_FAR = 1 << 22
_NO_WEIGHTS = np.zeros((1, 0))
_NO_REAL = np.zeros((1, 0), np.int64)
_NO_OWNERS = _NO_REAL


def available_metrics(truth: Any, schedule: Schedule, record: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics that a run with count spectra serves.

    `survival` needs original counts and must be named in `record`. `lost_mass` is served after a single refit, or with
    `survival`.
    """
    followed = "survival" in record and getattr(truth, "counts", None) is not None
    lost = followed or schedule.n_generations == 1
    return (*LABEL_FREE, *(["lost_mass"] if lost else []), *(["survival"] if followed else []))


class SpectrumDiscrete(Model):
    """Recursive training of a discrete distribution, by count spectra.

    Parameters
    ----------
    truth : a `CountSpectrum`, a `ZipfMandelbrotLaw` or a `CategoricalDistribution`.
    parameters : no parameters.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`. "trajectory" adds the spectrum of every generation; "survival" follows symbols by
        their original counts, which costs a row for each pair of an original and a present count.

    Raises
    ------
    InputError
        The workflow subsamples the pool, or mixes a Zipf-Mandelbrot law in.

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
        reason = refusal(truth, schedule)
        if reason is not None:
            raise InputError(reason)
        self._schedule = schedule
        self._sizes = schedule.pool_totals(truth.total)
        self._truth_total = truth.total
        self._available = available_metrics(truth, schedule, record)
        self._with_rows = "trajectory" in record
        self._has_fresh = schedule.real == "fresh" and bool(schedule.n_real.any())
        self._has_fixed = schedule.real == "fixed" and bool(schedule.n_real.any())
        # Symbols without a count stay where the real data pause.
        self._pauses = self._has_fixed and not schedule.n_real.all()
        self._with_survival = "survival" in self._available
        self._with_lost = "lost_mass" in self._available and "lost_mass" in record
        self._law = truth if isinstance(truth, ZipfMandelbrotLaw) else None
        self._size = truth.support_size
        self._total = 1.0
        self._by_group = self._with_survival and not (self._with_lost or self._has_fresh or self._has_fixed)
        self._work: tuple[Scratch, Bag] | None = None
        self._work_shape: tuple[int, ...] = ()
        # Cells for the counts that several symbols have, and few far ones: about the root of the tokens.
        largest = int(self._sizes.max())
        self._n_cells = 1 << min(24, max(10, (2 * math.isqrt(largest)).bit_length()))
        self._n_far = min(self._size, 2 * largest // self._n_cells, _MOST_FAR) + 1024
        self._n_classes = 0
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
        """Draw the fixed real data of each replicate: rows of (class, real count), with a key for each real count.

        Runs that follow symbols by their class have a key for each row.
        """
        step = self._step(PURPOSE_SPECTRUM_FIXED_REAL, int(self._schedule.n_real[0]), self._total)
        step = step._replace(by_row=True, keep_extinct=True)
        self._refit(state, step, key, _NO_REAL, 0)
        followed = self._with_survival or self._with_lost
        n_replicates, end = len(state.lengths), int(state.lengths.max())
        real, owners = np.zeros((n_replicates, end), np.int64), np.zeros((n_replicates, end), np.int64)
        first_weights = np.ones((n_replicates, end))
        keys, counts, numbers = state.rows
        for r, length in enumerate(state.lengths):
            order = np.arange(length) if followed else np.argsort(counts[r, :length], kind="stable")
            classes = keys[r, order]
            distinct, ranks = np.unique(counts[r, order], return_inverse=True)
            real[r, : len(distinct)] = distinct
            if followed:
                real[r, :length], ranks = counts[r, :length], order
            first_weights[r, :length] = self._classes.weights[classes]
            owners[r, :length] = classes
            numbers[r, :length] = numbers[r, order]
            keys[r, :length] = ranks
            counts[r, :length] = 0
        return replace(state, real=real, first_weights=first_weights, owners=owners)

    def _step(self, purpose: int, n_tokens: int, weight_total: float) -> Step:
        return Step(
            0,
            n_tokens,
            0,
            np.uint64(purpose),
            np.uint64(PURPOSE_SPECTRUM_REAL),
            weight_total,
            1.0,
            0,
            False,
            False,
            0,
            current_threads(),
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
        """Run one generation of all replicates; grow the arrays and run a replicate again where they are too short.

        Returns
        -------
        Sums, float64 (R, N_SUMS), and numbers of live symbols, int64 (R, n_alive).
        """
        n_replicates = len(state.lengths)
        if self._law is not None and state.generation[0] == 0:
            return self._sample_law(state, step, key)
        out = np.zeros((n_replicates, N_SUMS)), np.zeros((n_replicates, n_alive), np.int64)
        status = np.full(n_replicates, WAITING, np.int64)
        weights = Weights(
            state.first_weights if state.generation[0] == 0 else _NO_WEIGHTS,
            real,
            self._classes.weights if step.n_real else _NO_WEIGHTS[0],
        )
        while True:
            work, bags = self._buffers(state, step.n_threads)
            refit_spectra(state.rows, state.lengths, weights, step, key, work, bags, (status, *out))
            if not (status == SHORT).any():
                return out
            status[status == SHORT] = WAITING
            self._grow(state)

    def _sample_law(self, state: SpectrumState, step: Step, key: StreamKey) -> tuple[np.ndarray, np.ndarray]:
        """Draw generation 1 of a Zipf-Mandelbrot law; return the sums, and the lost mass, float64 (R, 1)."""
        assert self._law is not None
        n_replicates = len(state.lengths)
        # A sample has at most so many different counts. The system gives memory only to the pages that are written.
        rows = new_rows(n_replicates, min(self._size, math.isqrt(2 * step.n_tokens) + 2))
        sums, lost = np.zeros((n_replicates, N_SUMS)), np.zeros(n_replicates)
        law = Law(float(self._law.a), float(self._law.b), self._size)
        while True:
            bags = new_bags(step.n_threads, self._n_cells, self._n_far)
            sample_law(law, step, key, self._with_lost, bags, rows, state.lengths, (sums, lost))
            if not bags.info[:, TOO_SHORT].any():
                break
            self._n_far *= 4
            rows = new_rows(*rows.counts.shape)
        state.rows = new_rows(n_replicates, 2 * int(state.lengths.max()) + 16)
        for new, values in zip(state.rows, rows, strict=True):
            end = min(new.shape[1], values.shape[1])
            new[:, :end] = values[:, :end]
        return sums, lost[:, None]

    def _buffers(self, state: SpectrumState, n_threads: int) -> tuple[Scratch, Bag]:
        """Return work arrays and bags that fit the state."""
        n_rows = state.rows.counts.shape[1]
        shape = (n_threads, n_rows, max(self._n_classes, n_rows))
        if self._work is None or self._work_shape != shape:
            self._work = None
            self._work = new_scratch(*shape), new_bags(n_threads, self._n_cells, self._n_far)
            self._work_shape = shape
        return self._work

    def _grow(self, state: SpectrumState) -> None:
        """Double the room for rows and quadruple that for classes; pages that are not written take no memory."""
        old = state.rows
        state.rows = new_rows(len(state.lengths), 2 * old.counts.shape[1])
        for new, values in zip(state.rows, old, strict=True):
            new[:, : values.shape[1]] = values
        self._n_classes = 4 * max(self._n_classes, old.counts.shape[1])
        self._n_far *= 4
        self._work = None

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
            real = state.real if self._schedule.n_real[first + b - 1] else _NO_REAL
            sums[:, b], alive = self._refit(state, step, key, real, n_alive)
            state.generation[:] = first + b
            if self._law is not None:
                lost[:, b] = alive[:, 0] if first + b == 1 else 0.0
            elif step.alive_by:
                lost[:, b], survival[:, b] = self._by_origin(state, alive)
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
        return current_threads() * 8 * (self._n_cells + 2 * self._n_far + 3 * N_PROBABILITIES)

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


def refusal(truth: Any, schedule: Schedule) -> str | None:
    """Return why count spectra cannot serve a workflow, or None."""
    if schedule.n_train.any():
        return 'model.engine must be "symbols" for a workflow that subsamples its pool, got "spectrum"'
    if isinstance(truth, ZipfMandelbrotLaw) and schedule.n_real.any():
        return 'model.engine must be "symbols" for a workflow that draws real data from a law, got "spectrum"'
    return None
