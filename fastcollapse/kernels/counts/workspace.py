"""Block size of the kernels over symbols, and their per-thread workspace."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS

# Symbols of a block: its counts, list and random bits fit into the second-level cache.
BLOCK = 8192
# A symbol takes one piece of 16 bits for a whole mean, and two more for a fractional mean.
_WORDS = 3 * BLOCK // 4


class Workspace(NamedTuple):
    """Per-thread work arrays of T threads, allocated once to avoid page faults from repeated allocation.

    Attributes
    ----------
    places : int32 (T, BLOCK), entries of the Poisson tables, or places of zeros.
    deferred : int32 (T, BLOCK + 1), the symbols that the fast path leaves undecided.
    words : uint64 (T, 3 BLOCK / 4), the random bits of a block.
    pieces : uint16 (T, 3 BLOCK), the same memory as `words`.
    whole : int64 (T, BLOCK), whole numbers of a block.
    more_words : uint64 (T, BLOCK), random bits of the deferred symbols, the same memory as `whole`.
    streams : uint64 (T, 2, STREAM_WORDS), the main and the spare stream.
    values : float64 (T, 2, BLOCK), weights or means of a block, and sums over them.
    """

    places: np.ndarray
    deferred: np.ndarray
    words: np.ndarray
    pieces: np.ndarray
    whole: np.ndarray
    more_words: np.ndarray
    streams: np.ndarray
    values: np.ndarray


def new_workspace(n_threads: int) -> Workspace:
    """Return a workspace for `n_threads` threads."""
    words, whole = np.empty((n_threads, _WORDS), np.uint64), np.empty((n_threads, BLOCK), np.int64)
    return Workspace(
        np.empty((n_threads, BLOCK), np.int32),
        np.empty((n_threads, BLOCK + 1), np.int32),
        words,
        words.view(np.uint16),
        whole,
        whole.view(np.uint64),
        np.empty((n_threads, 2, STREAM_WORDS), np.uint64),
        np.empty((n_threads, 2, BLOCK)),
    )


@kernel
def thread_workspace(workspace, thread):
    """Return the rows of one thread, without the axis T."""
    return Workspace(
        workspace.places[thread],
        workspace.deferred[thread],
        workspace.words[thread],
        workspace.pieces[thread],
        workspace.whole[thread],
        workspace.more_words[thread],
        workspace.streams[thread],
        workspace.values[thread],
    )
