"""The discrete family with a count for each symbol, refitted to tokens drawn from the last counts."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.counts.count_sums import N_SUMS, TruthTable, sum_in_order
from fastcollapse.kernels.counts.live_counts import list_all
from fastcollapse.kernels.counts.multinomial import NO_LAW, Draw, block_grid, multinomial, new_draw
from fastcollapse.kernels.counts.replicate_loop import resample_replicates
from fastcollapse.kernels.counts.workspace import BLOCK, Workspace, new_workspace
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.poisson_table import poisson_tables
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_SYNTHETIC, Span, StreamKey, span_of
from fastcollapse.models.base import Model, ModelBlock, run_key
from fastcollapse.models.discrete.count_state import CountState, check_counts, check_lists, whole_counts
from fastcollapse.models.discrete.kernels import Inputs, SamplingBuffers, pool_block, resample_block
from fastcollapse.models.discrete.metrics import (
    METRICS,
    REWARD_METRICS,
    ROLES,
    SPECTRUM_METRICS,
    CountSums,
    metrics_of,
    metrics_of_truth,
)
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.models.saved_arrays import restore_array, restore_arrays
from fastcollapse.variables import CountRows, Metric

# Maximum number of cells in the rows of one block, 12 bytes each.
_MAX_BLOCK_CELLS = 4_000_000
# Minimum number of replicates per thread for the replicate-parallel loop; with fewer, threads are idle at the end.
_MIN_REPLICATES_PER_THREAD = 4
# From this number of tokens on, counts are floats. A Poisson count of a smaller mean is below 2^31, except with a
# probability below 1e-1000: 90 deviations.
_FEWEST_FLOATS = 2**31 - 2**22


class CountModel(Model):
    """Recursive training of a discrete distribution.

    Parameters
    ----------
    truth : the law of generation 0, with `counts` int64 (K) or None and `probabilities` float64 (K).
    parameters : the section `[model]`, which this class does not read.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; with "trajectory", blocks contain the counts of every generation.

    References
    ----------
    Chain: Suresh et al., arXiv:2412.17646, section 2. Exact sampler: derived, see
    `fastcollapse.kernels.counts.multinomial`.
    """

    PARAMETERS = DiscreteParameters
    TRUTH = DiscreteTruth
    METRICS = METRICS | REWARD_METRICS | {"survival": SPECTRUM_METRICS["survival"]}
    ROLES = ROLES
    ENGINE = "symbols"

    def __init__(
        self, truth: Any, parameters: DiscreteParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        probability = np.ascontiguousarray(truth.probabilities, dtype=np.float64)
        self._truth_total = truth.total
        self._schedule = schedule
        self._with_rows = "trajectory" in record
        self._pooled = bool(schedule.keep.any() or schedule.n_real.any() or schedule.n_train.any())
        pools = schedule.pool_totals(truth.total)
        self._sizes = np.where(schedule.n_train > 0, schedule.n_train, pools)
        # 32 bits if all counts fit: half the bytes to move, but a second compilation for larger counts. The Poisson
        # counts that a draw starts with may be larger than its tokens.
        largest = max(int(pools.max()), int(self._sizes.max()), truth.total or 0)
        self._dtype = np.int32 if largest < _FEWEST_FLOATS and schedule.is_plain else np.float64
        self._row_dtype = np.uint32 if self._sizes.max() < 2**32 else np.int64
        recorded = {name for name in METRICS if name in record} or set(METRICS)
        is_law = truth.counts is None
        self._truth = TruthTable(
            counts=np.zeros((1, 0), self._dtype) if is_law else truth.counts.astype(self._dtype)[None, :],
            law=probability if is_law else NO_LAW,
            total=sum_in_order(probability) if is_law else float(truth.total),
            probability=probability,
            with_entropy="entropy" in recorded,
            with_distance="total_variation" in recorded,
            with_divergence="kl_divergence" in recorded,
        )
        self._workspace: Workspace | None = None
        self._kernel_schedule = kernel_schedule(schedule, truth.total)

    @classmethod
    def available_metrics(cls, parameters: Any, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of this engine: with curation also the expected rewards."""
        return METRICS | REWARD_METRICS if sampling is not None and sampling.best_of is not None else dict(METRICS)

    def length_settings(self, n_generations: int) -> tuple[Any, ...]:
        """Return the type of the counts, which the largest pool needs."""
        return (np.dtype(self._dtype).str,)

    @property
    def n_symbols(self) -> int:
        """Size of the vocabulary."""
        return self._truth.probability.shape[0]

    @property
    def n_columns(self) -> int:
        """Number of columns of the sparse counts: the size of the vocabulary."""
        return self.n_symbols

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, with the metrics of the truth."""
        values = metrics_of_truth(self._truth.probability)
        return ModelBlock(metrics={name: np.full((n_replicates, 1), value) for name, value in values.items()})

    def measure(self, block: ModelBlock, truth: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return metrics of a block, computed from its sums; generation 0 has its metrics already."""
        if block.metrics:
            return {name: block.metrics[name] for name in names}
        return metrics_of(block.quantities, names)

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> CountState:
        """Return the state of generation 0, which is the truth, and draw the fixed real set."""
        shape = (n_replicates, self.n_symbols)
        starts, lengths = block_grid(*shape)
        truth = self._truth
        with_probability = truth.with_distance or truth.with_divergence
        n_cached = 0 if self._pooled or not with_probability else self.n_symbols // 2 + 1
        live = list_all(np.zeros(shape, self._dtype), starts, lengths, truth.probability, n_cached)
        draw = new_draw(truth.counts, 1.0, np.zeros(shape, self._dtype), 0, lengths.shape[1])
        pool = np.zeros(shape if self._pooled else (0, 0), self._dtype)
        real = np.zeros(shape if self._schedule.n_real.any() else (0, 0), self._dtype)
        work = SamplingBuffers(draw.drawn, draw.corrections, draw.sums, draw.weight_sums, pool, real)
        state = CountState(live, work, np.zeros(2, np.int64), bool(self._schedule.keep.any()))
        if self._schedule.start_with_data:
            pool[:] = truth.counts
            state.totals[1] = self._truth_total
        if self._schedule.real == "fixed" and real.size:
            self._draw_fixed_real(real, seed, first_replicate)
        return state

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> CountState:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        live = state.live
        for name in ("starts", "lengths"):  # they determine the number of columns of the other arrays
            restore_array(arrays, name, getattr(live, name))
        check_lists(live)
        restore_arrays(arrays if self.is_weighted else {**arrays, **whole_counts(arrays, self._dtype)}, state)
        check_counts(state, not self.is_weighted)
        for forgotten, lost in zip(live.forgotten, live.lost, strict=True):
            # One after the other in the order of the run, so that the bits of the sums are the same.
            symbols = np.argsort(forgotten, kind="stable")[np.count_nonzero(forgotten < 0) :]
            lost[:] = np.bincount(symbols // BLOCK, self._truth.probability[symbols], len(lost))
        for replicate in np.flatnonzero(live.packed):
            end = live.starts[replicate, -1] + live.lengths[replicate, -1]
            symbols = live.symbols[replicate, :end]
            if live.probability.shape[1]:
                live.probability[replicate, :end] = self._truth.probability[symbols]
        return state

    def _draw_fixed_real(self, real: np.ndarray, seed: int, first_replicate: int) -> None:
        truth, n_real = self._truth, int(self._schedule.n_real[0])
        if n_real == self._truth_total:
            real[:] = truth.counts
            return
        key = run_key(seed, first_replicate)._replace(purpose=np.uint64(PURPOSE_FIXED_REAL))
        starts, lengths = block_grid(*real.shape)
        total = float(truth.law.sum()) if truth.law.size else truth.total
        draw = new_draw(truth.counts, total, real, n_real, lengths.shape[1], truth.law)
        multinomial(draw, starts, lengths, key, poisson_tables(), self._threads_workspace())

    def _resample_replicates(self, state: CountState, inputs: Inputs, span: Span, sums: np.ndarray) -> None:
        """Run the block of `resample_block` replicate by replicate, without rows; faster for many replicates."""
        truth, work = self._truth, state.work
        weights, law, total = truth.counts, truth.law, truth.total
        if state.totals[0] > 0:
            weights, law, total = state.live.counts, NO_LAW, float(state.totals[0])
        first = Draw(weights, law, total, work.drawn, -1, work.corrections, work.sums, work.weight_sums)
        sizes = self._kernel_schedule.n_synthetic[span.first - 1 : span.first - 1 + span.n_generations]
        key = StreamKey(span.seed, span.first_replicate, np.uint64(span.first - 1), np.uint64(PURPOSE_SYNTHETIC))
        resample_replicates(state.live, first, sizes, key, truth, inputs.tables, inputs.workspace, sums)
        state.totals[0] = sizes[-1]

    def _threads_workspace(self) -> Workspace:
        """Return the workspace of the current number of threads, allocated once."""
        n_threads = current_threads()
        if self._workspace is None or len(self._workspace.words) != n_threads:
            self._workspace = new_workspace(n_threads)
        return self._workspace

    def block_length(self, state: CountState, max_generations: int) -> int:
        """Return the length of the next block: `max_generations`, or less if the rows would take too much memory."""
        if not self._with_rows:
            return max_generations
        return max(1, min(max_generations, _MAX_BLOCK_CELLS // max(1, self._max_cells(state))))

    def _max_cells(self, state: CountState) -> int:
        """Return the maximum number of cells in the rows of one generation."""
        return state.live.counts.size if self._pooled else int(state.live.lengths.sum())

    def advance(
        self, state: CountState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates = state.live.counts.shape[0]
        sums = np.empty((n_generations, n_replicates, N_SUMS))
        rows = self._new_rows(state, n_generations, self._row_dtype)
        starts, lengths = block_grid(n_replicates, self.n_symbols)
        workspace = self._threads_workspace()
        inputs = Inputs(self._kernel_schedule, self._truth, starts, lengths, poisson_tables(), workspace)
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._pooled:
            pool_block(state.live, state.work, state.totals, inputs, span, rows, sums)
        elif self._with_rows or n_replicates < _MIN_REPLICATES_PER_THREAD * span.n_threads:
            resample_block(state.live, state.work, state.totals, inputs, span, rows, sums)
        else:
            self._resample_replicates(state, inputs, span, sums)
        return ModelBlock(counts=self._cut_rows(rows), quantities=self._count_sums(sums, first))

    def _new_rows(self, state: CountState, n_generations: int, dtype: type[np.number]) -> CountRows:
        """Return rows for the counts of a block, or without space if no trajectory is recorded."""
        n_rows = n_generations * state.live.counts.shape[0] if self._with_rows else 0
        n_cells = n_generations * self._max_cells(state) if self._with_rows else 0
        return CountRows(np.zeros(n_rows + 1, np.int64), np.empty(n_cells, np.int32), np.empty(n_cells, dtype))

    def _cut_rows(self, rows: CountRows) -> CountRows | None:
        """Return the rows without their unused end; None if no trajectory is recorded."""
        for array in (rows.indices, rows.data):  # cut in place: the store keeps them
            array.resize(rows.indptr[-1], refcheck=False)
        return rows if self._with_rows else None

    def _count_sums(self, sums: np.ndarray, first: int) -> CountSums:
        """Return the sums of a block from generation `first` on, float64 (B, R, 6), for the metrics."""
        sizes = self._sizes[first - 1 : first - 1 + len(sums)]
        return CountSums._make([*np.moveaxis(sums, 2, 0).swapaxes(1, 2), sizes])
