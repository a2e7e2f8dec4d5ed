"""Spill store: a run in memory that spills to a file with parts if it is long or large."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fastcollapse.storage.base import Reader, Store, finished_reader
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import Hdf5Store

# Duration and size of a run that stays in memory: a kill loses it, but a folder of parts for each of a million points
# costs more.
SPILL_SECONDS = 5.0
SPILL_BYTES = 16 << 20
# An interrupted run is saved if it took longer than this, in seconds.
_SAVE_SECONDS = 1.0


class SpillStore(Store):
    """Keeps a run in memory, and in the parts of a file after a commit that comes late or is large.

    Parameters
    ----------
    header : header of the run.
    path : path of the file; see `Hdf5Store`.
    """

    def __init__(self, header: Header, path: Path) -> None:
        super().__init__(header)
        self.path = path
        self._disk: Hdf5Store | None = None
        self._start = time.monotonic()
        self._bytes = 0

    def append(self, block: Block) -> None:
        """Add the next block; see `Store.append`."""
        if self._disk is not None:
            self._disk.append(block)
            return
        super().append(block)
        self._bytes += self._pending[-1].nbytes

    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Spill to the file if the run is long or large; see `Store.commit`."""
        if self._disk is None:
            elapsed = time.monotonic() - self._start
            if elapsed < (_SAVE_SECONDS if force else SPILL_SECONDS) and self._bytes < SPILL_BYTES:
                return
            self._disk, force = Hdf5Store(self.header, self.path), True
            for block in self._pending:
                self._disk.append(block)
            self._pending.clear()
        self._disk.commit(state, force)

    def finish(self, final: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray] | None = None) -> Reader:
        """Return the reader of the run, in memory or in the file, without the state; see `Store.finish`."""
        if self._disk is not None:
            return self._disk.finish(final)
        return finished_reader(self.header, self._pending, final)

    def partial(self, state: Mapping[str, np.ndarray]) -> Reader:
        """Commit all generations; see `Store.partial`."""
        return super().partial(state) if self._disk is None else self._disk.partial(state)

    def close(self) -> None:
        """Close the file; the reader still uses the memory."""
        if self._disk is not None:
            self._disk.close()
