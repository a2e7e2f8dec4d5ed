"""What a generation of an n-gram model draws, keeps and records, and the refit to it."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.sequences.cell_sums import cell_sums
from fastcollapse.kernels.sequences.urns import MOST_EMISSIONS


class Plan(NamedTuple):
    """What each generation draws and keeps; arrays over generations have index generation - 1.

    Attributes
    ----------
    keeps : bool (T), whether the pool keeps the counts of the previous generation.
    n_synthetic, n_real : int64 (T), sentences or words; of the real data also where it is fixed.
    sizes, real_sizes : int64 (C), fixed totals of each context; (0) for walks.
    temperature : T of the synthetic draws.
    by_words : whether the budget of a walk is words.
    is_fresh : whether real data is drawn anew in each generation.
    mean_length, symbols : words of a sentence of the corpus, and expected symbols for one sentence or word of a size.
    most : number of symbols of a generation, synthetic and fresh, at which its walks are given up.
    """

    keeps: np.ndarray
    n_synthetic: np.ndarray
    n_real: np.ndarray
    sizes: np.ndarray
    real_sizes: np.ndarray
    temperature: float
    by_words: bool
    is_fresh: bool
    mean_length: float
    symbols: float
    most: int


class Buffers(NamedTuple):
    """State and work arrays of R replicates, whose generations are drawn in P parts each.

    Attributes
    ----------
    counts : int32 (R, D), the state.
    real : int32 (R, D), or (1, D) for all replicates, the fixed real data; (0, D) without it.
    drawn : int32 (N, D), zeros between generations: a row for each part, or for each thread where P is 1.
    lengths : int32 (2, R, L), words of the first sentences of a budget of words, synthetic and real; L is 0 where P
        is 1 or the budget is sentences.
    failed : int64 (R), the generation that has too many emissions, or 0.
    """

    counts: np.ndarray
    real: np.ndarray
    drawn: np.ndarray
    lengths: np.ndarray
    failed: np.ndarray


class Output(NamedTuple):
    """What a block of B generations records.

    Attributes
    ----------
    sums : float64 (B, R, N_SUMS).
    states : int32 (B, R, D), zeros that become the states, or (0, 0, 0).
    with_distances : whether all columns of the sums are computed.
    """

    sums: np.ndarray
    states: np.ndarray
    with_distances: bool


@kernel
def _add(source, counts):
    """Add counts and return their sum: ``(D)->(D),()``."""
    total = np.int64(0)
    for cell in range(counts.shape[0]):
        total += source[cell]
        counts[cell] += source[cell]
    return total


@kernel
def refit(table, plan, work, output, replicate, rows, step, generation, alive):
    """Put the rows rows[0] to rows[1] - 1 of `work.drawn` into the pool, clear them, and record the new state.

    More than eight arguments, because a tuple made for each call would count references.
    """
    counts, total, n_drawn = work.counts[replicate], np.int64(0), np.int64(0)
    if plan.keeps[generation - 1]:
        for cell in range(counts.shape[0]):
            total += counts[cell]
    else:
        counts[:] = 0
    for row in range(rows[0], rows[1]):
        n_drawn += _add(work.drawn[row], counts)
        work.drawn[row, :] = 0
    total += n_drawn
    if work.real.shape[0] > 0 and plan.n_real[generation - 1] > 0:
        total += _add(work.real[min(replicate, work.real.shape[0] - 1)], counts)
    # Each part alone may have fewer symbols than those at which walks are given up.
    if total > MOST_EMISSIONS or n_drawn > plan.most:
        work.failed[replicate] = generation
        return
    cell_sums(table, counts, output.with_distances, alive, output.sums[step, replicate])
    if output.states.shape[0] > 0:
        _add(counts, output.states[step, replicate])
