"""Packs: many small finished runs in one file (FORMAT.md), because a file for each run costs 5 ms and more."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.atomic_write import Rename, remove_abandoned
from fastcollapse.storage.base import Reader
from fastcollapse.storage.content import Content, read_block, read_header
from fastcollapse.storage.hdf5_file import decoded, read_file, write_file
from fastcollapse.storage.layout import (
    FORMAT,
    FORMAT_VERSION,
    PACK,
    Array,
    block_arrays,
    groups_of,
    header_arrays,
    memory_array,
)
from fastcollapse.storage.readers import check_data

_ALIGNMENT = 8


def run_arrays(reader: Reader, dims: bool) -> list[Array]:
    """Return all data sets of a finished run.

    Parameters
    ----------
    dims : whether the data sets have dimensions.
    """
    header = reader.header
    arrays = block_arrays(header, reader.blocks, dims)
    if reader.forgotten is not None:
        arrays.append(memory_array("forgotten", reader.forgotten, ("replicate", "symbol") if dims else ()))
    return arrays + header_arrays(header)


def write_run(path: Path, reader: Reader) -> None:
    """Write a finished run as a results file, byte-identical to the file of `Hdf5Store`.

    Raises
    ------
    StoreError
        The file exists or cannot be written.
    """
    remove_abandoned(path.parent, path.name)
    write_file(path, run_arrays(reader, dims=True), groups_of(reader.header, reader.blocks))


class _Heap:
    """Consecutive arrays, where equal arrays are stored once: the points of a sweep often share their truth."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.size = 0
        self._known: dict[bytes, int] = {}

    def add(self, array: Array) -> int:
        """Add a data set and return its offset."""
        raw = b"".join(np.ascontiguousarray(chunk).tobytes() for chunk in array.converted())
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
        self._data = content.arrays["data"]

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
        for name, (dtype, shape, offset, attributes) in entry["arrays"].items():
            n_bytes = np.dtype(dtype).itemsize * int(np.prod(shape))
            content.arrays[name] = self._data[offset : offset + n_bytes].view(dtype).reshape(shape)
            content.attributes[name] = attributes
        header = read_header(content)
        return Reader(header, [read_block(content, header)], forgotten=content.arrays.get("forgotten"))


def _entries(content: Content) -> dict[int, Any]:
    try:
        listed = json.loads(zlib.decompress(content.arrays["index"].tobytes()))
    except (zlib.error, ValueError) as error:
        raise ValueError("is damaged: its index cannot be decoded") from error
    return {int(entry["number"]): entry for entry in listed}
