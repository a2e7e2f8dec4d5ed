"""Random walk of the mean and the log deviation of a normal law refitted to samples of one size.

A refit to n points moves the mean by sigma z / sqrt(n) and ln sigma by ln(chi2_{n-1} / D) / 2, D = n - 1 or n, all in
units of the truth. While n stays, the second has one law, whose table is built once. No logarithm is taken, and
ln sigma is a sum, so nothing underflows.
"""

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC, STREAM_WORDS, SUB_SPARE, open_stream
from fastcollapse.kernels.random.threefry import word_pairs
from fastcollapse.kernels.random.vector_exp import exponentials
from fastcollapse.kernels.random.ziggurat import accept_or_redraw, inside, place

# Steps of a strip: what one pass leaves for the next stays in the first-level cache.
STRIP = 128
# Replicates of a group: a running sum waits for the addition before it, and four sums wait together.
GROUP = 4
_SYNTHETIC, _SPARE = np.uint64(PURPOSE_SYNTHETIC), np.uint64(SUB_SPARE)
# Blocks of the spare streams: the exact decisions of the two variates of a generation.
_FOR_NORMAL, _FOR_CHI = np.uint64(0), np.uint64(1)


@kernel
def direct_variates(words, table, n, name, block, stream, out):
    """Write the variates of n words: ``(n)->(n)``.

    Parameters
    ----------
    words : uint64 (n or more).
    table : a table of `ziggurat`.
    n : the number of variates.
    name : (seed, replicate, generation of the first word, purpose).
    block : the block of the spare streams, which decide what a word leaves undecided.
    stream : uint64 (STREAM_WORDS), overwritten.
    out : float64 (n or more).
    """
    seed, replicate, first, purpose = name
    for k in range(n):
        layer, t = place(words[k], table)
        if not inside(layer, t, table):
            open_stream(seed, replicate, np.uint64(first + k), block, purpose + _SPARE, stream)
            t = accept_or_redraw(layer, t, table, stream)
        out[k] = t


@kernel
def running_sums(steps, n, out):
    """Write the sums of the first k steps, added to the start: ``(4,n)->(4,n+1)``.

    Column 0 of `out` holds the start. The order of the additions is fixed.
    """
    a, b, c, d = out[0, 0], out[1, 0], out[2, 0], out[3, 0]
    steps_a, steps_b, steps_c, steps_d = steps[0], steps[1], steps[2], steps[3]
    out_a, out_b, out_c, out_d = out[0], out[1], out[2], out[3]
    for k in range(n):
        a += steps_a[k]
        b += steps_b[k]
        c += steps_c[k]
        d += steps_d[k]
        out_a[k + 1], out_b[k + 1], out_c[k + 1], out_d[k + 1] = a, b, c, d


@kernel
def _affine(x, shift, scale, n, out):
    """Write shift + scale x: ``(n)->(n)``."""
    for k in range(n):
        out[k] = shift + scale * x[k]


@kernel
def _moves(sigma, z, rate, n, out):
    """Write rate * sigma * z: ``(n),(n)->(n)``."""
    for k in range(n):
        out[k] = rate * sigma[k] * z[k]


@parallel_kernel
def walk(state, law, normals, increments, span, means, logs):
    """Walk R replicates over B generations of one sample size: ``(2,R),(6),...->(R,B),(R,B)``, O(1) a step.

    Parameters
    ----------
    state : float64 (2, R), mean and ln sigma in units of the truth; updated.
    law : float64 (6), 1 / sqrt(n); shift and scale of an increment of ln sigma; mean, sigma and ln sigma of the truth.
    normals, increments : tables of `ziggurat`.
    span : `Span`.
    means, logs : float64 (R, B), the states in units of the data.
    """
    n_replicates = state.shape[1]
    n_groups = (n_replicates + GROUP - 1) // GROUP
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    for thread in prange(n_threads):
        words = np.empty((2, STRIP), np.uint64)
        bits = np.empty(STRIP, np.int64)
        normal = np.empty((GROUP, STRIP))
        steps = np.zeros((GROUP, STRIP))
        sigma = np.empty(STRIP)
        log_sums, mean_sums = np.zeros((GROUP, STRIP + 1)), np.zeros((GROUP, STRIP + 1))
        stream = np.empty(STREAM_WORDS, np.uint64)
        for group in range(thread, n_groups, n_threads):
            start = group * GROUP
            size = min(GROUP, n_replicates - start)
            for g in range(size):
                mean_sums[g, 0], log_sums[g, 0] = state[0, start + g], state[1, start + g]
            for begin in range(0, n_generations, STRIP):
                n = min(STRIP, n_generations - begin)
                for g in range(size):
                    name = (span.seed, span.first_replicate + np.uint64(start + g), first + begin, _SYNTHETIC)
                    word_pairs(name[0], name[1], name[2], n, name[3], words[0], words[1])
                    direct_variates(words[0], normals, n, name, _FOR_NORMAL, stream, normal[g])
                    direct_variates(words[1], increments, n, name, _FOR_CHI, stream, sigma)
                    _affine(sigma, law[1], law[2], n, steps[g])
                running_sums(steps, n, log_sums)
                for g in range(size):
                    exponentials(log_sums[g, :n], bits, sigma)
                    _moves(sigma, normal[g], law[0], n, steps[g])
                    _affine(log_sums[g, 1:], law[5], 1.0, n, logs[start + g, begin:])
                running_sums(steps, n, mean_sums)
                for g in range(size):
                    _affine(mean_sums[g, 1:], law[3], law[4], n, means[start + g, begin:])
                    mean_sums[g, 0], log_sums[g, 0] = mean_sums[g, n], log_sums[g, n]
            for g in range(size):
                state[0, start + g], state[1, start + g] = mean_sums[g, 0], log_sums[g, 0]
