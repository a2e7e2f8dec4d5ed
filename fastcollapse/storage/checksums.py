"""Checksums of every byte of a results file, stored after the end of the HDF5 file (FORMAT.md).

The checksum is the CRC-32 of zlib: it detects every burst error of up to 32 bits and misses one in 4e9 other errors. It
is faster than the disk.
"""

import itertools
import json
import struct
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.json_text import parse_json
from fastcollapse.storage.regular_file import open_regular

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAGIC = b"fc-sums\n"
_FOOTER = struct.Struct("<QI8s")  # end of the HDF5 file, CRC-32 of the table, magic
_SUPERBLOCK = struct.Struct("<8sBBBBQQQ")  # signature, version, sizes, flags, base, extension, end of file
_CHUNK_BYTES = 4 << 20
_POLYNOMIAL = 0xEDB88320
# Metadata hold the text of the experiment (64 MiB at most) and its JSON; a table has about 40 bytes for each data set.
_MAX_METADATA_BYTES = 256 << 20
_MAX_TABLE_BYTES = 4 << 20


class Extent(NamedTuple):
    """Bytes of one data set: offset, number of bytes, CRC-32."""

    offset: int
    n_bytes: int
    crc: int


class Checksums(NamedTuple):
    """Checksums of a file.

    Parameters
    ----------
    end : bytes of the HDF5 file; the table of checksums follows.
    metadata : CRC-32 of all bytes before `end` that are in no extent.
    data : extents in the order of their offsets, without overlap.
    """

    end: int
    metadata: int
    data: tuple[Extent, ...]

    def encoded(self) -> bytes:
        """Return the table and the footer, which follow the HDF5 file."""
        table = json.dumps({"data": self.data, "metadata": self.metadata}, separators=(",", ":")).encode()
        return table + _FOOTER.pack(self.end, zlib.crc32(table), _MAGIC)


def gaps(end: int, data: Sequence[Extent]) -> Iterator[tuple[int, int]]:
    """Yield (offset, bytes) of the gaps before, between and after the extents.

    Raises
    ------
    ValueError
        The extents overlap or extend beyond the end.
    """
    at = 0
    for offset, n_bytes, _ in data:
        if offset < at or n_bytes < 0:
            raise ValueError("is damaged: its table of checksums is inconsistent")
        yield at, offset - at
        at = offset + n_bytes
    if at > end:
        raise ValueError("is damaged: its table of checksums is inconsistent")
    yield at, end - at


def joined_crc(first: int, second: int, n_bytes: int) -> int:
    """Return the CRC-32 of two consecutive buffers from their CRC-32; `n_bytes` is the length of the second.

    The first is multiplied by x^(8 n) modulo the polynomial of CRC-32, as in `crc32_combine` of zlib.

    Examples
    --------
    >>> joined_crc(zlib.crc32(b"rows of "), zlib.crc32(b"a part"), 6) == zlib.crc32(b"rows of a part")
    True
    """
    shift, power, n_bits = 1 << 31, 1 << 30, 8 * n_bytes  # x^0 and x^1: the highest bit is the lowest power
    while n_bits:
        if n_bits & 1:
            shift = _product(shift, power)
        power, n_bits = _product(power, power), n_bits >> 1
    return _product(first, shift) ^ second


