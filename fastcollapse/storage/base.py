"""What a store takes and gives: blocks of generations in, one reader out; all stores agree."""

import json
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.variables import Coordinate, CountRows, SampleRows, Variable


@dataclass(frozen=True, eq=False)
class Header:
    """What is known before the first generation: written once, at the start of a run.

    Parameters
    ----------
    experiment_json : canonical JSON of the experiment, seed resolved.
    experiment_text : the user's TOML verbatim, or "".
    digest : SHA-256 hex of the experiment.
    provenance : versions, machine, date; anything that JSON can hold.
    n_replicates, n_generations : at least 1.
    metrics : name -> what it is, float64[R, T + 1, ...].
    states : name -> what it is, float64[R, T + 1, ...]: the states that are stored as fixed arrays.
    samples : name -> what it is: the states that are stored as ragged rows, a sample of any size a replicate and
        generation.
    truth : the law of generation 0 of a discrete distribution; None for another family, whose experiment names it.
    trajectory : are the counts of every generation stored?
    coordinates : dimension -> where its entries are, for those further dimensions that have coordinates.
    first_replicate : the number of the first replicate, which is not 0 where a run has been split.
    """

    experiment_json: str
    experiment_text: str
    digest: str
    provenance: dict[str, Any]
    n_replicates: int
    n_generations: int
    metrics: dict[str, Variable]
    truth: CategoricalDistribution | None
    trajectory: bool
    states: Mapping[str, Variable] = field(default_factory=dict)
    coordinates: Mapping[str, Coordinate] = field(default_factory=dict)
    first_replicate: int = 0
    samples: Mapping[str, Variable] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, Variable]:
        """Metrics and fixed states by name."""
        return {**self.metrics, **self.states}

    def lengths(self, name: str) -> tuple[int | None, ...]:
        """Return the lengths of the further dimensions of a variable or sample, None where no coordinate tells."""
        known = self.coordinates
        variable = self.samples[name] if name in self.samples else self.variables[name]
        return tuple(len(known[dim].values) if dim in known else None for dim in variable.dims)


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive generations of every replicate.

    Parameters
    ----------
    first : generation of the first column.
    metrics : name -> float64[R, B, ...].
    rows : counts from generation max(first, 1) on; None for generation 0, or if not recorded.
    states : name -> float64[R, B, ...], those of `Header.states`.
    samples : name -> rows, those of `Header.samples`.
    """

    first: int
    metrics: Mapping[str, np.ndarray]
    rows: CountRows | None
    states: Mapping[str, np.ndarray] = field(default_factory=dict)
    samples: Mapping[str, SampleRows] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, np.ndarray]:
        """Metrics and states by name."""
        return {**self.metrics, **self.states}

    @property
    def n_generations(self) -> int:
        """Number of columns B."""
        return next(iter(self.metrics.values())).shape[1]

    def until(self, n_generations: int) -> "Block":
        """Return its first `n_generations` columns, at least 1."""
        rows = self.rows
        if rows is not None:
            indptr = rows.indptr[: n_generations * ((len(rows.indptr) - 1) // self.n_generations) + 1]
            rows = CountRows(indptr, rows.indices[: indptr[-1]], rows.data[: indptr[-1]])
        metrics, states = (
            {name: values[:, :n_generations] for name, values in some.items()} for some in (self.metrics, self.states)
        )
        samples = {}
        for name, (indptr, values) in self.samples.items():
            indptr = indptr[: n_generations * ((len(indptr) - 1) // self.n_generations) + 1]
            samples[name] = SampleRows(indptr, values[: indptr[-1]])
        return Block(self.first, metrics, rows, states, samples)

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        rows = (self.rows.indptr, self.rows.indices, self.rows.data) if self.rows else ()
        samples = (array for sample in self.samples.values() for array in sample)
        return sum(a.nbytes for a in (*self.variables.values(), *rows, *samples))


def index_dtype(support_size: int) -> np.dtype:
    """Return the dtype of stored symbols: uint16 up to 65,536 of them, else int32 (SciPy's own).

    Examples
    --------
    >>> index_dtype(65536).name, index_dtype(65537).name
    ('uint16', 'int32')
    """
    return np.dtype(np.uint16 if support_size <= 1 << 16 else np.int32)


def count_dtype(largest: int) -> np.dtype:
    """Return the narrowest unsigned dtype that holds a count.

    Examples
    --------
    >>> [count_dtype(n).name for n in (0, 255, 256, 70000, 10**15)]
    ['uint8', 'uint8', 'uint16', 'uint32', 'uint64']
    """
    return np.min_scalar_type(largest)


def fits(values: np.ndarray, lengths: tuple[int | None, ...]) -> bool:
    """Has an array the lengths asked for, where None is any?

    Examples
    --------
    >>> fits(np.zeros((2, 3)), (2, None)), fits(np.zeros((2, 3)), (2, None, None))
    (True, False)
    """
    return values.ndim == len(lengths) and all(n in (None, m) for n, m in zip(lengths, values.shape, strict=True))


def take(header: Header, expected_first: int, block: Block) -> Block:
    """Check a block against the header and return it in narrow dtypes; arrays of float64 are kept as they are.

    Raises
    ------
    ValueError : the block does not follow the last one, or a shape does not fit.
    """
    n_replicates = header.n_replicates
    if block.first != expected_first:
        raise ValueError(f"block must start at generation {expected_first}, got {block.first}")
    for what in ("metrics", "states", "samples"):
        given, wanted = list(getattr(block, what)), list(getattr(header, what))
        if given != wanted:
            raise ValueError(f"block must hold the {what} {wanted}, got {given}")
    n_columns = block.n_generations
    last = block.first + n_columns - 1
    if n_columns < 1 or last > header.n_generations or (block.first == 0 and n_columns > 1):
        raise ValueError(f"block must end within generation {header.n_generations}, got {block.first} to {last}")
    for name, values in block.variables.items():
        more = header.lengths(name)
        if not fits(values, (n_replicates, n_columns, *more)):
            shape = ", ".join("any" if n is None else str(n) for n in (n_replicates, n_columns, *more))
            raise ValueError(f"{name} must have shape ({shape}), got {values.shape}")
    if (block.rows is not None) != (header.trajectory and block.first > 0):
        raise ValueError(f"block {block.first} must hold rows if and only if the trajectory is recorded")
    rows = None
    if block.rows is not None:
        assert header.truth is not None
        counts = block.rows
        end = int(counts.indptr[-1])
        if counts.indptr.shape != (n_columns * n_replicates + 1,) or not end == len(counts.indices) == len(counts.data):
            raise ValueError(f"rows of block {block.first} do not fit {n_columns * n_replicates} rows")
        largest = int(counts.data.max()) if end else 0
        rows = CountRows(
            counts.indptr.astype(np.int64),
            counts.indices.astype(index_dtype(header.truth.support_size)),
            counts.data.astype(count_dtype(largest)),
        )
    metrics, states = (
        {name: values.astype(np.float64, copy=False) for name, values in some.items()}
        for some in (block.metrics, block.states)
    )
    samples = {name: _taken_sample(header, name, n_columns, sample) for name, sample in block.samples.items()}
    return Block(block.first, metrics, rows, states, samples)


def _taken_sample(header: Header, name: str, n_columns: int, sample: SampleRows) -> SampleRows:
    """Check the rows of a sample and return them in the dtypes of the file.

    Raises
    ------
    ValueError : a shape does not fit.
    """
    indptr, values = np.asarray(sample.indptr, np.int64), np.asarray(sample.values, np.float64)
    n_rows = n_columns * header.n_replicates
    if indptr.shape != (n_rows + 1,) or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(values):
        raise ValueError(f"{name} must have {n_rows} rows that its values fill")
    if not fits(values, (None, *header.lengths(name))):
        raise ValueError(f"{name} must have points of {len(header.lengths(name))} dimensions, got {values.shape[1:]}")
    return SampleRows(indptr, values)


class _MadeOnce(Mapping[str, Any]):
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


def join_samples(parts: Sequence[SampleRows]) -> SampleRows:
    """Return the rows of consecutive blocks as one."""
    ends = np.cumsum([0, *(int(part.indptr[-1]) for part in parts)])
    indptr = np.concatenate([[0], *(part.indptr[1:] + end for part, end in zip(parts, ends, strict=False))])
    return SampleRows(indptr.astype(np.int64), np.concatenate([part.values for part in parts]))


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
