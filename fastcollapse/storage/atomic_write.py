"""Atomic writing of files: a kill, a full disk or a second writer leaves only complete files."""

import ctypes
import errno
import mmap
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import StoreError
from fastcollapse.storage.checksums import Extent

_CHUNK_BYTES = 4 << 20
_SYNC_FILE_RANGE_WRITE = 2
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)
# Only on Linux. posix_fadvise(DONTNEED) starts the disk too, but it waits for every core.
_sync_file_range = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
_renameat2 = getattr(_libc, "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)


def _start_writing(fd: int, offset: int, n_bytes: int) -> None:
    """Start the disk before the final fsync, which reports every error; this shortens the wait for the fsync."""
    if _sync_file_range is not None:
        _sync_file_range(fd, offset, n_bytes, _SYNC_FILE_RANGE_WRITE)


def sync_folder(folder: Path) -> None:
    """Make the file names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def forget_pages(array: np.ndarray) -> None:
    """Release the memory of an array that is mapped from a file; a later access reads it again.

    Without it, the final file of a run needs as much memory as the run has bytes.
    """
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def _write_at(fd: int, offset: int, arrays: Iterable[np.ndarray]) -> Extent:
    """Write consecutive arrays and return their extent; the checksum is computed while the data are in the cache."""
    at, crc = offset, 0
    for array in arrays:
        view = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        while len(view):
            n_written = os.pwrite(fd, view[:_CHUNK_BYTES], at)
            if n_written == _CHUNK_BYTES:
                _start_writing(fd, at, n_written)
            crc = zlib.crc32(view[:n_written], crc)
            forget_pages(array)
            view = view[n_written:]
            at += n_written
    return Extent(offset, at - offset, crc)


def write_new(
    path: Path,
    size: int,
    metadata: Iterable[tuple[int, np.ndarray]],
    data: Iterable[tuple[int, Iterable[np.ndarray]]],
    trailer: Callable[[list[Extent]], bytes],
) -> None:
    """Write a new durable file; after a failure the file is removed.

    Parameters
    ----------
    path : path of the file, which must not exist.
    size : bytes without the trailer. They are allocated first, so a full disk fails before any data are copied.
    metadata : (offset, bytes); written first, because data may overwrite the rest of a page.
    data : (offset, consecutive arrays).
    trailer : function that returns the bytes after `size`, given the extents of the data.

    Raises
    ------
    StoreError
        The message names the path, the reason and the size.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    try:
        try:
            os.posix_fallocate(fd, 0, size)
            for offset, values in metadata:
                _write_at(fd, offset, [values])
            extents = [_write_at(fd, offset, arrays) for offset, arrays in data]
            _write_at(fd, size, [np.frombuffer(trailer(extents), np.uint8)])
            os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, StoreError):
            raise StoreError(f"{path}: cannot be written: {error.strerror} ({size:,} bytes)") from error
        raise


def publish(temporary: Path, target: Path) -> None:
    """Rename a complete file to its final name in the same file system; an existing file is never replaced.

    Raises
    ------
    StoreError
        The target exists or cannot be made; the file is removed.
    """
    renamed = False
    try:
        _rename_new(temporary, target)
        renamed = True
        sync_folder(target.parent)
    except OSError as error:
        (target if renamed else temporary).unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise StoreError(f"{target}: already exists and is not replaced") from error
        raise StoreError(f"{target}: cannot be made by renaming: {error.strerror}") from error


def _rename_new(old: Path, new: Path) -> None:
    """Rename a file atomically; raise FileExistsError if the new name exists."""
    if _renameat2 is not None:
        if _renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE) == 0:
            return
        if ctypes.get_errno() == errno.EEXIST:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    # Other file systems need two steps; a kill between them leaves one complete file with two names.
    os.link(old, new)
    old.unlink()