def _product(a: int, b: int) -> int:
    """Return the product of two polynomials modulo the polynomial of CRC-32."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def checksums_of(end: int, data: Sequence[Extent], read: Callable[[int, int], bytes]) -> Checksums:
    """Return the checksums of a file before it is written; `read` returns its metadata at (offset, bytes)."""
    crc, ordered = 0, tuple(sorted(data))
    for offset, n_bytes in gaps(end, ordered):
        crc = zlib.crc32(read(offset, n_bytes), crc)
    return Checksums(end, crc, ordered)


def read_checksums(path: Path) -> Checksums | None:
    """Return the checksums of a file; see `checksums_in`."""
    with open_regular(path) as file:
        return checksums_in(file)


def checksums_in(file: BinaryIO) -> Checksums | None:
    """Return the checksums of an open file after a check of its metadata; None if the file has no checksums.

    A file that fails is never passed to HDF5, which may crash on damaged metadata.

    Raises
    ------
    ValueError
        The file is empty, not HDF5 or truncated, or its metadata are damaged.
    OSError
        The file cannot be read.
    """
    file.seek(0)
    head = file.read(_SUPERBLOCK.size)
    if not head:
        raise ValueError("is empty")
    if not head.startswith(SIGNATURE):
        raise ValueError("is not an HDF5 file")
    size = file.seek(0, 2)
    file.seek(max(0, size - _FOOTER.size))
    footer = file.read(_FOOTER.size)
    if len(footer) < _FOOTER.size or not footer.endswith(_MAGIC):
        _check_end(head, size)
        return None
    end, expected, _ = _FOOTER.unpack(footer)
    table = b""
    if 0 < size - _FOOTER.size - end <= _MAX_TABLE_BYTES:
        file.seek(end)
        table = file.read(size - _FOOTER.size - end)
    if not table or zlib.crc32(table) != expected:
        raise ValueError("is damaged: the checksum of its table of checksums does not match")
    checksums = _decoded(end, table)
    metadata, crc = list(gaps(checksums.end, checksums.data)), 0
    if sum(n_bytes for _, n_bytes in metadata) > _MAX_METADATA_BYTES:
        raise ValueError(f"is damaged: it has more than {_MAX_METADATA_BYTES >> 20} MiB of metadata")
    for offset, n_bytes in metadata:
        crc = _crc_of(file, offset, n_bytes, crc)
    if crc != checksums.metadata:
        raise ValueError("is damaged: the checksum of its metadata does not match")
    return checksums


def _decoded(end: int, table: bytes) -> Checksums:
    """Return the checksums of a table, whose own checksum says nothing about its author."""
    try:
        found = parse_json(table)
        metadata, data = found["metadata"], tuple(Extent(*row) for row in found["data"])
        if all(type(value) is int for value in (metadata, *itertools.chain(*data))):
            return Checksums(end, metadata, data)
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError("is damaged: its table of checksums is inconsistent")


def _check_end(head: bytes, size: int) -> None:
    """Refuse a file without checksums whose size differs from that in its superblock (version 2 or 3, as ours have)."""
    if len(head) == _SUPERBLOCK.size and head[8] in (2, 3):
        *_, end = _SUPERBLOCK.unpack(head)
        if size != end:
            raise ValueError("is truncated or damaged")


def mismatch(path: Path, *names: str) -> UnreadableResults:
    """Return the error of data sets that do not match their checksums."""
    return UnreadableResults(f"{path}: is damaged: checksum mismatch in {', '.join(names)}")


class Unchecked(NamedTuple):
    """Data set that is mapped from a file and was not compared with its CRC-32: what copies it compares them."""

    values: np.ndarray
    crc: int
    path: Path
    name: str

    def compare(self, crc: int) -> None:
        """Compare the CRC-32 of the values with that of the file.

        Raises
        ------
        UnreadableResults
            They differ.
        """
        if crc != self.crc:
            raise mismatch(self.path, self.name)

    def checked(self) -> np.ndarray:
        """Return the values after a comparison; see `compare`."""
        self.compare(zlib.crc32(np.ascontiguousarray(self.values).reshape(-1).view(np.uint8).data))
        return self.values


def damaged(path: Path, checksums: Checksums, skip: Collection[int] = ()) -> list[Extent]:
    """Return the extents whose checksums do not match; the file is read in chunks.

    Parameters
    ----------
    skip : offsets of extents that are not read.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open_regular(path) as file:
        read = [one for one in checksums.data if one.offset not in skip]
        return [one for one in read if _crc_of(file, one.offset, one.n_bytes) != one.crc]


def _crc_of(file: BinaryIO, offset: int, n_bytes: int, crc: int = 0) -> int:
    file.seek(offset)
    buffer: Any = bytearray(min(_CHUNK_BYTES, n_bytes))
    while n_bytes:
        n_read = file.readinto(memoryview(buffer)[:n_bytes])  # type: ignore[attr-defined]
        if not n_read:  # the file is shorter than when it was opened: -1 matches no checksum
            return -1
        crc = zlib.crc32(memoryview(buffer)[:n_read], crc)
        n_bytes -= n_read
    return crc
