"""Kernels of models of one number: an estimator whose law for n points is one variate, whatever n is.

A value is the estimate relative to the truth, which is 0: the error in units of the scale for a stable law, and the
logarithm of the ratio of the scales for an exponential and a uniform law. A point is the estimate from itself alone.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.stable import stable
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    gamma,
    generation_stream,
    uniform_positive,
)
from fastcollapse.kernels.random.subsample import copy_chosen, longest

# The laws of the data and their estimators: mean of a stable law, mean of an exponential one, maximum of a uniform one.
STABLE, EXPONENTIAL, UNIFORM = 0, 1, 2
_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)


@kernel
def estimate(law, alpha, value, n, stream):
    """Return the estimate from n points of the law whose parameter is `value`."""
    if law == STABLE:
        return value + n ** (1.0 / alpha - 1.0) * stable(alpha, stream)
    if law == EXPONENTIAL:
        return value + math.log(gamma(n, stream) / n)
    return value + math.log(uniform_positive(stream)) / n


@kernel
def merge(law, first, n_first, second, n_second):
    """Return the estimate from two samples together; either size may be 0."""
    if n_second <= 0.0:
        return first
    if n_first <= 0.0:
        return second
    if law == STABLE:
        return first + n_second / (n_first + n_second) * (second - first)
    if second > first:
        first, n_first, second, n_second = second, n_second, first, n_first
    if law == UNIFORM:
        return first
    return first + math.log1p(n_second / (n_first + n_second) * math.expm1(second - first))


@kernel
def draw_real(law, alpha, n_real, key, real):
    """Draw the estimates from the fixed real batch of every replicate: ``->(R)``, O(R)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(real.shape[0]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        real[replicate] = estimate(law, alpha, 0.0, n_real, stream)


@kernel
def _run_estimates(replicate, values, real, schedule, law, alpha, span, stream, out):
    """Refit one replicate over a block without subsamples.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    value = values[replicate]
    for step in range(span.n_generations):
        generation = span.first + step
        n, m = np.float64(schedule.n_synthetic[generation - 1]), np.float64(schedule.n_real[generation - 1])
        kept = np.float64(schedule.n_kept[generation - 1])
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        value = merge(law, value, kept, estimate(law, alpha, value, n, stream), n)
        if m > 0.0:
            if real.shape[0] > 0:
                batch = real[replicate]
            else:
                generation_stream(span, replicate, generation, _REAL, stream)
                batch = estimate(law, alpha, 0.0, m, stream)
            value = merge(law, value, kept + n, batch, m)
        out[replicate, step] = value
    values[replicate] = value


@parallel_kernel
def refit_estimates(values, real, schedule, law, alpha, span, out):
    """Refit R replicates over B generations without subsamples: ``(R),(Q),...->(R,B)``, O(1) a step.

    Parameters
    ----------
    values : float64 (R), the estimates, initially 0; updated.
    real : float64 (Q), the estimates from a fixed real batch; Q = R, or 0 without one.
    schedule : `KernelSchedule`.
    law, alpha : one of STABLE, EXPONENTIAL and UNIFORM; the stability of a stable law.
    span : `Span`.
    out : float64 (R, B), the values of the states.
    """
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, values.shape[0], span.n_threads):
            _run_estimates(np.int64(replicate), values, real, schedule, law, alpha, span, stream, out)


@kernel
def _run_subsamples(replicate, values, points, schedule, law, alpha, span, stream, buffer, out):
    """Refit one replicate over a block to subsamples of `points`.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        for i in range(kept, kept + n):
            points[i] = estimate(law, alpha, values[replicate], 1.0, stream)
        chosen = buffer[: schedule.n_train[generation - 1]]
        generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
        copy_chosen(points, kept + n, schedule.replacement, stream, chosen)
        value = chosen[0]
        for i in range(1, chosen.shape[0]):
            value = merge(law, value, np.float64(i), chosen[i], 1.0)
        values[replicate] = value
        out[replicate, step] = value


@parallel_kernel
def refit_subsamples(values, pool, schedule, law, alpha, span, out):
    """Refit as `refit_estimates` to subsamples of `pool`: ``(R),(R,K),...->(R,B)``, O(n_synthetic + n_train) a step."""
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(longest(schedule.n_train, span.first, span.n_generations))
        for replicate in range(thread, values.shape[0], span.n_threads):
            points = pool[replicate]
            _run_subsamples(np.int64(replicate), values, points, schedule, law, alpha, span, stream, buffer, out)
