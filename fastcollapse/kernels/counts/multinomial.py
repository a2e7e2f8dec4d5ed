"""Multinomial and multivariate hypergeometric draws over many symbols, parallel over replicates and blocks of symbols.

A multinomial of n tokens is drawn as independent Poisson counts, one a symbol, whose sum N is then corrected to n:
missing tokens are drawn one by one, surplus ones are removed uniformly without replacement. `draw_block` draws the
Poisson counts of a block, `split_correction` gives each block its part of the correction, `apply_correction` corrects
one block. Blocks are fixed ranges of BLOCK symbols, so streams belong to symbols and not to threads.

Counts and weights are float64: counts are whole and exact up to 1e15 (below 2^53).
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

# Up to so many symbols a chain of binomials is cheaper than Poisson counts and their correction.
FEW_SYMBOLS = 8


class Draw(NamedTuple):
    """A draw under way of `n_tokens` tokens a replicate, R replicates over K symbols in N blocks.

    weights: float64 (R, K), or (1, K) for weights shared by all replicates, counts (whole, exact up to 1e15) or
    probabilities; weight_total: the sum of a replicate's, > 0; drawn: float64 (R, K), aligned with the weights;
    corrections: int64 (R, N), the tokens that a block still has to gain (or, negative, to lose); sums: int64 (R, N) and
    weight_sums: float64 (R, N), the drawn tokens and the weights of a block.
    """

    weights: np.ndarray
    weight_total: float
    drawn: np.ndarray
    n_tokens: int
    corrections: np.ndarray
    sums: np.ndarray
    weight_sums: np.ndarray


def new_draw(weights: np.ndarray, weight_total: float, drawn: np.ndarray, n_tokens: int, n_blocks: int) -> Draw:
    """Return a draw with room for its corrections."""
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
    """Draw the Poisson counts of one block, whose columns begin at `start`, and note its sums."""
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
    """Share what a replicate misses to `n_tokens`, or has too many, out over its blocks."""
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
    """Add or remove the tokens that `split_correction` left to one block."""
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
    """Draw independent Poisson counts and what each block has to gain or lose:
    ``(Q,K),(R,N),(R,N),(),...->(R,K),(R,N)``.
    """
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
    """Draw multinomial counts over the symbols of every replicate: ``(Q,K),(R,N),(R,N),(),...->(R,K)``, Q = R or 1.

    Parameters
    ----------
    draw: weights >= 0, their total, n_tokens from 0 to 1e15, and the arrays to fill
    starts, lengths: int64, the column where the weights of each of the N blocks begin, and how many there are
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
    """Write how many of `n_tokens` tokens drawn without replacement from `counts` fall on each symbol:
    ``(R,K),()->(R,K)``.

    `counts` is dense (every symbol of every block, zeros included); each row sums to at least `n_tokens`. It may be
    `drawn` itself.
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
