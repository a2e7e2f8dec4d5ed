"""Regressions fitted under any schedule without subsamples, from the normal equations of what their pools hold.

Fresh inputs each generation cost O(d^3), or O(d m^2) for m < d samples. Inputs that are the same in every generation
are factored once a block: then a generation is O(d^2), and its pool is the mean of the labels that each row has had."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.lapack import gemv, syrk, trsm
from fastcollapse.kernels.random.streams import (
    PURPOSE_DESIGN,
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
)
from fastcollapse.kernels.random.wishart import open_both
from fastcollapse.kernels.regression.designs import REDUCED, Sampler, draw_labels, draw_rows
from fastcollapse.kernels.regression.normal_equations import factor, fit_rows, fit_sums, gather, new_equations, solve

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL, _DESIGN = np.uint64(PURPOSE_FIXED_REAL), np.uint64(PURPOSE_DESIGN)


class Pools(NamedTuple):
    """What R replicates keep: `weights` float64 (R, d), and pools as `gather` has them, `gram` (R, d, d), `sums` (R, d)
    and `held` int64 (R); the arrays of pools have 0 replicates where none is kept.
    """

    weights: np.ndarray
    gram: np.ndarray
    sums: np.ndarray
    held: np.ndarray


class Batches(NamedTuple):
    """Samples that stay for the run: `rows` float64 (Q, m, d) and `labels` (Q, m), Q = R or 0."""

    rows: np.ndarray
    labels: np.ndarray


class Noise(NamedTuple):
    """Deviation of the noise of labels, and the ridge of a fit: `synthetic`, `real`, `ridge`."""

    synthetic: float
    real: float
    ridge: float


@kernel
def new_sampler(n_rows, n_labels, d):
    """Return room to draw up to `n_rows` rows, and as many labels or more, at a time."""
    streams = np.empty((2, STREAM_WORDS), np.uint64)
    return Sampler(np.empty(d, np.uint64), streams, np.empty((n_rows, d)), np.empty(n_labels), np.empty(0))


@parallel_kernel
def draw_batches(design, n, normals, key, purpose, weights, sigma, batches):
    """Draw the batches of every replicate, of n samples each, with labels of `weights` (d)."""
    for replicate in prange(batches.rows.shape[0]):
        sampler = new_sampler(0, 0, weights.shape[0])
        open_both(key.seed, key.first_replicate + np.uint64(replicate), 0, purpose, sampler.streams)
        draw_rows(design, n, normals, sampler, batches.rows[replicate])
        draw_labels(batches.rows[replicate], weights, sigma, normals, sampler, batches.labels[replicate])


@kernel
def _gather_fresh(design, n, weights, sigma, normals, sampler, gram, sums, held, workspace):
    """Add n samples of fresh inputs to a pool, as many at a time as there is room for, and return what it holds."""
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
def _fit(gram, sums, held, penalty, workspace, weights):
    """Fit to a pool; the penalty is the ridge times the number of samples."""
    if held <= sums.shape[0]:
        fit_rows(gram[:held], sums[:held], penalty, workspace, weights)
    else:
        fit_sums(gram, sums, penalty, workspace, weights)


@kernel
def _run(
    pools,
    replicate,
    design,
    fixed,
    real,
    schedule,
    noise,
    truth,
    first,
    n_generations,
    normals,
    key,
    sampler,
    workspace,
    out,
):
    """Refit one replicate over a block; serial, because a short `prange` body compiles in a third of the time."""
    number = key.first_replicate + np.uint64(replicate)
    weights = pools.weights[replicate]
    d = weights.shape[0]
    keeps = pools.held.shape[0] > 0
    gram = pools.gram[replicate] if keeps else np.empty((d, d))
    sums = pools.sums[replicate] if keeps else np.empty(d)
    held = pools.held[replicate] if keeps else 0
    for step in range(n_generations):
        generation = first + step
        n, m = schedule.n_synthetic[generation - 1], schedule.n_real[generation - 1]
        if schedule.n_kept[generation - 1] == 0:
            held = 0
        open_both(key.seed, number, generation, _SYNTHETIC, sampler.streams)
        if fixed.rows.shape[0] > 0:
            rows, labels = fixed.rows[replicate], sampler.labels[: fixed.rows.shape[1]]
            draw_labels(rows, weights, noise.synthetic, normals, sampler, labels)
            held = gather(gram, sums, held, rows, labels, workspace)
        else:
            held = _gather_fresh(design, n, weights, noise.synthetic, normals, sampler, gram, sums, held, workspace)
        if m > 0 and real.rows.shape[0] > 0:
            held = gather(gram, sums, held, real.rows[replicate], real.labels[replicate], workspace)
        elif m > 0:
            open_both(key.seed, number, generation, _REAL, sampler.streams)
            held = _gather_fresh(design, m, truth, noise.real, normals, sampler, gram, sums, held, workspace)
        n_samples = schedule.n_kept[generation - 1] + n + m
        _fit(gram, sums, held, noise.ridge * n_samples, workspace, weights)
        out[replicate, step] = weights
    if keeps:
        pools.held[replicate] = held


@parallel_kernel
def refit_pools(
    pools, design, fixed, real, schedule, noise, truth, first, n_generations, normals, key, n_rows, n_threads, out
):
    """Refit R replicates over B generations: ``(R,d),...->(R,B,d)``.

    Parameters
    ----------
    pools: `Pools`; move on
    design: `Design` of fresh inputs
    fixed, real: `Batches` of inputs that are the same in every generation (their labels are not read), and of real
        data that stays; or none
    schedule: `fastcollapse.config.schedule.KernelSchedule`
    noise: `Noise`
    truth: float64 (d), true weights
    key: StreamKey; its generation and purpose are not read
    n_rows: rows drawn at a time, at least d
    """
    n_replicates, d = pools.weights.shape
    for thread in prange(n_threads):
        sampler, workspace = new_sampler(n_rows, max(n_rows, fixed.labels.shape[1]), d), new_equations(d)
        for replicate in range(thread, n_replicates, n_threads):
            _run(
                pools, replicate, design, fixed, real, schedule, noise, truth, first, n_generations, normals, key, sampler,
                workspace, out,
            )  # fmt: skip


@kernel
def _is_triangular(rows):
    """Are the rows a square upper-triangular matrix?"""
    for i in range(rows.shape[0]):
        for j in range(min(i, rows.shape[1])):
            if rows[i, j] != 0.0:
                return False
    return rows.shape[0] == rows.shape[1]


@kernel
def _run_fixed(
    weights, rows, means, rounds, noise, first, n_generations, normals, key, number, sampler, workspace, out
):
    """Refit one replicate, whose inputs are always the same, over a block."""
    m, d = rows.shape
    few = m <= d
    size = min(m, d)
    matrix = workspace.matrix.reshape(-1)[: size * size].reshape((size, size))
    values = workspace.values[:size]
    # Then the equations need not be squared, which nearly as many samples as inputs would suffer from.
    triangular, regular = noise.ridge == 0.0 and _is_triangular(rows), True
    if triangular:
        matrix[:] = rows.T
    else:
        syrk(1.0, rows, not few, 0.0, matrix)
        for i in range(size):
            matrix[i, i] += noise.ridge
        regular = factor(matrix, workspace.diagonal[:size], values)
    labels, x = sampler.labels[:m], workspace.solution[:size]
    for step in range(n_generations):
        open_both(key.seed, number, first + step, _SYNTHETIC, sampler.streams)
        draw_labels(rows, weights, noise.synthetic, normals, sampler, labels)
        share = 1.0 / rounds[first + step - 1]
        for i in range(m):
            means[i] += share * (labels[i] - means[i])
        if triangular:
            weights[:] = means
            trsm(matrix, True, weights.reshape((d, 1)))
        elif few:
            x[:] = means
            solve(regular, matrix, values, x, workspace.vector)
            gemv(1.0, rows, True, x, 0.0, weights)
        else:
            gemv(1.0, rows, True, means, 0.0, weights)
            solve(regular, matrix, values, weights, workspace.vector)
        out[step] = weights


@parallel_kernel
def refit_fixed(weights, batches, rounds, noise, first, n_generations, normals, key, n_threads, out):
    """Refit R replicates, each to inputs of its own that never change, over B generations: ``(R,d),...->(R,B,d)``.

    Parameters
    ----------
    weights: float64 (R, d); move on
    batches: `Batches`, the inputs and the mean of the labels that each has had; these move on
    rounds: int64 (T), index generation - 1: how many generations are in that mean, 1 where only the last is fitted to
    noise: `Noise`, whose ridge is times the number of samples of a generation
    """
    n_replicates, d = weights.shape
    n_rows = batches.labels.shape[1]
    for thread in prange(n_threads):
        sampler, workspace = new_sampler(0, n_rows, d), new_equations(d)
        for replicate in range(thread, n_replicates, n_threads):
            number = key.first_replicate + np.uint64(replicate)
            _run_fixed(
                weights[replicate], batches.rows[replicate], batches.labels[replicate], rounds, noise, first,
                n_generations, normals, key, number, sampler, workspace, out[replicate],
            )  # fmt: skip
