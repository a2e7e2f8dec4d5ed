"""Kernels that refit Poisson laws, from sums of counts or from subsamples of the counts."""

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import poisson
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
)
from fastcollapse.kernels.random.subsample import copy_chosen, longest

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)


@kernel
def draw_real(n_real, rate, key, real):
    """Draw the sum of the fixed real batch of every replicate: ``->(R)``, O(R)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(real.shape[0]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        real[replicate] = poisson(n_real * rate, stream)


@kernel
def _run_sums(replicate, sums, sizes, real, schedule, truth_rate, span, stream, rates):
    """Refit one replicate over a block without subsamples.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    total, size = sums[replicate], sizes[replicate]
    for step in range(span.n_generations):
        generation = span.first + step
        n, m = np.float64(schedule.n_synthetic[generation - 1]), np.float64(schedule.n_real[generation - 1])
        kept = np.float64(schedule.n_kept[generation - 1])
        drawn = 0.0
        # A sum of 0 stays 0 and needs no random stream.
        if total > 0.0:
            generation_stream(span, replicate, generation, _SYNTHETIC, stream)
            drawn = np.float64(poisson(total if n == size else n * (total / size), stream))
        total = drawn + (total if kept > 0.0 else 0.0)
        if m > 0.0 and real.shape[0] > 0:
            total += real[replicate]
        elif m > 0.0:
            generation_stream(span, replicate, generation, _REAL, stream)
            total += poisson(m * truth_rate, stream)
        size = kept + n + m
        rates[replicate, step] = total / size
    sums[replicate], sizes[replicate] = total, size


@parallel_kernel
def refit_sums(sums, sizes, real, schedule, truth_rate, span, rates):
    """Refit R replicates over B generations without subsamples: ``(R),(R),(Q),...->(R,B)``, O(1) a step.

    Parameters
    ----------
    sums, sizes : float64 (R), sum and number of the counts of the last fit, initially (rate, 1); updated.
    real : float64 (Q), the sums of a fixed real batch; Q = R, or 0 without one.
    schedule : `KernelSchedule`.
    truth_rate : rate of the real data.
    span : `Span`.
    rates : float64 (R, B), the rates of the states.
    """
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, sums.shape[0], span.n_threads):
            _run_sums(np.int64(replicate), sums, sizes, real, schedule, truth_rate, span, stream, rates)


@kernel
def _run_subsamples(replicate, sums, sizes, points, schedule, span, stream, buffer, rates):
    """Refit one replicate over a block to subsamples of `points`.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        size = schedule.n_train[generation - 1]
        rate = sums[replicate] / sizes[replicate]
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        for i in range(kept, kept + n):
            points[i] = poisson(rate, stream)
        chosen = points[: kept + n]
        if size > 0:
            chosen = buffer[:size]
            generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
            copy_chosen(points, kept + n, schedule.replacement, stream, chosen)
        total = 0.0
        for i in range(chosen.shape[0]):
            total += chosen[i]
        sums[replicate], sizes[replicate] = total, chosen.shape[0]
        rates[replicate, step] = sums[replicate] / sizes[replicate]


@parallel_kernel
def refit_subsamples(sums, sizes, pool, schedule, span, rates):
    """Refit as `refit_sums` to subsamples of `pool`: ``(R),(R),(R,K),...->(R,B)``, O(n_synthetic + n_train) a step."""
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(longest(schedule.n_train, span.first, span.n_generations))
        for replicate in range(thread, sums.shape[0], span.n_threads):
            _run_subsamples(np.int64(replicate), sums, sizes, pool[replicate], schedule, span, stream, buffer, rates)
