"""One HDF5 file written or read as a whole (FORMAT.md); the one importer of h5py.

HDF5 only ever sees memory: it lays a file out on `_Pages`, a file object that keeps the few KB of metadata,
and the arrays go from where they are to their offsets with `pwrite`. So a full disk is a plain `OSError` (an
open HDF5 file would crash the interpreter at exit), and an array is copied once. All data sets are contiguous
and uncompressed, and read back as memory maps; FORMAT.md has the measurements. What HDF5 reads has been checked
before: it may crash on damaged metadata.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.atomic_write import write_new
from fastcollapse.storage.checksums import checksums_in, checksums_of
from fastcollapse.storage.layout import Array, Content, check_format

_PAGE = 4096
_SCALE_ATTRIBUTES = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"}
_Decoded = TypeVar("_Decoded")
# What deflate can gain at most, and what any data set may have: a header that says more lies.
_DEFLATE = 1100
_SMALL = 1 << 16
_NOT_A_VARIABLE = "This is a netCDF dimension but not a netCDF variable."


class _Pages:
    """A sparse file in memory, for h5py's file-object driver."""

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
        if isinstance(value, str):  # fixed length: xarray's readers stumble over variable-length strings
            raw = value.encode()
            value = np.array(raw, dtype=h5py.string_dtype("utf-8", max(len(raw), 1)))
        target.attrs[key] = value


def write_file(path: Path, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a new HDF5 file: data sets, dimension scales by `dims`, attributes of groups ("/": the root).

    Raises
    ------
    StoreError : it cannot be written; it is gone again.
    """
    memory = _Pages()
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    creation.set_obj_track_times(False)
    pieces: list[tuple[int, Iterable[np.ndarray]]] = []
    with h5py.File(
        memory, "w", libver=("v108", "v110"), track_order=True, alignment_threshold=512, alignment_interval=64
    ) as file:
        for name, attributes in groups.items():
            group = file if name == "/" else file.create_group(name, track_order=True)
            _set_attributes(group, attributes)
        made = {}
        for array in arrays:
            kind = h5py.h5t.py_create(array.dtype.newbyteorder("<"))
            space = h5py.h5s.create_simple(array.shape) if array.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            group = file.require_group(os.path.dirname(array.name) or "/")
            leaf = os.path.basename(array.name).encode()
            made[array.name] = h5py.Dataset(h5py.h5d.create(group.id, leaf, kind, space, dcpl=creation))
            _set_attributes(made[array.name], array.attributes)
            offset = made[array.name].id.get_offset()
            if offset is not None:
                pieces.append((offset, array.converted()))
        _attach_scales(file, arrays, made)
    end = memory.size
    pages = [(page * _PAGE, np.frombuffer(memory.pages[page], np.uint8)) for page in sorted(memory.pages)]
    pages = [(offset, values[: end - offset]) for offset, values in pages]  # the last may reach over the end
    write_new(path, end, pages, pieces, lambda extents: checksums_of(end, extents, memory.at).encoded())


def _attach_scales(file: h5py.File, arrays: Sequence[Array], made: dict[str, h5py.Dataset]) -> None:
    lengths = {dim: n for a in arrays for dim, n in zip(a.dims, a.shape, strict=bool(a.dims))}
    for dim, length in lengths.items():
        if dim not in made:  # netCDF's way to say "a dimension without coordinates"; takes no room
            made[dim] = file.create_dataset(dim, shape=(length,), dtype=">f4")
            made[dim].make_scale(f"{_NOT_A_VARIABLE}{length:10d}")
        else:
            made[dim].make_scale(dim)
    several = [array for array in arrays if array.name in lengths and len(array.dims) > 1]
    if several:  # HDF5 has no scales of scales: netCDF numbers the dimensions for these, and then all of them
        numbers = {dim: np.int32(number) for number, dim in enumerate(lengths)}
        for dim, number in numbers.items():
            made[dim].attrs["_Netcdf4Dimid"] = number
        for array in several:
            made[array.name].attrs["_Netcdf4Coordinates"] = np.array([numbers[dim] for dim in array.dims], np.int32)
    for array in arrays:
        for axis, dim in enumerate(array.dims):
            if dim != array.name and array not in several:
                made[array.name].dims[axis].attach_scale(made[dim])


def read_file(path: Path) -> Content:
    """Return what a file holds, its contiguous arrays as memory maps; its header is checked, its data are not.

    Raises
    ------
    FileNotFoundError : there is none.
    UnreadableResults : naming the path and the reason.
    """
    try:
        if os.path.isdir(path):
            raise ValueError("is a folder, not a results file")
        content = Content()
        # One open file for all: a run that ends may remove a part, or its name, at any moment.
        with open(path, "rb") as raw:
            checksums_in(raw)
            whole_file = np.memmap(raw, np.uint8, "r")
            with h5py.File(raw, "r") as file:
                content.attributes["/"] = _attributes(file, len(whole_file))
                check_format(content)  # before anything of a foreign file is read
                _visit(file, "", whole_file, content)
        return content
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError) as error:
        raise UnreadableResults(f"{path}: {_reason(path, error)}") from error


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _attributes(item: h5py.Group | h5py.Dataset, room: int) -> dict[str, Any]:
    """Return the attributes of a group or data set; none is larger than the file."""
    found = {}
    for key in item.attrs:
        if key not in _SCALE_ATTRIBUTES:
            if item.attrs.get_id(key).get_storage_size() > room:
                raise ValueError(f"is damaged: attribute {key} is larger than the file")
            found[key] = _text(item.attrs[key])
    return found


def _visit(group: h5py.Group, prefix: str, whole_file: np.ndarray, content: Content) -> None:
    for key, item in group.items():  # in order of creation, which visititems does not keep
        name = prefix + key
        if _text(item.attrs.get("NAME", "")).startswith(_NOT_A_VARIABLE):
            continue
        content.attributes[name] = _attributes(item, len(whole_file))
        if isinstance(item, h5py.Dataset):
            offset = item.id.get_offset()
            content.arrays[name] = _array(name, item, offset, whole_file)
            if offset is not None:
                content.offsets[name] = offset
        else:
            _visit(item, f"{name}/", whole_file, content)


def _array(name: str, item: h5py.Dataset, offset: int | None, whole_file: np.ndarray) -> np.ndarray:
    """Return a data set as a memory map, or, of a copy that was compressed, as it is."""
    n_bytes = item.dtype.itemsize * item.size
    if offset is None:
        if n_bytes > max(_SMALL, _DEFLATE * item.id.get_storage_size()):
            raise ValueError(f"is damaged: {name} says {n_bytes:,} bytes and has fewer")
        return item[()]
    if offset + n_bytes > len(whole_file):
        raise ValueError(f"is damaged: {name} reaches over the end of the file")
    return np.asarray(whole_file[offset : offset + n_bytes]).view(item.dtype).reshape(item.shape)


def reason_of(error: Exception) -> str:
    """Return what is wrong with a file, in words."""
    if isinstance(error, KeyError):
        return f"is damaged: {error.args[0]} is missing"
    return str(error).splitlines()[0] if str(error) else f"is damaged: {type(error).__name__}"


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        # HDF5's own words are long, and about its code.
        return f"cannot be read: {error.strerror}" if error.strerror and error.errno else "is cut off or damaged"
    return reason_of(error)


def decoded(path: Path, decode: Callable[[], _Decoded]) -> _Decoded:
    """Return what `decode` makes of the content of a file.

    Raises
    ------
    UnreadableResults : it does not make sense; naming the path and the reason.
    """
    try:
        return decode()
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise UnreadableResults(f"{path}: {reason_of(error)}") from error
