"""Generations of n-gram models: draws, pools, and the sums of the metrics."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.workspace import thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_REAL, PURPOSE_SYNTHETIC, generation_key
from fastcollapse.kernels.sequences.budgets import sure_sentences, walk_share, walk_words
from fastcollapse.kernels.sequences.cell_sums import cell_sums
from fastcollapse.kernels.sequences.context_draws import draw_contexts
from fastcollapse.kernels.sequences.urns import MOST_EMISSIONS, fill_urn, new_urn
from fastcollapse.kernels.sequences.walks import N_LANES, new_lanes

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)


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
    mean_length : words of a sentence of the corpus.
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


class Buffers(NamedTuple):
    """State and work arrays of R replicates, whose generations are drawn in P parts each.

    Attributes
    ----------
    counts : int32 (R, D), the state.
    real : int32 (R, D), or (1, D) for all replicates, the fixed real data; (0, D) without it.
    drawn : int32 (N, D), zeros between generations: a row for each part, or for each thread where P is 1.
    lengths : int32 (2, R, L), words of the first sentences of a budget of words, synthetic and real.
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
    states : int32 (B, R, D), or (0, 0, 0).
    with_distances : whether all columns of the sums are computed.
    """

    sums: np.ndarray
    states: np.ndarray
    with_distances: bool


@kernel
def _urn_of(table, counts, temperature, urn):
    """Return the filled urns of a state: `urn`, or larger ones."""
    n_entries = np.int64(0)
    for cell in range(counts.shape[0]):
        n_entries += counts[cell] if temperature == 1.0 else 1
    if urn.entries.shape[0] < n_entries:
        urn = new_urn(table, n_entries + n_entries // 8, temperature)
    fill_urn(table, counts, temperature, urn)
    return urn


@kernel
def _walk_part(urn, n, plan, part, n_parts, key, replicate, lanes, drawn, lengths):
    """Walk a part of `n` sentences, or of those that surely belong to a budget of `n` words; return their symbols.

    More than eight arguments, because a tuple made for each call would count references.
    """
    n_sentences = n
    if plan.by_words:
        n_sentences = sure_sentences(n, plan.mean_length, lengths.shape[0])
    return walk_share(urn, n_sentences, part, n_parts, key, replicate, lanes, drawn, lengths)


@kernel
def _walk_rest(urn, n, plan, key, replicate, lanes, drawn, lengths):
    """Walk the rest of a budget of `n` words; return its symbols."""
    n_walked = sure_sentences(n, plan.mean_length, lengths.shape[0])
    return walk_words(urn, n, plan.mean_length, n_walked, key, replicate, lanes, drawn, lengths)


@kernel
def _walk(urn, truth_urn, plan, work, span, unit, n_parts, generation, lanes, drawn):
    """Walk a part of the sentences of a generation of a replicate: ``->(D)``.

    More than eight arguments, because a tuple made for each call would count references.
    """
    replicate = unit // n_parts
    part = unit - replicate * n_parts
    key = generation_key(span, generation, _SYNTHETIC)
    n, lengths = plan.n_synthetic[generation - 1], work.lengths[0, replicate]
    n_symbols = _walk_part(urn, n, plan, part, n_parts, key, replicate, lanes, drawn, lengths)
    if plan.is_fresh:
        key = generation_key(span, generation, _REAL)
        n, lengths = plan.n_real[generation - 1], work.lengths[1, replicate]
        n_symbols += _walk_part(truth_urn, n, plan, part, n_parts, key, replicate, lanes, drawn, lengths)
    if n_symbols > MOST_EMISSIONS:
        work.failed[replicate] = generation


@kernel
def _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, drawn):
    """Walk the rest of the budgets of words of a generation: ``->(D)``.

    More than eight arguments, because a tuple made for each call would count references.
    """
    key = generation_key(span, generation, _SYNTHETIC)
    n, lengths = plan.n_synthetic[generation - 1], work.lengths[0, replicate]
    n_symbols = _walk_rest(urn, n, plan, key, replicate, lanes, drawn, lengths)
    if plan.is_fresh:
        key = generation_key(span, generation, _REAL)
        n, lengths = plan.n_real[generation - 1], work.lengths[1, replicate]
        n_symbols += _walk_rest(truth_urn, n, plan, key, replicate, lanes, drawn, lengths)
    if n_symbols > MOST_EMISSIONS:
        work.failed[replicate] = generation


@kernel
def _draw(table, plan, work, span, unit, n_parts, generation, workspace, drawn):
    """Draw the fixed totals of a part of the contexts of a generation of a replicate: ``->(D)``.

    More than eight arguments, because a tuple made for each call would count references.
    """
    replicate = unit // n_parts
    part, n_contexts = unit - replicate * n_parts, plan.sizes.shape[0]
    contexts = n_contexts * part // n_parts, n_contexts * (part + 1) // n_parts
    key, counts = generation_key(span, generation, _SYNTHETIC), work.counts[replicate]
    draw_contexts(table, counts, plan.temperature, plan.sizes, contexts, key, replicate, workspace, drawn)
    if plan.is_fresh:
        key = generation_key(span, generation, _REAL)
        draw_contexts(table, table.counts, 1.0, plan.real_sizes, contexts, key, replicate, workspace, drawn)


@kernel
def _add(source, counts):
    """Add counts and return their sum: ``(D)->(D),()``."""
    total = np.int64(0)
    for cell in range(counts.shape[0]):
        total += source[cell]
        counts[cell] += source[cell]
    return total


@kernel
def _refit(table, plan, work, output, replicate, rows, step, generation, alive):
    """Put the rows rows[0] to rows[1] - 1 of `work.drawn` into the pool, clear them, and record the new state.

    More than eight arguments, because a tuple made for each call would count references.
    """
    counts, total = work.counts[replicate], np.int64(0)
    if plan.keeps[generation - 1]:
        for cell in range(counts.shape[0]):
            total += counts[cell]
    else:
        counts[:] = 0
    for row in range(rows[0], rows[1]):
        total += _add(work.drawn[row], counts)
        work.drawn[row, :] = 0
    if work.real.shape[0] > 0 and plan.n_real[generation - 1] > 0:
        total += _add(work.real[min(replicate, work.real.shape[0] - 1)], counts)
    if total > MOST_EMISSIONS:
        work.failed[replicate] = generation
        return
    cell_sums(table, counts, output.with_distances, alive, output.sums[step, replicate])
    if output.states.shape[0] > 0:
        output.states[step, replicate, :] = counts


@kernel
def _run_units(thread, table, truth_urn, plan, work, span, output, workspace, n_parts, step, n_steps):
    """Draw the parts of a thread, over `n_steps` generations; without parts, refit to them too.

    More than eight arguments, because a tuple made for each call would count references.
    """
    lanes, urn = new_lanes(N_LANES), new_urn(table, 0, plan.temperature)
    mine, alive = thread_workspace(workspace, thread), np.empty(table.n_words + 1, np.uint8)
    for unit in range(thread, work.counts.shape[0] * n_parts, span.n_threads):
        replicate, row = unit // n_parts, unit if n_parts > 1 else thread
        drawn = work.drawn[row]
        for at in range(step, step + n_steps):
            generation = span.first + at
            if plan.sizes.shape[0] > 0:
                _draw(table, plan, work, span, unit, n_parts, generation, mine, drawn)
            else:
                urn = _urn_of(table, work.counts[replicate], plan.temperature, urn)
                _walk(urn, truth_urn, plan, work, span, unit, n_parts, generation, lanes, drawn)
                if plan.by_words and n_parts == 1:
                    _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, drawn)
            if n_parts == 1 and work.failed[replicate] == 0:
                _refit(table, plan, work, output, replicate, (row, row + 1), at, generation, alive)
            if work.failed[replicate] > 0:
                break


@kernel
def _finish_units(thread, table, truth_urn, plan, work, span, output, n_parts, step):
    """Refit the replicates of a thread to their parts of one generation.

    More than eight arguments, because a tuple made for each call would count references.
    """
    lanes, urn = new_lanes(N_LANES), new_urn(table, 0, plan.temperature)
    alive, generation = np.empty(table.n_words + 1, np.uint8), span.first + step
    for replicate in range(thread, work.counts.shape[0], span.n_threads):
        rows = replicate * n_parts, (replicate + 1) * n_parts
        if plan.by_words and plan.sizes.shape[0] == 0 and work.failed[replicate] == 0:
            urn = _urn_of(table, work.counts[replicate], plan.temperature, urn)
            _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, work.drawn[rows[0]])
        if work.failed[replicate] == 0:
            _refit(table, plan, work, output, replicate, rows, step, generation, alive)


@parallel_kernel
def run_block(table, truth_urn, plan, work, span, output, workspace, n_parts):
    """Run a block of generations: ``(R,D)->(R,D),(B,R,N_SUMS),(B,R,D)``.

    Parallel over replicates with all generations of the block, or, with `n_parts` > 1, over parts of each generation:
    ranges of sentences, or of contexts with fixed totals.

    Parameters
    ----------
    table : `CellTable`.
    truth_urn : `Urn` of the corpus at temperature 1; not read unless the plan has fresh real walks.
    plan, work, output : `Plan`, `Buffers` and `Output`.
    span : `Span`.
    workspace : `Workspace`, a row for each thread; not read for walks.
    n_parts : P.
    """
    n_outer, n_steps = (span.n_generations, 1) if n_parts > 1 else (1, span.n_generations)
    for step in range(n_outer):
        for thread in prange(span.n_threads):
            _run_units(np.int64(thread), table, truth_urn, plan, work, span, output, workspace, n_parts, step, n_steps)
        if n_parts > 1:
            for thread in prange(span.n_threads):
                _finish_units(np.int64(thread), table, truth_urn, plan, work, span, output, n_parts, step)


@parallel_kernel
def draw_fixed_real(table, truth_urn, plan, span, workspace, out):
    """Draw fixed real data of the size of generation 1 for each replicate: ``->(R,D)``; see `run_block`."""
    for thread in prange(span.n_threads):
        lanes, mine = new_lanes(N_LANES), thread_workspace(workspace, np.int64(thread))
        none = np.empty(0, np.int32)
        for replicate in range(thread, out.shape[0], span.n_threads):
            key, n, drawn = generation_key(span, 0, _FIXED_REAL), plan.n_real[0], out[replicate]
            if plan.real_sizes.shape[0] > 0:
                contexts = 0, plan.real_sizes.shape[0]
                draw_contexts(table, table.counts, 1.0, plan.real_sizes, contexts, key, replicate, mine, drawn)
            elif plan.by_words:
                _walk_rest(truth_urn, n, plan, key, replicate, lanes, drawn, none)
            else:
                _walk_part(truth_urn, n, plan, 0, 1, key, replicate, lanes, drawn, none)
