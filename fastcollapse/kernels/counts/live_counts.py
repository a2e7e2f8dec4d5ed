"""Lists of the live symbols of every replicate, and their copy as sparse rows.

A block is a fixed range of BLOCK symbols. Its list holds the symbols that may be alive, in ascending order, with their
counts. A symbol that dies stays on the list with a count of zero until the list is compacted, because a zero costs
less than moving the others.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange


class LiveCounts(NamedTuple):
    """Lists of live symbols of R replicates over K symbols in N blocks.

    Attributes
    ----------
    counts : counts (R, K), int32 or float64; or float64 weights.
    symbols : int32 (R, K).
    starts, lengths : int64 (R, N), the first column of the list of a block and its number of symbols.
    alive : int64 (R, N), the number of listed symbols with a count.
    forgotten : int32 (R, K), the generation at which a symbol was first absent, or -1.
    packed : int64 (R), 1 once `compact_blocks` has moved the blocks of the replicate together.
    lost : float64 (R, N), the true probability of the symbols of a block that have no count.
    probability : float64 (R, K // 2 + 1), for a packed replicate the true probability of the listed symbols, column by
        column; (R, 0) where none is needed.
    """

    counts: np.ndarray
    symbols: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    alive: np.ndarray
    forgotten: np.ndarray
    packed: np.ndarray
    lost: np.ndarray
    probability: np.ndarray


def list_all(
    counts: np.ndarray, starts: np.ndarray, lengths: np.ndarray, probability: np.ndarray, n_cached: int
) -> LiveCounts:
    """Return the lists of every symbol of every block; symbols of probability 0 are forgotten from generation 0 on.

    Parameters
    ----------
    counts : counts (R, K).
    starts, lengths : int64 (R, N), see `block_grid`.
    probability : float64 (K), under the truth.
    n_cached : number of columns of the cached probabilities.
    """
    n_replicates, n_symbols = counts.shape
    symbols, forgotten = np.empty(counts.shape, np.int32), np.empty(counts.shape, np.int32)
    symbols[:] = np.arange(n_symbols, dtype=np.int32)
    forgotten[:] = -1
    forgotten[:, probability == 0.0] = 0
    packed, lost = np.zeros(n_replicates, np.int64), np.zeros(lengths.shape)
    cached = np.zeros((n_replicates, n_cached))
    return LiveCounts(counts, symbols, starts, lengths, lengths.copy(), forgotten, packed, lost, cached)


@kernel
def with_counts(live, counts):
    """Return the lists with other counts."""
    return LiveCounts(
        counts,
        live.symbols,
        live.starts,
        live.lengths,
        live.alive,
        live.forgotten,
        live.packed,
        live.lost,
        live.probability,
    )


@kernel
def expand_list(symbols, start, length, stop, values):
    """Move the values of a list to the columns of their symbols, and write 0 elsewhere: ``(K),(),(),()->(K)``.

    Entry i of a list is of symbol i or a later one, so that a loop from the end reads an entry before it writes it.

    Parameters
    ----------
    symbols : int32 (K), whose entries from `start` on are the list.
    start, length : the first column of the list, which is the first symbol of its block, and the length of the list.
    stop : the end of the block.
    values : counts or weights (K), updated from `start` to `stop`.
    """
    i = start + length - 1
    for symbol in range(stop - 1, start - 1, -1):
        if i >= start and symbols[i] == symbol:
            values[symbol] = values[i]
            i -= 1
        else:
            values[symbol] = 0


@kernel
def mark_extinct(drawn, parents, generation, symbols, probability, lost, forgotten, dead):
    """Record the generation for the listed symbols that are first without a count: ``(m),(m or 0),...->(K),()``.

    Parameters
    ----------
    drawn : counts (m), the new counts of the list.
    parents : counts (m) that they were drawn from; empty where every listed symbol was alive.
    generation : the generation of the new counts.
    symbols : int32 (m).
    probability : float64 (K), under the truth.
    lost : the true probability of the symbols of the block that died before.
    forgotten : int32 (K), see `LiveCounts`.
    dead : receives the places of the newly extinct symbols; m + 1 entries or more.

    Returns
    -------
    The number of listed symbols without a count, and `lost` with the probabilities of the newly extinct symbols added
    one after the other.
    """
    n_zeros = np.int64(0)
    for i in range(drawn.shape[0]):
        dead[n_zeros] = i
        n_zeros += np.int64(drawn[i] == 0)
    n_new = n_zeros
    if parents.shape[0] > 0:
        # Symbols that died before are not looked up again: each look-up is a cache miss.
        n_new = np.int64(0)
        for j in range(n_zeros):
            place = np.uint32(dead[j])
            dead[n_new] = place
            n_new += np.int64(parents[place] > 0)
    for j in range(n_new):
        symbol = np.uint32(symbols[dead[j]])
        if forgotten[symbol] < 0:
            forgotten[symbol] = generation
            lost += probability[symbol]
    return n_zeros, lost


@kernel
def compact(counts, symbols, cached):
    """Move the symbols with a count, and their cached probability, to the front of the list: ``(m),(m),(m or 0)``.

    Every entry is written and the place of the next one advances by 0 or 1: a branch would be mispredicted.
    """
    kept = np.int64(0)
    with_cache = cached.shape[0] > 0
    for i in range(counts.shape[0]):
        x = counts[i]
        counts[kept] = x
        symbols[kept] = symbols[i]
        if with_cache:
            cached[kept] = cached[i]
        kept += np.int64(x > 0)


@kernel
def list_block(dense, probability, generation, replicate, block, start, live):
    """Make the list of a block from the counts of all of its symbols, and return its length: ``(m),(m),...->()``, O(m).

    A call, because Numba drops an assignment to a field of a tuple inside `prange` as dead code.

    Parameters
    ----------
    dense : counts or weights (m).
    probability : float64 (m), under the truth.
    generation : recorded for the symbols that become extinct.
    replicate, block : their indices.
    start : the first symbol of the block.
    live : `LiveCounts`, updated.
    """
    stop = start + dense.shape[0]
    counts, symbols = live.counts[replicate, start:stop], live.symbols[replicate, start:stop]
    forgotten = live.forgotten[replicate, start:stop]
    kept, lost = np.int64(0), 0.0
    for i in range(dense.shape[0]):
        x = dense[i]
        if x > 0:
            counts[kept] = x
            symbols[kept] = start + i
            kept += 1
        else:
            lost += probability[i]
            if forgotten[i] < 0:
                forgotten[i] = generation
    live.lengths[replicate, block] = kept
    live.alive[replicate, block] = kept
    live.lost[replicate, block] = lost
    return kept


@kernel
def compact_blocks(replicate, live, drawn, probability):
    """Move the lists of a replicate together once they fill less than half of their columns; cache the truth.

    Late in a run the live symbols of a large vocabulary are far apart in the truth. Each look-up there is a cache miss:
    half of the time at 1e6 symbols and 100 generations.

    Parameters
    ----------
    replicate : its index.
    live : `LiveCounts`, updated.
    drawn : counts (R, K), drawn over the same lists, moved with them.
    probability : float64 (K), under the truth.
    """
    last = live.lengths.shape[1] - 1
    n_listed = np.int64(0)
    for block in range(last + 1):
        n_listed += live.lengths[replicate, block]
    if 2 * n_listed > live.starts[replicate, last] + live.lengths[replicate, last]:
        return
    counts, symbols, cached = live.counts[replicate], live.symbols[replicate], live.probability[replicate]
    upcoming = drawn[replicate]
    packed = live.packed[replicate] != 0
    position = 0
    for block in range(last + 1):
        start = live.starts[replicate, block]
        live.starts[replicate, block] = position
        for i in range(start, start + live.lengths[replicate, block]):
            counts[position] = counts[i]
            symbols[position] = symbols[i]
            upcoming[position] = upcoming[i]
            if cached.shape[0] > 0:
                cached[position] = cached[i] if packed else probability[symbols[i]]
            position += 1
    live.packed[replicate] = 1


@kernel
def copy_counts(replicate, live, to):
    """Copy the counts of the lists of a replicate to the same columns of `to`, counts (R, K)."""
    for block in range(live.lengths.shape[1]):
        start = live.starts[replicate, block]
        for i in range(start, start + live.lengths[replicate, block]):
            to[replicate, i] = live.counts[replicate, i]


@kernel
def _copy_live(counts, symbols, n_alive, indices, data):
    """Write symbols and counts of the entries with a count, which are `n_alive`: ``(m),(m),()->(n),(n)``.

    Every entry is written and the place of the next one advances by 0 or 1: a branch would be mispredicted.
    """
    if n_alive == counts.shape[0]:
        for i in range(n_alive):
            indices[i] = symbols[i]
            data[i] = counts[i]
        return
    kept, place = np.int64(0), np.int64(0)
    while kept < n_alive:
        x = counts[place]
        indices[kept] = symbols[place]
        data[kept] = x
        kept += np.int64(x > 0)
        place += 1


@parallel_kernel
def copy_rows(live, first_row, n_threads, rows):
    """Append the live symbols of each replicate to `rows`, one row each: ``(R,K),...->(R rows)``, O(listed symbols).

    Parameters
    ----------
    live : `LiveCounts`.
    first_row : the row of the first replicate; `rows.indptr[first_row]` must be set.
    n_threads : the number of threads.
    rows : `CountRows` with space for the symbols alive.
    """
    n_replicates, n_blocks = live.lengths.shape
    n_units = n_replicates * n_blocks
    positions = np.empty(n_units, np.int64)
    position = rows.indptr[first_row]
    for unit in range(n_units):
        replicate = unit // n_blocks
        positions[unit] = position
        position += live.alive[replicate, unit - replicate * n_blocks]
        rows.indptr[first_row + replicate + 1] = position
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = live.starts[replicate, block]
            counts = live.counts[replicate, start : start + live.lengths[replicate, block]]
            symbols = live.symbols[replicate, start : start + live.lengths[replicate, block]]
            position = positions[unit]
            n_alive = live.alive[replicate, block]
            _copy_live(counts, symbols, n_alive, rows.indices[position:], rows.data[position:])
