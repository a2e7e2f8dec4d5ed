"""Multinomial and multivariate hypergeometric draws over many symbols, parallel over replicates and blocks of symbols.

A multinomial of n tokens starts as independent Poisson counts, one for each symbol. Their sum N is then corrected to n:
missing tokens are drawn one by one, surplus tokens are removed uniformly without replacement. `draw_block` draws the
Poisson counts of a block, `split_correction` gives each block its part of the correction, and `apply_correction`
corrects one block. Blocks are fixed ranges of BLOCK symbols, so streams belong to symbols and not to threads.

Counts and weights are float64. Counts are whole and exact up to 1e15, which is below 2^53.
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
from fastcollapse.kernels.counts.poisson_counts import poisson_counts
from fastcollapse.kernels.counts.workspace import BLOCK, thread_workspace
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import STREAM_WORDS, SUB_BULK, SUB_CORRECT, SUB_SPLIT, open_draw

# Up to this number of symbols a chain of binomials is cheaper than Poisson counts and their correction.
FEW_SYMBOLS = 8


class Draw(NamedTuple):
    """A draw in progress: `n_tokens` tokens for each of R replicates, over K symbols in N blocks.

    Attributes
    ----------
    weights : float64 (R, K), or (1, K) where all replicates share them; counts up to 1e15, or probabilities.
    weight_total : the sum of the weights of a replicate, above 0.
    drawn : float64 (R, K), aligned with the weights.
    n_tokens : 0 to 1e15; some kernels take -1 for no draw.
    corrections : int64 (R, N), the tokens that a block still has to gain or, negative, to lose.
    sums : int64 (R, N), the drawn tokens of a block.
    weight_sums : float64 (R, N), the weights of a block.
    """

    weights: np.ndarray
    weight_total: float
    drawn: np.ndarray
    n_tokens: int
    corrections: np.ndarray
    sums: np.ndarray
    weight_sums: np.ndarray


def new_draw(weights: np.ndarray, weight_total: float, drawn: np.ndarray, n_tokens: int, n_blocks: int) -> Draw:
    """Return a draw with new arrays for its corrections and sums."""
    shape = (drawn.shape[0], n_blocks)
    return Draw(
        weights, weight_total, drawn, n_tokens, np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape)
    )


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
def draw_block(draw, scale, replicate, block, start, length, key, tables, workspace):
    """Draw the Poisson counts of one block and record its sums: ``(m),()->(m),(),()``, O(m).

    More than eight arguments, because the serial loops that call it would build a tuple for each block.

    Parameters
    ----------
    draw : `Draw`, whose `drawn`, `sums` and `weight_sums` are written.
    scale : `n_tokens` over `weight_total`.
    replicate, block : the indices of the block.
    start, length : the first column and the number of columns of the block.
    key, tables : `StreamKey` and `PoissonTables`.
    workspace : `Workspace` of one thread.
    """
    row = np.int64(replicate) if draw.weights.shape[0] > 1 else np.int64(0)
    weights = draw.weights[row, start : start + length]
    drawn = draw.drawn[replicate, start : start + length]
    draw.weight_sums[replicate, block] = total_of(weights)
    if length == 0:
        draw.sums[replicate, block] = 0
    elif draw.sums.shape[1] == 1 and length <= FEW_SYMBOLS:
        stream = workspace.streams[0]
        if length > 1:
            open_draw(key, replicate, block, SUB_BULK, stream)
        binomial_chain(weights, draw.n_tokens, stream, drawn)
        draw.sums[replicate, block] = draw.n_tokens
    else:
        draw.sums[replicate, block] = poisson_counts(weights, scale, key, replicate, block, tables, workspace, drawn)


@kernel
def split_correction(draw, replicate, key):
    """Split what a replicate lacks to `n_tokens`, or has in excess, over its blocks: ``(N),()->(N)``, O(N)."""
    sums, corrections = draw.sums[replicate], draw.corrections[replicate]
    missing = draw.n_tokens - sums.sum()
    if missing == 0:
        corrections[:] = 0
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
        row = np.int64(replicate) if draw.weights.shape[0] > 1 else np.int64(0)
        add_tokens(draw.weights[row, start : start + length], n_missing, stream, workspace, drawn)
    else:
        remove_tokens(-n_missing, stream, workspace, drawn)


@parallel_kernel
def poisson_pass(draw, starts, lengths, key, tables, workspace):
    """Draw Poisson counts and the correction of each block: ``(Q,K),(R,N),(R,N),...->(R,K),(R,N)``, O(R K)."""
    n_replicates, n_blocks = lengths.shape
    n_units = n_replicates * n_blocks
    n_threads = workspace.deferred.shape[0]
    scale = draw.n_tokens / draw.weight_total
    for thread in prange(n_threads):
        mine = thread_workspace(workspace, thread)
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            draw_block(
                draw, scale, replicate, block, starts[replicate, block], lengths[replicate, block], key, tables, mine
            )
    for replicate in prange(n_replicates):
        split_correction(draw, replicate, key)


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
        mine = thread_workspace(workspace, thread)
        for unit in range(thread, n_replicates * n_blocks, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            apply_correction(draw, starts[replicate, block], lengths[replicate, block], replicate, block, key, mine)


@parallel_kernel
def subsample(counts, n_tokens, key, n_threads, drawn):
    """Write how many of `n_tokens` tokens drawn without replacement fall on each symbol: ``(R,K),()->(R,K)``, O(R K).

    Parameters
    ----------
    counts : float64 (R, K), every symbol of every block; each row sums to at least `n_tokens`.
    n_tokens : the tokens of each replicate.
    key : `StreamKey`.
    n_threads : the number of threads.
    drawn : float64 (R, K), may be `counts`.
    """
    n_replicates, n_symbols = counts.shape
    n_blocks = (n_symbols + BLOCK - 1) // BLOCK
    n_units = n_replicates * n_blocks
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    shares = np.zeros((n_replicates, n_blocks), np.int64)
    for unit in prange(n_units):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        sums[replicate, block] = np.int64(total_of(counts[replicate, block * BLOCK : (block + 1) * BLOCK]))
    for replicate in prange(n_replicates):
        stream = np.empty(STREAM_WORDS, np.uint64)
        open_draw(key, replicate, 0, SUB_SPLIT, stream)
        hypergeometric_chain(sums[replicate], n_tokens, stream, shares[replicate])
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            stop = min(start + BLOCK, n_symbols)
            stream = np.empty(STREAM_WORDS, np.uint64)
            open_draw(key, replicate, block, SUB_BULK, stream)
            hypergeometric_chain(
                counts[replicate, start:stop], shares[replicate, block], stream, drawn[replicate, start:stop]
            )
