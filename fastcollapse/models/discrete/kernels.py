"""Kernels that run a block of generations of a discrete distribution."""

from typing import NamedTuple

import numpy as np

from fastcollapse.config.kernel_schedule import KernelSchedule
from fastcollapse.kernels.counts.count_sums import TruthTable
from fastcollapse.kernels.counts.live_counts import copy_counts, copy_rows, with_counts
from fastcollapse.kernels.counts.multinomial import Draw, multinomial, subsample
from fastcollapse.kernels.counts.refit_counts import add_to_pool, refit_and_draw, refit_dense
from fastcollapse.kernels.counts.workspace import Workspace
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.poisson_table import PoissonTables
from fastcollapse.kernels.random.streams import (
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    generation_key,
)

_SYNTHETIC = np.uint64(PURPOSE_SYNTHETIC)
_REAL = np.uint64(PURPOSE_REAL)
_SUBSAMPLE = np.uint64(PURPOSE_SUBSAMPLE)


class SamplingBuffers(NamedTuple):
    """Buffers of the sampler.

    Attributes
    ----------
    drawn, corrections, sums, weight_sums : arrays of a `Draw`; `drawn` is counts (R, K).
    pool, real : counts (R, K), or (0, 0) if not needed.
    """

    drawn: np.ndarray
    corrections: np.ndarray
    sums: np.ndarray
    weight_sums: np.ndarray
    pool: np.ndarray
    real: np.ndarray


class Inputs(NamedTuple):
    """Read-only inputs of the block loops, and the workspace of the threads."""

    schedule: KernelSchedule
    truth: TruthTable
    starts: np.ndarray
    lengths: np.ndarray
    tables: PoissonTables
    workspace: Workspace


@kernel
def draw_of(weights, law, weight_total, drawn, n_tokens, work):
    """Return a draw with the arrays of the buffers `work`."""
    return Draw(weights, law, np.float64(weight_total), drawn, n_tokens, work.corrections, work.sums, work.weight_sums)


@kernel
def _draw_from_state(live, totals, truth, drawn, n_tokens, work):
    """Return the draw of synthetic tokens; at generation 0 the state is the truth."""
    if totals[0] == 0:
        return draw_of(truth.counts, truth.law, truth.total, drawn, n_tokens, work)
    return draw_of(live.counts, truth.law[:0], totals[0], drawn, n_tokens, work)


@kernel
def resample_block(live, work, totals, inputs, span, rows, sums):
    """Run a block of workflow replace: each generation is trained only on tokens of the previous one.

    The drawn counts are the next state. Two arrays swap their roles at each generation, so that a block of odd length
    copies the counts back to `live.counts`.
    """
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    schedule, truth, tables, home = inputs.schedule, inputs.truth, inputs.tables, live.counts
    upcoming = _draw_from_state(live, totals, truth, work.drawn, schedule.n_synthetic[first - 1], work)
    draw = draw_of(home, truth.law[:0], 1.0, home, np.int64(-1), work)
    for step in range(-1, n_generations):
        key = generation_key(span, first + step, _SYNTHETIC)
        # The first step has no draw to correct; the next step overwrites its sums.
        refit_and_draw(draw, upcoming, key, truth, tables, inputs.workspace, live, sums[max(step, 0)])
        if step >= 0:
            totals[0] = draw.n_tokens
            if rows.indptr.shape[0] > 1:
                copy_rows(live, step * live.lengths.shape[0], n_threads, rows)
        if step + 1 == n_generations:
            break
        spare = live.counts
        draw = upcoming
        live = with_counts(live, draw.drawn)
        n_next = schedule.n_synthetic[first + step + 1] if step + 2 < n_generations else np.int64(-1)
        upcoming = draw_of(draw.drawn, truth.law[:0], draw.n_tokens, spare, n_next, work)
    if n_generations % 2 == 1:
        for replicate in range(live.lengths.shape[0]):
            copy_counts(replicate, live, home)


@kernel
def pool_block(live, work, totals, inputs, span, rows, sums):
    """Run a block of any other workflow: the next state is trained on a pool of drawn and real tokens."""
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    schedule, truth, tables, workspace = inputs.schedule, inputs.truth, inputs.tables, inputs.workspace
    starts, lengths = inputs.starts, inputs.lengths
    for step in range(n_generations):
        generation = first + step
        n_synthetic = schedule.n_synthetic[generation - 1]
        draw = _draw_from_state(live, totals, truth, work.drawn, n_synthetic, work)
        key = generation_key(span, generation, _SYNTHETIC)
        multinomial(draw, live.starts, live.lengths, key, tables, workspace)
        n_real = schedule.n_real[generation - 1]
        real = work.real
        if n_real == 0:
            real = work.real[:0]
        elif not schedule.fixed_real:
            key = generation_key(span, generation, _REAL)
            draw = draw_of(truth.counts, truth.law, truth.total, real, n_real, work)
            multinomial(draw, starts, lengths, key, tables, workspace)
        n_kept = schedule.n_kept[generation - 1]
        add_to_pool(work.drawn, live, n_kept > 0, real, work.pool, work.drawn)
        totals[1] = n_kept + n_synthetic + n_real
        totals[0] = totals[1]
        if schedule.n_train[generation - 1] > 0:
            totals[0] = schedule.n_train[generation - 1]
            key = generation_key(span, generation, _SUBSAMPLE)
            if schedule.replacement:
                draw = draw_of(work.pool, truth.law[:0], totals[1], work.drawn, totals[0], work)
                multinomial(draw, starts, lengths, key, tables, workspace)
            else:
                subsample(work.drawn, totals[0], key, workspace, work.drawn)
        refit_dense(work.drawn, totals[0], generation, truth, workspace, live, sums[step])
        if rows.indptr.shape[0] > 1:
            copy_rows(live, step * live.lengths.shape[0], n_threads, rows)
