"""Regressions that are weighted means of two fits: one to real samples, one to a pool of synthetic samples.

Each part has its own inputs. With fresh normal inputs, no ridge and no pool a part is its law, O(d) as in
`generator_replace`. Otherwise both parts have their normal equations, O(d^3) as in `generator_pooled`.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream_pair,
)
from fastcollapse.kernels.regression.generator_pooled import fit_pool, gather_fresh, gather_synthetic, new_sampler
from fastcollapse.kernels.regression.generator_replace import step_least_squares, step_minimum_norm
from fastcollapse.kernels.regression.normal_equations import gather, new_equations

_SYNTHETIC, _REAL, _FIXED = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL), np.uint64(PURPOSE_FIXED_REAL)


class WeightedSchedule(NamedTuple):
    """Sizes and weights of generations, (T) each, index generation - 1.

    Attributes
    ----------
    n_kept, n_synthetic, n_real : int64, see `KernelSchedule`; `n_kept` does not count real samples.
    weight : float64, weight of the fit to the real samples; a fit without one of the parts is the other.
    """

    n_kept: np.ndarray
    n_synthetic: np.ndarray
    n_real: np.ndarray
    weight: np.ndarray


class FitLaw(NamedTuple):
    """The law of a fit to fresh normal inputs without a ridge.

    Attributes
    ----------
    spectrum : float64 (d), eigenvalues of the covariance; all equal where a part has fewer than d samples.
    truth : float64 (d), the true weights, which label real data.
    synthetic_noise, real_noise : standard deviation of the noise of synthetic and of real labels.
    """

    spectrum: np.ndarray
    truth: np.ndarray
    synthetic_noise: float
    real_noise: float


class _Workspace(NamedTuple):
    """Work arrays of one thread, float64 (d) but for `words` and `streams`."""

    words: np.ndarray
    streams: np.ndarray
    z: np.ndarray
    rest: np.ndarray
    roots: np.ndarray
    real: np.ndarray


@kernel
def _combine(real, weight, weights):
    """Replace `weights` by the weighted mean with `real`, whose weight is given: ``(d),()->(d)``."""
    for i in range(weights.shape[0]):
        weights[i] = weight * real[i] + (1.0 - weight) * weights[i]


@kernel
def _new_workspace(spectrum):
    d = spectrum.shape[0]
    roots = np.empty(d)
    for i in range(d):
        roots[i] = 1.0 / math.sqrt(spectrum[i])
    streams = np.empty((2, STREAM_WORDS), np.uint64)
    return _Workspace(np.empty(d, np.uint64), streams, np.empty(d), np.empty(d), roots, np.empty(d))


@kernel
def _refit(weights, n, sigma, normals, workspace):
    """Replace `weights` by the fit to n fresh samples that they label: ``(d)->(d)``, O(d)."""
    words, streams, z, rest, roots, _ = workspace
    if n >= weights.shape[0]:
        step_least_squares(weights, n, sigma, roots, normals, words, streams, z)
    else:
        step_minimum_norm(weights, n, sigma * roots[0], normals, words, streams, z, rest)


@parallel_kernel
def draw_real_fits(law, n, normals, key, out):
    """Draw fits to the fixed real data of every replicate, n samples each: ``->(R,d)``, O(d)."""
    for replicate in prange(out.shape[0]):
        workspace = _new_workspace(law.spectrum)
        generation_stream_pair(key, np.int64(replicate), 0, _FIXED, workspace.streams)
        copy_vector(law.truth, out[replicate])
        _refit(out[replicate], n, law.real_noise, normals, workspace)


@parallel_kernel
def follow_weighted(weights, real_fits, law, schedule, normals, span, out):
    """Refit R replicates over B generations by the law of both parts: ``(R,d),(Q,d),...->(R,B,d)``, O(d) a step.

    Parameters
    ----------
    weights : float64 (R, d), in the basis of the eigenvectors; updated.
    real_fits : float64 (Q, d), fits to fixed real data; Q = R, or 0 where real data is drawn anew.
    law : `FitLaw`.
    schedule : `WeightedSchedule`, without a pool.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, d), the weights after each generation.
    """
    n_replicates = weights.shape[0]
    for thread in prange(span.n_threads):
        workspace = _new_workspace(law.spectrum)
        for replicate in range(thread, n_replicates, span.n_threads):
            now = weights[replicate]
            for step in range(span.n_generations):
                generation = span.first + step
                generation_stream_pair(span, replicate, generation, _SYNTHETIC, workspace.streams)
                _refit(now, schedule.n_synthetic[generation - 1], law.synthetic_noise, normals, workspace)
                if schedule.n_real[generation - 1] > 0:
                    if real_fits.shape[0] > 0:
                        copy_vector(real_fits[replicate], workspace.real)
                    else:
                        generation_stream_pair(span, replicate, generation, _REAL, workspace.streams)
                        copy_vector(law.truth, workspace.real)
                        _refit(
                            workspace.real, schedule.n_real[generation - 1], law.real_noise, normals, workspace
                        )  # fmt: skip
                    _combine(workspace.real, schedule.weight[generation - 1], now)
                copy_vector(now, out[replicate, step])


@kernel
def _run(pools, replicate, design, fixed, schedule, refit, normals, span, sampler, workspace, real_pool, real, out):
    """Refit one replicate over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    weights = pools.weights[replicate]
    d = weights.shape[0]
    keeps = pools.held.shape[0] > 0
    gram = pools.gram[replicate] if keeps else np.empty((d, d))
    sums = pools.sums[replicate] if keeps else np.empty(d)
    held = pools.held[replicate] if keeps else 0
    real_gram, real_sums = real_pool[:d], real_pool[d]
    is_fixed = fixed.real_rows.shape[0] > 0
    if is_fixed:
        of_real = gather(real_gram, real_sums, 0, fixed.real_rows[replicate], fixed.real_labels[replicate], workspace)
        fit_pool(real_gram, real_sums, of_real, refit.ridge * schedule.n_real[0], workspace, real)
    for step in range(span.n_generations):
        generation = span.first + step
        n, m, kept = (
            schedule.n_synthetic[generation - 1],
            schedule.n_real[generation - 1],
            schedule.n_kept[generation - 1],
        )
        if kept == 0:
            held = 0
        if n > 0:
            generation_stream_pair(span, replicate, generation, _SYNTHETIC, sampler.streams)
            held = gather_synthetic(
                design, n, fixed.inputs, replicate, weights, refit, normals, sampler, gram, sums, held, workspace
            )
        if held > 0:
            fit_pool(gram, sums, held, refit.ridge * (kept + n), workspace, weights)
        if m > 0:
            if not is_fixed:
                generation_stream_pair(span, replicate, generation, _REAL, sampler.streams)
                of_real = gather_fresh(
                    design, m, refit.truth, refit.real_noise, normals, sampler, real_gram, real_sums, 0, workspace
                )
                fit_pool(real_gram, real_sums, of_real, refit.ridge * m, workspace, real)
            _combine(real, schedule.weight[generation - 1] if held > 0 else 1.0, weights)
        copy_vector(weights, out[replicate, step])
    if keeps:
        pools.held[replicate] = held


@parallel_kernel
def refit_weighted(pools, design, fixed, schedule, refit, normals, span, out):
    """Refit R replicates over B generations from normal equations: ``(R,d),...->(R,B,d)``, O(d^3) a step.

    Parameters
    ----------
    pools : `Pools` of synthetic samples, updated.
    design : `Design` of fresh inputs.
    fixed : `FixedData`.
    schedule : `WeightedSchedule`.
    refit : `Refit`.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, d), the weights after each generation.
    """
    n_replicates, d = pools.weights.shape
    for thread in prange(span.n_threads):
        sampler = new_sampler(refit.n_rows, max(refit.n_rows, fixed.inputs.shape[1]), d)
        workspace = new_equations(d)
        real_pool, real = np.empty((d + 1, d)), np.empty(d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run(
                pools, replicate, design, fixed, schedule, refit, normals, span, sampler, workspace, real_pool, real,
                out,
            )  # fmt: skip
