"""Memory store: the reference that every other store must agree with."""

from collections.abc import Mapping

import numpy as np

from fastcollapse.storage.base import Reader, Store, finished_reader


class MemoryStore(Store):
    """Store of a run in memory.

    Parameters
    ----------
    header : header of the run.
    """

    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Do nothing, because a run in memory cannot be resumed."""

    def finish(self, final: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray] | None = None) -> Reader:
        """Return the reader of all blocks; only files keep the state."""
        return finished_reader(self.header, self._pending, final)

    def close(self) -> None:
        """Do nothing, because the reader may still use the blocks."""
