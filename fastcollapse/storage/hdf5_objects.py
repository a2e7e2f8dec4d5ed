"""Objects of an HDF5 file that lie in the file itself, read in bounded time and memory.

A file may come from anybody. HDF5 follows links and external storage to every file of the user, waits for pipes, loads
filters as plugins and unpacks a few bytes to terabytes. Therefore each property of an object is checked before HDF5
acts on it. Allowed are hard links, one for each object; numbers and text of fixed length; and storage that is
contiguous or, in a compressed copy of a file, chunked with the filters of zlib.
"""

import math
from typing import Any

import h5py
import numpy as np

from fastcollapse.storage.content import Content

NOT_A_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
_SCALE_ATTRIBUTES = {"CLASS", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"}
# Groups, data sets and attributes of a file: ours have about a hundred.
_MAX_OBJECTS = 10_000
_MAX_DEPTH = 4
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
# Largest compression ratio of deflate, and bytes that any data set may have: a header that claims more is damaged.
_MAX_DEFLATE_RATIO = 1100
_ALWAYS_ALLOWED_BYTES = 1 << 16
# Bytes in memory of a compressed file: this much, or this many times its size.
_ALWAYS_UNPACKED_BYTES = 256 << 20
_MAX_RATIO = 30
# Bytes that the index of a data set has for each of its chunks, at least.
_CHUNK_INDEX_BYTES = 8


class Unread:
    """Value of an attribute whose type a results file does not have, for example a reference."""

    def __repr__(self) -> str:
        return "a value of another type"


class ObjectReader:
    """Reader of the objects of an open HDF5 file.

    Parameters
    ----------
    whole_file : its bytes, uint8.
    """

    def __init__(self, whole_file: np.ndarray) -> None:
        self._whole_file = whole_file
        self._n_objects = 0
        self._addresses: set[int] = set()
        self._unpacked_bytes = 0

    def attributes(self, item: h5py.Group | h5py.Dataset) -> dict[str, Any]:
        """Return the attributes of a group or data set, numbers and texts as those of Python.

        Raises
        ------
        ValueError
            There are too many, or one is larger than the file.
        """
        self._count(len(item.attrs))
        return {key: self._attribute(item, key) for key in item.attrs if key not in _SCALE_ATTRIBUTES}

    def _attribute(self, item: h5py.Group | h5py.Dataset, key: str) -> Any:
        attribute = item.attrs.get_id(key)
        kind, shape = attribute.get_type(), attribute.shape
        if shape is None:  # an attribute without data
            return Unread()
        is_one = math.prod(shape) == 1
        is_text = isinstance(kind, h5py.h5t.TypeStringID) and is_one
        is_number = isinstance(kind, h5py.h5t.TypeIntegerID | h5py.h5t.TypeFloatID) and (is_one or len(shape) == 1)
        if not is_text and not is_number:
            return Unread()
        if math.prod(shape) * kind.get_size() > len(self._whole_file):
            raise ValueError(f"is damaged: attribute {_shown(key)} is larger than the file")
        value = item.attrs[key]
        if is_one:
            value = np.asarray(value).item()
        return value.decode() if isinstance(value, bytes) else value

    def read(self, group: h5py.Group, content: Content, prefix: str = "", depth: int = 0) -> None:
        """Add the objects of a group to `content`.

        Raises
        ------
        ValueError
            An object is not allowed; the message names it.
        """
        self._first_time(group, prefix or "/")
        self._count(len(group))
        for key in group:  # in order of creation, unlike visititems
            name = prefix + key
            if not name.isprintable():
                raise ValueError(f"is damaged: names must be printable, got {_shown(name)}")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ValueError(f"is damaged: {name} is a link to another place")
            item = group[key]
            if isinstance(item, h5py.Group):
                if depth == _MAX_DEPTH:
                    raise ValueError(f"is damaged: group {name} is nested too deeply")
                content.attributes[name] = self.attributes(item)
                self.read(item, content, f"{name}/", depth + 1)
            elif isinstance(item, h5py.Dataset):
                self._first_time(item, name)
                attributes = self.attributes(item)
                if not str(attributes.pop("NAME", "")).startswith(NOT_A_VARIABLE):
                    content.attributes[name] = attributes
                    content.arrays[name] = self._array(name, item, content)
            else:
                raise ValueError(f"is damaged: {name} is neither a group nor a data set")

    def _count(self, n: int) -> None:
        self._n_objects += n
        if self._n_objects > _MAX_OBJECTS:
            raise ValueError(f"is damaged: it has more than {_MAX_OBJECTS:,} objects and attributes")

    def _first_time(self, item: h5py.Group | h5py.Dataset, name: str) -> None:
        """Refuse a second link to an object: links to groups that hold each other have no end."""
        address = h5py.h5o.get_info(item.id).addr
        if address in self._addresses:
            raise ValueError(f"is damaged: {name} is a second link to an object")
        self._addresses.add(address)

    def _array(self, name: str, item: h5py.Dataset, content: Content) -> np.ndarray:
        """Return a data set as a memory map, or as an array if a copy of the file is compressed."""
        creation = item.id.get_create_plist()
        layout = creation.get_layout()
        if creation.get_external_count():
            raise ValueError(f"is damaged: the data of {name} are in another file")
        if layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
            raise ValueError(f"is damaged: {name} must be contiguous or chunked")
        dtype = _dtype(name, item)
        if item.shape is None:
            raise ValueError(f"is damaged: {name} has no shape")
        n_bytes = dtype.itemsize * math.prod(item.shape)
        if layout == h5py.h5d.CHUNKED:
            self._check_chunks(name, item, creation, n_bytes)
            return item[()]
        offset = item.id.get_offset()
        if offset is None:
            if n_bytes:
                raise ValueError(f"is damaged: {name} should have {n_bytes:,} bytes and has none")
            return np.empty(item.shape, dtype)
        if offset + n_bytes > len(self._whole_file):
            raise ValueError(f"is damaged: {name} extends beyond the end of the file")
        content.offsets[name] = offset
        return np.asarray(self._whole_file[offset : offset + n_bytes]).view(dtype).reshape(item.shape)

    def _check_chunks(self, name: str, item: h5py.Dataset, creation: Any, n_bytes: int) -> None:
        """Check that a chunked data set can be read with little time and memory beyond that of its file."""
        filters = [creation.get_filter(k)[0] for k in range(creation.get_nfilters())]
        if not set(filters) <= set(_FILTERS) or len(set(filters)) < len(filters):
            raise ValueError(
                f"cannot be read: {name} is stored with other filters than deflate, shuffle and fletcher32"
            )
        n_stored = min(item.id.get_storage_size(), len(self._whole_file))
        allowed = max(_ALWAYS_ALLOWED_BYTES, _MAX_DEFLATE_RATIO * n_stored) if n_stored else 0
        n_chunks = math.prod(-(-n // chunk) for n, chunk in zip(item.shape, item.chunks, strict=True))
        if n_bytes > allowed or n_chunks > len(self._whole_file) // _CHUNK_INDEX_BYTES:
            raise ValueError(f"is damaged: {name} should have {n_bytes:,} bytes and has fewer")
        self._unpacked_bytes += n_bytes + item.dtype.itemsize * math.prod(item.chunks)
        if self._unpacked_bytes > max(_ALWAYS_UNPACKED_BYTES, _MAX_RATIO * len(self._whole_file)):
            raise ValueError(
                f"cannot be read: {name} needs {n_bytes:,} bytes of memory, which is much more than the file has: "
                "h5repack -f NONE decompresses it"
            )


def _dtype(name: str, item: h5py.Dataset) -> np.dtype:
    """Return the type of a data set: numbers that NumPy has too, or text of fixed length."""
    kind = item.id.get_type()
    dtype = None
    if isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str():
        dtype = kind.dtype
    elif isinstance(kind, h5py.h5t.TypeIntegerID | h5py.h5t.TypeFloatID):
        dtype = kind.dtype if h5py.h5t.py_create(kind.dtype).equal(kind) else None
    if dtype is None:
        raise ValueError(f"is damaged: {name} must have numbers or text of fixed length")
    return dtype


def _shown(text: str) -> str:
    return ascii(text[:60])
