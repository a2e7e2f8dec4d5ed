"""Regressions fitted to subsamples of a pool of rows.

The rows themselves are kept, because later subsamples share rows with earlier ones. Rows that occur several times
(drawn again, or the same inputs in several generations) become one row with the mean of their labels and a weight.
Otherwise a fit of minimum norm would be singular.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.random.streams import (
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    generation_stream_pair,
    uniform_below,
)
from fastcollapse.kernels.random.subsample import choose_first
from fastcollapse.kernels.regression.designs import draw_labels, draw_rows
from fastcollapse.kernels.regression.generator_pooled import new_sampler
from fastcollapse.kernels.regression.normal_equations import fit_rows, fit_sums, gather, new_equations

_SYNTHETIC, _SUBSAMPLE = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_SUBSAMPLE)


class Samples(NamedTuple):
    """The samples that R replicates keep.

    Attributes
    ----------
    inputs : float64 (R, Q, d); Q = P, or the n samples of a generation with `same_inputs`.
    labels : float64 (R, P).
    order : int64 (R, P), the numbers of the samples in any order.
    same_inputs : whether all generations have the same inputs; sample i then has input i modulo n.
    """

    inputs: np.ndarray
    labels: np.ndarray
    order: np.ndarray
    same_inputs: bool


@kernel
def _count(order, n_points, size, replacement, n_inputs, labels, streams, counts, means):
    """Choose `size` of the first `n_points` samples: write the count of each input and the mean of its labels, O(size).

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.

    Parameters
    ----------
    order : int64 (P), the numbers of the samples in any order; sample i has input i modulo `n_inputs`.
    n_points, size, replacement : the subsample.
    labels : float64 (P).
    streams : the first one is used.
    counts, means : int64 and float64 (n_inputs), written.
    """
    counts[:] = 0
    means[:] = 0.0
    if not replacement:
        choose_first(order, n_points, size, streams[0])
    for i in range(size):
        sample = order[uniform_below(n_points, streams[0]) if replacement else i]
        at = sample % n_inputs
        counts[at] += 1
        means[at] += (labels[sample] - means[at]) / counts[at]


@kernel
def _fit_chosen(inputs, counts, means, penalty, sampler, workspace, weights):
    """Fit to inputs that occur `counts` times: ``(P,d),(P),(P),()->(d)``, O(P d^2)."""
    d = weights.shape[0]
    n_distinct = 0
    for i in range(counts.shape[0]):
        if counts[i] > 0:
            n_distinct += 1
    few = n_distinct <= d
    equations, gram, sums = workspace
    held, m = 0, 0
    for i in range(counts.shape[0]):
        if counts[i] == 0:
            continue
        # Also for an interpolating fit: two rows may be equal, and the weights count in their mean.
        scale = math.sqrt(counts[i])
        for j in range(d):
            sampler.rows[m, j] = scale * inputs[i, j]
        sampler.labels[m] = scale * means[i]
        m += 1
        if m == sampler.labels.shape[0] and not few:
            held = gather(gram, sums, held, sampler.rows, sampler.labels, equations)
            m = 0
    if few:
        fit_rows(sampler.rows[:m], sampler.labels[:m], penalty, equations, weights)
        return
    if m > 0:
        held = gather(gram, sums, held, sampler.rows[:m], sampler.labels[:m], equations)
    fit_sums(gram, sums, penalty, equations, weights)


@kernel
def _run(weights, samples, replicate, design, schedule, refit, normals, span, sampler, workspace, out):
    """Refit one replicate to subsamples over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    inputs, labels, order = samples.inputs[replicate], samples.labels[replicate], samples.order[replicate]
    n_inputs = inputs.shape[0]
    counts, means = np.empty(n_inputs, np.int64), np.empty(n_inputs)
    for step in range(span.n_generations):
        generation = span.first + step
        kept, n = schedule.n_kept[generation - 1], schedule.n_synthetic[generation - 1]
        size = schedule.n_train[generation - 1]
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, sampler.streams)
        if not samples.same_inputs:
            draw_rows(design, n, normals, sampler, inputs[kept : kept + n])
        rows = inputs if samples.same_inputs else inputs[kept : kept + n]
        draw_labels(rows, weights, refit.synthetic_noise, normals, sampler, labels[kept : kept + n])
        for i in range(kept, kept + n):
            order[i] = i
        generation_stream_pair(span, replicate, generation, _SUBSAMPLE, sampler.streams)
        _count(order, kept + n, size, schedule.replacement, n_inputs, labels, sampler.streams, counts, means)
        _fit_chosen(inputs, counts, means, refit.ridge * size, sampler, workspace, weights)
        copy_vector(weights, out[step])


@parallel_kernel
def refit_rows(weights, samples, design, schedule, refit, normals, span, out):
    """Refit R replicates over B generations to subsamples: ``(R,d),...->(R,B,d)``, O(n_train d^2) a step.

    Parameters
    ----------
    weights : float64 (R, d), updated.
    samples : `Samples`, updated.
    design, schedule, refit, normals, span, out : as in `generator_pooled.refit_pools`; `refit.truth` is not read.
    """
    n_replicates, d = weights.shape
    for thread in prange(span.n_threads):
        sampler = new_sampler(refit.n_rows, refit.n_rows, d)
        workspace = (new_equations(d), np.empty((d, d)), np.empty(d))
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(
                weights[replicate], samples, replicate, design, schedule, refit, normals, span, sampler, workspace,
                out[replicate],
            )  # fmt: skip
