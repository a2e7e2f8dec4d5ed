"""Walks from the start of a sentence to its end, 256 sentences at a time.

A walk is a chain of loads that depend on each other. Interleaved sentences hide their latency: one sentence at a time
takes ten times as long a symbol. Each sentence has its own stream, so no number depends on the lanes.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS, SUB_BULK, open_draw, uniform, uniform_below
from fastcollapse.kernels.sequences.urns import ENTRIES, WHOLE_SUMS

N_LANES = 256
_HALF = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)


class Lanes(NamedTuple):
    """The sentences under way.

    Attributes
    ----------
    places : uint64 (N), the place in the urn of the context.
    cells : int32 (N), the cell that was drawn.
    sentences : int64 (N), numbers of the sentences.
    lengths : int64 (N), numbers of symbols so far.
    streams : uint64 (N, STREAM_WORDS).
    """

    places: np.ndarray
    cells: np.ndarray
    sentences: np.ndarray
    lengths: np.ndarray
    streams: np.ndarray


@kernel
def new_lanes(n_lanes):
    """Return empty lanes."""
    return Lanes(
        np.empty(n_lanes, np.uint64),
        np.empty(n_lanes, np.int32),
        np.empty(n_lanes, np.int64),
        np.empty(n_lanes, np.int64),
        np.empty((n_lanes, STREAM_WORDS), np.uint64),
    )


@kernel
def _begin(lanes, lane, sentence, start, key, replicate):
    """Put a new sentence into a lane."""
    lanes.places[lane] = start
    lanes.sentences[lane] = sentence
    lanes.lengths[lane] = 0
    open_draw(key, replicate, sentence, SUB_BULK, lanes.streams[lane])


@kernel
def _move(lanes, source, target):
    """Move a sentence to another lane."""
    lanes.places[target] = lanes.places[source]
    lanes.cells[target] = lanes.cells[source]
    lanes.sentences[target] = lanes.sentences[source]
    lanes.lengths[target] = lanes.lengths[source]
    for k in range(STREAM_WORDS):
        lanes.streams[target, k] = lanes.streams[source, k]


@kernel
def _search(cumulative, first, n, is_whole, stream):
    """Return the entry that a uniform variate falls on, of `n` entries with running sums of weights."""
    total = cumulative[first + n - 1]
    place = np.float64(uniform_below(np.int64(total), stream)) if is_whole else uniform(stream) * total
    low, high = first, first + n - 1
    while low < high:
        middle = (low + high) >> 1
        if cumulative[middle] <= place:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def walk(urn, sentences, sign, key, replicate, lanes, most, drawn, lengths):
    """Walk sentences and add `sign` to the count of each cell that they use: ``->(D),(n)``, 20 ns a symbol.

    More than eight arguments, because a tuple made for each call would count references.

    Parameters
    ----------
    urn : `Urn`.
    sentences : int64 (2), the first sentence and the one after the last.
    sign : 1, or -1 to take sentences back.
    key, replicate : `StreamKey` and the index of the replicate; the block of a stream is the sentence.
    lanes : `Lanes`.
    most : number of symbols at which the walks are given up.
    drawn : int32 (D), counts to change.
    lengths : int32 (n), number of words of each sentence from the first on, or (0).

    Returns
    -------
    Number of symbols, ends included; above `most` if the walks were given up.
    """
    entries, cumulative, follow, start = urn.entries, urn.cumulative, urn.follow, urn.starts[0]
    begin, end, kind = sentences[0], sentences[1], urn.kind[0]
    n_active = min(lanes.places.shape[0], end - begin)
    for lane in range(n_active):
        _begin(lanes, lane, begin + lane, start, key, replicate)
    waiting = begin + n_active
    n_symbols = np.int64(0)
    while n_active > 0 and n_symbols <= most:
        # Loads of one kind at a time: those of different lanes do not wait for each other.
        for lane in range(n_active):
            place = lanes.places[lane]
            entry, n = np.int64(place >> _HALF), np.int64(place & _LOWER)
            if n > 1:
                if kind != ENTRIES:
                    entry = _search(cumulative, entry, n, kind == WHOLE_SUMS, lanes.streams[lane])
                else:
                    entry += uniform_below(n, lanes.streams[lane])
            lanes.cells[lane] = entries[entry]
        n_symbols += n_active
        lane = 0
        while lane < n_active:
            cell = lanes.cells[lane]
            drawn[cell] += sign
            place = follow[cell]
            lanes.places[lane] = place
            lanes.lengths[lane] += 1
            if place & _LOWER:
                lane += 1
                continue
            if lengths.shape[0] > 0:
                lengths[lanes.sentences[lane] - begin] = lanes.lengths[lane] - 1
            if waiting < end:
                _begin(lanes, lane, waiting, start, key, replicate)
                waiting += 1
                lane += 1
            else:
                n_active -= 1
                _move(lanes, n_active, lane)
    return n_symbols
