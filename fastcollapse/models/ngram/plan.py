"""What an n-gram run draws: its cell table, its plan for the kernels, and the refusal of what it cannot draw."""

from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.kernels.sequences.urns import MOST_EMISSIONS, CellTable
from fastcollapse.models.ngram.cells import Cells
from fastcollapse.models.ngram.parameters import NgramParameters
from fastcollapse.models.ngram.refits import Plan

_LIMIT = f"{MOST_EMISSIONS:,} words and ends of sentences"


def table_of(cells: Cells) -> CellTable:
    """Return the cells in the form of the kernels."""
    return CellTable(
        np.ascontiguousarray(cells.offsets, np.int64),
        np.ascontiguousarray(cells.words, np.int32),
        np.ascontiguousarray(cells.successors, np.int32),
        cells.counts.astype(np.int32),
        cells.n_words,
    )


def truth_total(truth: Sentences, parameters: NgramParameters) -> int:
    """Return the size of the real data: sentences, words, or with fixed totals words and ends of sentences."""
    if parameters.is_fixed:
        return truth.n_tokens + truth.n_sentences
    return truth.n_tokens if parameters.by_words else truth.n_sentences


def plan_of(truth: Sentences, cells: Cells, parameters: NgramParameters, schedule: Schedule) -> Plan:
    """Return the plan of a run.

    Raises
    ------
    InputError
        The sizes do not go with fixed totals, or the counts of a state do not fit into 32 bits.
    """
    keeps = schedule.keep.astype(bool)
    keeps[:1] &= schedule.start_with_data
    sizes = real_sizes = np.zeros(0, np.int64)
    pools = schedule.pool_totals(truth_total(truth, parameters)).astype(np.float64)
    if parameters.is_fixed:
        sizes = _context_sizes("workflow.n_samples", schedule.times_truth, cells)
        if schedule.n_real.any():
            real_sizes = _context_sizes("workflow.n_real", schedule.real_times_truth, cells)
        elif not (sizes.any() or keeps[0]):
            raise InputError("workflow.n_samples must draw a word in some context, got 0 in each")
    else:
        mean = truth.n_tokens / truth.n_sentences
        pools *= 1 + 1 / mean if parameters.by_words else 1 + mean
    if pools.max() > MOST_EMISSIONS:
        raise InputError(f"workflow.n_samples must keep the pool at most {_LIMIT}, got about {pools.max():,.0f}")
    sampling = schedule.sampling
    return Plan(
        keeps,
        schedule.n_synthetic,
        schedule.n_real,
        sizes,
        real_sizes,
        1.0 if sampling is None or sampling.temperature is None else float(sampling.temperature),
        parameters.by_words,
        schedule.real == "fresh",
        truth.n_tokens / truth.n_sentences,
    )


def _context_sizes(key: str, times_truth: float | None, cells: Cells) -> np.ndarray:
    """Return the fixed total of each context, int64 (C)."""
    if times_truth is None:
        raise InputError(f"{key} must be 'truth' or {{times_truth}} with model.totals = 'fixed', got another size")
    return np.rint(times_truth * cells.context_counts).astype(np.int64)


def check_failed(failed: np.ndarray, first_replicate: int, sampling: Any) -> None:
    """Refuse a block with a generation of too many emissions.

    Raises
    ------
    InputError
        With the replicate and the generation.
    """
    for replicate in np.flatnonzero(failed):
        reason = "" if sampling is None else "; sampling.temperature may keep walks in a loop"
        raise InputError(
            f"generation {failed[replicate]} of replicate {first_replicate + replicate} has more than {_LIMIT}{reason}"
        )
