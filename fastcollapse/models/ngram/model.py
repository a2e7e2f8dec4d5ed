"""The n-gram family: counts of n-grams of sentences, refitted to sentences that a walk over the counts generates.

The state is the maximum likelihood fit of an n-gram model: a count for each cell, which is a context of order - 1
symbols and the next one. No generation has a cell that the truth does not have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.kernels.counts.workspace import new_workspace
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import Span, span_of
from fastcollapse.kernels.sequences.cell_sums import N_SUMS, cell_sums
from fastcollapse.kernels.sequences.urns import ENTRIES, Urn, fill_urn, new_urn
from fastcollapse.models.base import ArrayModel, ModelBlock, State, run_key
from fastcollapse.models.ngram.cells import cells_of
from fastcollapse.models.ngram.context_kernels import context_block, draw_real
from fastcollapse.models.ngram.metrics import CONTEXT_METRICS, METRICS, ROLES, CellMeasures
from fastcollapse.models.ngram.parameters import NgramParameters
from fastcollapse.models.ngram.plan import check_failed, largest_pool, plan_of, table_of, temperature_of, truth_total
from fastcollapse.models.ngram.refits import Buffers, Output
from fastcollapse.models.ngram.text import CellText
from fastcollapse.models.ngram.truth import NgramTruth
from fastcollapse.models.ngram.walk_kernels import LARGE_POOL, walk_block, walk_real
from fastcollapse.models.saved_arrays import require
from fastcollapse.models.text_sampler import TextSampler
from fastcollapse.variables import CountRows, Metric

# Fewest emissions of a generation that is drawn in parts by several threads.
_FEWEST_IN_PARTS = 30_000
_SAMPLE = {"text": "data/wikitext2_sample.txt.gz"}


@dataclass(eq=False)
class NgramState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    counts : int32 (R, D), the counts of the last fit.
    real : int32 (R, D), or (1, D) for all replicates, the fixed real data; (0, D) without it.
    """

    counts: np.ndarray
    real: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {"counts": self.counts}


