"""Chains of ridge regressions on mixed labels: w times real ones and 1 - w times those of the generation before.

Many weights w and ridges are followed at once, with the same inputs and the same noise. With inputs X = U diag(s) V',
penalty p = ridge times the number of samples, q = s^2/(s^2 + p), and gap g = V'(weights - w0), a generation is

    g <- (1 - w) q g - (1 - q) V'w0 + s/(s^2 + p) U'(w sigma e + (1 - w) sigma0 e'),  e, e' standard normal,

for each singular value, and the weights have no part outside the rows of X. So one decomposition serves all weights,
ridges and generations with these inputs. Nothing cancels where the gap is small. Singular values that are 0 up to
rounding count as 0, and a ridge of 0 gives the fit of minimum norm.

If each fit starts from the weights before, with a ridge towards them, - V'w0 is replaced by g in the second term, and
the weights do not change outside the rows of X.

References
----------
Setting: Garg, Bhattacharya, Sur, arXiv:2509.22341. Recursion: derived.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.lapack import gemm, gemv, gesdd
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    generation_stream_pair,
)
from fastcollapse.kernels.random.ziggurat import ziggurat
from fastcollapse.kernels.regression.designs import REDUCED, draw_rows
from fastcollapse.kernels.regression.generator_pooled import new_sampler

_SYNTHETIC, _REAL, _FIXED = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL), np.uint64(PURPOSE_FIXED_REAL)


class MixedLabels(NamedTuple):
    """The grid of chains and the law of their labels.

    Attributes
    ----------
    weights : float64 (W), weights of the real labels.
    ridges : float64 (L).
    n_samples : int64 (T), index generation - 1.
    real_noise, synthetic_noise : standard deviations of the noise of labels.
    fixed : whether all generations have the same real labels.
    from_previous : whether each fit starts from the weights before.
    """

    weights: np.ndarray
    ridges: np.ndarray
    n_samples: np.ndarray
    real_noise: float
    synthetic_noise: float
    fixed: bool
    from_previous: bool = False


class Decompositions(NamedTuple):
    """Inputs of R replicates as U diag(s) V'.

    Attributes
    ----------
    left : float64 (R, m, k), U.
    values : float64 (R, k), s, descending.
    right : float64 (R, k, d), V'.
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray


class MixedTruth(NamedTuple):
    """The true regression: variances of the input coordinates and weights, float64 (d), and whether it is isotropic."""

    spectrum: np.ndarray
    w0: np.ndarray
    is_isotropic: bool


@kernel
def _decompose(rows, left, values, right):
    """Write the thin decomposition; NaN where it fails: ``(m,d)->(m,k),(k),(k,d)``; `rows` are overwritten."""
    if gesdd(rows, left, values, right) != 0:
        values[:] = math.nan
    least = values[0] * np.finfo(np.float64).eps * max(rows.shape)
    for i in range(values.shape[0]):
        if values[i] <= least:
            values[i] = 0.0


@kernel
def _fix_signs(left, right):
    """Make the largest entry of each right vector positive: ``(m,k),(k,d)``.

    Saved states are along these vectors, and a run may be resumed by another version of LAPACK, or on another machine.
    """
    for j in range(right.shape[0]):
        largest = right[j, 0]
        for i in range(1, right.shape[1]):
            if abs(right[j, i]) > abs(largest):
                largest = right[j, i]
        if largest < 0.0:
            for i in range(right.shape[1]):
                right[j, i] = -right[j, i]
            for i in range(left.shape[0]):
                left[i, j] = -left[i, j]


@parallel_kernel
def decompose_designs(rows, out):
    """Decompose the inputs of R replicates: ``(R,m,d)->`` `Decompositions`, O(m d min(m, d)) each.

    The signs of the vectors do not depend on LAPACK, see `_fix_signs`.
    """
    left, values, right = out
    for replicate in prange(rows.shape[0]):
        _decompose(rows[replicate].copy(), left[replicate], values[replicate], right[replicate])
        _fix_signs(left[replicate], right[replicate])


