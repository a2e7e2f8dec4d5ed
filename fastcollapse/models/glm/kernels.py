"""Kernels of generalised linear models: chains of fits to labels of fixed rows, and their limit for large samples.

A pool needs only the sums X'y of all its labels, p numbers, because the likelihood depends on nothing else.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.lapack import gemv
from fastcollapse.kernels.random.discrete_variates import binomial, poisson
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    fill_words,
    generation_stream,
    normal,
)
from fastcollapse.kernels.regression.newton_glm import (
    FAILED,
    FITTED,
    POISSON,
    SEPARATED,
    SINGULAR,
    fit,
    new_workspace,
    write_means,
)

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_FIXED_REAL = np.uint64(PURPOSE_FIXED_REAL)
_SHIFT_53, _TO_UNIT = np.uint64(11), 1.0 / 9007199254740992.0
# The largest mean of a Poisson variate.
_MOST_COUNTS = 1e15


class Chains(NamedTuple):
    """The chains of R replicates; the kernels update `coefficients`, `separated` and `sums`.

    Attributes
    ----------
    coefficients : float64 (R, p), of the last fit.
    separated : float64 (R), 1 after a fit to separated labels.
    sums : float64 (R, p), X'y of the pool.
    """

    coefficients: np.ndarray
    separated: np.ndarray
    sums: np.ndarray


@kernel
def _real_stream(fixed_real, span, replicate, generation, stream):
    """Set `stream` to that of the real data of a generation; fixed real data is drawn anew with the same numbers."""
    if fixed_real:
        generation_stream(span, replicate, 0, _FIXED_REAL, stream)
    else:
        generation_stream(span, replicate, generation, _REAL, stream)


@kernel
def add_labels(blocks, n_rows, response, coefficients, passes, stream, work, words, sums):
    """Draw `passes` labels of each row and add X'y to `sums`: ``(b,p,m),(p)->(p)``; return whether rates are in range.

    More than eight arguments, because a tuple of arrays made in the loop would count references. One variate has the
    law of the sum of all labels of a row.
    """
    left = n_rows
    for b in range(blocks.shape[0]):
        m = min(left, blocks.shape[2])
        left -= m
        gemv(1.0, blocks[b], True, coefficients, 0.0, work.weights)
        for i in range(m):
            work.changes[b, i] = work.weights[i]
        write_means(response, work.changes[b], work.bits, work.means, work.weights)
        if response == POISSON:
            for i in range(m):
                rate = passes * work.means[i]
                if not rate <= _MOST_COUNTS:
                    return False
                work.means[i] = poisson(rate, stream)
        elif passes == 1:
            fill_words(stream, words[:m])
            for i in range(m):
                work.means[i] = 1.0 if np.float64(words[i] >> _SHIFT_53) * _TO_UNIT < work.means[i] else 0.0
        else:
            for i in range(m):
                work.means[i] = binomial(passes, work.means[i], stream)
        for i in range(m, blocks.shape[2]):
            work.means[i] = 0.0
        gemv(1.0, blocks[b], False, work.means, 1.0, sums)
    return True


@parallel_kernel
def refit_labels(rows, truth, chains, schedule, span, out, out_separated):
    """Refit R replicates over B generations: ``(b,p,m),(p),(R,p),...->(R,B,p),(R,B)``, O(n p^2) a step of Newton.

    A chain ends with the first fit to separated labels, which have no maximum of the likelihood, or with a singular
    one: it keeps the coefficients before that fit. After a fit that fails otherwise they are NaN.

    Parameters
    ----------
    rows : `Rows`.
    truth : float64 (p), coefficients of the truth.
    chains : `Chains`.
    schedule : `KernelSchedule`, whose sizes are multiples of the number of rows.
    span : `Span`.
    out, out_separated : float64 (R, B, p) and (R, B), coefficients, and whether they are those before a separation.
    """
    blocks, n_rows, response = rows
    coefficients, separated, pool = chains
    n_synthetic, n_real, n_kept, fitted = (
        schedule.n_synthetic, schedule.n_real, schedule.n_kept, schedule.divisor
    )  # fmt: skip
    n_replicates, p = coefficients.shape
    for thread in prange(span.n_threads):
        stream, words = np.empty(STREAM_WORDS, np.uint64), np.empty(blocks.shape[2], np.uint64)
        work = new_workspace(blocks.shape[0], p, blocks.shape[2])
        for replicate in range(thread, n_replicates, span.n_threads):
            now, sums = coefficients[replicate], pool[replicate]
            for step in range(span.n_generations):
                generation = span.first + step
                t = generation - 1
                # A chain that has failed is NaN, which no draw may see.
                if separated[replicate] == 0.0 and not math.isnan(now[0]):
                    if n_kept[t] == 0:
                        sums[:] = 0.0
                    generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                    is_drawn = add_labels(
                        blocks, n_rows, response, now, n_synthetic[t] // n_rows, stream, work, words, sums
                    )
                    if n_real[t] > 0:
                        _real_stream(schedule.fixed_real, span, replicate, generation, stream)
                        is_drawn &= add_labels(
                            blocks, n_rows, response, truth, n_real[t] // n_rows, stream, work, words, sums
                        )
                    status = FAILED
                    if is_drawn:
                        trials = np.float64(fitted[t] // n_rows)
                        status = fit(blocks, n_rows, response, sums, trials, work, now)
                    if status == SEPARATED or status == SINGULAR:
                        separated[replicate] = 1.0
                    elif status != FITTED:
                        now[:] = math.nan
                for j in range(p):
                    out[replicate, step, j] = now[j]
                out_separated[replicate, step] = separated[replicate]


@kernel
def add_scores(scale, centre, extra, stream, sums):
    """Add a batch of the limit to `sums`: ``(p)->(2,p)``, its scores and what another estimator adds to them."""
    for j in range(centre.shape[0]):
        sums[0, j] += scale * (scale * centre[j] + normal(stream))
    if extra > 0.0:
        for j in range(centre.shape[0]):
            sums[1, j] += scale * extra * normal(stream)


@parallel_kernel
def refit_limit(n_rows, extra, chains, schedule, span, out):
    """Refit R replicates of the Gaussian limit over B generations: ``(R,p),(R,2,p),...->(R,B,p)``, O(p) a step.

    In coordinates in which a fit to one pass over the rows has the error N(0, I), the fit is the mean of all batches in
    the pool: D_t = sum_s a_s (D_(s-1) + Z_s). Another estimator adds independent noise, of variance `extra`^2 in these
    units, and the next batch is still drawn from the model of maximum likelihood.

    Parameters
    ----------
    n_rows, extra : number of rows of a pass; deviation of the noise that the other estimator adds, or 0.
    chains : `Chains`, with the errors of maximum likelihood as `coefficients`, and sums (R, 2, p).
    schedule, span : `KernelSchedule` and `Span`.
    out : float64 (R, B, p), the errors of the estimator.
    """
    errors, _, pool = chains
    n_replicates, p = errors.shape
    n_synthetic, n_real, n_kept, fitted = (
        schedule.n_synthetic, schedule.n_real, schedule.n_kept, schedule.divisor
    )  # fmt: skip
    for thread in prange(span.n_threads):
        stream, truth = np.empty(STREAM_WORDS, np.uint64), np.zeros(p)
        for replicate in range(thread, n_replicates, span.n_threads):
            now, sums = errors[replicate], pool[replicate]
            for step in range(span.n_generations):
                generation = span.first + step
                t = generation - 1
                if n_kept[t] == 0:
                    sums[:, :] = 0.0
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                add_scores(math.sqrt(n_synthetic[t] // n_rows), now, extra, stream, sums)
                if n_real[t] > 0:
                    _real_stream(schedule.fixed_real, span, replicate, generation, stream)
                    add_scores(math.sqrt(n_real[t] // n_rows), truth, extra, stream, sums)
                passes = np.float64(fitted[t] // n_rows)
                for j in range(p):
                    now[j] = sums[0, j] / passes
                    out[replicate, step, j] = now[j] + sums[1, j] / passes
