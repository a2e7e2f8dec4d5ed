"""Downstream ridge regressions on rows of inputs of any law, drawn one by one."""

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.ziggurat import ziggurat
from fastcollapse.kernels.regression.designs import Sampler, draw_rows
from fastcollapse.kernels.regression.downstream_gaussian import open_downstream, set_gaps
from fastcollapse.kernels.regression.ridge_from_rows import reduce_rows
from fastcollapse.kernels.regression.ridge_path import RegressionTruth, new_path_workspace, solve_path


@kernel
def _evaluate(
    weights, generation, index, replicate, truth, own, design, downstream, normals, key, sampler, workspace, gap, out
):
    """Draw one sample, fit it at every ridge, and write the columns of `solve_path`.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d, n = weights.shape[0], downstream.n_samples[index]
    open_downstream(key, replicate, generation, index, workspace.streams)
    rows, noise = sampler.rows[:n], sampler.noise[:n]
    draw_rows(design, n, normals, sampler, rows)
    for i in range(n):
        noise[i] = downstream.sigma * ziggurat(normals, workspace.streams[0])
    set_gaps(weights, truth, downstream.is_tuned, own.w0, gap)
    k = reduce_rows(rows, noise.reshape(1, n), workspace, workspace.z.reshape(1, workspace.z.shape[0]))
    factor, z = workspace.factor[: d * k].reshape(d, k), workspace.z[:k]
    solve_path(factor, z, own, gap, n, downstream.ridges[index], downstream.parts, workspace, out)


@parallel_kernel
def evaluate_rows(generators, truth, design, downstream, normals, key, n_threads, out):
    """Fit rows drawn from a design to the labels of every state: ``(R,G,d),(G)->(R,G,M,L,6)``, O(T d^2) a sample.

    Parameters
    ----------
    design : `Design`, of any law but REDUCED.
    generators, truth, downstream, normals, key, n_threads, out : as in `downstream_gaussian.evaluate_downstream`.
    """
    weights, generations = generators
    n_replicates, n_generations, d = weights.shape
    n_sizes, n_ridges = downstream.ridges.shape
    n_units = n_sizes * n_replicates * n_generations
    most = 1
    for index in range(n_sizes):
        most = max(most, downstream.n_samples[index])
    for thread in prange(n_threads):
        workspace = new_path_workspace(d, min(d, most), n_ridges, downstream.parts)
        sampler = Sampler(workspace.words, workspace.streams, np.empty((most, d)), np.empty(0), np.empty(most))
        gap, own = np.empty(d), RegressionTruth(truth.spectrum, np.empty(d))
        # Samples of one size are consecutive, so that threads share the expensive ones.
        for unit in range(thread, n_units, n_threads):
            index, state = unit // (n_replicates * n_generations), unit % (n_replicates * n_generations)
            replicate, step = state // n_generations, state % n_generations
            _evaluate(
                weights[replicate, step], generations[step], index, replicate, truth, own, design, downstream, normals,
                key, sampler, workspace, gap, out[replicate, step, index],
            )  # fmt: skip