@kernel
def _set_factors(values, n_samples, ridges, factors):
    """Write q, 1 - q and s/(s^2 + p) at every ridge: ``(k),(),(L)->(3,L,k)``."""
    for j in range(ridges.shape[0]):
        penalty = ridges[j] * n_samples
        for i in range(values.shape[0]):
            square = values[i] * values[i]
            if values[i] == 0.0:
                factors[0, j, i], factors[1, j, i], factors[2, j, i] = 0.0, 1.0, 0.0
            else:
                factors[0, j, i] = square / (square + penalty)
                factors[1, j, i] = penalty / (square + penalty)
                factors[2, j, i] = values[i] / (square + penalty)


@kernel
def _draw_noise(left, sigma, normals, sampler, out):
    """Draw the noise of labels and write its part along the rows: ``(m,k),()->(k)``."""
    noise = sampler.labels[: left.shape[0]]
    for i in range(noise.shape[0]):
        noise[i] = ziggurat(normals, sampler.streams[0])
    gemv(sigma, left, True, noise, 0.0, out)


@kernel
def _project_truth(right, w0, along, rest):
    """Write V'w0 and what the rows do not span of w0: ``(k,d),(d)->(k),(d)``."""
    gemv(1.0, right, False, w0, 0.0, along)
    if right.shape[0] == right.shape[1]:
        rest[:] = 0.0
        return
    rest[:] = w0
    gemv(-1.0, right, True, along, 1.0, rest)


@kernel
def _refit(gaps, along, factors, noise, weights, from_previous):
    """Refit every chain, gaps along the rows, to mixed labels: ``(W*L,k),(k),(3,L,k),(2,k),(W)->(W*L,k)``, O(W L k)."""
    n_ridges = factors.shape[1]
    for i in range(weights.shape[0]):
        real, synthetic = weights[i], 1.0 - weights[i]
        for j in range(n_ridges):
            gap, kept, lost, gain = gaps[i * n_ridges + j], factors[0, j], factors[1, j], factors[2, j]
            for k in range(gap.shape[0]):
                label = real * noise[0, k] + synthetic * noise[1, k]
                start = gap[k] if from_previous else -along[k]
                gap[k] = synthetic * kept[k] * gap[k] + lost[k] * start + gain[k] * label


@kernel
def _rotate_back(gaps, right, rest, keep, out):
    """Write the gaps in the coordinates of the inputs, and `keep` times `out`: ``(C,k),(k,d),(d)->(C,d)``, O(C k d)."""
    gemm(1.0, gaps, False, right, False, keep, out)
    for row in out:
        for i in range(rest.shape[0]):
            row[i] -= rest[i]


