"""Downstream ridge regressions on isotropic Gaussian designs, drawn bidiagonal: O(min(d, T)) a ridge.

Householder reflections from both sides bring a Gaussian design to P B Q^T with Q e_1 = w0 / |w0|. B is upper bidiagonal
with independent chi variates: T, T - 1, ... degrees of freedom on the diagonal and d - 1, d - 2, ... above it. The part
of the labelling weights across w0 has a uniform direction in the new coordinates.

References
----------
G. H. Golub and W. Kahan, SIAM J. Numer. Anal. B 2(2), 205 (1965); the law of B: J. W. Silverstein, Ann. Probab. 13,
1364 (1985); the rest derived, checked against raw samples in tests/kernels/regression/test_downstream_isotropic.py.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.bidiagonal import factor_tall, factor_wide, solve_tall, solve_wide
from fastcollapse.kernels.random.chi import fill_chi
from fastcollapse.kernels.random.streams import STREAM_WORDS
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import chi_square
from fastcollapse.kernels.regression.downstream_gaussian import open_downstream
from fastcollapse.kernels.regression.ridge_path import BIAS, ERROR, OVERLAP, SQUARED_NORM, SYNTHETIC, VARIANCE


class IsotropicTruth(NamedTuple):
    """The true weights: `dimension` d, the `variance` of each coordinate of an input, and the `norm` |w0|."""

    dimension: int
    variance: float
    norm: float


class BidiagonalSample(NamedTuple):
    """A sample in the coordinates of its bidiagonal design, k = min(d, T).

    Attributes
    ----------
    diagonal : float64 (k).
    above : float64 (k), the last 0 where T >= d.
    z : float64 (k), the noise.
    gap : float64 (k + 1), the labelling weights less w0 = |w0| e_1, the last 0 where T >= d.
    """

    diagonal: np.ndarray
    above: np.ndarray
    z: np.ndarray
    gap: np.ndarray


class IsotropicWorkspace(NamedTuple):
    """Work arrays of one thread for samples of up to k rows and L ridges.

    Attributes
    ----------
    sample : float64 (4, k + 1).
    labels : float64 (k).
    inverses, lifts, carried : float64 (k L).
    lanes : float64 (5, L).
    words : uint64 (k + 1).
    streams : uint64 (2, STREAM_WORDS).
    """

    sample: np.ndarray
    labels: np.ndarray
    inverses: np.ndarray
    lifts: np.ndarray
    carried: np.ndarray
    lanes: np.ndarray
    words: np.ndarray
    streams: np.ndarray


@kernel
def new_isotropic_workspace(k, n_ridges):
    """Return the work arrays of one thread for samples of at most k = min(d, T) rows and `n_ridges` ridges."""
    return IsotropicWorkspace(
        np.empty((4, k + 1)),
        np.empty(k),
        np.empty(k * n_ridges),
        np.empty(k * n_ridges),
        np.empty(k * n_ridges),
        np.empty((5, n_ridges)),
        np.empty(k + 1, np.uint64),
        np.empty((2, STREAM_WORDS), np.uint64),
    )


@kernel
def _set_labels(side, sample, labels):
    """Write the labels, less those of w0, that belong to the column `side` of the results: ``...->(k)``."""
    diagonal, above, z, gap = sample
    for i in range(labels.shape[0]):
        labels[i] = 0.0
        if side == ERROR or side == SYNTHETIC:
            labels[i] = diagonal[i] * gap[i] + above[i] * gap[i + 1]
        if side == ERROR or side == VARIANCE:
            labels[i] += z[i]


@kernel
def solve_isotropic(sample, truth, n_samples, ridges, parts, workspace, out):
    """Fit one sample at every ridge and write the errors of the fits: ``...,(L)->(L,6)``, O(k L).

    Parameters
    ----------
    sample, truth : `BidiagonalSample`, `IsotropicTruth`.
    n_samples : T.
    ridges : float64 (L), at least 0.
    parts : whether the parts of the error are written too, with four right-hand sides instead of one.
    workspace : `IsotropicWorkspace` of at least this size; its `sample` may be the one given.
    out : float64 (L, 6), see `ridge_path.solve_path`.
    """
    diagonal, above = sample.diagonal, sample.above
    k, n_ridges, norm = diagonal.shape[0], ridges.shape[0], truth.norm
    tall = n_samples >= truth.dimension
    labels = workspace.labels[:k]
    inverses, lifts = workspace.inverses[: k * n_ridges].reshape(k, n_ridges), workspace.lifts[: k * n_ridges]
    lifts, carried = lifts.reshape(k, n_ridges), workspace.carried[: k * n_ridges].reshape(k, n_ridges)
    shifts, fits, label, sums, first = (
        workspace.lanes[0],
        workspace.lanes[1],
        workspace.lanes[2],
        workspace.lanes[3],
        workspace.lanes[4],
    )
    bound = truth.variance * (math.sqrt(n_samples) + math.sqrt(truth.dimension)) ** 2
    for j in range(n_ridges):
        shifts[j] = n_samples * ridges[j]
        # The solution is the fit where the ridge is large, because the fit is then small, and elsewhere its error.
        fits[j] = 1.0 if shifts[j] >= bound or not tall else 0.0
    if tall:
        factor_tall(diagonal, above, shifts, inverses, lifts)
    else:
        factor_wide(diagonal, above, shifts, inverses, lifts)
    for side in range(4 if parts else 1):
        _set_labels(side, sample, labels)
        about_w0 = norm if side == ERROR or side == BIAS else 0.0
        for j in range(n_ridges):
            label[j] = labels[0] + fits[j] * diagonal[0] * about_w0
            carried[0, j] = (fits[j] - 1.0) * shifts[j] * about_w0
        if tall:
            solve_tall(diagonal, above, inverses, lifts, label, labels, carried, sums, first)
        else:
            solve_wide(diagonal, above, inverses, lifts, label, labels, carried, sums, first)
        for j in range(n_ridges):
            gap = first[j] - fits[j] * about_w0
            out[j, side] = truth.variance * (gap * gap + sums[j])
            if side == ERROR:
                fit = first[j] + (1.0 - fits[j]) * norm
                out[j, SQUARED_NORM] = fit * fit + sums[j]
                out[j, OVERLAP] = fit * norm


@kernel
def draw_bidiagonal(along, across, truth, n_samples, sigma, normals, workspace):
    """Draw a sample, O(k), with labels of weights that are `along` w0 / |w0| and `across` it.

    Returns
    -------
    BidiagonalSample
        Views of `workspace.sample`.
    """
    d, deviation = truth.dimension, math.sqrt(truth.variance)
    k = min(d, n_samples)
    tall = n_samples >= d
    streams = workspace.streams
    diagonal, above, z, gap = (
        workspace.sample[0, :k],
        workspace.sample[1, :k],
        workspace.sample[2, :k],
        workspace.sample[3, : k + 1],
    )
    fill_chi(n_samples, normals, workspace.words, streams, diagonal)
    fill_chi(d - 1, normals, workspace.words, streams, above)
    fill_normals(normals, workspace.words, streams, z)
    n_across = k - 1 if tall else k
    fill_normals(normals, workspace.words, streams, gap[1 : 1 + n_across])
    square = chi_square(np.float64(d - 1 - n_across), normals, streams[0])
    for i in range(1, 1 + n_across):
        square += gap[i] * gap[i]
    scale = across / math.sqrt(square) if n_across > 0 else 0.0
    for i in range(k):
        diagonal[i] *= deviation
        above[i] *= deviation
        z[i] *= sigma
        gap[i + 1] = scale * gap[i + 1] if i < n_across else 0.0
    gap[0] = along - truth.norm
    return BidiagonalSample(diagonal, above, z, gap)


@parallel_kernel
def evaluate_isotropic(generators, truth, downstream, normals, key, n_threads, out):
    """Fit samples of every size at every ridge to the labels of every state: ``(R,G,2),(G)->(R,G,M,L,6)``.

    Parameters
    ----------
    generators : `Generators`, whose `weights` are (R, G, 2): <w, w0> / |w0| and |w - <w, w0> w0 / |w0|^2|; for
        `downstream.is_tuned` |w - w0| and 0.
    truth : `IsotropicTruth`.
    downstream, normals, key, n_threads : as in `downstream_gaussian.evaluate_downstream`.
    out : float64 (R, G, M, L, 6), see `solve_isotropic`.
    """
    overlaps, generations = generators
    n_replicates, n_generations = overlaps.shape[:2]
    n_sizes, n_ridges = downstream.ridges.shape
    n_states = n_replicates * n_generations
    most = 1
    for index in range(n_sizes):
        most = max(most, min(truth.dimension, downstream.n_samples[index]))
    for thread in prange(n_threads):
        workspace = new_isotropic_workspace(most, n_ridges)
        for unit in range(thread, n_sizes * n_states, n_threads):
            index, replicate, step = unit // n_states, unit % n_states // n_generations, unit % n_generations
            open_downstream(key, replicate, generations[step], index, workspace.streams)
            along, across = overlaps[replicate, step]
            n_samples, ridges = downstream.n_samples[index], downstream.ridges[index]
            # A ridge towards w is a fit of w0 - w, whose direction does not matter.
            norm = along if downstream.is_tuned else truth.norm
            own = IsotropicTruth(truth.dimension, truth.variance, norm)
            sample = draw_bidiagonal(along, across, own, n_samples, downstream.sigma, normals, workspace)
            solve_isotropic(sample, own, n_samples, ridges, downstream.parts, workspace, out[replicate, step, index])
