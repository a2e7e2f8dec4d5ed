"""Header and blocks of a run: the arrays of a store, their checks and their types."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.datasets.count_spectrum import StoredTruth, SymbolTruth
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.variables import Coordinate, CountRows, DerivedArray, SampleRows, Variable, run_tasks


@dataclass(frozen=True, eq=False)
class Header:
    """Data of a run that are known before its first generation.

    Parameters
    ----------
    experiment_json : canonical JSON of the experiment, with its seed.
    experiment_text : the TOML text of the user, unchanged, or "".
    digest : SHA-256 of the experiment in hexadecimal.
    provenance : versions, machine and date, as JSON values.
    n_replicates, n_generations : at least 1.
    metrics : name -> variable, float64[R, T + 1, ...].
    states : name -> variable, float64[R, T + 1, ...], of the states that are stored as fixed arrays.
    samples : name -> variable, of the states that are stored as ragged rows: a sample for each replicate and
        generation.
    truth : distribution of generation 0 of a discrete family, or sentences of a text; None for other families.
    trajectory : whether the counts of every generation are stored.
    coordinates : dimension -> coordinate, for further dimensions with coordinates.
    first_replicate : number of the first replicate; not 0 in a part of a split run.
    n_columns : number of columns of the counts; by default that of the truth.
    engine : "spectrum" or "symbols" for a family with engines, otherwise "".
    inputs : path as written in the experiment -> SHA-256 in hexadecimal, of the data files that the run has read.
    weighted : whether the counts are weights that sum to 1, float64.
    stop : the condition that ends the run before its last generation, or "".
    rewards : reward of each symbol, float64 (K), if the run has read them from a file; otherwise None.
    """

    experiment_json: str
    experiment_text: str
    digest: str
    provenance: dict[str, Any]
    n_replicates: int
    n_generations: int
    metrics: dict[str, Variable]
    truth: StoredTruth | None
    trajectory: bool
    states: Mapping[str, Variable] = field(default_factory=dict)
    coordinates: Mapping[str, Coordinate] = field(default_factory=dict)
    first_replicate: int = 0
    samples: Mapping[str, Variable] = field(default_factory=dict)
    n_columns: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)
    engine: str = ""
    weighted: bool = False
    rewards: np.ndarray | None = None
    stop: str = ""

    def __post_init__(self) -> None:
        if not self.n_columns and isinstance(self.truth, SymbolTruth) and self.engine != "spectrum":
            object.__setattr__(self, "n_columns", self.truth.support_size)

    @property
    def column(self) -> str:
        """Name of the dimension of the columns of the counts."""
        return "cell" if isinstance(self.truth, Sentences) else "symbol"

    @property
    def variables(self) -> dict[str, Variable]:
        """Metrics and fixed states by name."""
        return {**self.metrics, **self.states}

    def lengths(self, name: str) -> tuple[int | None, ...]:
        """Return the lengths of the further dimensions of a variable or sample; None for those without a coordinate."""
        known = self.coordinates
        variable = self.samples[name] if name in self.samples else self.variables[name]
        return tuple(len(known[dim].values) if dim in known else None for dim in variable.dims)


class StoredSum(NamedTuple):
    """CRC-32 of a data set in a file."""

    path: Path
    crc: int


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive generations of every replicate.

    Parameters
    ----------
    first : generation of the first column.
    metrics : name -> float64[R, B, ...]; metrics that are computed when they are read are a `DerivedArray`.
    rows : counts from generation max(first, 1); None for generation 0, or if they are not recorded.
    states : name -> float64[R, B, ...], see `Header.states`.
    samples : name -> rows, see `Header.samples`.
    unchecked : data set -> its file and CRC-32, of rows that are mapped from a file and must be compared when they are
        copied.
    """

    first: int
    metrics: Mapping[str, np.ndarray | DerivedArray]
    rows: CountRows | None
    states: Mapping[str, np.ndarray] = field(default_factory=dict)
    samples: Mapping[str, SampleRows] = field(default_factory=dict)
    unchecked: Mapping[str, StoredSum] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, np.ndarray | DerivedArray]:
        """Metrics and states by name."""
        return {**self.metrics, **self.states}

    @property
    def n_generations(self) -> int:
        """Number of columns B."""
        return next(iter(self.metrics.values())).shape[1]

    def until(self, n_generations: int) -> "Block":
        """Return the block of the first `n_generations` columns, at least 1."""
        rows = self.rows
        if rows is not None:
            indptr = rows.indptr[: n_generations * ((len(rows.indptr) - 1) // self.n_generations) + 1]
            rows = CountRows(indptr, rows.indices[: indptr[-1]], rows.data[: indptr[-1]])
        metrics = {name: values[:, :n_generations] for name, values in self.metrics.items()}
        states = {name: values[:, :n_generations] for name, values in self.states.items()}
        samples = {}
        for name, (indptr, values) in self.samples.items():
            indptr = indptr[: n_generations * ((len(indptr) - 1) // self.n_generations) + 1]
            samples[name] = SampleRows(indptr, values[: indptr[-1]])
        return Block(self.first, metrics, rows, states, samples)

    def after_generation_0(self) -> "list[Block]":
        """Return the blocks of generation 0 and of the later generations, of a block that starts with generation 0."""
        if self.first != 0 or self.n_generations == 1:
            return [self]
        start = dataclasses.replace(self.until(1), rows=None)
        later = {what: {k: v[:, 1:] for k, v in getattr(self, what).items()} for what in ("metrics", "states")}
        samples = {}
        for name, (indptr, values) in self.samples.items():
            low = (len(indptr) - 1) // self.n_generations
            samples[name] = SampleRows(indptr[low:] - indptr[low], values[indptr[low] :])
        return [start, Block(1, later["metrics"], self.rows, later["states"], samples)]

    def with_names_of(self, header: Header) -> "Block":
        """Return the block with its metrics, states and samples in the order of a header.

        Raises
        ------
        KeyError
            The block does not have one of them.
        """
        metrics, states, samples = (
            {name: getattr(self, what)[name] for name in getattr(header, what)}
            for what in ("metrics", "states", "samples")
        )
        return dataclasses.replace(self, metrics=metrics, states=states, samples=samples)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        rows = (self.rows.indptr, self.rows.indices, self.rows.data) if self.rows else ()
        samples = (array for sample in self.samples.values() for array in sample)
        return sum(a.nbytes for a in (*self.variables.values(), *rows, *samples))


def index_dtype(support_size: int) -> np.dtype:
    """Return the dtype of stored symbols: uint16 for up to 65,536 symbols, otherwise int32 as in SciPy.

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


def fits(values: np.ndarray | DerivedArray, lengths: tuple[int | None, ...]) -> bool:
    """Whether an array has the given lengths, where None stands for any length.

    Examples
    --------
    >>> fits(np.zeros((2, 3)), (2, None)), fits(np.zeros((2, 3)), (2, None, None))
    (True, False)
    """
    return values.ndim == len(lengths) and all(n in (None, m) for n, m in zip(lengths, values.shape, strict=True))


def take(header: Header, expected_first: int, block: Block) -> Block:
    """Check a block against the header and return it in narrow dtypes; arrays that have them are not copied.

    Raises
    ------
    ValueError
        The block does not follow the previous one, or a shape does not fit.
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
        counts = block.rows
        end = int(counts.indptr[-1])
        if counts.indptr.shape != (n_columns * n_replicates + 1,) or not end == len(counts.indices) == len(counts.data):
            raise ValueError(f"rows of block {block.first} do not fit {n_columns * n_replicates} rows")
        if header.weighted != (counts.data.dtype == np.float64):
            raise ValueError(f"rows of block {block.first} must be {'weights' if header.weighted else 'counts'}")
        largest = int(counts.data.max()) if end and not header.weighted else 0
        rows = CountRows(
            counts.indptr.astype(np.int64, copy=False),
            counts.indices.astype(index_dtype(header.n_columns), copy=False),
            counts.data if header.weighted else counts.data.astype(count_dtype(largest), copy=False),
        )
    metrics = {
        name: values if isinstance(values, DerivedArray) else values.astype(np.float64, copy=False)
        for name, values in block.metrics.items()
    }
    states = {name: values.astype(np.float64, copy=False) for name, values in block.states.items()}
    samples = {name: _take_sample(header, name, n_columns, sample) for name, sample in block.samples.items()}
    return Block(block.first, metrics, rows, states, samples)


def _take_sample(header: Header, name: str, n_columns: int, sample: SampleRows) -> SampleRows:
    """Check the rows of a sample and return them in the dtypes of the file.

    Raises
    ------
    ValueError
        A shape does not fit.
    """
    indptr, values = np.asarray(sample.indptr, np.int64), np.asarray(sample.values, np.float64)
    n_rows = n_columns * header.n_replicates
    if indptr.shape != (n_rows + 1,) or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(values):
        raise ValueError(f"{name} must have {n_rows} rows that its values fill")
    if not fits(values, (None, *header.lengths(name))):
        raise ValueError(f"{name} must have points of {len(header.lengths(name))} dimensions, got {values.shape[1:]}")
    values = values.view()
    values.flags.writeable = False
    return SampleRows(indptr, values)


def join_columns(parts: Sequence[np.ndarray | DerivedArray]) -> np.ndarray:
    """Return the variable of consecutive blocks as one array; that of one block, or of one number, is a view."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) == 1:
        return arrays[0][:]
    shape = (parts[0].shape[0], sum(part.shape[1] for part in parts), *parts[0].shape[2:])
    if len(arrays) == len(parts):
        if all(not any(array.strides) and array.flat[0] == arrays[0].flat[0] for array in arrays):
            return np.broadcast_to(arrays[0].flat[0], shape)
        return np.concatenate(arrays, axis=1)
    joined = np.empty(shape)
    tasks, n_threads, first = [], 1, 0
    for part in parts:
        columns = joined[:, first : first + part.shape[1]]
        if isinstance(part, DerivedArray):
            tasks += part.tasks(columns)
            n_threads = max(n_threads, part.n_threads)
        else:
            columns[...] = part
        first += part.shape[1]
    run_tasks(tasks, n_threads)
    return joined


def join_samples(parts: Sequence[SampleRows]) -> SampleRows:
    """Return the rows of consecutive blocks as one array of rows."""
    ends = np.cumsum([0, *(int(part.indptr[-1]) for part in parts)])
    indptr = np.concatenate([[0], *(part.indptr[1:] + end for part, end in zip(parts, ends, strict=False))])
    return SampleRows(indptr.astype(np.int64), np.concatenate([part.values for part in parts]))
