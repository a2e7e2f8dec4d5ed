"""Numeric arrays in data files: idx (the format of MNIST), npy, npz and csv, also gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import math
import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError

import numpy as np

from fastcollapse.config.fields import show
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.datasets.number_table import NumberTable, parse_table
from fastcollapse.errors import InputError, nearest

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# Compressed arrays unpack to this much, or to this many times their size; images of digits to 10 times.
_ALWAYS_UNPACKED_BYTES = 256 << 20
_MAX_RATIO = 100
FORMATS = "an idx, .npy, .npz or .csv file, gzipped or not"
_PARSE_ERRORS = (TokenError, zipfile.BadZipFile, csv.Error)
_TABLES = frozenset({".csv", ".tsv", ".txt"})


def read_array(given: str, files: DataFiles, key: str) -> np.ndarray:
    """Return the array in a file as float64 with one dimension or more.

    Parameters
    ----------
    given : path of an idx, .npy, .npz or .csv file, gzipped or not; "FILE.npz:NAME" selects one of several arrays. The
        first bytes of the file give the format, or its suffix for .csv.
    files, key : see `DataFiles.open`.

    Raises
    ------
    InputError
        The file or array does not exist, the format is unknown, the file is truncated or damaged, or an entry is not
        finite.
    """
    return read_labelled(given, files, key).values


def read_labelled(given: str, files: DataFiles, key: str) -> NumberTable:
    """Return the array in a file as `read_array` does, and the labels of its rows if it is a table with labels."""
    path, name = split_name(given)
    try:
        content = files.read(path, key)
        if content[:2] == b"\x1f\x8b":
            limit = _unpacked_limit(len(content))
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(limit + 1)
            _check_unpacked(len(content), limit)
        parsed = _parse(content, Path(path), name, key, given)
        labels = parsed.labels if isinstance(parsed, NumberTable) else None
        parsed = parsed.values if isinstance(parsed, NumberTable) else parsed
        if not isinstance(parsed, np.ndarray):
            raise TypeError("an entry of the archive is no array")
        if parsed.dtype.kind not in "iuf":
            raise TypeError(f"entries are {parsed.dtype}")
        array = np.ascontiguousarray(parsed, dtype=np.float64)
    except InputError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{key} must be a complete gzip file, got {show(given)}: {error}") from None
    except MemoryError as error:
        raise InputError(f"{key} must fit into memory, got {show(given)}: {error}") from None
    except (OSError, ValueError, TypeError, NotImplementedError, RuntimeError, *_PARSE_ERRORS) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(f"{key} must be numbers in {FORMATS}, got {show(given)}: {reason}") from None
    if not parsed.ndim or not array.size or not np.isfinite(array).all():
        what = "entries that are not finite" if parsed.ndim and array.size else f"shape {parsed.shape}"
        raise InputError(f"{key} must be an array of finite numbers, got {what} in {show(given)}")
    return NumberTable(array, labels)


def _unpacked_limit(n_bytes: int) -> int:
    """Return the largest size of the content of a compressed file: a few bytes may unpack to any size."""
    return max(_ALWAYS_UNPACKED_BYTES, _MAX_RATIO * n_bytes)


def _check_unpacked(n_bytes: int, limit: int) -> None:
    if n_bytes > limit:
        raise ValueError(f"it unpacks to more than {limit >> 20:,} MiB, {_MAX_RATIO} times its size")


def _parse(content: bytes, file: Path, name: str | None, key: str, given: str) -> np.ndarray | NumberTable:
    if content[:6] == b"\x93NUMPY":
        return np.load(io.BytesIO(content), allow_pickle=False)
    if content[:2] == b"PK":
        return _parse_npz(content, name, key, given)
    if content[:2] == b"\0\0":
        return _parse_idx(content, key, given)
    if not _TABLES.isdisjoint(file.suffixes):
        return parse_table(content.decode("utf-8-sig"))
    raise InputError(f"{key} must be {FORMATS}, got {show(given)}, which begins with {show(content[:4])}")


def _parse_npz(content: bytes, name: str | None, key: str, given: str) -> np.ndarray:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        members = {member.filename: member.file_size for member in arrays.zip.infolist()}
        names = [name for name in arrays.files if f"{name}.npy" in members]
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            wanted = f"name one of its arrays ({', '.join(names)}), as in FILE.npz:{names[0] if names else 'NAME'}"
            raise InputError(f"{key} must {wanted}, got {show(given)}{nearest(name or '', names)}")
        _check_unpacked(members[f"{name}.npy"], _unpacked_limit(len(content)))
        return arrays[name]


def _parse_idx(content: bytes, key: str, given: str) -> np.ndarray:
    """Read the idx format of Y. LeCun's page on MNIST: two zeros, type, number of dimensions, sizes, values."""
    kind, n_dims = (content[2], content[3]) if len(content) >= 4 else (0, 0)
    if kind not in _IDX_TYPES or not 1 <= n_dims <= 8:
        raise InputError(f"{key} must be a sound idx file, got {show(given)}, whose header is {show(content[:4])}")
    start = 4 + 4 * n_dims
    if len(content) < start:
        raise InputError(f"{key} must be a complete idx file, got {show(given)}, which ends within its header")
    shape = struct.unpack(f">{n_dims}I", content[4:start])
    dtype = np.dtype(_IDX_TYPES[kind])
    n_expected, n_bytes = math.prod(shape) * dtype.itemsize, len(content) - start
    if n_expected != n_bytes:
        sizes = " x ".join(map(str, shape))
        what = f"which has {n_bytes} bytes of the {n_expected} that {sizes} values take"
        raise InputError(f"{key} must be a complete idx file, got {show(given)}, {what}")
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


def read_matrix(given: str, files: DataFiles, key: str) -> np.ndarray:
    """Return the matrix in a file as float64 (n, d); see `read_array`.

    Raises
    ------
    InputError
        As `read_array`; or the array has not two dimensions.
    """
    matrix = read_array(given, files, key)
    if matrix.ndim != 2:
        raise InputError(f"{key} must be a matrix of numbers, got shape {matrix.shape} in {show(given)}")
    return matrix
