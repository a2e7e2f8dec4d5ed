"""Refits of a normal law to subsamples of a pool.

The points themselves are kept, because later subsamples share points with earlier ones.
"""

import math

import numpy as np

from fastcollapse.kernels.gaussian.univariate_map import mapped
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_SUBSAMPLE, PURPOSE_SYNTHETIC, STREAM_WORDS, generation_stream
from fastcollapse.kernels.random.subsample import copy_chosen, longest, mean_and_squares
from fastcollapse.kernels.random.truncated_normal import truncated_normal
from fastcollapse.kernels.random.ziggurat import ziggurat

_SYNTHETIC, _SUBSAMPLE = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_SUBSAMPLE)


@kernel
def _run(state, replicate, points, schedule, source, normals, span, stream, buffer, means, logs):
    """Refit one replicate to subsamples over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    mean, log_sigma = state[0, replicate], state[1, replicate]
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        size = schedule.n_train[generation - 1]
        shift, log_drawn, cut = mapped(mean, log_sigma, source, generation)
        centre, sigma = mean + math.exp(log_sigma) * shift, math.exp(log_drawn)
        generation_stream(span, replicate, generation, _SYNTHETIC, stream)
        if cut < math.inf:
            for i in range(kept, kept + n):
                points[i] = centre + sigma * truncated_normal(cut, normals, stream)
        else:
            for i in range(kept, kept + n):
                points[i] = centre + sigma * ziggurat(normals, stream)
        chosen = points[: kept + n]
        if size > 0:
            chosen = buffer[:size]
            generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
            copy_chosen(points, kept + n, schedule.replacement, stream, chosen)
        mean, squares = mean_and_squares(chosen)
        log_sigma = 0.5 * math.log(squares / schedule.divisor[generation - 1])
        means[step] = source.mean + source.sigma * mean
        logs[step] = source.log_sigma + log_sigma
    state[0, replicate], state[1, replicate] = mean, log_sigma


@parallel_kernel
def refit_subsamples(state, pool, schedule, source, normals, span, means, logs):
    """Refit R replicates over B generations to subsamples: ``(2,R),(R,K),...->(R,B),(R,B)``.

    O(n_synthetic + n_train) a step.

    Parameters
    ----------
    pool : float64 (R, K), the points in units of the truth, in any order; updated.
    state, schedule, source, normals, span, means, logs : as in `univariate_pooled.refit_pools`.
    """
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(longest(schedule.n_train, span.first, span.n_generations))
        for replicate in range(thread, state.shape[1], span.n_threads):
            _run(
                state, np.int64(replicate), pool[replicate], schedule, source, normals, span, stream, buffer,
                means[replicate], logs[replicate],
            )  # fmt: skip
