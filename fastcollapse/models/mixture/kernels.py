"""Kernels that refit symmetric mixtures, to synthetic points only, or to a pool or its subsamples."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
)
from fastcollapse.kernels.random.subsample import copy_chosen
from fastcollapse.kernels.random.ziggurat import ziggurat
from fastcollapse.models.mixture.fit import SATURATED, fit_approximate, fit_joint

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)


@kernel
def _fill(mu, sigma, normals, stream, out):
    for i in range(out.shape[0]):
        out[i] = abs(mu + sigma * ziggurat(normals, stream))


@parallel_kernel
def draw_real(mu, normals, key, real):
    """Draw the fixed real batch of every replicate: ``->(R,n)``, O(n) each."""
    for replicate in prange(real.shape[0]):
        stream = np.empty(STREAM_WORDS, np.uint64)
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        _fill(mu, 1.0, normals, stream, real[replicate])


class MixtureStates(NamedTuple):
    """States that a block writes, float64 (R, B) each, in units of the data."""

    mu: np.ndarray
    log_sigma: np.ndarray


class MixturePools(NamedTuple):
    """Points that the replicates keep: `pool` float64 (R, K), and a fixed real batch `real` (Q, n), Q = R or 0."""

    pool: np.ndarray
    real: np.ndarray


@parallel_kernel
def refit_replace_only(state, n_points, joint, truth, normals, span, out):
    """Refit R replicates over B generations to synthetic points only: ``(2,R),...,(3)->(R,B),(R,B)``, O(n) a step.

    The points are drawn in units of the deviation, so that nothing underflows. If mu is far above the deviation, no
    point changes its sign and mu is an offset.

    Parameters
    ----------
    state : float64 (2, R), mu and ln s relative to the deviation of the truth; updated.
    n_points : int64 (T), number of points of generation t at index t - 1.
    joint : whether the fit uses joint maximum likelihood.
    truth : float64 (3), mu, sigma and ln sigma of the truth.
    normals : ziggurat table of the normal law.
    span : `Span`.
    out : `MixtureStates`.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    mus, logs = out
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(n_points[first - 1 : first - 1 + n_generations].max())
        for replicate in range(thread, n_replicates, n_threads):
            mu, log_sigma = state[0, replicate], state[1, replicate]
            for step in range(n_generations):
                generation = first + step
                points = buffer[: n_points[generation - 1]]
                sigma = math.exp(log_sigma)
                height = mu / sigma
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                offset = 0.0
                if height >= SATURATED:
                    offset = height
                    for i in range(points.shape[0]):
                        points[i] = ziggurat(normals, stream)
                else:
                    _fill(height, 1.0, normals, stream, points)
                move, variance = fit_joint(points, offset) if joint else fit_approximate(points, offset)
                mu = sigma * move + (mu if offset > 0.0 else 0.0)
                log_sigma += 0.5 * math.log(variance)
                mus[replicate, step] = truth[1] * mu
                logs[replicate, step] = truth[2] + log_sigma
            state[0, replicate], state[1, replicate] = mu, log_sigma


@parallel_kernel
def refit_pools(state, pools, schedule, joint, truth, normals, span, out):
    """Refit to a pool or to its subsamples: ``(2,R),(R,K),...->(R,B),(R,B)``, O(points) a step.

    Parameters
    ----------
    pools : `MixturePools`; the points are updated.
    schedule : `KernelSchedule`.
    state, joint, truth, normals, span, out : as in `refit_replace_only`.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    pool, real = pools
    mus, logs = out
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic = schedule.n_kept, schedule.n_synthetic
        n_real, n_train = schedule.n_real, schedule.n_train
        buffer = np.empty(max(1, n_train[first - 1 : first - 1 + n_generations].max()))
        for replicate in range(thread, n_replicates, n_threads):
            points = pool[replicate]
            mu, log_sigma = state[0, replicate], state[1, replicate]
            for step in range(n_generations):
                generation = first + step
                end = kept_points[generation - 1] + n_synthetic[generation - 1]
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                _fill(mu, math.exp(log_sigma), normals, stream, points[kept_points[generation - 1] : end])
                n = n_real[generation - 1]
                if n > 0 and real.shape[0] > 0:
                    points[end : end + n] = real[replicate]
                elif n > 0:
                    generation_stream(span, replicate, generation, _REAL, stream)
                    _fill(truth[0] / truth[1], 1.0, normals, stream, points[end : end + n])
                end += n
                size = n_train[generation - 1]
                chosen = points[:end]
                if size > 0:
                    chosen = buffer[:size]
                    generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
                    copy_chosen(points, end, schedule.replacement, stream, chosen)
                mu, variance = fit_joint(chosen, 0.0) if joint else fit_approximate(chosen, 0.0)
                log_sigma = 0.5 * math.log(variance)
                mus[replicate, step] = truth[1] * mu
                logs[replicate, step] = truth[2] + log_sigma
            state[0, replicate], state[1, replicate] = mu, log_sigma
