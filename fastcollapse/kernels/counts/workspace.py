"""The block of symbols that kernels work on at a time, and the room to work in."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS

# Symbols of a block: its counts, list and random bits stay in the second-level cache.
BLOCK = 8192
# A symbol takes one piece of sixteen bits for a whole mean, and two more for a mean that is not.
_WORDS = 3 * BLOCK // 4


class Workspace(NamedTuple):
    """Room to work in, a row a thread, made once: what a call allocates and frees goes back to the system, and comes
    back by page faults.

    entries: int64 (T, BLOCK) table entries; late: int32 (T, BLOCK + 1) symbols, and late_words: uint64 (T, BLOCK) their
    bits; words: uint64 (T, 3 BLOCK / 4) bulk bits; streams: uint64 (T, 2, STREAM_WORDS); beside: float64 (T, 2, BLOCK)
    """

    table_index: np.ndarray
    deferred: np.ndarray
    deferred_bits: np.ndarray
    words: np.ndarray
    streams: np.ndarray
    scratch: np.ndarray


@kernel
def new_workspace(n_threads):
    """Return room for so many threads."""
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
    """Return one thread's room."""
    return Workspace(
        workspace.table_index[thread],
        workspace.deferred[thread],
        workspace.deferred_bits[thread],
        workspace.words[thread],
        workspace.streams[thread],
        workspace.scratch[thread],
    )
