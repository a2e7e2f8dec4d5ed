"""Kernels of the uniform levels: batches as the greatest offset in each level.

A sample is described by the smallest gap 1 - offset of each level, with 2 for a level without points.
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

NO_GAP = 2.0
_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)


@kernel
def highest(gaps):
    """Return the highest level with a point, 0 without any: ``(C+1)->()``."""
    top = 0
    for level in range(gaps.shape[0]):
        if gaps[level] != NO_GAP:
            top = level
    return top


@kernel
def fit(gaps, alphas):
    """Write the maximum likelihood of the parameter of each level: ``(C+1)->(C+1)``.

    It is 0 above the highest point. A level that all points have passed has 1/4.
    """
    top = highest(gaps)
    for level in range(gaps.shape[0]):
        alphas[level] = min(0.25, 0.5 * gaps[level]) if level <= top and gaps[top] != NO_GAP else 0.0


@kernel
def smallest_gap(alpha, n, stream):
    """Return the smallest gap of n points in a level with the parameter alpha."""
    return 2.0 * alpha - (1.0 - 2.0 * alpha) * math.expm1(math.log(uniform_positive(stream)) / n)


@kernel
def draw_levels(alphas, n, stream, gaps):
    """Draw n points of h with the parameters `alphas`, and keep the smallest gaps: ``(C+1)->(C+1)``, O(C)."""
    rest = n
    for level in range(gaps.shape[0]):
        beyond = binomial(rest, alphas[level], stream)
        if rest > beyond:
            gaps[level] = min(gaps[level], smallest_gap(alphas[level], rest - beyond, stream))
        rest = beyond


@kernel
def draw_collapsed(n, stream, gaps):
    """Draw n points of g, whose narrow interval is in the last level, and keep the smallest gaps: O(C)."""
    last = gaps.shape[0] - 1
    # Half of the points are in the narrow interval, the others uniform over all levels.
    rest = n - binomial(n, 0.5, stream)
    narrow = n - rest
    for level in range(last):
        here = binomial(rest, 1.0 / (last + 1 - level), stream)
        if here > 0:
            gaps[level] = min(gaps[level], smallest_gap(0.0, here, stream))
        rest -= here
    if narrow + rest > 0:
        gaps[last] = 0.0


@kernel
def draw_real(n_real, key, real):
    """Draw the smallest gaps of the fixed real batch of every replicate: ``->(R)``, O(R)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(real.shape[0]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        real[replicate] = smallest_gap(0.0, n_real, stream)


@kernel
def _run(replicate, gaps, real, schedule, span, stream, alphas, levels, distances):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    pool, last = gaps[replicate], gaps.shape[1] - 1
    for step in range(span.n_generations):
        generation = span.first + step
        n, m = schedule.n_synthetic[generation - 1], schedule.n_real[generation - 1]
        is_collapsed = pool[last] != NO_GAP
        fit(pool, alphas)
        if schedule.n_kept[generation - 1] == 0:
            for level in range(last + 1):
                pool[level] = NO_GAP
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        if is_collapsed:
            draw_collapsed(n, stream, pool)
        else:
            draw_levels(alphas, n, stream, pool)
        if m > 0 and real.shape[0] > 0:
            pool[0] = min(pool[0], real[replicate])
        elif m > 0:
            generation_stream(span, replicate, generation, _REAL, stream)
            pool[0] = min(pool[0], smallest_gap(0.0, m, stream))
        top = highest(pool)
        levels[replicate, step] = top
        distances[replicate, step] = 2.0 * min(0.25, 0.5 * pool[0]) if top < last else 1.0 - 0.5 / (last + 1)


@parallel_kernel
def refit(gaps, real, schedule, span, levels, distances):
    """Refit R replicates over B generations: ``(R,C+1),(Q),...->(R,B),(R,B)``, O(C) a step.

    Parameters
    ----------
    gaps : float64 (R, C + 1), the smallest gaps of the pool in the levels 0..C, where C is the level that collapses the
        model; updated.
    real : float64 (Q), those of a fixed real batch in level 0; Q = R, or 0 without one.
    schedule : `KernelSchedule`.
    span : `Span`.
    levels, distances : float64 (R, B), the highest level of the pool, and the total variation distance of the fit.
    """
    for thread in prange(span.n_threads):
        stream, alphas = np.empty(STREAM_WORDS, np.uint64), np.empty(gaps.shape[1])
        for replicate in range(thread, gaps.shape[0], span.n_threads):
            _run(np.int64(replicate), gaps, real, schedule, span, stream, alphas, levels, distances)
