"""Refits of a normal law to real and synthetic parts with weights, shares, windows, discounts and maps.

The parts of a fit are batches (count, mean, sum of squares about the mean). The synthetic batches of a window are in
two stacks: sums of the batches from each position of the last round of W generations to its end, and the sum of this
round. At the end of a round its batches become such sums, so that a step costs O(1) on average.

Batches are relative to a frame, an origin and a deviation near the law, so that no square underflows and no difference
of means cancels when the law collapses. With real data the frame is the truth, of mean 0 and deviation 1.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.gaussian.univariate_map import mapped, standard_batch
from fastcollapse.kernels.gaussian.univariate_pooled import merged
from fastcollapse.kernels.gaussian.weighted_parts import part_shares
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import binomial
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
)

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
# The frame moves to the law when it is this many e-folds away.
_FAR = 6.0
_FARTHEST = math.exp(_FAR)


class UnivariateLaws(NamedTuple):
    """The fitted laws and the batches of R replicates, in units of the truth.

    Attributes
    ----------
    laws : float64 (R, 6), mean, ln sigma; origin and ln deviation of the frame; mean and sigma in the frame.
    recent : float64 (R, 3), the sum of the batches of this round, or of all.
    ring : float64 (R, W, 3), the batches of this round, and the sums from each later position of the last round on; W
        is 0 without a window.
    real : float64 (Q, 3), a fixed real batch; Q = R, or 0 where there is none.
    """

    laws: np.ndarray
    recent: np.ndarray
    ring: np.ndarray
    real: np.ndarray


@kernel
def _store(batch, out):
    out[0], out[1], out[2] = batch[0], batch[1], batch[2]


@kernel
def _sum(first, second):
    return merged(first[0], first[1], first[2], second[0], second[1], second[2])


@kernel
def move_batches(recent, ring, origin, scale):
    """Change the frame of all batches: a point x becomes origin + scale x: ``(3),(W,3)``, O(W)."""
    recent[1] = origin + scale * recent[1]
    recent[2] = scale * recent[2] * scale
    for i in range(ring.shape[0]):
        ring[i, 1] = origin + scale * ring[i, 1]
        ring[i, 2] = scale * ring[i, 2] * scale


@kernel
def add_batch(batch, kept, position, stages, apart, recent, ring):
    """Add a batch to the pool and return the pool, a batch: ``(3),(W,3)->(3)``, O(1) on average.

    Parameters
    ----------
    batch : (count, mean, sum of squares about the mean).
    kept : whether earlier batches stay in the pool.
    position : number of the generation within its round, 0..W-1.
    stages : `KernelStages`.
    apart : as in `Estimator`.
    recent, ring : as in `UnivariateLaws`, of one replicate; updated.
    """
    size = ring.shape[0]
    if not kept:
        _store((0.0, 0.0, 0.0), recent)
        for i in range(size):
            _store((0.0, 0.0, 0.0), ring[i])
    count, squares = recent[0] * stages.discount, recent[2] * stages.discount
    pool = merged(count, recent[1], squares, batch[0], batch[1], batch[2])
    if apart and batch[0] > 0.0:
        pool = (pool[0], pool[1], squares + batch[0] * (batch[2] / (batch[0] - 1.0)))
    _store(pool, recent)
    if size == 0:
        return pool
    _store(batch, ring[position])
    if position + 1 < size:
        return _sum(ring[position + 1], recent)
    for i in range(size - 2, -1, -1):
        _store(_sum(ring[i], ring[i + 1]), ring[i])
    _store((0.0, 0.0, 0.0), recent)
    return pool


@kernel
def fit_parts(real, pool, weight, estimator):
    """Return mean and variance of a fit to a real and a synthetic part, at least one of them with points.

    Parameters
    ----------
    real, pool : (count, mean, sum of squares), the pool as `add_batch` returns it.
    weight, estimator : as in `part_shares`.
    """
    share, of_real, of_pool, of_gap = part_shares(real[0], pool[0], weight, estimator)
    gap = real[1] - pool[1]
    return pool[1] + share * gap, of_real * real[2] + of_pool * pool[2] + of_gap * gap * gap


@kernel
def draw_fixed_batches(n_real, normals, key, out):
    """Draw a fixed batch of `n_real` standard normal points for each replicate: ``->(R,3)``, O(R)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(out.shape[0]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        _store(standard_batch(n_real, math.inf, normals, stream), out[replicate])


@kernel
def _draw_real(state, replicate, generation, schedule, stages, normals, span, stream):
    """Return the real batch of a generation."""
    t = generation - 1
    n_real = schedule.n_real[t]
    if n_real > 0 and schedule.fixed_real:
        real = state.real[replicate]
        return real[0], real[1], real[2]
    shared = stages.share.shape[0] > 0
    if n_real == 0 and not shared:
        return 0.0, 0.0, 0.0
    generation_stream(span, replicate, generation, _REAL, stream)
    if shared:
        n_real = binomial(schedule.n_synthetic[t], stages.share[t], stream)
    return standard_batch(np.float64(n_real), math.inf, normals, stream)


@kernel
def _run(state, replicate, schedule, stages, estimator, source, normals, span, stream, out):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    law, recent, ring = state.laws[replicate], state.recent[replicate], state.ring[replicate]
    log_sigma, origin, log_frame, mean, sigma = law[1], law[2], law[3], law[4], law[5]
    frame = math.exp(log_frame)
    for step in range(span.n_generations):
        generation = span.first + step
        t = generation - 1
        real = _draw_real(state, replicate, generation, schedule, stages, normals, span, stream)
        if real[0] > 0.0 and (origin != 0.0 or log_frame != 0.0):
            move_batches(recent, ring, origin, frame)
            mean, sigma = origin + frame * mean, frame * sigma
            origin, log_frame, frame = 0.0, 0.0, 1.0
        n = np.float64(schedule.n_synthetic[t])
        kept = stages.n_pool[t] > n
        if stages.share.shape[0] > 0:
            n -= real[0]
        shift, log_drawn, cut = mapped(origin + frame * mean, log_sigma, source, generation)
        sigma_drawn = sigma if log_drawn == log_sigma else math.exp(log_drawn - log_frame)
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        drawn = standard_batch(n, cut, normals, stream)
        batch = (
            drawn[0], mean + sigma * shift + sigma_drawn * drawn[1], sigma_drawn * drawn[2] * sigma_drawn,
        )  # fmt: skip
        position = t % ring.shape[0] if ring.shape[0] > 0 else 0
        pool = add_batch(batch, kept, position, stages, estimator.apart, recent, ring)
        if real[0] == 0.0 and not kept:  # in units of the law that is sampled, whose scale may be any
            root = math.sqrt(drawn[2] / (n - estimator.bias))
            mean, sigma, log_sigma = batch[1], sigma_drawn * root, log_drawn + math.log(root)
        else:
            weight = stages.weight[t] if stages.weight.shape[0] > 0 else -1.0
            mean, variance = fit_parts(real, pool, weight, estimator)
            sigma, log_sigma = math.sqrt(variance), log_frame + 0.5 * math.log(variance)
        law[0] = origin + frame * mean
        if real[0] == 0.0 and (abs(log_sigma - log_frame) > _FAR or abs(mean) > _FARTHEST):
            scale = math.exp(log_frame - log_sigma)
            move_batches(recent, ring, -mean * scale, scale)
            origin, log_frame, mean, sigma = law[0], log_sigma, 0.0, 1.0
            frame = math.exp(log_frame)
        out[0, replicate, step] = source.mean + source.sigma * law[0]
        out[1, replicate, step] = source.log_sigma + log_sigma
    law[1], law[2], law[3], law[4], law[5] = log_sigma, origin, log_frame, mean, sigma


@parallel_kernel
def refit_staged(state, schedule, stages, estimator, source, normals, span, out):
    """Refit R replicates over B generations: ``...->(2,R,B)``, O(1) a step, or O(n_synthetic) if points are truncated.

    Parameters
    ----------
    state : `UnivariateLaws`, updated.
    schedule : `KernelSchedule`.
    stages : `KernelStages`.
    estimator : `Estimator`.
    source : `UnivariateSource`.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (2, R, B), mean and ln sigma of each state in units of the data.
    """
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, state.laws.shape[0], span.n_threads):
            _run(
                state, np.int64(replicate), schedule, stages, estimator, source, normals, span, stream, out,
            )  # fmt: skip
