"""Generations with fixed totals, parallel over parts of the contexts."""

import numpy as np

from fastcollapse.kernels.counts.workspace import thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_REAL, PURPOSE_SYNTHETIC, generation_key
from fastcollapse.kernels.sequences.context_draws import draw_contexts
from fastcollapse.models.ngram.refits import refit

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)


@kernel
def _draw(table, plan, work, span, unit, n_parts, generation, workspace, drawn):
    """Draw a part of the contexts of a generation of a replicate: ``->(D)``.

    More than eight arguments, because a tuple made for each call would count references.
    """
    replicate = unit // n_parts
    part, n_contexts = unit - replicate * n_parts, plan.sizes.shape[0]
    contexts = n_contexts * part // n_parts, n_contexts * (part + 1) // n_parts
    key, counts, none = generation_key(span, generation, _SYNTHETIC), work.counts[replicate], np.float64(1.0)
    draw_contexts(table, counts, plan.temperature, plan.sizes, contexts, key, replicate, workspace, drawn)
    if plan.is_fresh:
        key = generation_key(span, generation, _REAL)
        draw_contexts(table, table.counts, none, plan.real_sizes, contexts, key, replicate, workspace, drawn)


@kernel
def _draw_units(thread, table, plan, work, span, output, workspace, n_parts, step, n_steps):
    """Draw the parts of a thread, over `n_steps` generations; without parts, refit to them too.

    More than eight arguments, because a tuple made for each call would count references.
    """
    mine, alive = thread_workspace(workspace, thread), np.empty(table.n_words + 1, np.uint8)
    for unit in range(thread, work.counts.shape[0] * n_parts, span.n_threads):
        row = unit if n_parts > 1 else thread
        for at in range(step, step + n_steps):
            generation = span.first + at
            _draw(table, plan, work, span, unit, n_parts, generation, mine, work.drawn[row])
            if n_parts == 1:
                refit(table, plan, work, output, unit, (row, row + 1), at, generation, alive)


@kernel
def _finish_units(thread, table, plan, work, span, output, n_parts, step):
    """Refit the replicates of a thread to one generation."""
    alive = np.empty(table.n_words + 1, np.uint8)
    for replicate in range(thread, work.counts.shape[0], span.n_threads):
        rows = replicate * n_parts, (replicate + 1) * n_parts
        refit(table, plan, work, output, replicate, rows, step, span.first + step, alive)


@parallel_kernel
def context_block(table, plan, work, span, output, workspace, n_parts):
    """Run a block of generations with fixed totals: ``(R,D)->(R,D),(B,R,N_SUMS),(B,R,D)``.

    Parallel over replicates with all generations of the block, or, with `n_parts` > 1, over ranges of the contexts of
    each generation.

    Parameters
    ----------
    table : `CellTable`.
    plan, work, output : `Plan`, `Buffers` and `Output`.
    span : `Span`.
    workspace : `Workspace`, a row for each thread.
    n_parts : P.
    """
    n_outer, n_steps = (span.n_generations, 1) if n_parts > 1 else (1, span.n_generations)
    for step in range(n_outer):
        for thread in prange(span.n_threads):
            _draw_units(np.int64(thread), table, plan, work, span, output, workspace, n_parts, step, n_steps)
        if n_parts > 1:
            for thread in prange(span.n_threads):
                _finish_units(np.int64(thread), table, plan, work, span, output, n_parts, step)


@parallel_kernel
def draw_real(table, plan, span, workspace, out):
    """Draw fixed real data of the size of generation 1 for each replicate: ``->(R,D)``; see `context_block`."""
    for thread in prange(span.n_threads):
        mine, none = thread_workspace(workspace, np.int64(thread)), np.float64(1.0)
        contexts = np.int64(0), plan.real_sizes.shape[0]
        for replicate in range(thread, out.shape[0], span.n_threads):
            key = generation_key(span, 0, _FIXED_REAL)
            draw_contexts(table, table.counts, none, plan.real_sizes, contexts, key, replicate, mine, out[replicate])
