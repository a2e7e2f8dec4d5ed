"""Refits of a normal law to subsamples of a pool.

The points themselves are kept, because later subsamples share points with earlier ones.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_SUBSAMPLE, PURPOSE_SYNTHETIC, STREAM_WORDS, generation_stream
from fastcollapse.kernels.random.subsample import copy_chosen, longest, mean_and_squares
from fastcollapse.kernels.random.ziggurat import ziggurat

_SYNTHETIC, _SUBSAMPLE = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_SUBSAMPLE)


@parallel_kernel
def refit_subsamples(state, pool, schedule, truth, normals, span, means, logs):
    """Refit R replicates over B generations to subsamples: ``(2,R),(R,K),...,(3)->(R,B),(R,B)``.

    O(n_synthetic + n_train) a step.

    Parameters
    ----------
    pool : float64 (R, K), the points in units of the truth, in any order; updated.
    state, schedule, truth, normals, span, means, logs : as in `univariate_pooled.refit_pools`.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    replacement = schedule.replacement
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic = schedule.n_kept, schedule.n_synthetic
        n_train, divisors = schedule.n_train, schedule.divisor
        buffer = np.empty(longest(n_train, first, n_generations))
        truth_mean, truth_sigma, truth_log = truth[0], truth[1], truth[2]
        for replicate in range(thread, n_replicates, n_threads):
            mean, log_sigma = state[0, replicate], state[1, replicate]
            points = pool[replicate]
            for step in range(n_generations):
                generation = first + step
                kept, n, size = kept_points[generation - 1], n_synthetic[generation - 1], n_train[generation - 1]
                sigma = math.exp(log_sigma)
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                for i in range(kept, kept + n):
                    points[i] = mean + sigma * ziggurat(normals, stream)
                if size > 0:
                    chosen = buffer[:size]
                    generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
                    copy_chosen(points, kept + n, replacement, stream, chosen)
                else:
                    chosen = points[: kept + n]
                mean, squares = mean_and_squares(chosen)
                log_sigma = 0.5 * math.log(squares / divisors[generation - 1])
                means[replicate, step] = truth_mean + truth_sigma * mean
                logs[replicate, step] = truth_log + log_sigma
            state[0, replicate], state[1, replicate] = mean, log_sigma
