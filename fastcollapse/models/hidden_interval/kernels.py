"""Kernels of the hidden interval: batches as their counts and largest points, and the exact maximum likelihood.

A sample is described by the number of its points in [0, 1], the number outside, and the smallest of the gaps 1 - x of
its points in [0, 1], ascending, with 2 in the places that are not used. The fit needs no other point: beyond the first
128 gaps the likelihood is lower except with a probability below 1e-9.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import binomial
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
    uniform_positive,
)

N_GAPS = 128
NO_GAP = 2.0
LARGEST = 0.25
_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
_LOG_2 = math.log(2.0)


@kernel
def draw_gaps(a, n, stream, gaps):
    """Fill `gaps` with the smallest gaps of n points in [0, 1] of the law with the parameter a: ``->(K)``, O(K).

    The upper tail probabilities of the largest points are those of uniform order statistics.
    """
    inside = 1.0 - 0.5 * a
    # The density is 1/2 above 1 - 2a, and this below it.
    density = 1.0 + 0.5 * a / (1.0 - 2.0 * a)
    log_rest = 0.0
    for i in range(gaps.shape[0]):
        if i >= n:
            gaps[i] = NO_GAP
            continue
        log_rest += math.log(uniform_positive(stream)) / (n - i)
        mass = -math.expm1(log_rest) * inside
        gaps[i] = 2.0 * mass if mass <= a else 2.0 * a + (mass - a) / density


@kernel
def merge_gaps(gaps, others, out):
    """Write the smallest gaps of two samples together to `out`, and to `gaps`: ``(K),(K)->(K)``, O(K)."""
    i = j = 0
    for k in range(out.shape[0]):
        if gaps[i] <= others[j]:
            out[k] = gaps[i]
            i += 1
        else:
            out[k] = others[j]
            j += 1
    for k in range(out.shape[0]):
        gaps[k] = out[k]


@kernel
def fit(n_inside, n_outside, gaps):
    """Return the maximum likelihood of a: ``(),(),(K)->()``, O(K).

    Between two points the likelihood rises with a, so that the upper end 1 - 2a is a point. A point outside decides for
    a = 1/4, whose hidden interval is as narrow as needed.
    """
    if n_outside > 0.0:
        return LARGEST
    best, highest = 0.0, 0.0
    for i in range(gaps.shape[0]):
        if gaps[i] == NO_GAP:
            break
        a = min(0.5 * gaps[i], LARGEST)
        level = (n_inside - i) * math.log1p(0.5 * a / (1.0 - 2.0 * a)) - i * _LOG_2
        if level > highest:
            best, highest = a, level
        if a == LARGEST:
            break
    return best


@kernel
def draw_real(n_real, key, real):
    """Draw the gaps of the fixed real batch of every replicate: ``->(R,K)``, O(R K)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(real.shape[0]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        draw_gaps(0.0, n_real, stream, real[replicate])


@kernel
def _run(replicate, fits, counts, gaps, real, schedule, span, stream, work, out):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    pool, batch, merged = gaps[replicate], work[0], work[1]
    for step in range(span.n_generations):
        generation = span.first + step
        n, m = schedule.n_synthetic[generation - 1], schedule.n_real[generation - 1]
        a = fits[replicate]
        if schedule.n_kept[generation - 1] == 0:
            counts[replicate, 0] = counts[replicate, 1] = 0.0
            for i in range(pool.shape[0]):
                pool[i] = NO_GAP
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        outside = binomial(n, 0.5 * a, stream)
        counts[replicate, 0] += n - outside + m
        counts[replicate, 1] += outside
        # A point outside decides the fit until the pool is dropped, so that no gap is read.
        if counts[replicate, 1] == 0.0:
            draw_gaps(a, n, stream, batch)
            merge_gaps(pool, batch, merged)
            if m > 0:
                if real.shape[0] > 0:
                    merge_gaps(pool, real[replicate], merged)
                else:
                    generation_stream(span, replicate, generation, _REAL, stream)
                    draw_gaps(0.0, m, stream, batch)
                    merge_gaps(pool, batch, merged)
        fits[replicate] = out[replicate, step] = fit(counts[replicate, 0], counts[replicate, 1], pool)


@parallel_kernel
def refit(fits, counts, gaps, real, schedule, span, out):
    """Refit R replicates over B generations: ``(R),(R,2),(R,K),(Q,K),...->(R,B)``, O(K) a step, O(1) if collapsed.

    Parameters
    ----------
    fits : float64 (R), the fits of a, initially 0; updated.
    counts : float64 (R, 2), the numbers of points of the pool inside and outside of [0, 1]; updated.
    gaps : float64 (R, K), the smallest gaps of the pool; updated.
    real : float64 (Q, K), the gaps of a fixed real batch; Q = R, or 0 without one.
    schedule : `KernelSchedule`.
    span : `Span`.
    out : float64 (R, B), the fits of all generations.
    """
    for thread in prange(span.n_threads):
        stream, work = np.empty(STREAM_WORDS, np.uint64), np.empty((2, gaps.shape[1]))
        for replicate in range(thread, fits.shape[0], span.n_threads):
            _run(np.int64(replicate), fits, counts, gaps, real, schedule, span, stream, work, out)
