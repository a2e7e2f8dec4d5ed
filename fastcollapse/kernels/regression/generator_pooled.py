"""Regressions fitted under any schedule without subsamples, from the normal equations of their pools.

Fresh inputs in each generation cost O(d^3), or O(d m^2) for m < d samples. Inputs that are the same in all generations
are factored once a block. Then a generation is O(d^2), and its pool is the mean of the labels of each row.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_transpose, copy_vector
from fastcollapse.kernels.linalg.lapack import gemv, syrk, trsm
from fastcollapse.kernels.random.streams import (
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream_pair,
)
from fastcollapse.kernels.regression.designs import REDUCED, Sampler, draw_labels, draw_rows
from fastcollapse.kernels.regression.normal_equations import factor, fit_rows, fit_sums, gather, new_equations, solve

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)


class Pools(NamedTuple):
    """Data that R replicates keep between generations; the arrays of pools have 0 replicates where none is kept.

    Attributes
    ----------
    weights : float64 (R, d).
    gram, sums : float64 (R, d, d) and (R, d), pools of `normal_equations.gather`.
    held : int64 (R), number of rows or samples in the pool.
    """

    weights: np.ndarray
    gram: np.ndarray
    sums: np.ndarray
    held: np.ndarray


class Batches(NamedTuple):
    """Samples that are fixed for the whole run; Q = R, or 0 where there are none.

    Attributes
    ----------
    rows, labels : float64 (Q, m, d) and (Q, m).
    """

    rows: np.ndarray
    labels: np.ndarray


class FixedData(NamedTuple):
    """Data that are fixed for the whole run; an array has Q = R replicates, or 0 where there is none.

    Attributes
    ----------
    inputs : float64 (Q, n, d), the inputs of the synthetic data where all generations have the same.
    real_rows, real_labels : float64 (Q, m, d) and (Q, m), a fixed batch of real data.
    """

    inputs: np.ndarray
    real_rows: np.ndarray
    real_labels: np.ndarray


class Refit(NamedTuple):
    """How a regression is refitted.

    Attributes
    ----------
    synthetic_noise, real_noise : standard deviation of the noise of synthetic and of real labels.
    ridge : the ridge of a fit, which is multiplied by its number of samples.
    truth : float64 (d), the true weights, which label real data.
    n_rows : the number of rows that are drawn or fitted at a time, at least d.
    from_previous : whether the ridge is towards the weights of the last generation instead of 0, and a singular fit is
        the one nearest to them.
    """

    synthetic_noise: float
    real_noise: float
    ridge: float
    truth: np.ndarray
    n_rows: int
    from_previous: bool = False


@kernel
def new_sampler(n_rows, n_labels, d):
    """Return work arrays for drawing up to `n_rows` rows and `n_labels` labels at a time."""
    streams = np.empty((2, STREAM_WORDS), np.uint64)
    return Sampler(np.empty(d, np.uint64), streams, np.empty((n_rows, d)), np.empty(n_labels), np.empty(0))


@parallel_kernel
def draw_batches(design, n, normals, key, purpose, weights, sigma, batches):
    """Draw the batches of every replicate, n samples each, with labels of `weights`: ``(d)->(R,m,d),(R,m)``."""
    for replicate in prange(batches.rows.shape[0]):
        sampler = new_sampler(0, 0, weights.shape[0])
        generation_stream_pair(key, np.int64(replicate), 0, purpose, sampler.streams)
        draw_rows(design, n, normals, sampler, batches.rows[replicate])
        draw_labels(batches.rows[replicate], weights, sigma, normals, sampler, batches.labels[replicate])


@kernel
def gather_fresh(design, n, weights, sigma, normals, sampler, gram, sums, held, workspace):
    """Add n samples of fresh inputs to a pool, `sampler.rows` of them at a time, and return the new `held`.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d = sums.shape[0]
    left = min(n, d) if design.law == REDUCED else n
    while left > 0:
        m = min(left, sampler.rows.shape[0])
        rows, labels = sampler.rows[:m], sampler.labels[:m]
        draw_rows(design, n, normals, sampler, rows)
        draw_labels(rows, weights, sigma, normals, sampler, labels)
        held = gather(gram, sums, held, rows, labels, workspace)
        left -= m
    return held


