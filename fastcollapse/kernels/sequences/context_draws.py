"""Draws with fixed totals: one exact multinomial in each context."""

import numpy as np

from fastcollapse.kernels.counts.count_corrections import add_tokens, binomial_chain, total_of
from fastcollapse.kernels.counts.workspace import BLOCK
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS, SUB_BULK, open_draw
from fastcollapse.kernels.sequences.urns import context_weights


@kernel
def _add_block(n_tokens, cells, weights, stream, workspace, drawn):
    """Draw tokens over at most BLOCK cells: ``(m),(m)->(D)``."""
    counts = workspace.places[: cells.shape[0]]
    counts[:] = 0
    add_tokens(n_tokens, weights, stream, workspace, counts)
    for i in range(cells.shape[0]):
        drawn[cells[i]] += counts[i]


@kernel
def _add_long(n_tokens, cells, weights, stream, workspace, drawn):
    """Draw tokens over more than BLOCK cells: first the tokens of each block of them."""
    n_blocks = (cells.shape[0] + BLOCK - 1) // BLOCK
    sums, sizes = np.empty(n_blocks), np.empty(n_blocks, np.int64)
    for block in range(n_blocks):
        sums[block] = total_of(weights[block * BLOCK : (block + 1) * BLOCK])
    binomial_chain(sums, n_tokens, stream, sizes)
    for block in range(n_blocks):
        mine = slice(block * BLOCK, (block + 1) * BLOCK)
        _add_block(sizes[block], cells[mine], weights[mine], stream, workspace, drawn)


@kernel
def draw_contexts(table, counts, temperature, sizes, contexts, key, replicate, workspace, drawn):
    """Add a multinomial draw of `sizes[c]` tokens in each context c: ``(D),(C)->(D)``, O(D + tokens).

    A context without live cells draws nothing; one with a single live cell needs no variate. More than eight arguments,
    because a tuple made for each call would count references.

    Parameters
    ----------
    table : `CellTable`.
    counts : int32 (D), the state.
    temperature : T; weights are c^(1/T).
    sizes : int64 (C).
    contexts : the first context and the one after the last.
    key, replicate : `StreamKey` and the index of the replicate; the block of a stream is the context.
    workspace : `Workspace` of one thread.
    drawn : int32 (D), counts to add to.
    """
    offsets, widest = table.offsets, np.int64(0)
    for context in range(contexts[0], contexts[1]):
        widest = max(widest, offsets[context + 1] - offsets[context])
    cells, weights, stream = np.empty(widest, np.int32), np.empty(widest), np.empty(STREAM_WORDS, np.uint64)
    for context in range(contexts[0], contexts[1]):
        n_tokens = sizes[context]
        if n_tokens == 0:
            continue
        n_live = context_weights(offsets[context], offsets[context + 1], counts, temperature, cells, weights)
        if n_live == 1:
            drawn[cells[0]] += n_tokens
        elif n_live > 1:
            open_draw(key, replicate, context, SUB_BULK, stream)
            if n_live <= BLOCK:
                _add_block(n_tokens, cells[:n_live], weights[:n_live], stream, workspace, drawn)
            else:
                _add_long(n_tokens, cells[:n_live], weights[:n_live], stream, workspace, drawn)
