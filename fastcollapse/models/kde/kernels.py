"""Draws of real points: published shapes, normal mixtures and rows, compiled."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_DESIGN,
    STREAM_WORDS,
    generation_stream,
    uniform,
    uniform_below,
)
from fastcollapse.kernels.random.ziggurat import ziggurat
from fastcollapse.models.kde.truth import CIRCLES, HALF_SIDE, INNER, MIXTURE, MOONS, ROWS

_DESIGN = np.uint64(PURPOSE_DESIGN)


class Source(NamedTuple):
    """A truth for kernels.

    Parameters
    ----------
    kind, even, noise : see `KdeTruth`.
    cumulative : float64 (K), cumulative weights of the components.
    centres : float64 (Q, K, d), their means in each replicate, or in all; Q is 1 without components.
    factors : float64 (K, d, d), lower factors of their covariances.
    rows : float64 (N, d).
    """

    kind: int
    even: bool
    noise: float
    cumulative: np.ndarray
    centres: np.ndarray
    factors: np.ndarray
    rows: np.ndarray


@parallel_kernel
def draw_centres(span, out):
    """Draw the centres of the blobs of each replicate, uniform in a square: ``->(R,K,d)``."""
    for thread in prange(span.n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), 0, _DESIGN, stream)
            for i in range(out.shape[1]):
                for k in range(out.shape[2]):
                    out[replicate, i, k] = HALF_SIDE * (2.0 * uniform(stream) - 1.0)


@kernel
def _component(cumulative, stream):
    """Return a random component."""
    u = uniform(stream)
    i = 0
    while i < cumulative.shape[0] - 1 and u >= cumulative[i]:
        i += 1
    return i


@kernel
def _mixture_point(centres, factors, component, normals, stream, shift, out):
    """Draw a point of a component."""
    for k in range(out.shape[0]):
        shift[k] = ziggurat(normals, stream)
    for j in range(out.shape[0]):
        total = centres[component, j]
        for k in range(j + 1):
            total += factors[component, j, k] * shift[k]
        out[j] = total


@kernel
def _shape_point(kind, even, i, n, stream, out):
    """Write point i of n of a shape, without noise."""
    if kind == CIRCLES or kind == MOONS:
        turn = 2.0 * math.pi if kind == CIRCLES else math.pi
        n_first = n // 2
        if even:
            is_first = i < n_first
            size = n_first if is_first else n - n_first
            place = i if is_first else i - n_first
            angle = turn * place / max(size if kind == CIRCLES else size - 1, 1)
        else:
            is_first = uniform(stream) < 0.5
            angle = turn * uniform(stream)
        x, y = math.cos(angle), math.sin(angle)
        if kind == CIRCLES:
            radius = 1.0 if is_first else INNER
            out[0], out[1] = radius * x, radius * y
        elif is_first:
            out[0], out[1] = x, y
        else:
            out[0], out[1] = 1.0 - x, 0.5 - y
    else:
        t = 1.5 * math.pi * (1.0 + 2.0 * uniform(stream))
        out[0], out[1], out[2] = t * math.cos(t), 21.0 * uniform(stream), t * math.sin(t)


@parallel_kernel
def draw_real(source, generation, purpose, span, place, normals, out):
    """Draw n = place[r, 1] real points to out[r, place[r, 0]:], a sample of n points: ``(R,2)->(R,N,d)``, O(n d).

    Parameters
    ----------
    source : `Source`.
    generation, purpose : of the streams.
    span : `Span`, of which the seed, the first replicate and the number of threads are used.
    normals : ziggurat table of the normal law.
    """
    kind, even, noise, cumulative, all_centres, factors, rows = source
    for thread in prange(span.n_threads):
        stream, shift = np.empty(STREAM_WORDS, np.uint64), np.empty(out.shape[2])
        for replicate in range(thread, out.shape[0], span.n_threads):
            generation_stream(span, np.int64(replicate), generation, purpose, stream)
            centres = all_centres[min(replicate, all_centres.shape[0] - 1)]
            n = place[replicate, 1]
            for i in range(n):
                point = out[replicate, place[replicate, 0] + i]
                if kind == MIXTURE and even:
                    # The first n mod K components have one point more.
                    _mixture_point(centres, factors, i % cumulative.shape[0], normals, stream, shift, point)
                elif kind == MIXTURE:
                    component = _component(cumulative, stream)
                    _mixture_point(centres, factors, component, normals, stream, shift, point)
                elif kind == ROWS:
                    row = uniform_below(rows.shape[0], stream)
                    for k in range(point.shape[0]):
                        point[k] = rows[row, k]
                else:
                    _shape_point(kind, even, i, n, stream, point)
                    for k in range(point.shape[0]):
                        point[k] += noise * ziggurat(normals, stream)
