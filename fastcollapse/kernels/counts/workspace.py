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
    table_index : int64 (T, BLOCK), entries of the Poisson tables.
    deferred : int32 (T, BLOCK + 1), the symbols that the fast path leaves undecided.
    deferred_bits : uint64 (T, BLOCK), their further random bits.
    words : uint64 (T, 3 BLOCK / 4), the random bits of a block.
    streams : uint64 (T, 2, STREAM_WORDS), the main and the spare stream.
    scratch : float64 (T, 2, BLOCK), two rows for intermediate values.
    """

    table_index: np.ndarray
    deferred: np.ndarray
    deferred_bits: np.ndarray
    words: np.ndarray
    streams: np.ndarray
    scratch: np.ndarray


@kernel
def new_workspace(n_threads):
    """Return a workspace for `n_threads` threads."""
    return Workspace(
        np.empty((n_threads, BLOCK), np.int64),
        np.empty((n_threads, BLOCK + 1), np.int32),
        np.empty((n_threads, BLOCK), np.uint64),
        np.empty((n_threads, _WORDS), np.uint64),
        np.empty((n_threads, 2, STREAM_WORDS), np.uint64),
        np.empty((n_threads, 2, BLOCK)),
    )


@kernel
def thread_workspace(workspace, thread):
    """Return the rows of one thread, without the axis T."""
    return Workspace(
        workspace.table_index[thread],
        workspace.deferred[thread],
        workspace.deferred_bits[thread],
        workspace.words[thread],
        workspace.streams[thread],
        workspace.scratch[thread],
    )
