"""Interface of the stores: append blocks of generations, commit, finish; one reader for all of them."""

import json
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from fastcollapse.storage.blocks import Block, Header, join_samples, take
from fastcollapse.variables import SampleRows


class _MadeOnce(Mapping):
    """Name -> array, made when it is first asked for: joining costs as much memory again."""

    def __init__(self, names: Iterable[str], make: Callable[[str], np.ndarray]) -> None:
        self._arrays: dict[str, np.ndarray | None] = dict.fromkeys(names)
        self._make = make

    def __getitem__(self, name: str) -> np.ndarray:
        array = self._arrays[name]
        if array is None:
            array = self._arrays[name] = self._make(name)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class Reader:
    """A finished or partial run, whichever store it came from.

    Parameters
    ----------
    header : what the run was given.
    blocks : consecutive blocks from generation 0 on; the arrays may be memory maps.
    forgotten : int32[R, K] or None while the run is not finished.
    path : the file, or None for memory.
    state : what resuming after the last committed generation needs, or None.
    finished : is this the whole run, not parts of one?
    """

    def __init__(
        self,
        header: Header,
        blocks: Sequence[Block],
        forgotten: np.ndarray | None = None,
        path: Path | None = None,
        state: dict[str, np.ndarray] | None = None,
        finished: bool = True,
    ) -> None:
        self.header = header
        self.finished = finished
        self.forgotten = forgotten
        self.path = path
        self.state = state
        self._blocks = list(blocks)
        self._firsts = [block.first for block in self._blocks]

    @property
    def blocks(self) -> Sequence[Block]:
        """Consecutive blocks from generation 0 on."""
        return self._blocks

    @property
    def n_committed(self) -> int:
        """Last generation that can be read; -1 before generation 0."""
        return self._blocks[-1].first + self._blocks[-1].n_generations - 1 if self._blocks else -1

    @cached_property
    def metrics(self) -> Mapping[str, np.ndarray]:
        """Name -> float64[R, n_committed + 1, ...], read-only."""
        return self._joined(self.header.metrics)

    @cached_property
    def states(self) -> Mapping[str, np.ndarray]:
        """Name -> float64[R, n_committed + 1, ...], read-only."""
        return self._joined(self.header.states)

    def _joined(self, names: Iterable[str]) -> Mapping[str, np.ndarray]:
        def join(name: str) -> np.ndarray:
            found = [block.variables[name] for block in self._blocks]
            joined = found[0][:] if len(found) == 1 else np.concatenate(found or [self._none(name)], axis=1)
            joined.flags.writeable = False
            return joined

        return _MadeOnce(names, join)

    def _none(self, name: str) -> np.ndarray:
        """Return the variable of a run that has no generation yet."""
        return np.empty((self.header.n_replicates, 0, *(n or 0 for n in self.header.lengths(name))))

    def counts(self, replicate: int, generation: int) -> tuple[np.ndarray, np.ndarray]:
        """Return symbols int64[n] and counts int64[n] of a stored generation, 1 to n_committed.

        Raises
        ------
        LookupError : the generation is not stored.
        """
        at = bisect_right(self._firsts, generation) - 1
        if generation < 1 or generation > self.n_committed or at < 0 or self._blocks[at].rows is None:
            raise LookupError(f"counts of generation {generation} are not stored")
        rows = self._blocks[at].rows
        assert rows is not None
        row = (generation - max(self._firsts[at], 1)) * self.header.n_replicates + replicate
        low, high = rows.indptr[row], rows.indptr[row + 1]
        return rows.indices[low:high].astype(np.int64), rows.data[low:high].astype(np.int64)

    def sample(self, name: str, replicate: int, generation: int) -> np.ndarray:
        """Return the sample of a stored generation, 0 to n_committed: float64[n, ...].

        Raises
        ------
        LookupError : the generation is not stored, or no sample has this name.
        """
        at = bisect_right(self._firsts, generation) - 1
        if generation > self.n_committed or at < 0 or name not in self._blocks[at].samples:
            raise LookupError(f"{name} of generation {generation} is not stored")
        indptr, values = self._blocks[at].samples[name]
        row = (generation - self._firsts[at]) * self.header.n_replicates + replicate
        return values[indptr[row] : indptr[row + 1]]

    def sample_rows(self, name: str) -> SampleRows:
        """Return all rows of a sample, row = generation * R + replicate."""
        return join_samples([block.samples[name] for block in self._blocks])


class Store(ABC):
    """Takes the blocks of one run in order; `finish` turns them into a `Reader`.

    Used as a context manager it closes itself; a run that did not finish keeps what was committed. A store that goes on
    with such a run has the `state` after its last generation; of a new one it is None.
    """

    def __init__(self, header: Header) -> None:
        json.dumps(header.provenance)  # fails here, not hours later
        self.header = header
        self.state: Mapping[str, np.ndarray] | None = None
        self._pending: list[Block] = []
        self._next = 0

    @property
    def next_generation(self) -> int:
        """Generation that the next block must start with."""
        return self._next

    def append(self, block: Block) -> None:
        """Add the next block, generation 0 alone first; its arrays are the store's from now on.

        Raises
        ------
        ValueError : see `take`.
        """
        self._pending.append(take(self.header, self._next, block))
        self._next += block.n_generations

    @abstractmethod
    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Offer a point to resume from: `state` belongs to the last generation appended.

        Parameters
        ----------
        state : name -> array, what the model needs to go on.
        force : make it durable now; otherwise the store decides.

        Raises
        ------
        StoreError : it cannot be written; earlier commits are intact.
        """

    @abstractmethod
    def finish(self, final: Mapping[str, np.ndarray]) -> Reader:
        """End the run and return its reader.

        Parameters
        ----------
        final : "forgotten": int32[R, K] (-1 not within the run, 0 never there), where the model has it.

        Raises
        ------
        StoreError : it cannot be written, or a file of that name has appeared meanwhile.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; a run without a committed generation leaves nothing behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
