"""Weights of regressions, each fitted to labels of the one before on inputs of its own: O(d) a generation.

The cost does not depend on the number of samples. Least squares needs the multivariate Student law alone. A fit of
minimum norm to isotropic inputs is a random projection with noise in its range, where four directions matter. It is
O(1) a generation if only the norm and the overlap with the true weights are followed.

References
----------
Derived: w' = w + sigma Sigma^-1/2 z / sqrt(g), g ~ chi-square of n - d + 1 degrees.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC, STREAM_WORDS, generation_stream_pair
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import chi_square, ziggurat

_SYNTHETIC = np.uint64(PURPOSE_SYNTHETIC)
# Squares below this are taken as 0, because those of the entries underflow; only a chain without noise gets there.
_LEAST_SQUARE = 1e-300


@kernel
def step_least_squares(weights, n, sigma, roots, normals, words, streams, z):
    """Add the error of least squares on n >= d samples to `weights`: ``(d)->(d)``; `roots` are 1 / sqrt(spectrum)."""
    d = weights.shape[0]
    fill_normals(normals, words, streams, z)
    scale = sigma / math.sqrt(chi_square(np.float64(n - d + 1), normals, streams[0]))
    for i in range(d):
        weights[i] += scale * roots[i] * z[i]


@kernel
def _dot(x, y):
    """Return <x, y>: ``(d),(d)->()``."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * y[i]
    return total


@kernel
def _remove(x, y, square):
    """Remove the part along y, |y|^2 = `square`, from x: ``(d),(d)->(d)``; twice, against rounding."""
    for _ in range(2):
        share = _dot(x, y) / square
        for i in range(x.shape[0]):
            x[i] -= share * y[i]


@kernel
def _shares(d, n, normals, stream):
    """Return the shares of the square of a vector that a uniform subspace of n < d dimensions keeps and loses.

    Each has its own chi-square: a share that is lost in the rounding of their sum would make the other exactly 1.
    """
    kept = chi_square(np.float64(n), normals, stream)
    lost = chi_square(np.float64(d - n), normals, stream)
    return kept / (kept + lost), lost / (kept + lost)


@kernel
def step_minimum_norm(weights, n, scale, normals, words, streams, z, rest):
    """Replace `weights` by the fit of minimum norm to n < d samples of isotropic inputs: ``(d)->(d)``, O(d).

    The row space is uniform. It keeps a share b ~ Beta(n/2, (d - n)/2) of |w|^2: P w = b w + sqrt(b (1 - b)) |w| v with
    v uniform and orthogonal to w. The noise is uniform within it, its square chi-square of n over chi-square of
    d - n + 1. `scale` is sigma over the deviation of an input.
    """
    d = weights.shape[0]
    square = _dot(weights, weights)
    share, lost = _shares(d, n, normals, streams[0])
    fill_normals(normals, words, streams, z)
    fill_normals(normals, words, streams, rest)
    along = ziggurat(normals, streams[0])
    noise = scale / math.sqrt(chi_square(np.float64(d - n + 1), normals, streams[0]))
    beyond = noise * math.sqrt(chi_square(np.float64(n - 1), normals, streams[0]))
    if square < _LEAST_SQUARE:
        length = math.hypot(noise * along, beyond) / math.sqrt(_dot(z, z))
        for i in range(d):
            weights[i] = length * z[i]
        return
    _remove(z, weights, square)
    beside = _dot(z, z)
    if n > 1:
        _remove(rest, weights, square)
        _remove(rest, z, beside)
        beyond /= math.sqrt(_dot(rest, rest))
    length = math.sqrt(square)
    side = math.sqrt(share) * math.sqrt(lost) * length / math.sqrt(beside)
    # |P w| = sqrt(share) |w|, so the noise along P w is a multiple of P w.
    longer = 1.0 + noise * along / (math.sqrt(share) * length)
    for i in range(d):
        weights[i] = longer * (share * weights[i] + side * z[i]) + beyond * rest[i]