@kernel
def gather_synthetic(design, n, inputs, replicate, weights, refit, normals, sampler, gram, sums, held, workspace):
    """Add samples that `weights` label to a pool: all of `inputs` (Q, m, d), or n fresh ones; return the new `held`.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    if inputs.shape[0] == 0:
        return gather_fresh(design, n, weights, refit.synthetic_noise, normals, sampler, gram, sums, held, workspace)
    rows, labels = inputs[replicate], sampler.labels[: inputs.shape[1]]
    draw_labels(rows, weights, refit.synthetic_noise, normals, sampler, labels)
    return gather(gram, sums, held, rows, labels, workspace)


@kernel
def fit_pool(gram, sums, held, penalty, workspace, weights):
    """Fit to a pool: ``(d,d),(d),(),()->(d)``; the penalty is the ridge times the number of samples."""
    if held <= sums.shape[0]:
        fit_rows(gram[:held], sums[:held], penalty, workspace, weights)
    else:
        fit_sums(gram, sums, penalty, workspace, weights)


@kernel
def _subtract_labels(gram, sums, held, weights):
    """Replace the labels of a pool by their difference to those of `weights`: ``(d,d),(d),(),(d)->(d)``, O(d^2)."""
    d = weights.shape[0]
    if held <= d:
        gemv(-1.0, gram[:held], False, weights, 1.0, sums[:held])
        return
    # Only the lower triangle of X^T X is known.
    for i in range(d):
        row = gram[i]
        sums[i] -= row[i] * weights[i]
        for j in range(i):
            sums[i] -= row[j] * weights[j]
            sums[j] -= row[j] * weights[i]


@kernel
def _run(pools, replicate, design, fixed, schedule, refit, normals, span, sampler, workspace, out):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    weights = pools.weights[replicate]
    d = weights.shape[0]
    keeps, change = pools.held.shape[0] > 0, np.empty(d)
    gram = pools.gram[replicate] if keeps else np.empty((d, d))
    sums = pools.sums[replicate] if keeps else np.empty(d)
    held = pools.held[replicate] if keeps else 0
    for step in range(span.n_generations):
        generation = span.first + step
        n, m = schedule.n_synthetic[generation - 1], schedule.n_real[generation - 1]
        if schedule.n_kept[generation - 1] == 0:
            held = 0
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, sampler.streams)
        held = gather_synthetic(
            design, n, fixed.inputs, replicate, weights, refit, normals, sampler, gram, sums, held, workspace
        )
        if m > 0 and fixed.real_rows.shape[0] > 0:
            held = gather(gram, sums, held, fixed.real_rows[replicate], fixed.real_labels[replicate], workspace)
        elif m > 0:
            generation_stream_pair(span, replicate, generation, _REAL, sampler.streams)
            held = gather_fresh(design, m, refit.truth, refit.real_noise, normals, sampler, gram, sums, held, workspace)
        n_samples = schedule.n_kept[generation - 1] + n + m
        if refit.from_previous:
            _subtract_labels(gram, sums, held, weights)
            fit_pool(gram, sums, held, refit.ridge * n_samples, workspace, change)
            for i in range(d):
                weights[i] += change[i]
        else:
            fit_pool(gram, sums, held, refit.ridge * n_samples, workspace, weights)
        copy_vector(weights, out[replicate, step])
    if keeps:
        pools.held[replicate] = held


@parallel_kernel
def refit_pools(pools, design, fixed, schedule, refit, normals, span, out):
    """Refit R replicates over B generations: ``(R,d),...->(R,B,d)``, O(d^3) a step.

    Parameters
    ----------
    pools : `Pools`, updated.
    design : `Design` of fresh inputs.
    fixed : `FixedData`.
    schedule : `KernelSchedule`.
    refit : `Refit`.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, d), the weights after each generation.
    """
    n_replicates, d = pools.weights.shape
    for thread in prange(span.n_threads):
        sampler = new_sampler(refit.n_rows, max(refit.n_rows, fixed.inputs.shape[1]), d)
        workspace = new_equations(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(pools, replicate, design, fixed, schedule, refit, normals, span, sampler, workspace, out)


@kernel
def _is_triangular(rows):
    """Whether the rows are a square upper-triangular matrix."""
    for i in range(rows.shape[0]):
        for j in range(min(i, rows.shape[1])):
            if rows[i, j] != 0.0:
                return False
    return rows.shape[0] == rows.shape[1]


@kernel
def _run_fixed(weights, rows, means, rounds, refit, normals, span, replicate, sampler, workspace, out):
    """Refit one replicate with fixed inputs over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    m, d = rows.shape
    few = m <= d
    size = min(m, d)
    matrix = workspace.matrix.reshape(-1)[: size * size].reshape((size, size))
    values = workspace.values[:size]
    # Triangular rows are solved directly: squaring them would lose digits where n is close to d.
    triangular, regular = refit.ridge == 0.0 and _is_triangular(rows), True
    if triangular:
        copy_transpose(rows, matrix)
    else:
        syrk(1.0, rows, not few, 0.0, matrix)
        for i in range(size):
            matrix[i, i] += refit.ridge
        regular = factor(matrix, workspace.diagonal[:size], values)
    labels, x, last = sampler.labels[:m], workspace.solution[:size], np.empty(d)
    for step in range(span.n_generations):
        generation_stream_pair(span, replicate, span.first + step, _SYNTHETIC, sampler.streams)
        if refit.from_previous:
            # The labels less those of the last weights are noise.
            copy_vector(weights, last)
            weights[:] = 0.0
        draw_labels(rows, weights, refit.synthetic_noise, normals, sampler, labels)
        share = 1.0 / rounds[span.first + step - 1]
        for i in range(m):
            means[i] += share * (labels[i] - means[i])
        if triangular:
            copy_vector(means, weights)
            trsm(matrix, True, weights.reshape((d, 1)))
        elif few:
            copy_vector(means, x)
            solve(regular, matrix, values, x, workspace.vector)
            gemv(1.0, rows, True, x, 0.0, weights)
        else:
            gemv(1.0, rows, True, means, 0.0, weights)
            solve(regular, matrix, values, weights, workspace.vector)
        if refit.from_previous:
            for i in range(d):
                weights[i] += last[i]
        copy_vector(weights, out[step])


@parallel_kernel
def refit_fixed(weights, batches, rounds, refit, normals, span, out):
    """Refit R replicates, each to fixed inputs of its own, over B generations: ``(R,d),...->(R,B,d)``, O(m d) a step.

    Parameters
    ----------
    weights : float64 (R, d), updated.
    batches : `Batches`, the inputs and the mean of all labels of each; the means are updated.
    rounds : int64 (T), index generation - 1: number of generations that the mean label averages, 1 where only the last
        is fitted.
    refit : `Refit`, whose ridge is multiplied by the samples of a generation; its `truth` and `n_rows` are not read.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, d), the weights after each generation.
    """
    n_replicates, d = weights.shape
    n_rows = batches.labels.shape[1]
    for thread in prange(span.n_threads):
        sampler, workspace = new_sampler(0, n_rows, d), new_equations(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run_fixed(
                weights[replicate], batches.rows[replicate], batches.labels[replicate], rounds, refit, normals, span,
                replicate, sampler, workspace, out[replicate],
            )  # fmt: skip
