"""Interface of the stores: append blocks of generations, commit, finish; one reader for all of them."""

import json
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.blocks import Block, Header, join_columns, join_samples, take
from fastcollapse.variables import SampleRows

# Weights are at most 1 within this.
_WEIGHT_TOLERANCE = 1e-9


class _LazyArrays(Mapping[str, Any]):
    """Name -> array, created at its first use, because joining blocks doubles their memory."""

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

    def __repr__(self) -> str:
        return f"<arrays {', '.join(self._arrays)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as a dictionary of the arrays."""
        return dict, (dict(self),)


class Reader:
    """A finished or partial run of any store.

    Parameters
    ----------
    header : header of the run.
    blocks : consecutive blocks from generation 0; the arrays may be memory maps.
    forgotten : extinction time (generation of first absence), int32[R, K]; None until the run is finished.
    path : the file; None for memory.
    state : arrays of the state after the last committed generation, for a resume or a longer run, or None.
    finished : whether the run is finished.
    own_file : whether `path` is the results file of this run, and not a file of several runs.
    first_passage : first generation that meets the stop condition, int32[R], -1 not within the run; None without one,
        and until the run is finished.
    """

    def __init__(
        self,
        header: Header,
        blocks: Sequence[Block],
        forgotten: np.ndarray | None = None,
        path: Path | None = None,
        state: dict[str, np.ndarray] | None = None,
        finished: bool = True,
        own_file: bool = True,
        first_passage: np.ndarray | None = None,
    ) -> None:
        self.header = header
        self.finished = finished
        self.forgotten = forgotten
        self.first_passage = first_passage
        self.path = path
        self.own_file = path is not None and own_file
        self.state = state
        self._blocks = list(blocks)
        self._firsts = [block.first for block in self._blocks]

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the blocks, without the arrays that were made of them."""
        return {name: value for name, value in vars(self).items() if name not in ("metrics", "states")}

    @property
    def blocks(self) -> Sequence[Block]:
        """Consecutive blocks from generation 0."""
        return self._blocks

    @property
    def n_committed(self) -> int:
        """Last committed generation; -1 before generation 0."""
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
            joined = join_columns([block.variables[name] for block in self._blocks] or [self._empty(name)])
            joined.flags.writeable = False
            return joined

        return _LazyArrays(names, join)

    def _empty(self, name: str) -> np.ndarray:
        """Return the array of a variable without generations."""
        return np.empty((self.header.n_replicates, 0, *(n or 0 for n in self.header.lengths(name))))

    def counts(self, replicate: int, generation: int) -> tuple[np.ndarray, np.ndarray]:
        """Return symbols int64[n] and counts int64[n], or weights float64[n], of a stored generation, 1 to n_committed.

        Raises
        ------
        LookupError
            The generation is not stored.
        """
        at = bisect_right(self._firsts, generation) - 1
        if generation < 1 or generation > self.n_committed or at < 0 or self._blocks[at].rows is None:
            raise LookupError(f"counts of generation {generation} are not stored")
        rows = self._blocks[at].rows
        assert rows is not None
        row = (generation - max(self._firsts[at], 1)) * self.header.n_replicates + replicate
        low, high = rows.indptr[row], rows.indptr[row + 1]
        symbols = rows.indices[low:high].astype(np.int64)
        if len(symbols) and not 0 <= symbols.min() <= symbols.max() < self.header.n_columns:
            raise UnreadableResults(
                f"{self.path}: is damaged: generation {generation} has a symbol that does not exist"
            )
        if not self.header.weighted:
            return symbols, rows.data[low:high].astype(np.int64)
        weights = np.array(rows.data[low:high])
        if not ((weights > 0) & (weights <= 1 + _WEIGHT_TOLERANCE)).all():
            raise UnreadableResults(f"{self.path}: is damaged: generation {generation} has a weight beyond 0 to 1")
        return symbols, weights

    def sample(self, name: str, replicate: int, generation: int) -> np.ndarray:
        """Return the sample of a stored generation, 0 to n_committed: float64[n, ...].

        Raises
        ------
        LookupError
            The generation is not stored, or no sample has this name.
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


def finished_reader(
    header: Header,
    blocks: Sequence[Block],
    final: Mapping[str, np.ndarray],
    path: Path | None = None,
    state: dict[str, np.ndarray] | None = None,
) -> Reader:
    """Return the reader of a finished run; `final` as for `Store.finish`."""
    known = {name: values.astype(np.int32, copy=False) for name, values in final.items()}
    forgotten, first_passage = known.get("forgotten"), known.get("first_passage")
    return Reader(header, blocks, forgotten=forgotten, path=path, state=state, first_passage=first_passage)


class Store(ABC):
    """Base of the stores: a store takes the blocks of a run in order, and `finish` returns their `Reader`.

    As a context manager, a store closes itself; the committed generations of an unfinished run are saved. `state` has
    the arrays after the last generation of a resumed run; it is None for a new run.

    Parameters
    ----------
    header : header of the run.
    """

    def __init__(self, header: Header) -> None:
        json.dumps(header.provenance)  # an invalid value fails here, not at the end of the run
        self.header = header
        self.state: Mapping[str, np.ndarray] | None = None
        self._pending: list[Block] = []
        self._next = 0

    @property
    def next_generation(self) -> int:
        """Generation that the next block must start with."""
        return self._next

    def append(self, block: Block) -> None:
        """Append the next block and take ownership of its arrays. The first block is generation 0 alone.

        Raises
        ------
        ValueError
            See `take`.
        """
        self._pending.append(take(self.header, self._next, block))
        self._next += block.n_generations

    @abstractmethod
    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Offer a point of resume after the last appended generation.

        Parameters
        ----------
        state : name -> array, the state of the model after that generation.
        force : whether the commit is durable at return; otherwise the store decides when it writes.

        Raises
        ------
        StoreError
            The commit cannot be written; earlier commits are intact.
        """

    @abstractmethod
    def finish(self, final: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray] | None = None) -> Reader:
        """Finish the run and return its reader.

        Parameters
        ----------
        final : "forgotten": extinction time, int32[R, K] (-1 not within the run, 0 never present), if the model has it.
            "first_passage": first generation that meets the stop condition, int32[R], if the run has one.
        state : name -> array, the state of the model at the end, from which a longer run continues; a file keeps it.

        Raises
        ------
        StoreError
            The file cannot be written, or another process created a file of that name.
        """

    def partial(self, state: Mapping[str, np.ndarray]) -> Reader:
        """Commit all generations, and return the reader of the run, which is not finished.

        Parameters
        ----------
        state : see `commit`.

        Raises
        ------
        StoreError
            See `commit`.
        """
        self.commit(state, force=True)
        return Reader(self.header, self._pending, finished=False)

    @abstractmethod
    def close(self) -> None:
        """Release all resources; a run without a committed generation leaves no files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
