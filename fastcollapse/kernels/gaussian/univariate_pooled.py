"""Refits of a normal law under any schedule without subsamples, from sufficient statistics.

The pool is a count, a mean and a sum of squares. A fit to the whole pool equals the pool, so the kept part of a pool is
the state itself: `kept` points whose sum of squares is the variance times the divisor.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
)
from fastcollapse.kernels.random.ziggurat import chi_square, ziggurat

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)


@kernel
def merged(count, mean, squares, more, more_mean, more_squares):
    """Return (count, mean, sum of squares about the mean) of two batches together."""
    total = count + more
    if total == 0.0:
        return total, mean, squares
    gap = more_mean - mean
    return total, mean + gap * (more / total), squares + more_squares + gap * gap * (count * more / total)


@kernel
def draw_real(n_real, normals, key, out):
    """Draw mean and sum of squares of a fixed batch of `n_real` standard normal points: ``->(2,R)``, O(R)."""
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(out.shape[1]):
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        out[0, replicate] = ziggurat(normals, stream) / math.sqrt(n_real)
        out[1, replicate] = chi_square(n_real - 1.0, normals, stream)


@kernel
def _refit(mean, log_sigma, kept, n_synthetic, divisor, normals, stream):
    """Return mean and ln sigma of a pool: kept points, which fit the law, and `n_synthetic` points drawn from it."""
    z = ziggurat(normals, stream)
    chi = chi_square(n_synthetic - 1.0, normals, stream)
    total = kept + n_synthetic
    # The divisor of a kept pool is the new one less the points added, so the growth is counted against those.
    added = divisor if kept == 0.0 else n_synthetic
    growth = (chi + z * z * (kept / total) - added) / divisor
    return mean + math.exp(log_sigma) * z * (math.sqrt(n_synthetic) / total), log_sigma + 0.5 * math.log1p(growth)


@kernel
def _refit_with_real(mean, log_sigma, kept, n_synthetic, real, divisor, normals, stream):
    """Return mean and ln sigma as `_refit` does, with a real batch (count, mean, sum of squares) in the pool."""
    sigma = math.exp(log_sigma)
    z = ziggurat(normals, stream)
    chi = chi_square(n_synthetic - 1.0, normals, stream)
    held = divisor - n_synthetic - real[0] if kept > 0.0 else 0.0
    batch = merged(
        kept, mean, sigma * sigma * held, n_synthetic, mean + sigma * z / math.sqrt(n_synthetic), sigma * sigma * chi
    )
    _, new_mean, squares = merged(batch[0], batch[1], batch[2], real[0], real[1], real[2])
    return new_mean, 0.5 * math.log(squares / divisor)


@parallel_kernel
def refit_pools(state, real, schedule, truth, normals, span, means, logs):
    """Refit R replicates over B generations: ``(2,R),(2,Q),...,(3)->(R,B),(R,B)``, 60 ns a step.

    Parameters
    ----------
    state : float64 (2, R), mean and ln sigma in units of the truth; updated.
    real : float64 (2, Q), mean and sum of squares of a fixed real batch; Q = R, or 0 where there is none.
    schedule : `KernelSchedule`.
    truth : float64 (3), mean, sigma and ln sigma of the truth.
    normals : the table of the normal law.
    span : `Span`.
    means, logs : float64 (R, B), mean and ln sigma of each state.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic = schedule.n_kept, schedule.n_synthetic
        n_real, divisors = schedule.n_real, schedule.divisor
        truth_mean, truth_sigma, truth_log = truth[0], truth[1], truth[2]
        for replicate in range(thread, n_replicates, n_threads):
            mean, log_sigma = state[0, replicate], state[1, replicate]
            for step in range(n_generations):
                generation = first + step
                kept, n = np.float64(kept_points[generation - 1]), np.float64(n_synthetic[generation - 1])
                m, divisor = np.float64(n_real[generation - 1]), np.float64(divisors[generation - 1])
                real_mean, real_squares = 0.0, 0.0
                if m > 0.0 and real.shape[1] > 0:
                    real_mean, real_squares = real[0, replicate], real[1, replicate]
                elif m > 0.0:
                    generation_stream(span, replicate, generation, _REAL, stream)
                    real_mean = ziggurat(normals, stream) / math.sqrt(m)
                    real_squares = chi_square(m - 1.0, normals, stream)
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                if m > 0.0:
                    batch = (m, real_mean, real_squares)
                    mean, log_sigma = _refit_with_real(mean, log_sigma, kept, n, batch, divisor, normals, stream)
                else:
                    mean, log_sigma = _refit(mean, log_sigma, kept, n, divisor, normals, stream)
                means[replicate, step] = truth_mean + truth_sigma * mean
                logs[replicate, step] = truth_log + log_sigma
            state[0, replicate], state[1, replicate] = mean, log_sigma
