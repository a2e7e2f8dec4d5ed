"""Layout of a results file (FORMAT.md): data sets and attributes of a run, independent of HDF5."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.storage.blocks import Block, Header, index_dtype
from fastcollapse.storage.checksums import Unchecked
from fastcollapse.storage.memory_map import forget_pages
from fastcollapse.variables import Coordinate, CountRows, SampleRows, Variable

FORMAT = "fastcollapse"
FORMAT_VERSION = 1
# Version of files with ragged states, with weights for counts, without single symbols, or with the sentences of a text,
# which readers of version 1 would misread.
RAGGED_VERSION = 2
# Root attribute `kind` of files that are not the results of one run.
PACK = "pack"
COLLECTED = "collected sweep"
ROW_ORDER = "generation-major: row = (generation - 1) * n_replicates + replicate"
# Attributes of the data sets that are equal in all runs; those of metrics come from their variables.
ATTRIBUTES = {
    "generation": {"long_name": "refits so far; 0 is the initial model", "units": "1"},
    "replicate": {"long_name": "independent run", "units": "1"},
    "forgotten": {
        "long_name": "generation that lost the symbol; -1 not within the run, 0 never there",
        "units": "1",
    },
    "first_passage": {"long_name": "first generation that meets run.stop; -1 not within the run", "units": "1"},
    "truth/probability": {"long_name": "law of generation 0", "units": "1"},
    "truth/counts": {"long_name": "counts of the data", "units": "1"},
    "truth/reward": {"long_name": "reward of the symbol, as read from its file", "units": "1"},
    "truth/token": {"long_name": "word of the text, index of its label", "units": "1"},
    "truth/sentence_length": {"long_name": "number of words of the sentence", "units": "1"},
    "truth/spectrum_count": {"long_name": "count of a symbol in the data", "units": "1"},
    "truth/spectrum_symbols": {"long_name": "number of symbols of that count", "units": "1"},
}
# A ragged state NAME has its points in NAME and the sizes of its rows in NAME_size.
SIZE_SUFFIX = "_size"
_CHUNK_BYTES = 16 << 20
_Rows = TypeVar("_Rows", CountRows, SampleRows)


def checked(chunk: np.ndarray | Unchecked) -> np.ndarray:
    """Return the values of a chunk, after a comparison with its checksum if it was not compared before."""
    return chunk.checked() if isinstance(chunk, Unchecked) else chunk


@dataclass(frozen=True, eq=False)
class Array:
    """A data set to write; `chunks` returns its elements in C order as consecutive arrays."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[np.ndarray | Unchecked]]
    dims: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def converted(self) -> Iterator[np.ndarray | Unchecked]:
        """Yield the chunks in the type and the byte order of the file."""
        little = self.dtype.newbyteorder("<")
        for chunk in self.chunks():
            if isinstance(chunk, Unchecked) and chunk.values.dtype == little:
                yield chunk
            else:
                yield checked(chunk).astype(little, copy=False)


def memory_array(name: str, values: np.ndarray, dims: tuple[str, ...] = ()) -> Array:
    """Return the data set of an array in memory."""
    return Array(name, values.dtype, values.shape, lambda: _pieces(values), dims, ATTRIBUTES.get(name, {}))


