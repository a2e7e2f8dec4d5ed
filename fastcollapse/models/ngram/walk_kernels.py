"""Generations of walks, parallel over replicates or over parts of the sentences."""

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_REAL, PURPOSE_SYNTHETIC, generation_key
from fastcollapse.kernels.sequences.budgets import sure_sentences, walk_share, walk_words
from fastcollapse.kernels.sequences.urns import ENTRIES, SUMS, WHOLE_SUMS, fill_urn, new_urn
from fastcollapse.kernels.sequences.walks import N_LANES, new_lanes
from fastcollapse.models.ngram.refits import refit

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
# A pool of more than this many times the symbols to draw is searched: an entry takes 5 ns, a search 80 ns.
LARGE_POOL = 16.0


@kernel
def _urn_of(table, counts, plan, generation, urn):
    """Return the filled urns of a state: `urn`, or larger ones."""
    n_entries, n_sums, kind = np.int64(0), np.int64(0), np.int64(ENTRIES)
    for cell in range(counts.shape[0]):
        n_entries += counts[cell]
    if plan.temperature != 1.0:
        kind = np.int64(SUMS)
    elif n_entries > LARGE_POOL * plan.symbols * plan.n_synthetic[generation - 1]:
        kind = np.int64(WHOLE_SUMS)
    if kind != ENTRIES:
        n_entries = n_sums = counts.shape[0]
    if urn.entries.shape[0] < n_entries or urn.cumulative.shape[0] < n_sums:
        urn = new_urn(table, n_entries + n_entries // 8, n_sums)
    fill_urn(table, counts, plan.temperature, kind, urn)
    return urn


@kernel
def _walk_part(urn, n, plan, part, n_parts, key, replicate, lanes, drawn, lengths):
    """Walk a part of `n` sentences, or of those that surely belong to a budget of `n` words; return their symbols.

    More than eight arguments, because a tuple made for each call would count references.
    """
    n_sentences = n
    if plan.by_words:
        n_sentences = sure_sentences(n, plan.mean_length, lengths.shape[0])
    return walk_share(urn, n_sentences, part, n_parts, key, replicate, lanes, plan.most, drawn, lengths)


@kernel
def _walk_rest(urn, n, plan, key, replicate, lanes, drawn, lengths):
    """Walk the rest of a budget of `n` words; return its symbols."""
    n_walked = sure_sentences(n, plan.mean_length, lengths.shape[0])
    return walk_words(urn, n, plan.mean_length, n_walked, key, replicate, lanes, plan.most, drawn, lengths)


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
    if n_symbols > plan.most:
        # Of sentences that are walked before the budget of words is known, perhaps not all belong to it.
        work.failed[replicate] = -generation if plan.by_words else generation


@kernel
def _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, rows):
    """Walk the rest of the budgets of words of a generation: ``->(P,D)``.

    More than eight arguments, because a tuple made for each call would count references.
    """
    key, n_lengths, drawn = generation_key(span, generation, _SYNTHETIC), work.lengths.shape[2], rows[0]
    if work.failed[replicate] < 0:
        # A part was given up: from the first sentence on, in order.
        rows[:] = 0
        n_lengths, work.failed[replicate] = 0, 0
    n, lengths = plan.n_synthetic[generation - 1], work.lengths[0, replicate][:n_lengths]
    n_symbols = _walk_rest(urn, n, plan, key, replicate, lanes, drawn, lengths)
    if plan.is_fresh:
        key = generation_key(span, generation, _REAL)
        n, lengths = plan.n_real[generation - 1], work.lengths[1, replicate][:n_lengths]
        n_symbols += _walk_rest(truth_urn, n, plan, key, replicate, lanes, drawn, lengths)
    if n_symbols > plan.most:
        work.failed[replicate] = generation


@kernel
def _walk_units(thread, table, truth_urn, plan, work, span, output, n_parts, step, n_steps):
    """Walk the parts of a thread, over `n_steps` generations; without parts, refit to them too.

    More than eight arguments, because a tuple made for each call would count references.
    """
    lanes, urn = new_lanes(N_LANES), new_urn(table, np.int64(0), np.int64(0))
    alive = np.empty(table.n_words + 1, np.uint8)
    for unit in range(thread, work.counts.shape[0] * n_parts, span.n_threads):
        replicate, row = unit // n_parts, unit if n_parts > 1 else thread
        for at in range(step, step + n_steps):
            if work.failed[replicate] > 0:
                break
            generation = span.first + at
            urn = _urn_of(table, work.counts[replicate], plan, generation, urn)
            _walk(urn, truth_urn, plan, work, span, unit, n_parts, generation, lanes, work.drawn[row])
            if plan.by_words and n_parts == 1:
                _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, work.drawn[row : row + 1])
            if n_parts == 1 and work.failed[replicate] == 0:
                refit(table, plan, work, output, replicate, (row, row + 1), at, generation, alive)


@kernel
def _finish_units(thread, table, truth_urn, plan, work, span, output, n_parts, step):
    """Walk the rest of budgets of words, and refit the replicates of a thread to one generation.

    More than eight arguments, because a tuple made for each call would count references.
    """
    lanes, urn = new_lanes(N_LANES), new_urn(table, np.int64(0), np.int64(0))
    alive, generation = np.empty(table.n_words + 1, np.uint8), span.first + step
    for replicate in range(thread, work.counts.shape[0], span.n_threads):
        rows = replicate * n_parts, (replicate + 1) * n_parts
        if plan.by_words and work.failed[replicate] <= 0:
            drawn = work.drawn[rows[0] : rows[1]]
            urn = _urn_of(table, work.counts[replicate], plan, generation, urn)
            _complete(urn, truth_urn, plan, work, span, replicate, generation, lanes, drawn)
        if work.failed[replicate] == 0:
            refit(table, plan, work, output, replicate, rows, step, generation, alive)


@parallel_kernel
def walk_block(table, truth_urn, plan, work, span, output, n_parts):
    """Run a block of generations of walks: ``(R,D)->(R,D),(B,R,N_SUMS),(B,R,D)``.

    Parallel over replicates with all generations of the block, or, with `n_parts` > 1, over ranges of the sentences of
    each generation.

    Parameters
    ----------
    table : `CellTable`.
    truth_urn : `Urn` of the corpus at temperature 1; not read without fresh real data.
    plan, work, output : `Plan`, `Buffers` and `Output`.
    span : `Span`.
    n_parts : P.
    """
    n_outer, n_steps = (span.n_generations, 1) if n_parts > 1 else (1, span.n_generations)
    for step in range(n_outer):
        for thread in prange(span.n_threads):
            _walk_units(np.int64(thread), table, truth_urn, plan, work, span, output, n_parts, step, n_steps)
        if n_parts > 1:
            for thread in prange(span.n_threads):
                _finish_units(np.int64(thread), table, truth_urn, plan, work, span, output, n_parts, step)


@parallel_kernel
def walk_real(table, truth_urn, plan, span, out):
    """Walk fixed real data of the size of generation 1 for each replicate: ``->(R,D)``; see `walk_block`."""
    for thread in prange(span.n_threads):
        lanes, none, one = new_lanes(N_LANES), np.empty(0, np.int32), np.int64(1)
        for replicate in range(thread, out.shape[0], span.n_threads):
            key, n = generation_key(span, 0, _FIXED_REAL), plan.n_real[0]
            _walk_part(truth_urn, n, plan, one - 1, one, key, replicate, lanes, out[replicate], none)
            if plan.by_words:
                _walk_rest(truth_urn, n, plan, key, replicate, lanes, out[replicate], none)
