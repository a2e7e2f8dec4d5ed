"""What an n-gram run draws: its cell table, its plan for the kernels, and the refusal of what it cannot draw."""

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.kernels.sequences.urns import MOST_EMISSIONS, CellTable
from fastcollapse.models.ngram.cells import Cells
from fastcollapse.models.ngram.parameters import NgramParameters
from fastcollapse.models.ngram.refits import Plan

# At another temperature than 1 walks may stay in a loop almost for ever. They are given up at this many times the
# expected number of symbols of the corpus, and at least at the second number.
_MOST_TIMES, _LEAST_LIMIT = 1000.0, 1e7


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


def temperature_of(sampling: Sampling | None) -> float:
    """Return the temperature of the synthetic draws, 1 without a map."""
    return 1.0 if sampling is None or sampling.temperature is None else float(sampling.temperature)


def largest_pool(truth: Sentences, parameters: NgramParameters, schedule: Schedule) -> float:
    """Return the expected number of words and ends of sentences of the largest pool of a run."""
    return _symbols(truth, parameters) * float(schedule.pool_totals(truth_total(truth, parameters)).max())


def _symbols(truth: Sentences, parameters: NgramParameters) -> float:
    """Return the expected number of words and ends of sentences in a unit of the sizes."""
    return (truth.n_tokens + truth.n_sentences) / truth_total(truth, parameters)


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
    mean_length, symbols = truth.n_tokens / truth.n_sentences, _symbols(truth, parameters)
    if parameters.is_fixed:
        sizes = _context_sizes("workflow.n_samples", schedule.times_truth, cells)
        if schedule.n_real.any():
            real_sizes = _context_sizes("workflow.n_real", schedule.real_times_truth, cells)
        elif not (sizes.any() or keeps[0]):
            raise InputError("workflow.n_samples must draw a word in some context, got 0 in each")
    largest = largest_pool(truth, parameters, schedule)
    if largest > MOST_EMISSIONS:
        limit = f"the pool at most {MOST_EMISSIONS:,} words and ends of sentences"
        raise InputError(f"workflow.n_samples must keep {limit}, got about {largest:,.0f}")
    temperature = temperature_of(schedule.sampling)
    most = int(MOST_EMISSIONS)
    if temperature != 1 and not parameters.is_fixed:
        drawn = schedule.n_synthetic + schedule.n_real
        most = int(min(most, max(_LEAST_LIMIT, _MOST_TIMES * symbols * drawn.max())))
    return Plan(
        keeps,
        schedule.n_synthetic,
        schedule.n_real,
        sizes,
        real_sizes,
        temperature,
        parameters.by_words,
        schedule.real == "fresh",
        mean_length,
        symbols,
        most,
    )


def _context_sizes(key: str, times_truth: float | None, cells: Cells) -> np.ndarray:
    """Return the fixed total of each context, int64 (C)."""
    if times_truth is None:
        raise InputError(f"{key} must be 'truth' or {{times_truth}} with model.totals = 'fixed', got another size")
    return np.rint(times_truth * cells.context_counts).astype(np.int64)


def check_failed(failed: np.ndarray, plan: Plan, first_replicate: int) -> None:
    """Refuse a block with a generation of too many symbols.

    Parameters
    ----------
    failed : int64 (R), the generation that has too many, or 0.

    Raises
    ------
    InputError
        With the replicate and the generation.
    """
    for replicate in np.flatnonzero(failed):
        limit = f"fewer than {plan.most:,} words and ends of sentences"
        where = f"generation {failed[replicate]} of replicate {first_replicate + replicate}"
        if plan.temperature != 1:
            raise InputError(f"sampling.temperature must let walks end: {limit}, got more in {where}")
        raise InputError(f"workflow.n_samples must keep {limit}, got more in {where}")
