"""Urns: the cells of each context laid out such that one uniform variate and one load draw the next symbol.

Counts are whole, so the urn of a context lists each of its cells as often as its count. For a temperature, and for a
pool that is much larger than what is drawn from it, it lists each live cell once, beside the sums of the weights, in
which a variate is searched: O(D) to fill, and three times as long a symbol.

A place is a uint64: the first entry of the urn of a context in the upper half, the number of its entries in the lower
half. A context with one live cell has one entry that is read, so it needs no variate. A place without entries is the
end of the sentence.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel

# Largest number of emissions in a state: counts and entries of urns are int32.
MOST_EMISSIONS = np.int64(2**31 - 1)
# Kinds of urns: cells as often as their counts; lists with sums of whole weights; lists with sums of other weights.
ENTRIES, WHOLE_SUMS, SUMS = 0, 1, 2
_HALF = np.uint64(32)


class CellTable(NamedTuple):
    """The cells of a corpus, by context.

    Attributes
    ----------
    offsets : int64 (C + 1), the cells of context c are offsets[c] to offsets[c + 1] - 1.
    words : int32 (D), symbol of each cell; `n_words` for the end of the sentence.
    successors : int32 (D), the context after each cell.
    counts : int32 (D), counts of the corpus.
    n_words : number of words V.
    """

    offsets: np.ndarray
    words: np.ndarray
    successors: np.ndarray
    counts: np.ndarray
    n_words: int


class Urn(NamedTuple):
    """The urns of all contexts of one state.

    Attributes
    ----------
    kind : int64 (1), ENTRIES, WHOLE_SUMS or SUMS.
    entries : int32 (n), cells.
    cumulative : float64 (m), running sums of the weights in each context; not read for ENTRIES.
    starts : uint64 (C), the place of each context.
    follow : uint64 (D), the place of the context after each cell.
    """

    kind: np.ndarray
    entries: np.ndarray
    cumulative: np.ndarray
    starts: np.ndarray
    follow: np.ndarray


@kernel
def new_urn(table, n_entries, n_sums):
    """Return an urn with room for `n_entries` entries and `n_sums` sums."""
    starts, follow = np.empty(table.offsets.shape[0] - 1, np.uint64), np.empty(table.words.shape[0], np.uint64)
    return Urn(np.zeros(1, np.int64), np.empty(n_entries, np.int32), np.empty(n_sums), starts, follow)


@kernel
def _fill_counts(first, last, counts, entries, place):
    """Write the entries of the cells first to last - 1 of a context; return the next place and the live cells."""
    n_live = np.int64(0)
    for cell in range(first, last):
        count = counts[cell]
        n_live += np.int64(count > 0)
        for k in range(place, place + count):
            entries[k] = cell
        place += count
    return place, n_live


@kernel
def context_weights(first, last, counts, temperature, cells, weights):
    """Write the live cells of a context and their weights c^(1/T) over the largest; return their number.

    ``(D)->(n),(n)``; at temperature 1 the weights are the counts.
    """
    n_live, most = np.int64(0), np.int64(0)
    for cell in range(first, last):
        count = counts[cell]
        if count > 0:
            cells[n_live] = cell
            weights[n_live] = count
            most = max(most, count)
            n_live += 1
    if temperature != 1.0:
        for i in range(n_live):
            weights[i] = (weights[i] / most) ** (1.0 / temperature)
    return n_live


@kernel
def fill_urn(table, counts, temperature, kind, urn):
    """Fill the urns of a state: ``(D)->(n),(m),(C),(D)``, O(D + entries).

    Parameters
    ----------
    table : `CellTable`.
    counts : int32 (D).
    temperature : T; weights are c^(1/T).
    kind : SUMS unless the temperature is 1.
    urn : `Urn` with room: for ENTRIES the sum of the counts; otherwise D entries and D sums.
    """
    offsets, entries, cumulative = table.offsets, urn.entries, urn.cumulative
    place = np.int64(0)
    urn.kind[0] = kind
    for context in range(offsets.shape[0] - 1):
        first, last, begin = offsets[context], offsets[context + 1], place
        if kind == ENTRIES:
            place, n_live = _fill_counts(first, last, counts, entries, place)
        else:
            n_live = context_weights(first, last, counts, temperature, entries[begin:], cumulative[begin:])
            place += n_live
            for k in range(begin + 1, place):
                cumulative[k] += cumulative[k - 1]
        n_entries = np.int64(1) if n_live == 1 else place - begin
        urn.starts[context] = (np.uint64(begin) << _HALF) | np.uint64(n_entries)
    for cell in range(counts.shape[0]):
        is_end = table.words[cell] == table.n_words
        urn.follow[cell] = np.uint64(0) if is_end else urn.starts[table.successors[cell]]