class Ngram(ArrayModel):
    """Recursive training of an n-gram model.

    Parameters
    ----------
    truth : the sentences of generation 0.
    parameters : order, totals and budget.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; with "trajectory", blocks contain the counts of every generation.

    References
    ----------
    Walks: Suresh et al., arXiv:2412.17646. Fixed totals: Seddik et al., arXiv:2404.05090. Samplers: derived, see
    `fastcollapse.kernels.sequences`.
    """

    PARAMETERS = NgramParameters
    TRUTH = NgramTruth
    METRICS = METRICS | CONTEXT_METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "fresh_real", "fixed_real", "pool_with_real", "temperature"})
    EXAMPLES = (
        {"model": {"order": 2}, "truth": _SAMPLE},
        {
            "model": {"order": 2, "totals": "fixed"},
            "truth": _SAMPLE,
            "workflow": {"n_samples": "truth", "n_real": {"times_truth": 0.5}},
        },
    )
    BLOCK_BYTES = 64_000_000

    def __init__(
        self, truth: Sentences, parameters: NgramParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        cells = cells_of(truth, parameters.order)
        self._table = table_of(cells)
        self._plan = plan_of(truth, cells, parameters, schedule)
        self._n_emissions = truth.n_tokens + truth.n_sentences
        # Cells and their weights, or where a pool is not large, an entry for each emission.
        self._urn_bytes = 14 * cells.n_cells
        if self._plan.temperature == 1:
            pool = max(self._n_emissions, largest_pool(truth, parameters, schedule))
            largest = min(pool, LARGE_POOL * self._plan.symbols * int(schedule.n_synthetic.max()))
            self._urn_bytes += 5 * int(largest)
        self._is_fixed = parameters.is_fixed
        self._with_rows = "trajectory" in record
        self._has_real = schedule.real == "fixed" and bool(schedule.n_real.any())
        self._real_is_truth = self._has_real and int(schedule.n_real[0]) == truth_total(truth, parameters)
        places = np.empty(0, np.uint64)
        self._truth_urn = Urn(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0), places, places)
        if not self._is_fixed and (self._plan.is_fresh or (self._has_real and not self._real_is_truth)):
            self._truth_urn = new_urn(self._table, self._n_emissions, 0)
            fill_urn(self._table, self._table.counts, 1.0, ENTRIES, self._truth_urn)

    @classmethod
    def available_metrics(cls, parameters: Any, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of a run: with fixed totals also those of the contexts."""
        return cls.METRICS if parameters.is_fixed else METRICS

    @classmethod
    def truth_total(cls, truth: Sentences, parameters: NgramParameters) -> int:
        """Return the number of sentences, of words, or with fixed totals of words and ends of sentences."""
        return truth_total(truth, parameters)

    @classmethod
    def text_sampler(
        cls, truth: Sentences, parameters: NgramParameters, sampling: Sampling | None = None
    ) -> TextSampler:
        """Return the sampler of sentences: walks over the counts of a generation, at the temperature of the run."""
        return CellText(truth, parameters.order, temperature_of(sampling))

    @property
    def n_columns(self) -> int:
        """Number of columns of the sparse counts: the cells of the truth."""
        return len(self._table.words)

    def work_bytes(self) -> int:
        """Return the bytes of the urns and of the drawn counts of each thread."""
        n_cells, n_contexts = self.n_columns, len(self._table.offsets)
        urn = 0 if self._is_fixed else self._urn_bytes + 8 * (n_cells + n_contexts)
        return current_threads() * (4 * n_cells + urn)

    def generation_bytes(self, state: NgramState) -> int:
        """Return the bytes of the recorded counts of one generation, for all replicates."""
        return 20 * state.counts.size if self._with_rows else 8 * N_SUMS * len(state.counts)

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, with the sums of the truth."""
        sums = np.empty(N_SUMS)
        alive = np.empty(self._table.n_words + 1, np.uint8)
        cell_sums(self._table, self._table.counts, self._is_fixed, alive, sums)
        every = np.broadcast_to(sums, (n_replicates, 1, N_SUMS))
        return ModelBlock(quantities=CellMeasures(every, self._n_emissions))

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> NgramState:
        """Return the state of generation 0, which is the truth, and draw the fixed real data."""
        truth = self._table.counts
        real = np.zeros((n_replicates if self._has_real else 0, len(truth)), np.int32)
        if self._real_is_truth:
            real = truth[None, :]
        elif self._has_real:
            span = self._span(0, 0, seed, first_replicate)
            if self._is_fixed:
                draw_real(self._table, self._plan, span, new_workspace(span.n_threads), real)
            else:
                walk_real(self._table, self._truth_urn, self._plan, span, real)
        return NgramState(np.repeat(truth[None, :], n_replicates, axis=0), real)

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> NgramState:
        """Return the state saved as `arrays`."""
        state: NgramState = super().restore(arrays, n_replicates, seed, first_replicate)
        require("counts", (state.counts >= 0).all(), "at least 0")
        if not self._is_fixed:
            # As many walks enter a context as leave it: so each walk has a next symbol, and an end.
            n_contexts = len(self._table.offsets) - 1
            for counts in state.counts:
                entered = np.bincount(self._table.successors, counts, n_contexts)
                left = np.add.reduceat(counts.astype(np.int64), self._table.offsets[:-1])
                require("counts", np.array_equal(entered, left) and left[0] > 0, "those of whole sentences")
        return state

    def advance(
        self, state: NgramState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates, span = len(state.counts), self._span(first, n_generations, seed, first_replicate)
        n_parts = self._n_parts(n_replicates, first, span)
        shape = (n_generations, *state.counts.shape) if self._with_rows else (0, 0, 0)
        output = Output(np.empty((n_generations, n_replicates, N_SUMS)), np.zeros(shape, np.int32), self._is_fixed)
        work = self._buffers(state, n_parts, span)
        if self._is_fixed:
            context_block(self._table, self._plan, work, span, output, new_workspace(span.n_threads), n_parts)
        else:
            walk_block(self._table, self._truth_urn, self._plan, work, span, output, n_parts)
        check_failed(work.failed, self._plan, first_replicate)
        measures = CellMeasures(output.sums.swapaxes(0, 1), self._n_emissions)
        return ModelBlock(counts=_rows(output.states) if self._with_rows else None, quantities=measures)

    def _n_parts(self, n_replicates: int, first: int, span: Span) -> int:
        """Return the number of parts that a generation of a replicate is drawn in."""
        plan = self._plan
        if n_replicates >= span.n_threads or plan.symbols * plan.n_synthetic[first - 1] < _FEWEST_IN_PARTS:
            return 1
        return -(-span.n_threads // n_replicates)

    def _buffers(self, state: NgramState, n_parts: int, span: Span) -> Buffers:
        """Return the state with work arrays."""
        n_replicates, n_cells = state.counts.shape
        n_rows, n_lengths = span.n_threads, 0
        if n_parts > 1:
            n_rows = n_replicates * n_parts
        if n_parts > 1 and self._plan.by_words:
            most = max(self._plan.n_synthetic.max(), self._plan.n_real.max())
            n_lengths = 1 + int(most / self._plan.mean_length)
        return Buffers(
            state.counts,
            state.real,
            np.zeros((n_rows, n_cells), np.int32),
            np.empty((2, n_replicates, n_lengths), np.int32),
            np.zeros(n_replicates, np.int64),
        )

    @staticmethod
    def _span(first: int, n_generations: int, seed: int, first_replicate: int) -> Span:
        return span_of(run_key(seed, first_replicate), first, n_generations, current_threads())


def _rows(states: np.ndarray) -> CountRows:
    """Return the counts of the generations of a block, int32 (B, R, D), without the zeros."""
    flat = states.reshape(-1, states.shape[2])
    row, cell = np.nonzero(flat)
    ends = np.cumsum(np.count_nonzero(flat, axis=1), dtype=np.int64)
    return CountRows(np.append(np.int64(0), ends), cell.astype(np.int32), flat[row, cell].astype(np.uint32))


MODEL = Ngram
