"""Multinomial and multivariate hypergeometric draws over many symbols, parallel over replicates and blocks of symbols.

A multinomial of n tokens starts as independent Poisson counts, one for each symbol. Their sum N is then corrected to n:
missing tokens are drawn one by one, surplus tokens are removed uniformly without replacement. `draw_block` draws the
Poisson counts of a block, `split_correction` gives each block its part of the correction, and `apply_correction`
corrects one block. Blocks are fixed ranges of BLOCK symbols, so streams belong to symbols and not to threads.

Counts are int32 where they fit, half of the bytes to move, else float64: exact up to 1e15, which is below 2^53.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import (
    add_tokens,
    binomial_chain,
    hypergeometric_chain,
    remove_tokens,
    total_of,
)
from fastcollapse.kernels.counts.poisson_counts import open_poisson, poisson_of_counts, poisson_of_means
from fastcollapse.kernels.counts.workspace import BLOCK, thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import STREAM_WORDS, SUB_BULK, SUB_CORRECT, SUB_SPLIT, open_draw

# Up to this number of symbols a chain of binomials is cheaper than Poisson counts and their correction.
FEW_SYMBOLS = 8


class Draw(NamedTuple):
    """A draw in progress: `n_tokens` tokens for each of R replicates, over K symbols in N blocks.

    Counts are int32 where all fit, else float64; all counts of a draw have one type.

    Attributes
    ----------
    weights : counts (R, K), or (1, K) where all replicates share them.
    law : float64 (K), the weights of all replicates where they are not whole; or (R K), those of one replicate after
        the other; or (R K + R), with the sum of each after them; else empty.
    weight_total : the sum of the weights of a replicate, above 0; not read where `law` has it.
    drawn : counts (R, K), aligned with the weights.
    n_tokens : 0 to 1e15; some kernels take -1 for no draw.
    corrections : int64 (R, N), the tokens that a block still has to gain or, negative, to lose.
    sums : int64 (R, N), the drawn tokens of a block.
    weight_sums : float64 (R, N), the weights of a block.
    """

    weights: np.ndarray
    law: np.ndarray
    weight_total: float
    drawn: np.ndarray
    n_tokens: int
    corrections: np.ndarray
    sums: np.ndarray
    weight_sums: np.ndarray


NO_LAW = np.zeros(0)


def new_draw(
    weights: np.ndarray, weight_total: float, drawn: np.ndarray, n_tokens: int, n_blocks: int, law: np.ndarray = NO_LAW
) -> Draw:
    """Return a draw with new arrays for its corrections and sums."""
    shape = (drawn.shape[0], n_blocks)
    corrections, sums = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    return Draw(weights, law, weight_total, drawn, n_tokens, corrections, sums, np.zeros(shape))


def block_grid(n_replicates: int, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and lengths, int64 (R, N), of blocks that hold every symbol.

    Examples
    --------
    >>> block_grid(1, 9000)
    (array([[   0, 8192]]), array([[8192,  808]]))
    """
    starts = np.arange(0, n_symbols, BLOCK)
    return np.tile(starts, (n_replicates, 1)), np.tile(np.minimum(BLOCK, n_symbols - starts), (n_replicates, 1))


@kernel
def weights_of(draw, replicate, start, length):
    """Return the weights of a block, as counts: ``->(m)``, or ``->(0)`` if they are those of a law."""
    row = np.int64(replicate) if draw.weights.shape[0] > 1 else np.int64(0)
    return draw.weights[row, start : start + length]


@kernel
def _law_of(draw, replicate, start, length):
    """Return the weights of a block under the law: ``->(m)``."""
    n_symbols = draw.drawn.shape[1]
    first = start + (replicate * n_symbols if draw.law.shape[0] > n_symbols else 0)
    return draw.law[first : first + length]


@kernel
def _copy_weights(draw, replicate, start, out):
    """Write the weights of a block: ``->(m)``."""
    if draw.law.shape[0] > 0:
        law = _law_of(draw, replicate, start, out.shape[0])
        for i in range(out.shape[0]):
            out[i] = law[i]
    else:
        weights = weights_of(draw, replicate, start, out.shape[0])
        for i in range(out.shape[0]):
            out[i] = weights[i]


@kernel
def _weight_total(draw, replicate):
    """Return the sum of the weights of a replicate."""
    n_replicates, n_symbols = draw.drawn.shape
    if draw.law.shape[0] > n_replicates * n_symbols:
        return draw.law[n_replicates * n_symbols + replicate]
    return np.float64(draw.weight_total)


@kernel
def _sum_counts(counts):
    """Return the sum of counts: ``(m)->()``."""
    total = np.int64(0)
    for i in range(counts.shape[0]):
        total += np.int64(counts[i])
    return total


@kernel
def draw_block(draw, replicate, block, start, length, key, tables, workspace):
    """Draw the Poisson counts of one block and record its sums: ``(m)->(m),(),()``, O(m).

    Parameters
    ----------
    draw : `Draw`, whose `drawn`, `sums` and `weight_sums` are written.
    replicate, block : the indices of the block.
    start, length : the first column and the number of columns of the block.
    key, tables : `StreamKey` and `PoissonTables`.
    workspace : `Workspace` of one thread.
    """
    drawn = draw.drawn[replicate, start : start + length]
    scale = draw.n_tokens / _weight_total(draw, replicate)
    values = workspace.values[0, :length]
    if length == 0:
        draw.weight_sums[replicate, block] = 0.0
        draw.sums[replicate, block] = 0
    elif draw.sums.shape[1] == 1 and length <= FEW_SYMBOLS:
        stream, counts = workspace.streams[0], workspace.whole[:length]
        _copy_weights(draw, replicate, start, values)
        draw.weight_sums[replicate, block] = total_of(values)
        if length > 1:
            open_draw(key, replicate, block, SUB_BULK, stream)
        binomial_chain(values, draw.n_tokens, stream, counts)
        for i in range(length):
            drawn[i] = counts[i]
        draw.sums[replicate, block] = draw.n_tokens
    else:
        open_poisson(key, replicate, block, workspace)
        if draw.law.shape[0] == 0 and scale == 1.0:
            weights = weights_of(draw, replicate, start, length)
            draw.weight_sums[replicate, block] = _sum_counts(weights)
            poisson_of_counts(weights, tables, workspace, drawn)
        else:
            weights = values
            if draw.law.shape[0] > 0:
                weights = _law_of(draw, replicate, start, length)
            else:
                _copy_weights(draw, replicate, start, values)
            draw.weight_sums[replicate, block] = total_of(weights)
            for i in range(length):
                values[i] = weights[i] * scale
            poisson_of_means(values, tables, workspace, drawn)
        draw.sums[replicate, block] = _sum_counts(drawn)


