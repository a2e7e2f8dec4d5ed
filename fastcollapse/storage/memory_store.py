"""The reference store: keeps the blocks it is given; every other store must read back the same."""

from collections.abc import Mapping

import numpy as np

from fastcollapse.storage.base import Reader, Store


class MemoryStore(Store):
    """Keeps a run in memory.

    Parameters
    ----------
    header : what is known before the first generation.
    """

    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Do nothing: memory has no point to resume from."""

    def finish(self, final: Mapping[str, np.ndarray]) -> Reader:
        """Return the reader of everything appended."""
        forgotten = final.get("forgotten")
        return Reader(self.header, self._pending, None if forgotten is None else forgotten.astype(np.int32))

    def close(self) -> None:
        """Do nothing: the reader may still use the blocks."""
