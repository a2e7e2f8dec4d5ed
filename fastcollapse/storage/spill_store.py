"""LateStore: memory while a run is short, a file with parts as soon as it is not."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fastcollapse.storage.base import Block, Header, Reader, Store
from fastcollapse.storage.hdf5_store import Hdf5Store

# What a kill may cost, in seconds, is weighed against a folder of parts for each of a million points.
LATE_SECONDS = 5.0
LATE_BYTES = 16 << 20
# An interrupt keeps what took longer than this.
_WORTH_KEEPING = 1.0


class LateStore(Store):
    """Keeps a run in memory, and from the first commit that is late or large on in the parts of a file.

    Parameters
    ----------
    header : what is known before the first generation.
    path : the file, if it comes to that; see `Hdf5Store`.
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
        """Pass on what a file is worth; see `Store.commit`."""
        if self._disk is None:
            elapsed = time.monotonic() - self._start
            if elapsed < (_WORTH_KEEPING if force else LATE_SECONDS) and self._bytes < LATE_BYTES:
                return
            self._disk, force = Hdf5Store(self.header, self.path), True
            for block in self._pending:
                self._disk.append(block)
            self._pending.clear()
        self._disk.commit(state, force)

    def finish(self, final: Mapping[str, np.ndarray]) -> Reader:
        """End the run: a reader of memory, or of the file."""
        if self._disk is not None:
            return self._disk.finish(final)
        forgotten = final.get("forgotten")
        return Reader(self.header, self._pending, None if forgotten is None else forgotten.astype(np.int32))

    def close(self) -> None:
        """Let go of the file; memory is left to the reader."""
        if self._disk is not None:
            self._disk.close()
