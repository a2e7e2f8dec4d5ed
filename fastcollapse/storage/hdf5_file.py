"""HDF5 files, written and read in one call (FORMAT.md).

HDF5 writes to memory only: `_Pages` is a file object that keeps the few KB of metadata, and the arrays are written to
their offsets with `pwrite`. A full disk is therefore an ordinary `OSError` (with an open HDF5 file it crashes the
interpreter at exit), and an array is copied once. All data sets are contiguous and uncompressed, and are read as memory
maps. The metadata of a file are checked before HDF5 reads them, because HDF5 may crash on damaged metadata.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.storage.atomic_write import Rename, write_new
from fastcollapse.storage.checksums import Unchecked, checksums_in, checksums_of
from fastcollapse.storage.content import Content, check_format
from fastcollapse.storage.hdf5_objects import NOT_A_VARIABLE, ObjectReader
from fastcollapse.storage.layout import Array
from fastcollapse.storage.memory_map import map_file
from fastcollapse.storage.regular_file import open_regular

_PAGE = 4096
_Decoded = TypeVar("_Decoded")


class _Pages:
    """Sparse file in memory for the file-object driver of h5py."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.size = 0
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def _spans(self, length: int) -> Iterator[tuple[int, int, int, int]]:
        done = 0
        while done < length:
            page, start = divmod(self._at + done, _PAGE)
            n = min(_PAGE - start, length - done)
            yield page, start, done, n
            done += n

    def write(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        for page, start, done, n in self._spans(len(view)):
            self.pages.setdefault(page, bytearray(_PAGE))[start : start + n] = view[done : done + n]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        empty = bytes(_PAGE)
        for page, start, done, n in self._spans(len(view)):
            view[done : done + n] = self.pages.get(page, empty)[start : start + n]
        self._at += len(view)
        return len(view)

    def read(self, size: int = -1) -> bytes:
        buffer = bytearray(self.size - self._at if size < 0 else size)
        self.readinto(buffer)
        return bytes(buffer)

    def at(self, offset: int, size: int) -> bytes:
        self.seek(offset)
        return self.read(size)

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def flush(self) -> None:
        pass


def _set_attributes(target: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        if isinstance(value, str):  # fixed length: readers of xarray do not support variable-length strings
            raw = value.encode()
            value = np.array(raw, dtype=h5py.string_dtype("utf-8", max(len(raw), 1)))
        target.attrs[key] = value


def write_file(
    path: Path, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]], rename: Rename | None = None
) -> None:
    """Write an HDF5 file atomically.

    Parameters
    ----------
    path : path of the file.
    arrays : data sets; their `dims` become dimension scales.
    groups : attributes by name of the group, "/" for the root.
    rename : how the file gets its name; by default it must not exist.

    Raises
    ------
    StoreError
        See `write_new`.
    """
    memory = _Pages()
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    creation.set_obj_track_times(False)
    data: list[tuple[int, Iterable[np.ndarray | Unchecked]]] = []
    with h5py.File(
        memory, "w", libver=("v108", "v110"), track_order=True, alignment_threshold=512, alignment_interval=64
    ) as file:
        for name, attributes in groups.items():
            group = file if name == "/" else file.create_group(name, track_order=True)
            _set_attributes(group, attributes)
        datasets = {}
        for array in arrays:
            kind = h5py.h5t.py_create(array.dtype.newbyteorder("<"))
            space = h5py.h5s.create_simple(array.shape) if array.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            group = file.require_group(os.path.dirname(array.name) or "/")
            leaf = os.path.basename(array.name).encode()
            datasets[array.name] = h5py.Dataset(h5py.h5d.create(group.id, leaf, kind, space, dcpl=creation))
            _set_attributes(datasets[array.name], array.attributes)
            offset = datasets[array.name].id.get_offset()
            if offset is not None:
                data.append((offset, array.converted()))
        _attach_scales(file, arrays, datasets)
    end = memory.size
    pages = [(page * _PAGE, np.frombuffer(memory.pages[page], np.uint8)) for page in sorted(memory.pages)]
    pages = [(offset, values[: end - offset]) for offset, values in pages]  # the last page may extend beyond the end
    write_new(
        path, end, pages, data, lambda extents: checksums_of(end, extents, memory.at).encoded(), rename or Rename()
    )


def _attach_scales(file: h5py.File, arrays: Sequence[Array], datasets: dict[str, h5py.Dataset]) -> None:
    lengths = {dim: n for a in arrays for dim, n in zip(a.dims, a.shape, strict=bool(a.dims))}
    for dim, length in lengths.items():
        if dim not in datasets:  # the netCDF form of a dimension without coordinates; its data are not allocated
            datasets[dim] = file.create_dataset(dim, shape=(length,), dtype=">f4")
            datasets[dim].make_scale(f"{NOT_A_VARIABLE}{length:10d}")
        else:
            datasets[dim].make_scale(dim)
    several = [array for array in arrays if array.name in lengths and len(array.dims) > 1]
    if several:  # a scale cannot have scales in HDF5; netCDF then numbers all dimensions
        numbers = {dim: np.int32(number) for number, dim in enumerate(lengths)}
        for dim, number in numbers.items():
            datasets[dim].attrs["_Netcdf4Dimid"] = number
        for array in several:
            datasets[array.name].attrs["_Netcdf4Coordinates"] = np.array([numbers[dim] for dim in array.dims], np.int32)
    for array in arrays:
        for axis, dim in enumerate(array.dims):
            if dim != array.name and array not in several:
                datasets[array.name].dims[axis].attach_scale(datasets[dim])


def read_file(path: Path) -> Content:
    """Return the content of a file, with contiguous arrays as memory maps; metadata are checked, data are not.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    UnreadableResults
        The message names the path and the reason.
    """
    try:
        content = Content()
        # The file is opened once, because a run that finishes may remove a part at any moment.
        with open_regular(path) as raw:
            checksums_in(raw)
            whole_file = map_file(raw)
            with h5py.File(raw, "r") as file:
                objects = ObjectReader(whole_file)
                content.attributes["/"] = objects.attributes(file)
                check_format(content)  # before any array of a foreign file is read
                objects.read(file, content)
        return content
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError) as error:
        raise UnreadableResults(f"{path}: {_reason(error)}") from error


def reason_of(error: Exception) -> str:
    """Return the description of an error in a file."""
    if isinstance(error, KeyError):
        return f"is damaged: {error.args[0]} is missing"
    return str(error).splitlines()[0] if str(error) else f"is damaged: {type(error).__name__}"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        # Messages of HDF5 are long and describe its code.
        return f"cannot be read: {error.strerror}" if error.strerror and error.errno else "is truncated or damaged"
    return reason_of(error)


def decoded(path: Path, decode: Callable[[], _Decoded]) -> _Decoded:
    """Return `decode()`, which interprets the content of a file.

    Raises
    ------
    UnreadableResults
        The content is malformed; the message names the path and the reason.
    """
    try:
        return decode()
    except InputError:  # names its own key or file
        raise
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise UnreadableResults(f"{path}: {reason_of(error)}") from error
