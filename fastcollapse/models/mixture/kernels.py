"""Fits and refits of the symmetric mixture (1/2) N(mu, s^2) + (1/2) N(-mu, s^2), compiled.

Fits are to the absolute values of n points, given as `offset + points`, so that a deviation far below the offset keeps
its precision, which would cancel in a sum of squares.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
)
from fastcollapse.kernels.random.subsample import copy_chosen, longest, mean_and_squares
from fastcollapse.kernels.random.ziggurat import ziggurat

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)
_MAX_STEPS = 200
# A root t^2 of the likelihood equation below this fraction of the mean square counts as 0.
_MIN_FRACTION = 1e-9
# Offset, in deviations, from which tanh(t x / s^2) rounds to exactly 1.
SATURATED = 1e4


@kernel
def fit_approximate(points, offset):
    """Return (mu - offset, s^2) by the approximate joint maximum likelihood: ``(n),()->(),()``.

    References
    ----------
    Suresh et al., arXiv:2412.17646, Algorithm 1 as in the code of its authors, with eta = 2; written in terms of the
    ratio q = (m2 - m1^2) / m1^2.
    """
    n = float(points.shape[0])
    mean, squares = mean_and_squares(points)
    variance = squares / n
    m1 = offset + mean
    q = variance / m1 / m1
    kappa = math.expm1(((n - 1.0) / 2.0 + 8.0) / (2.0 * (n - 1.0) * (n + 7.0)))
    a = 50.0 if q <= kappa else 2.0 * (1.0 + kappa) * (1.0 + q) / (q - kappa)
    if 1.0 + q > 2.0 * a / (a - 2.0):
        return -offset, variance + m1 * m1
    fitted = a * (1.0 + q) * variance / (a + 2.0 * (1.0 + q))
    ratio = math.sqrt(max(0.0, 1.0 + (variance - fitted) / m1 / m1))
    return mean + (variance - fitted) / (m1 * (1.0 + ratio)), fitted


@kernel
def _excess(t, points, m1, variance):
    """Return phi = (mean(x tanh(t x / s^2)) / t - 1) / t^2 and its derivative with respect to t^2.

    Here s^2 = m2 - t^2, computed in the centred form.
    """
    n = points.shape[0]
    square = variance + (m1 - t) * (m1 + t)
    total, slope = 0.0, 0.0
    for i in range(n):
        x = points[i]
        bent = math.tanh(t * x / square)
        total += x * bent
        slope += x * x * (1.0 - bent * bent)
    g = total / n
    g_slope = slope / n * (square + 2.0 * t * t) / (square * square)
    phi = (g / t - 1.0) / (t * t)
    return phi, ((g_slope - g / t) / (t * t * t) - 2.0 * phi / t) / (2.0 * t)


@kernel
def fit_joint(points, offset):
    """Return (mu - offset, s^2) by joint maximum likelihood: ``(n),()->(),()``.

    mu is the largest root t <= mean |x| of t = mean(x tanh(t x / s^2)). This is the limit of the EM iteration from
    mean |x|, which decreases monotonically. Newton's method in t^2 solves the equation divided by t^3, which has no
    root at 0, inside a bracket.

    References
    ----------
    Derived; checked against the EM iteration in tests/models/mixture/test_model.py.
    """
    mean, squares = mean_and_squares(points)
    variance = squares / points.shape[0]
    if offset >= SATURATED:
        return mean, variance
    m1 = offset + mean
    m2 = variance + m1 * m1
    high, low = m1 * m1, 0.0
    smallest = _MIN_FRACTION * m2
    p = high
    for _ in range(_MAX_STEPS):
        phi, slope = _excess(math.sqrt(p), points, m1, variance)
        if abs(phi) * p <= 4e-16:
            break
        if phi > 0.0:
            low = p
        else:
            high = p
        following = p - phi / slope
        if not low < following < high:
            # Without a lower bound, reduce t^2 until it is certain that there is no root above the limit.
            following = 0.5 * (low + high) if low > 0.0 else 0.25 * high
        if following < smallest:
            return -offset, m2
        done = abs(following - p) <= 1e-14 * p
        p = following
        if done:
            break
    t = math.sqrt(p)
    return t - offset, variance + (m1 - t) * (m1 + t)


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


@kernel
def _run_replace_only(state, replicate, n_points, joint, truth, normals, span, stream, buffer, mus, logs):
    """Refit one replicate over a block to synthetic points only.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    mu, log_sigma = state[0, replicate], state[1, replicate]
    for step in range(span.n_generations):
        generation = span.first + step
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
        mus[step] = truth[1] * mu
        logs[step] = truth[2] + log_sigma
    state[0, replicate], state[1, replicate] = mu, log_sigma


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
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(longest(n_points, span.first, span.n_generations))
        for replicate in range(thread, state.shape[1], span.n_threads):
            _run_replace_only(
                state, np.int64(replicate), n_points, joint, truth, normals, span, stream, buffer,
                out.mu[replicate], out.log_sigma[replicate],
            )  # fmt: skip


@kernel
def _run_pools(state, replicate, points, real, schedule, joint, truth, normals, span, stream, buffer, mus, logs):
    """Refit one replicate over a block to a pool or to its subsamples; `real` is the whole fixed batch.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    mu, log_sigma = state[0, replicate], state[1, replicate]
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_real[generation - 1]
        end = kept + schedule.n_synthetic[generation - 1]
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        _fill(mu, math.exp(log_sigma), normals, stream, points[kept:end])
        if n > 0 and real.shape[0] > 0:
            copy_vector(real[replicate], points[end : end + n])
        elif n > 0:
            generation_stream(span, replicate, generation, _REAL, stream)
            _fill(truth[0] / truth[1], 1.0, normals, stream, points[end : end + n])
        end += n
        size = schedule.n_train[generation - 1]
        chosen = points[:end]
        if size > 0:
            chosen = buffer[:size]
            generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
            copy_chosen(points, end, schedule.replacement, stream, chosen)
        mu, variance = fit_joint(chosen, 0.0) if joint else fit_approximate(chosen, 0.0)
        log_sigma = 0.5 * math.log(variance)
        mus[step] = truth[1] * mu
        logs[step] = truth[2] + log_sigma
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
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(longest(schedule.n_train, span.first, span.n_generations))
        for replicate in range(thread, state.shape[1], span.n_threads):
            _run_pools(
                state, np.int64(replicate), pools.pool[replicate], pools.real, schedule, joint, truth, normals, span,
                stream, buffer, out.mu[replicate], out.log_sigma[replicate],
            )  # fmt: skip