@kernel
def split_correction(draw, replicate, key):
    """Split what a replicate lacks to `n_tokens`, or has in excess, over its blocks: ``(N),()->(N)``, O(N)."""
    sums, corrections = draw.sums[replicate], draw.corrections[replicate]
    missing = np.int64(draw.n_tokens)
    for block in range(sums.shape[0]):
        missing -= sums[block]
        corrections[block] = 0
    if missing == 0:
        return
    stream = np.empty(STREAM_WORDS, np.uint64)
    open_draw(key, replicate, 0, SUB_SPLIT, stream)
    if missing > 0:
        binomial_chain(draw.weight_sums[replicate], missing, stream, corrections)
    else:
        hypergeometric_chain(sums, -missing, stream, corrections)
        for block in range(corrections.shape[0]):
            corrections[block] = -corrections[block]


@kernel
def apply_correction(draw, start, length, replicate, block, key, workspace):
    """Add or remove the tokens that `split_correction` assigned to one block; O(tokens) or O(length)."""
    n_missing = draw.corrections[replicate, block]
    if n_missing == 0:
        return
    stream = workspace.streams[0]
    open_draw(key, replicate, block, SUB_CORRECT, stream)
    drawn = draw.drawn[replicate, start : start + length]
    if n_missing > 0:
        weights = workspace.values[0, :length]
        _copy_weights(draw, replicate, start, weights)
        add_tokens(n_missing, weights, stream, workspace, drawn)
    else:
        remove_tokens(-n_missing, stream, workspace, drawn)


@parallel_kernel
def poisson_pass(draw, starts, lengths, key, tables, workspace):
    """Draw Poisson counts and the correction of each block: ``(Q,K),(R,N),(R,N),...->(R,K),(R,N)``, O(R K)."""
    n_replicates, n_blocks = lengths.shape
    n_units = n_replicates * n_blocks
    n_threads = workspace.deferred.shape[0]
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, np.int64(thread))
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start, length = starts[replicate, block], lengths[replicate, block]
            draw_block(draw, replicate, block, start, length, key, tables, mine)
    for replicate in prange(n_replicates):
        split_correction(draw, np.int64(replicate), key)


@parallel_kernel
def multinomial(draw, starts, lengths, key, tables, workspace):
    """Draw multinomial counts for every replicate: ``(Q,K),(R,N),(R,N),...->(R,K)``, Q = R or 1, O(R K).

    Parameters
    ----------
    draw : `Draw` with the weights, at least 0, and the arrays to fill.
    starts, lengths : int64 (R, N), the first column and the number of columns of each block.
    key, tables : `StreamKey` and `PoissonTables`.
    workspace : `Workspace`, a row for each thread.
    """
    n_replicates, n_blocks = lengths.shape
    n_threads = workspace.deferred.shape[0]
    poisson_pass(draw, starts, lengths, key, tables, workspace)
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, np.int64(thread))
        for unit in range(thread, n_replicates * n_blocks, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            apply_correction(draw, starts[replicate, block], lengths[replicate, block], replicate, block, key, mine)


@parallel_kernel
def subsample(counts, n_tokens, key, workspace, drawn):
    """Write how many of `n_tokens` tokens drawn without replacement fall on each symbol: ``(R,K),()->(R,K)``, O(R K).

    Parameters
    ----------
    counts : counts (R, K), every symbol of every block; each row sums to at least `n_tokens`.
    n_tokens : the tokens of each replicate.
    key : `StreamKey`.
    workspace : `Workspace`, a row for each thread.
    drawn : counts (R, K), may be `counts`.
    """
    n_replicates, n_symbols = counts.shape
    n_blocks = (n_symbols + BLOCK - 1) // BLOCK
    n_units = n_replicates * n_blocks
    n_threads = workspace.deferred.shape[0]
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    shares = np.zeros((n_replicates, n_blocks), np.int64)
    for unit in prange(n_units):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        sums[replicate, block] = _sum_counts(counts[replicate, block * BLOCK : (block + 1) * BLOCK])
    for replicate in prange(n_replicates):
        stream = np.empty(STREAM_WORDS, np.uint64)
        open_draw(key, np.int64(replicate), 0, SUB_SPLIT, stream)
        hypergeometric_chain(sums[replicate], n_tokens, stream, shares[replicate])
    for thread in prange(n_threads):
        whole, stream = workspace.whole[thread], workspace.streams[thread, 0]
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            length = min(BLOCK, n_symbols - start)
            open_draw(key, replicate, block, SUB_BULK, stream)
            taken = whole[:length]
            for i in range(length):
                taken[i] = counts[replicate, start + i]
            hypergeometric_chain(taken, shares[replicate, block], stream, taken)
            for i in range(length):
                drawn[replicate, start + i] = taken[i]
