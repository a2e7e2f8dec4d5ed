"""Downstream ridge regressions on Gaussian designs, drawn as reduced factors instead of row by row."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_DOWNSTREAM, SUB_SPARE, open_stream
from fastcollapse.kernels.random.wishart import bartlett_factor, fill_normals
from fastcollapse.kernels.regression.ridge_path import RegressionTruth, new_path_workspace, solve_path

_PURPOSE = np.uint64(PURPOSE_DOWNSTREAM)
_SPARE = np.uint64(SUB_SPARE)


class Generators(NamedTuple):
    """The models that label the samples downstream.

    Attributes
    ----------
    weights : float64 (R, G, d), of R replicates at G generations, in the basis of the eigenvectors.
    generations : int64 (G), their numbers, which name the streams.
    """

    weights: np.ndarray
    generations: np.ndarray


class Downstream(NamedTuple):
    """The fits that are made for each state.

    Attributes
    ----------
    n_samples : int64 (M), sample sizes.
    ridges : float64 (M, L), at least 0.
    sigma : standard deviation of the noise of labels.
    parts : whether the parts of the error are written.
    is_tuned : whether each model is the start of a ridge towards it, on labels of the truth, instead of labelling the
        samples. Then `w0` of the fit is the truth less the model, and the columns SQUARED_NORM and OVERLAP belong to
        this difference.
    """

    n_samples: np.ndarray
    ridges: np.ndarray
    sigma: float
    parts: bool
    is_tuned: bool = False


@kernel
def open_downstream(key, replicate, generation, index, streams):
    """Set `streams` to those of the sample with size number `index` at a generation, for a replicate of `key`."""
    number = key.first_replicate + np.uint64(replicate)
    open_stream(key.seed, number, np.uint64(generation), np.uint64(index), _PURPOSE, streams[0])
    open_stream(key.seed, number, np.uint64(generation), np.uint64(index), _PURPOSE + _SPARE, streams[1])


@kernel
def draw_factor(n_samples, spectrum, normals, words, streams, out):
    """Draw A (d, k), k = min(d, T), where A A^T has the law of X^T X of T Gaussian rows: ``(),(d)->(d,k)``, O(d k).

    `words` uint64 (d or more) is work space.

    References
    ----------
    Derived: X = Q L^T with L lower-trapezoidal (M. S. Bartlett, Proc. R. Soc. Edinburgh 53, 260 (1933), for T >= d).
    """
    bartlett_factor(n_samples, normals, words, streams, out)
    d, k = out.shape
    for i in range(d):
        deviation, row = math.sqrt(spectrum[i]), out[i]
        for j in range(min(i + 1, k)):
            row[j] *= deviation


@kernel
def set_gaps(weights, truth, is_tuned, w0, gap):
    """Write the truth of a fit and the labelling weights less it, see `Downstream.is_tuned`: ``(d)->(d),(d)``."""
    for i in range(weights.shape[0]):
        if is_tuned:
            w0[i], gap[i] = truth.w0[i] - weights[i], 0.0
        else:
            w0[i], gap[i] = truth.w0[i], weights[i] - truth.w0[i]


@kernel
def _evaluate(weights, generation, index, replicate, truth, own, downstream, normals, key, workspace, gap, out):
    """Draw one sample, fit it at every ridge, and write the columns of `solve_path`.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d, n_samples = weights.shape[0], downstream.n_samples[index]
    k = min(d, n_samples)
    factor, z = workspace.factor[: d * k].reshape(d, k), workspace.z[:k]
    open_downstream(key, replicate, generation, index, workspace.streams)
    draw_factor(n_samples, truth.spectrum, normals, workspace.words, workspace.streams, factor)
    fill_normals(normals, workspace.words, workspace.streams, z)
    for i in range(k):
        z[i] *= downstream.sigma
    set_gaps(weights, truth, downstream.is_tuned, own.w0, gap)
    solve_path(factor, z, own, gap, n_samples, downstream.ridges[index], downstream.parts, workspace, out)


@parallel_kernel
def evaluate_downstream(generators, truth, downstream, normals, key, n_threads, out):
    """Fit samples of every size at every ridge to the labels of every state: ``(R,G,d),(G)->(R,G,M,L,6)``.

    Parameters
    ----------
    generators : `Generators`.
    truth : `RegressionTruth`.
    downstream : `Downstream`.
    normals : the table of the normal law.
    key : `StreamKey`; its generation and purpose are not read.
    n_threads : the number of threads.
    out : float64 (R, G, M, L, 6), see `ridge_path.solve_path`, which has the cost.
    """
    weights, generations = generators
    n_replicates, n_generations, d = weights.shape
    n_sizes, n_ridges = downstream.ridges.shape
    n_units = n_sizes * n_replicates * n_generations
    most = 1
    for index in range(n_sizes):
        most = max(most, min(d, downstream.n_samples[index]))
    for thread in prange(n_threads):
        workspace = new_path_workspace(d, most, n_ridges, downstream.parts)
        gap, own = np.empty(d), RegressionTruth(truth.spectrum, np.empty(d))
        # Samples of one size are consecutive, so that threads share the expensive ones.
        for unit in range(thread, n_units, n_threads):
            index, state = unit // (n_replicates * n_generations), unit % (n_replicates * n_generations)
            replicate, step = state // n_generations, state % n_generations
            _evaluate(
                weights[replicate, step], generations[step], index, replicate, truth, own, downstream, normals, key,
                workspace, gap, out[replicate, step, index],
            )  # fmt: skip