def _pieces(values: np.ndarray) -> list[np.ndarray]:
    """Return an array as consecutive arrays: one that is not contiguous in pieces, because each is copied."""
    if values.ndim == 0 or values.flags.c_contiguous:
        return [values]
    step = max(1, _CHUNK_BYTES * len(values) // values.nbytes)
    return [values[low : low + step] for low in range(0, len(values), step)]


def final_arrays(header: Header, final: Mapping[str, np.ndarray], dims: bool = True) -> list[Array]:
    """Return the data sets that are known at the end of a run, see `Store.finish`."""
    axes = {"forgotten": ("replicate", header.column), "first_passage": ("replicate",)}
    return [
        memory_array(name, np.asarray(values, np.int32), axes[name] if dims else ()) for name, values in final.items()
    ]


def state_arrays(state: Mapping[str, np.ndarray]) -> list[Array]:
    """Return the data sets of the state of a model, of a part or of a finished file."""
    return [memory_array(f"state/{name}", np.asarray(values)) for name, values in state.items()]


def _variable_chunks(blocks: Sequence[Block], name: str, n_replicates: int) -> Iterator[np.ndarray]:
    replicate_bytes = sum(block.variables[name].nbytes for block in blocks) // n_replicates
    step = max(1, _CHUNK_BYTES // max(replicate_bytes, 1))
    n_columns = sum(block.n_generations for block in blocks)
    for low in range(0, n_replicates, step):
        more = blocks[0].variables[name].shape[2:]
        chunk = np.empty((min(step, n_replicates - low), n_columns, *more))
        at = 0
        for block in blocks:
            values = block.variables[name]
            chunk[:, at : at + block.n_generations] = values[low : low + step]
            # Released at once: a page of a memory map may have 2 MB, and there may be hundreds of parts.
            forget_pages(values)
            at += block.n_generations
        yield chunk


def variable_attributes(header: Header, name: str) -> dict[str, str]:
    """Return the attributes of a metric or state. A name that is both has one data set, with equal numbers."""
    variable = header.variables[name]
    attributes = variable.attributes
    if name in header.states:
        attributes["state"] = " ".join(variable.dims)
        if name in header.metrics:
            attributes["also"] = "metric"
    elif variable.dims:
        attributes["dims"] = " ".join(variable.dims)
    if variable.of_user:
        attributes["origin"] = "user"
    return attributes


def _indptr_chunks(rows: Sequence[CountRows]) -> Iterator[np.ndarray]:
    yield np.zeros(1, np.int64)
    start = 0
    for r in rows:
        yield r.indptr[1:] + start
        start += int(r.indptr[-1])


def _row_chunks(
    rows: Sequence[tuple[Block, _Rows]], dataset: str, values_of: Callable[[_Rows], np.ndarray]
) -> Iterator[np.ndarray | Unchecked]:
    for block, one in rows:
        stored = block.unchecked.get(dataset)
        yield values_of(one) if stored is None else Unchecked(values_of(one), stored.crc, stored.path, dataset)


def block_arrays(header: Header, blocks: Sequence[Block], dims: bool) -> list[Array]:
    """Return the data sets of consecutive blocks; without blocks they are empty.

    Parameters
    ----------
    header : header of the run.
    blocks : the blocks.
    dims : whether the data sets have named dimensions.
    """
    n_replicates = header.n_replicates
    n_columns = sum(block.n_generations for block in blocks)
    first = blocks[0].first if blocks else 0
    plane = ("replicate", "generation") if dims else ()
    generation = np.arange(first, first + n_columns, dtype=np.int64)
    replicate = np.arange(n_replicates, dtype=np.int32)
    arrays = [
        memory_array("generation", generation, plane[1:]),
        memory_array("replicate", replicate, plane[:1]),
    ]
    for name, variable in header.variables.items():

        def chunks(name: str = name) -> Iterable[np.ndarray]:
            return _variable_chunks(blocks, name, n_replicates) if blocks else []

        more = blocks[0].variables[name].shape[2:] if blocks else tuple(n or 0 for n in header.lengths(name))
        attributes = variable_attributes(header, name)
        shape = (n_replicates, n_columns, *more)
        axes = (*plane, *variable.dims) if dims else ()
        arrays.append(Array(name, np.dtype(np.float64), shape, chunks, axes, attributes))
    for name, variable in header.samples.items():
        arrays += _sample_arrays(header, blocks, name, variable, dims)
    if not header.trajectory:
        return arrays
    counted = [(block, block.rows) for block in blocks if block.rows is not None]
    rows = [one for _, one in counted]
    n_rows = sum(len(r.indptr) - 1 for r in rows)
    n_cells = sum(int(r.indptr[-1]) for r in rows)
    narrowest = np.dtype(np.float64 if header.weighted else np.uint8)
    data_dtype = max((r.data.dtype for r in rows), key=lambda d: d.itemsize, default=narrowest)
    index = index_dtype(header.n_columns)
    bound, entry = (("row_bound",), ("entry",)) if dims else ((), ())
    return [
        *arrays,
        Array("trajectory/indptr", np.dtype(np.int64), (n_rows + 1,), lambda: _indptr_chunks(rows), bound),
        Array(
            "trajectory/indices",
            index,
            (n_cells,),
            lambda: _row_chunks(counted, "trajectory/indices", lambda rows: rows.indices),
            entry,
        ),
        Array(
            "trajectory/data",
            data_dtype,
            (n_cells,),
            lambda: _row_chunks(counted, "trajectory/data", lambda rows: rows.data),
            entry,
        ),
    ]


def _sample_arrays(header: Header, blocks: Sequence[Block], name: str, variable: Variable, dims: bool) -> list[Array]:
    """Return the sizes and the points of a ragged state, by the contiguous ragged arrays of the CF conventions."""
    samples = [block.samples[name] for block in blocks]
    n_columns = sum(block.n_generations for block in blocks)
    n_points = sum(int(rows.indptr[-1]) for rows in samples)
    more = samples[0].values.shape[1:] if samples else tuple(n or 0 for n in header.lengths(name))
    point = f"{name}_point"
    return [
        Array(
            f"{name}{SIZE_SUFFIX}",
            np.dtype(np.int64),
            (n_columns, header.n_replicates),
            lambda: (np.diff(rows.indptr) for rows in samples),
            ("generation", "replicate") if dims else (),
            size_attributes(name, variable),
        ),
        Array(
            name,
            np.dtype(np.float64),
            (n_points, *more),
            lambda: _row_chunks(list(zip(blocks, samples, strict=True)), name, lambda rows: rows.values),
            (point, *variable.dims) if dims else (),
            sample_attributes(variable),
        ),
    ]


def size_attributes(name: str, variable: Variable) -> dict[str, str]:
    """Return the attributes of the sizes of a ragged state."""
    return {"long_name": f"size of {variable.long_name}", "units": "1", "sample_dimension": f"{name}_point"}


def sample_attributes(variable: Variable) -> dict[str, str]:
    """Return the attributes of the points of a ragged state."""
    return {**variable.attributes, "ragged": " ".join(variable.dims)}


def _trajectory_attributes(header: Header, blocks: Sequence[Block]) -> dict[str, Any]:
    n_rows = sum(len(b.rows.indptr) - 1 for b in blocks if b.rows is not None)
    return {
        "encoding-type": "csr_matrix",
        "encoding-version": "0.1.0",
        "shape": np.array([n_rows, header.n_columns], np.int64),
        "row_order": ROW_ORDER,
    }


def header_arrays(header: Header) -> list[Array]:
    """Return the data sets of the coordinates and of the group /truth."""
    arrays = [_coordinate_array(name, coordinate) for name, coordinate in header.coordinates.items()]
    if header.truth is None:
        return arrays
    truth = header.truth
    if isinstance(truth, ZipfMandelbrotLaw):
        return arrays
    if isinstance(truth, CountSpectrum):
        arrays.append(memory_array("truth/spectrum_count", truth.counts, ("spectrum_class",)))
        arrays.append(memory_array("truth/spectrum_symbols", truth.n_symbols, ("spectrum_class",)))
        return arrays
    if isinstance(truth, Sentences):
        arrays.append(memory_array("truth/token", truth.tokens, ("position",)))
        lengths = np.diff(truth.offsets).astype(np.int32)
        arrays.append(memory_array("truth/sentence_length", lengths, ("sentence",)))
        return [*arrays, *_label_arrays(truth.labels)]
    arrays.append(memory_array("truth/probability", truth.probabilities.astype(np.float64, copy=False), ("symbol",)))
    if truth.counts is not None:
        arrays.append(memory_array("truth/counts", truth.counts.astype(np.int64, copy=False), ("symbol",)))
    if header.rewards is not None:
        arrays.append(memory_array("truth/reward", header.rewards, ("symbol",)))
    return [*arrays, *_label_arrays(truth.labels or ())]


def _label_arrays(labels: Sequence[str]) -> list[Array]:
    """Return the data sets of labels; none without labels."""
    if not labels:
        return []
    raw = [label.encode() for label in labels]
    bounds = np.zeros(len(raw) + 1, np.int64)
    np.cumsum([len(label) for label in raw], out=bounds[1:])
    return [
        memory_array("truth/label_bytes", np.frombuffer(b"".join(raw), np.uint8), ("label_byte",)),
        memory_array("truth/label_bounds", bounds, ("label_bound",)),
    ]


def _coordinate_array(name: str, coordinate: Coordinate) -> Array:
    values = coordinate.values
    return Array(name, values.dtype, values.shape, lambda: [values], (name,), coordinate.attributes)


def root_attributes(header: Header) -> dict[str, Any]:
    """Return the attributes of the root of a file."""
    inputs = {"inputs": json.dumps(dict(header.inputs), sort_keys=True)} if header.inputs else {}
    # Files without `engine` have the only engine of earlier versions.
    engine = {"engine": header.engine} if header.engine == "spectrum" else {}
    is_new = header.samples or engine or (header.weighted and header.trajectory) or isinstance(header.truth, Sentences)
    # Readers of version 1 expect all generations.
    version = RAGGED_VERSION if is_new or header.stop else FORMAT_VERSION
    return {
        "format": FORMAT,
        "format_version": np.int64(version),
        "digest": header.digest,
        "experiment": header.experiment_json,
        "experiment_text": header.experiment_text,
        **inputs,
        **engine,
        "provenance": json.dumps(header.provenance, sort_keys=True),
        "n_generations": np.int64(header.n_generations),
        "first_replicate": np.int64(header.first_replicate),
    }


def groups_of(header: Header, blocks: Sequence[Block]) -> dict[str, dict[str, Any]]:
    """Return the attributes of every group of a file, the root included."""
    groups = {"/": root_attributes(header)}
    if header.truth is not None:
        truth = header.truth
        law = dataclasses.asdict(truth) if isinstance(truth, ZipfMandelbrotLaw) else {}
        unit = {"unit": truth.unit} if isinstance(truth, Sentences) else {}
        groups["truth"] = {"source": truth.source, **law, **unit}
    if header.trajectory:
        groups["trajectory"] = _trajectory_attributes(header, blocks)
    return groups
