"""Packs: many small finished runs in one file (FORMAT.md), because a file for each run costs 5 ms and more."""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.atomic_write import Rename, remove_abandoned
from fastcollapse.storage.attributes import anything, fields, listed, table, text, whole
from fastcollapse.storage.base import Reader, finished_reader
from fastcollapse.storage.content import Content, array_of, read_run
from fastcollapse.storage.hdf5_file import decoded, read_file, write_file
from fastcollapse.storage.json_text import parse_json
from fastcollapse.storage.layout import (
    FORMAT,
    FORMAT_VERSION,
    PACK,
    Array,
    block_arrays,
    checked,
    final_arrays,
    groups_of,
    header_arrays,
    memory_array,
)
from fastcollapse.storage.readers import check_data

_ALIGNMENT = 8
# Largest arrays and largest text of a run that is stored in a pack.
_SMALL_BYTES, _SMALL_TEXT = 256 << 10, 32 << 10
# Bytes of an unpacked index: it has the text of up to 1,000 small runs.
_MAX_INDEX_BYTES = 128 << 20
_DTYPE = re.compile(r"[<|][iufS]\d{1,3}")


def is_small(reader: Reader) -> bool:
    """Whether a finished run is stored in a pack; the answer depends on the run only, not on the process."""
    header = reader.header
    arrays = [*reader.metrics.values(), *reader.states.values()]
    n_bytes = sum(values.nbytes for values in arrays)
    n_bytes += 0 if reader.forgotten is None else reader.forgotten.nbytes
    n_bytes += 0 if header.truth is None else header.truth.nbytes
    n_text = len(header.experiment_json) + len(header.experiment_text)
    return not header.trajectory and n_bytes <= _SMALL_BYTES and n_text <= _SMALL_TEXT


def run_arrays(reader: Reader, dims: bool) -> list[Array]:
    """Return all data sets of a finished run.

    Parameters
    ----------
    dims : whether the data sets have dimensions.
    """
    header = reader.header
    arrays = block_arrays(header, reader.blocks, dims)
    final = {"forgotten": reader.forgotten, "first_passage": reader.first_passage}
    known = {name: values for name, values in final.items() if values is not None}
    return arrays + final_arrays(header, known, dims) + header_arrays(header)


def write_run(path: Path, reader: Reader, rename: Rename | None = None) -> None:
    """Write a finished run as a results file, byte-identical to the file of `Hdf5Store`.

    Parameters
    ----------
    rename : see `write_file`.

    Raises
    ------
    StoreError
        The file exists or cannot be written.
    """
    remove_abandoned(path.parent, path.name)
    write_file(path, run_arrays(reader, dims=True), groups_of(reader.header, reader.blocks), rename)


class _Heap:
    """Consecutive arrays, where equal arrays are stored once: the points of a sweep often share their truth."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.size = 0
        self._known: dict[bytes, int] = {}

    def add(self, array: Array) -> int:
        """Add a data set and return its offset."""
        raw = b"".join(np.ascontiguousarray(checked(chunk)).tobytes() for chunk in array.converted())
        key = hashlib.blake2b(raw, digest_size=16).digest()
        if key not in self._known:
            self._known[key] = self.size
            padding = -len(raw) % _ALIGNMENT
            self.chunks.append(np.frombuffer(raw + bytes(padding), np.uint8))
            self.size += len(raw) + padding
        return self._known[key]


def write_pack(path: Path, runs: Iterable[tuple[int, Reader]], rename: Rename | None = None) -> None:
    """Write a pack.

    Parameters
    ----------
    path : path of the pack.
    runs : pairs of the number of the point and its finished run.
    rename : see `write_file`.

    Raises
    ------
    StoreError
        The file exists or cannot be written.
    """
    heap, index = _Heap(), []
    for number, reader in runs:
        arrays = {
            array.name: [array.dtype.newbyteorder("<").str, array.shape, heap.add(array), dict(array.attributes)]
            for array in run_arrays(reader, dims=False)
        }
        index.append({"number": number, "groups": groups_of(reader.header, reader.blocks), "arrays": arrays})
    # Compression removes what the runs have in common, above all their text and provenance.
    packed = zlib.compress(json.dumps(index, separators=(",", ":"), default=_plain).encode(), 1)
    data = Array("data", np.dtype(np.uint8), (heap.size,), lambda: heap.chunks)
    root = {"format": FORMAT, "format_version": np.int64(FORMAT_VERSION), "kind": PACK, "n_runs": np.int64(len(index))}
    write_file(path, [memory_array("index", np.frombuffer(packed, np.uint8)), data], {"/": root}, rename)


def _plain(value: Any) -> Any:
    return value.tolist()


class Pack:
    """Runs of a pack, read on access.

    Parameters
    ----------
    path : path of the pack.
    checked : whether to compare all data with their checksums.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    UnreadableResults
        The file is damaged or is not a pack.
    """

    def __init__(self, path: Path, checked: bool = False) -> None:
        self.path = path
        if checked:
            check_data(path)
        content = read_file(path)
        if content.attributes["/"].get("kind") != PACK:
            raise UnreadableResults(f"{path}: is not a pack of the points of a sweep")
        self._index = decoded(path, lambda: _entries(content))
        self._data = decoded(path, lambda: array_of(content, "data", "u1", (None,)))

    def __iter__(self) -> Iterator[int]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def digest(self, number: int) -> str:
        """Return the digest of the experiment of a run."""
        return str(self._index[number]["groups"]["/"]["digest"])

    def reader(self, number: int) -> Reader:
        """Return a run.

        Raises
        ------
        KeyError
            The run is not in this pack.
        UnreadableResults
            The run is damaged.
        """
        entry = self._index[number]
        return decoded(self.path, lambda: self._read(entry))

    def _read(self, entry: Any) -> Reader:
        content = Content()
        content.attributes.update(entry["groups"])
        for name, array in entry["arrays"].items():
            content.arrays[name], content.attributes[name] = self._array(*array[:3]), array[3]
        header, block, final = read_run(content)
        return finished_reader(header, [block], final)

    def _array(self, dtype: str, shape: list[int], offset: int) -> np.ndarray:
        end = offset + np.dtype(dtype).itemsize * math.prod(shape)
        if end > len(self._data):
            raise ValueError("is damaged: its index names an array that is not in it")
        return self._data[offset:end].view(dtype).reshape(shape)


def _array_entry(value: Any) -> list[Any]:
    """Check an array of an index: its type, shape, offset and attributes."""
    if not isinstance(value, list) or len(value) != 4 or not _DTYPE.fullmatch(text(value[0])):
        raise ValueError("the type, shape, offset and attributes of an array")
    return [check(one) for check, one in zip((text, listed(whole(0)), whole(0), table(anything)), value, strict=True)]


_ENTRIES = listed(fields({"number": whole(0), "groups": table(table(anything)), "arrays": table(_array_entry)}, {}))


def _entries(content: Content) -> dict[int, Any]:
    packed = array_of(content, "index", "u1", (None,)).tobytes()
    try:
        unpacking = zlib.decompressobj()
        unpacked = unpacking.decompress(packed, _MAX_INDEX_BYTES)
        if not unpacking.eof:
            raise ValueError(f"is cut, or larger than {_MAX_INDEX_BYTES >> 20} MiB")
        return {entry["number"]: entry for entry in _ENTRIES(parse_json(unpacked))}
    except (zlib.error, ValueError, KeyError) as error:
        raise ValueError("is damaged: its index cannot be decoded") from error