@kernel
def _write_errors(gaps, spectrum, beyond, out):
    """Write the squared norms of gaps and `beyond`, which is added: ``(W*L,d),(d),()->(W,L)``."""
    n_ridges = out.shape[1]
    for c in range(gaps.shape[0]):
        total, gap = beyond, gaps[c]
        for i in range(gap.shape[0]):
            total += spectrum[i] * gap[i] * gap[i]
        out[c // n_ridges, c % n_ridges] = total


@kernel
def _run_shared(gaps, left, values, right, truth, mixed, normals, span, replicate, sampler, out):
    """Refit one replicate with the same inputs over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    k, d = right.shape
    along, rest, noise = np.empty(k), np.empty(d), np.empty((2, k))
    factors, work = np.empty((3, mixed.ridges.shape[0], k)), np.empty((0 if truth.is_isotropic else gaps.shape[0], d))
    _project_truth(right, truth.w0, along, rest)
    if mixed.from_previous:
        # The first weights are the true ones.
        rest[:] = 0.0
    _set_factors(values, mixed.n_samples[0], mixed.ridges, factors)
    beyond = 0.0
    for i in range(d):
        beyond += truth.spectrum[i] * rest[i] * rest[i]
    if mixed.fixed:
        generation_stream_pair(span, replicate, 0, _FIXED, sampler.streams)
        _draw_noise(left, mixed.real_noise, normals, sampler, noise[0])
    for step in range(span.n_generations):
        generation = span.first + step
        if not mixed.fixed:
            generation_stream_pair(span, replicate, generation, _REAL, sampler.streams)
            _draw_noise(left, mixed.real_noise, normals, sampler, noise[0])
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, sampler.streams)
        _draw_noise(left, mixed.synthetic_noise, normals, sampler, noise[1])
        _refit(gaps, along, factors, noise, mixed.weights, mixed.from_previous)
        if truth.is_isotropic:
            _write_errors(gaps, truth.spectrum, beyond, out[step])
        else:
            _rotate_back(gaps, right, rest, 0.0, work)
            _write_errors(work, truth.spectrum, 0.0, out[step])


@parallel_kernel
def mix_shared(gaps, designs, truth, mixed, normals, span, out):
    """Refit chains on the same inputs in all generations: ``(R,W*L,k),...->(R,B,W,L)``, O(W L k) a step.

    Isotropic inputs; others cost O(W L k d) a step.

    Parameters
    ----------
    gaps : float64 (R, W*L, k), the gaps along the rows, 0 in generation 0; updated.
    designs : `Decompositions`.
    truth : `MixedTruth`.
    mixed : `MixedLabels`.
    normals : the table of the normal law.
    span : `Span`.
    out : float64 (R, B, W, L), the excess test errors after each generation.
    """
    left, values, right = designs
    n_replicates = gaps.shape[0]
    for thread in prange(span.n_threads):
        sampler = new_sampler(0, left.shape[1], right.shape[2])
        for replicate in range(thread, n_replicates, span.n_threads):
            _run_shared(
                gaps[replicate], left[replicate], values[replicate], right[replicate], truth, mixed, normals, span,
                replicate, sampler, out[replicate],
            )  # fmt: skip


@kernel
def _run_fresh(gaps, design, truth, mixed, normals, span, replicate, sampler, out):
    """Refit one replicate with inputs of each generation over a block.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    n_chains, d = gaps.shape
    rest = np.empty(d)
    for step in range(span.n_generations):
        generation = span.first + step
        n = mixed.n_samples[generation - 1]
        m = min(n, d) if design.law == REDUCED else n
        k = min(m, d)
        left, values, right = np.empty((m, k)), np.empty(k), np.empty((k, d))
        along, noise, factors = np.empty(k), np.empty((2, k)), np.empty((3, mixed.ridges.shape[0], k))
        inside = np.empty((n_chains, k))
        generation_stream_pair(span, replicate, generation, _SYNTHETIC, sampler.streams)
        draw_rows(design, n, normals, sampler, sampler.rows[:m])
        _decompose(sampler.rows[:m], left, values, right)
        _draw_noise(left, mixed.synthetic_noise, normals, sampler, noise[1])
        generation_stream_pair(span, replicate, generation, _REAL, sampler.streams)
        _draw_noise(left, mixed.real_noise, normals, sampler, noise[0])
        _project_truth(right, truth.w0, along, rest)
        _set_factors(values, n, mixed.ridges, factors)
        gemm(1.0, gaps, False, right, True, 0.0, inside)
        if mixed.from_previous:
            gemm(-1.0, inside, False, right, False, 1.0, gaps)
            rest[:] = 0.0
        _refit(inside, along, factors, noise, mixed.weights, mixed.from_previous)
        _rotate_back(inside, right, rest, 1.0 if mixed.from_previous else 0.0, gaps)
        _write_errors(gaps, truth.spectrum, 0.0, out[step])


@parallel_kernel
def mix_fresh(gaps, design, truth, mixed, normals, span, out):
    """Refit chains on inputs of each generation: ``(R,W*L,d),...->(R,B,W,L)``, O(d^3 + W L d^2) a step.

    Parameters
    ----------
    gaps : float64 (R, W*L, d), the weights less w0; updated.
    design : `Design`.
    truth, mixed, normals, span, out : as in `mix_shared`; real labels are never fixed.
    """
    n_replicates, _, d = gaps.shape
    most = mixed.n_samples.max()
    if design.law == REDUCED:
        most = min(most, d)
    for thread in prange(span.n_threads):
        sampler = new_sampler(most, most, d)
        for replicate in range(thread, n_replicates, span.n_threads):
            _run_fresh(
                gaps[replicate], design, truth, mixed, normals, span, replicate, sampler, out[replicate],
            )  # fmt: skip