@parallel_kernel
def follow_weights(weights, spectrum, n_samples, sigma, normals, span, out):
    """Follow the weights of R replicates over B generations: ``(R,d),(d),(T),...->(R,B,d)``, O(d) a step.

    Parameters
    ----------
    weights : float64 (R, d), in the basis of the eigenvectors; updated.
    spectrum : float64 (d), eigenvalues of the covariance; all equal where a generation has fewer than d samples.
    n_samples : int64 (T), index generation - 1.
    sigma : standard deviation of the noise of labels.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, d), the weights after each generation.
    """
    n_replicates, d = weights.shape
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        words, streams = np.empty(d, np.uint64), np.empty((2, STREAM_WORDS), np.uint64)
        z, rest, roots = np.empty(d), np.empty(d), np.empty(d)
        for i in range(d):
            roots[i] = 1.0 / math.sqrt(spectrum[i])
        for replicate in range(thread, n_replicates, n_threads):
            now = weights[replicate]
            for step in range(n_generations):
                n = n_samples[first + step - 1]
                generation_stream_pair(span, replicate, first + step, _SYNTHETIC, streams)
                if n >= d:
                    step_least_squares(now, n, sigma, roots, normals, words, streams, z)
                else:
                    step_minimum_norm(now, n, sigma * roots[0], normals, words, streams, z, rest)
                copy_vector(now, out[replicate, step])


@kernel
def _direction(n, normals, stream):
    """Return one coordinate of a uniform direction in n >= 1 dimensions."""
    x = ziggurat(normals, stream)
    return x / math.sqrt(x * x + chi_square(np.float64(n - 1), normals, stream))


@kernel
def _overlap_minimum_norm(overlap, across, d, n, scale, normals, stream):
    """Return overlap and part across w0 after a fit of minimum norm to n < d samples, see `step_minimum_norm`."""
    length = math.hypot(overlap, across)
    if length * length < _LEAST_SQUARE:
        # A vector of length 0 has no direction; the choice changes nothing.
        length, along, beside = 0.0, 1.0, 0.0
    else:
        along, beside = overlap / length, across / length
    share, lost = _shares(d, n, normals, stream)
    side = _direction(d - 1, normals, stream)
    noise = scale / math.sqrt(chi_square(np.float64(d - n + 1), normals, stream))
    kept_length = math.sqrt(share) * length + noise * ziggurat(normals, stream)
    kept_along = math.sqrt(share) * along + math.sqrt(lost) * beside * side
    beyond, third = 0.0, 0.0
    if n > 1:
        beyond = noise * math.sqrt(chi_square(np.float64(n - 1), normals, stream))
        third = beside * math.sqrt(max(0.0, 1.0 - side * side)) * _direction(d - 2, normals, stream)
    overlap = kept_length * kept_along + beyond * third
    return overlap, math.sqrt(max(0.0, kept_length * kept_length + beyond * beyond - overlap * overlap))


@kernel
def _overlap_step(now, d, n, scale, normals, stream):
    """Refit once; `now` is a row of the overlaps of `follow_overlaps`."""
    if n < d:
        now[0], now[2] = _overlap_minimum_norm(now[0], now[2], d, n, scale, normals, stream)
        now[1] = now[0] - 1.0
        return
    noise = scale / math.sqrt(chi_square(np.float64(n - d + 1), normals, stream))
    step = noise * ziggurat(normals, stream)
    now[0] += step
    now[1] += step
    if d > 1:
        beside = now[2] + noise * ziggurat(normals, stream)
        now[2] = math.hypot(beside, noise * math.sqrt(chi_square(np.float64(d - 2), normals, stream)))


@parallel_kernel
def follow_overlaps(overlaps, d, n_samples, scale, normals, span, out):
    """Follow <w, w0>, <w - w0, w0> and |w - <w, w0> w0| over B generations: ``(R,3),(),(T),...->(R,B,3)``, O(1) a step.

    |w0| = 1. The first serves weights that vanish, the second weights near the true ones: each is lost in the rounding
    of the other.

    Parameters
    ----------
    overlaps : float64 (R, 3), those three numbers; updated.
    d : number of inputs, isotropic.
    n_samples : int64 (T), index generation - 1.
    scale : deviation of the noise of labels over the deviation of an input and |w0|.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, 3), the overlaps after each generation.
    """
    n_replicates = overlaps.shape[0]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        streams = np.empty((2, STREAM_WORDS), np.uint64)
        for replicate in range(thread, n_replicates, n_threads):
            now = overlaps[replicate]
            for step in range(n_generations):
                n = n_samples[first + step - 1]
                generation_stream_pair(span, replicate, first + step, _SYNTHETIC, streams)
                _overlap_step(now, d, n, scale, normals, streams[0])
                copy_vector(now, out[replicate, step])
