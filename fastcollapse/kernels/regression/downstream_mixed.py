"""Downstream ridge regressions on real and synthetic rows together.

Real rows X_1 have labels of the truth w0, synthetic rows X_2 those of w0 + delta. Both sets enter as the rows of a
`Design`. For normal inputs these are the rows of two triangular factors A_1^T and A_2^T: X_1^T X_1 + X_2^T X_2 =
A_1 A_1^T + A_2 A_2^T, and the labels are A_1^T w0 and A_2^T (w0 + delta) with independent noise, O(d^2) variates
whatever the number of rows. They are reduced to one factor A. The labels that delta adds are those of one vector, `gap`
on all rows, up to what no fit can reach: A A^T gap = A_2 A_2^T delta.

References
----------
Setting: Dohmatob, Feng, Subramonian, Kempe, arXiv:2410.04840. Sampler: derived, checked against raw rows in
tests/kernels/regression/test_downstream_mixed.py.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.lapack import gemv
from fastcollapse.kernels.random.streams import PURPOSE_DELTA, STREAM_WORDS, SUB_SPARE, open_stream
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import ziggurat
from fastcollapse.kernels.regression.designs import REDUCED, Sampler, draw_rows
from fastcollapse.kernels.regression.downstream_gaussian import open_downstream, set_gaps
from fastcollapse.kernels.regression.ridge_from_rows import reduce_rows, set_gap_of_labels
from fastcollapse.kernels.regression.ridge_path import RegressionTruth, new_path_workspace, solve_path

_PURPOSE = np.uint64(PURPOSE_DELTA)
_SPARE = np.uint64(SUB_SPARE)


class LabelSources(NamedTuple):
    """What labels the samples: the truth, other weights, or both in parts.

    Attributes
    ----------
    weights, generations : as in `Generators`; the weights are read only where `Downstream.is_tuned`.
    deltas : float64 (R, G, d), the weights of synthetic labels less the true ones.
    n_synthetic : int64 (M, P), synthetic rows for each sample size and share; the other rows are real.
    sigma : standard deviation of the noise of synthetic labels; that of real ones is `Downstream.sigma`.
    """

    weights: np.ndarray
    generations: np.ndarray
    deltas: np.ndarray
    n_synthetic: np.ndarray
    sigma: float


@kernel
def draw_deltas(deviation, normals, key, out):
    """Draw normal vectors, one for each replicate of `key`: ``()->(R,d)``, O(R d)."""
    n_replicates, d = out.shape
    words, streams = np.empty(d, np.uint64), np.empty((2, STREAM_WORDS), np.uint64)
    zero = np.uint64(0)
    for replicate in range(n_replicates):
        number = key.first_replicate + np.uint64(replicate)
        open_stream(key.seed, number, zero, zero, _PURPOSE, streams[0])
        open_stream(key.seed, number, zero, zero, _PURPOSE + _SPARE, streams[1])
        fill_normals(normals, words, streams, out[replicate])
        for i in range(d):
            out[replicate, i] *= deviation


@kernel
def n_drawn(n_rows, d, law):
    """Return how many rows stand for `n_rows` rows of a design."""
    return min(n_rows, d) if law == REDUCED else n_rows


@kernel
def _draw(design, n_samples, n_synthetic, sigmas, delta, normals, sampler, labels):
    """Draw real rows, then synthetic ones, their noise, and what delta adds to the labels; return how many rows.

    `labels` float64 (2 m or more) gets noise (m), and labels of delta (m).
    """
    d = delta.shape[0]
    n_real = n_samples - n_synthetic
    first = n_drawn(n_real, d, design.law)
    m = first + n_drawn(n_synthetic, d, design.law)
    draw_rows(design, n_real, normals, sampler, sampler.rows[:first])
    draw_rows(design, n_synthetic, normals, sampler, sampler.rows[first:m])
    for i in range(m):
        labels[i] = sigmas[0 if i < first else 1] * ziggurat(normals, sampler.streams[0])
    labels[m : m + first] = 0.0
    if first < m:
        gemv(1.0, sampler.rows[first:m], False, delta, 0.0, labels[m + first : 2 * m])
    return m


@kernel
def _evaluate(
    weights, delta, generation, index, replicate, truth, own, design, downstream, n_synthetic, sigma, normals, key,
    sampler, labels, reduced, workspace, gap, out,
):  # fmt: skip
    """Draw samples of one size with each number of synthetic rows and fit them at every ridge: ``...->(P,L,6)``.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d, n = weights.shape[0], downstream.n_samples[index]
    set_gaps(weights, truth, downstream.is_tuned, own.w0, gap)
    for share in range(n_synthetic.shape[0]):
        # All shares have the same streams, so that they have the same rows where rows are drawn one by one.
        open_downstream(key, replicate, generation, index, workspace.streams)
        sigmas = downstream.sigma, sigma
        m = _draw(design, n, n_synthetic[share], sigmas, delta, normals, sampler, labels)
        most = min(m, d)
        both = reduced[: 2 * most].reshape(2, most)
        k = reduce_rows(sampler.rows[:m], labels[: 2 * m].reshape(2, m), workspace, both)
        factor = workspace.factor[: d * k].reshape(d, k)
        set_gap_of_labels(factor, both[1, :k], workspace, gap)
        solve_path(
            factor, both[0, :k], own, gap, n, downstream.ridges[index], downstream.parts, workspace, out[share]
        )  # fmt: skip


@parallel_kernel
def evaluate_mixed(sources, truth, design, downstream, normals, key, n_threads, out):
    """Fit samples of real and synthetic rows of every size and share: ``(R,G,d),(G)->(R,G,M,P,L,6)``.

    O(d^3) a sample with the law REDUCED, else O(T d min(T, d)), and the cost of `solve_path`.

    Parameters
    ----------
    sources : `LabelSources`.
    design : `Design`, of any law.
    truth, downstream, normals, key, n_threads : as in `downstream_gaussian.evaluate_downstream`.
    out : float64 (R, G, M, P, L, 6), see `ridge_path.solve_path`.
    """
    weights, generations, deltas, n_synthetic, sigma = sources
    n_replicates, n_generations, d = weights.shape
    n_sizes, n_ridges = downstream.ridges.shape
    n_units = n_sizes * n_replicates * n_generations
    most, rank, law = 1, 1, design.law
    for index in range(n_sizes):
        n = downstream.n_samples[index]
        rank = max(rank, min(n, d))
        for share in range(n_synthetic.shape[1]):
            others = n_synthetic[index, share]
            most = max(most, n_drawn(n - others, d, law) + n_drawn(others, d, law))
    for thread in prange(n_threads):
        workspace = new_path_workspace(d, rank, n_ridges, downstream.parts)
        sampler = Sampler(workspace.words, workspace.streams, np.empty((most, d)), np.empty(0), np.empty(0))
        labels, reduced = np.empty(2 * most), np.empty(2 * rank)
        gap, own = np.empty(d), RegressionTruth(truth.spectrum, np.empty(d))
        # Samples of one size are consecutive, so that threads share the expensive ones.
        for unit in range(thread, n_units, n_threads):
            index, state = unit // (n_replicates * n_generations), unit % (n_replicates * n_generations)
            replicate, step = state // n_generations, state % n_generations
            _evaluate(
                weights[replicate, step], deltas[replicate, step], generations[step], index, replicate, truth,
                own, design, downstream, n_synthetic[index], sigma, normals, key, sampler, labels, reduced, workspace,
                gap, out[replicate, step, index],
            )  # fmt: skip
