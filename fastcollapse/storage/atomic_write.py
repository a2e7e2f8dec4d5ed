"""Writing files so that a kill, a full disk or a second writer leaves only whole files."""

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

_STEP = 4 << 20
_SYNC_FILE_RANGE_WRITE = 2
_HERE = -100  # AT_FDCWD
_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)
# Linux; posix_fadvise(DONTNEED) starts the disk too, but waits for every core: 0.11 s.
_sync_file_range = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
_renameat2 = getattr(_libc, "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)


def _start_writing(fd: int, offset: int, n_bytes: int) -> None:
    """Let the disk begin now, not at fsync: 147 MB are safe after 0.08 s instead of 0.13.

    A hint: the fsync to come tells of every error.
    """
    if _sync_file_range is not None:
        _sync_file_range(fd, offset, n_bytes, _SYNC_FILE_RANGE_WRITE)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def forget_pages(array: np.ndarray) -> None:
    """Let go of the memory of an array that is a part of a file: it is read again where it is needed again.

    Without it, collecting a run takes as much memory as the run has bytes.
    """
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def _write_at(fd: int, offset: int, arrays: Iterable[np.ndarray]) -> Extent:
    """Write arrays one behind the other and return what was written, the checksum made while it is in the cache."""
    at, crc = offset, 0
    for array in arrays:
        view = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        while len(view):
            n_written = os.pwrite(fd, view[:_STEP], at)
            if n_written == _STEP:
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
    """Write a new durable file; on any failure the file is gone again.

    Parameters
    ----------
    path : must not exist.
    size : bytes but for the trailer; allocated first, so a full disk shows before anything is copied, and writing is
        cheaper.
    metadata : (offset, bytes); written first, so data may overwrite the rest of a page.
    data : (offset, arrays that follow each other there).
    trailer : given what was written of the data, returns the bytes behind `size`.

    Raises
    ------
    StoreError : naming the path, the reason and the size.
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
    """Give a whole file its final name in the same file system; an existing file is never replaced.

    Raises
    ------
    StoreError : the target exists, or cannot be named; the file is gone again.
    """
    named = False
    try:
        _rename_new(temporary, target)
        named = True
        sync_folder(target.parent)
    except OSError as error:
        (target if named else temporary).unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise StoreError(f"{target}: exists already and is left as it is") from error
        raise StoreError(f"{target}: cannot be named: {error.strerror}") from error


def _rename_new(old: Path, new: Path) -> None:
    """Rename a file in one step that no kill can divide; fail if the new name is taken."""
    if _renameat2 is not None:
        if _renameat2(_HERE, os.fsencode(old), _HERE, os.fsencode(new), _NOREPLACE) == 0:
            return
        if ctypes.get_errno() == errno.EEXIST:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    # File systems that cannot: two steps, and a kill between them leaves both names of one whole file.
    os.link(old, new)
    old.unlink()
