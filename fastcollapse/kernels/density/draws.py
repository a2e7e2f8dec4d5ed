"""Draws from density estimates with normal kernels, and choices of rows, exact."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
    uniform,
    uniform_below,
)
from fastcollapse.kernels.random.ziggurat import ziggurat

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE = np.uint64(PURPOSE_SUBSAMPLE)


class Fit(NamedTuple):
    """Density estimates of R replicates: normal kernels on points of two parts.

    Parameters
    ----------
    points : float64 (R, N, d), of which the first `n_points` are in the fit.
    beside : float64 (R, M, d), the real part, all of it in the fit; M = 0 without one.
    n_points : number of points of the first part.
    weight : weight of the real part; below 0, all points have the same weight.
    factors : float64 (R, d, d) or (1, d, d), lower factors of the covariance of the kernel.
    """

    points: np.ndarray
    beside: np.ndarray
    n_points: int
    weight: float
    factors: np.ndarray


@kernel
def _draw_point(points, beside, n_points, weight, factor, normals, stream, shift, out):
    """Draw one point of the estimate of a replicate.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    n_beside, d = beside.shape[0], out.shape[0]
    from_beside = False
    if weight < 0.0:
        i = uniform_below(n_points + n_beside, stream)
        from_beside = i >= n_points
        i -= n_points if from_beside else 0
    else:
        from_beside = n_points == 0 or (n_beside > 0 and uniform(stream) < weight)
        i = uniform_below(n_beside if from_beside else n_points, stream)
    for k in range(d):
        shift[k] = ziggurat(normals, stream)
    for j in range(d):
        total = beside[i, j] if from_beside else points[i, j]
        for k in range(j + 1):
            total += factor[j, k] * shift[k]
        out[j] = total


@parallel_kernel
def draw_from_fit(fit, generation, span, n_drawn, normals, out):
    """Draw the first n_drawn[r] points of `out` from the estimates of the generation before: ``->(R,n,d)``.

    A point is x_J + L z with J a random point of the fit: O(d^2) a point, O(d) for a multiple of the identity in one
    dimension.

    Parameters
    ----------
    fit : `Fit`.
    generation : the generation that draws.
    span : `Span`, of which the seed, the first replicate and the number of threads are used.
    n_drawn : int64 (R).
    normals : ziggurat table of the normal law.
    """
    points, beside, n_points, weight, factors = fit
    for thread in prange(span.n_threads):
        stream, shift = np.empty(STREAM_WORDS, np.uint64), np.empty(out.shape[2])
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), generation, _SYNTHETIC, stream)
            factor = factors[min(replicate, factors.shape[0] - 1)]
            for i in range(n_drawn[replicate]):
                _draw_point(
                    points[replicate], beside[replicate], n_points, weight, factor, normals, stream, shift,
                    out[replicate, i],
                )  # fmt: skip


@parallel_kernel
def choose_rows(points, n_points, replacement, generation, span, out):
    """Write a uniform subsample of the first n_points rows to `out`: ``(R,N,d)->(R,n,d)``, O(n d).

    Without replacement it permutes the rows of `points`: Fisher-Yates, stopped after n steps.
    """
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), generation, _SUBSAMPLE, stream)
            for i in range(out.shape[1]):
                j = uniform_below(n_points, stream) if replacement else i + uniform_below(n_points - i, stream)
                for k in range(out.shape[2]):
                    out[replicate, i, k] = points[replicate, j, k]
                    if not replacement:
                        points[replicate, j, k] = points[replicate, i, k]
                        points[replicate, i, k] = out[replicate, i, k]


@parallel_kernel
def count_real(share, n, generation, span, out):
    """Write how many of n points are real, each with probability `share`: ``->(R)``, O(n)."""
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), generation, _SUBSAMPLE, stream)
            count = 0
            for _ in range(n):
                count += uniform(stream) < share
            out[replicate] = count
