"""Atomic writing of files: a kill, a full disk or a second writer leaves only complete files under their names."""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fastcollapse.errors import StoreError
from fastcollapse.storage.checksums import Extent, Unchecked, joined_crc
from fastcollapse.storage.memory_map import forget_pages

# Suffix of a file that is being written, or that a killed process has left.
TEMPORARY = ".tmp"
# Age in seconds of an abandoned temporary file on a file system without locks.
_ABANDONED_SECONDS = 3600.0
# Errors of file systems that do not have an operation.
_NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
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
    """Make the file names in a folder durable, if its file system can."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
    finally:
        os.close(fd)


def _write_at(fd: int, offset: int, arrays: Iterable[np.ndarray | Unchecked], pool: ThreadPoolExecutor) -> Extent:
    """Write consecutive arrays and return their extent.

    Raises
    ------
    UnreadableResults
        An array that is mapped from a file does not match its checksum there.
    """
    at, crc = offset, 0
    for array in arrays:
        if isinstance(array, Unchecked):
            values, own = array.values, _write_array(fd, at, array.values, 0, pool)
            array.compare(own)
            crc = joined_crc(crc, own, values.nbytes)
        else:
            values, crc = array, _write_array(fd, at, array, crc, pool)
        at += values.nbytes
    return Extent(offset, at - offset, crc)


def _write_array(fd: int, offset: int, array: np.ndarray, crc: int, pool: ThreadPoolExecutor) -> int:
    """Write an array and return `crc` continued over its bytes; a thread computes it of what is being written."""
    view = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    for low in range(0, len(view), _CHUNK_BYTES):
        chunk = view[low : low + _CHUNK_BYTES]
        summed = _start_sum(pool, chunk, crc) if len(chunk) == _CHUNK_BYTES else None
        n_written = 0
        while n_written < len(chunk):
            n_written += os.pwrite(fd, chunk[n_written:], offset + low + n_written)
        if n_written == _CHUNK_BYTES:
            _start_writing(fd, offset + low, n_written)
        crc = zlib.crc32(chunk, crc) if summed is None else summed.result()
        forget_pages(array)
    return crc


def _start_sum(pool: ThreadPoolExecutor, chunk: memoryview, crc: int) -> Future[int] | None:
    """Start the checksum of a chunk in a thread; None where the process may not have another thread."""
    try:
        return pool.submit(zlib.crc32, chunk, crc)
    except RuntimeError:
        return None


@dataclass(frozen=True)
class Rename:
    """How a complete temporary file gets its name.

    Parameters
    ----------
    folder : folder of the temporary file, in the same file system; by default that of the file.
    replace : whether an existing file is replaced.
    check : called before the rename; an exception in it leaves no file.
    """

    folder: Path | None = None
    replace: bool = False
    check: Callable[[], None] = lambda: None


def write_new(
    path: Path,
    size: int,
    metadata: Iterable[tuple[int, np.ndarray]],
    data: Iterable[tuple[int, Iterable[np.ndarray | Unchecked]]],
    trailer: Callable[[list[Extent]], bytes],
    rename: Rename,
) -> None:
    """Write a durable file under a temporary name and rename it; after a failure the temporary file is removed.

    The temporary file is locked until it is renamed, see `remove_abandoned`.

    Parameters
    ----------
    path : path of the file.
    size : bytes without the trailer. They are allocated first, so a full disk fails before any data are copied.
    metadata : (offset, bytes); written first, because data may overwrite the rest of a page.
    data : (offset, consecutive arrays).
    trailer : function that returns the bytes after `size`, given the extents of the data.
    rename : how the file gets its name.

    Raises
    ------
    StoreError
        The file exists and is not to be replaced, or it cannot be written; the message names the path and the reason.
    """
    with _temporary(path, rename, f" ({size:,} bytes)") as fd:
        _allocate(fd, size)
        with ThreadPoolExecutor(1, "fastcollapse-checksums") as pool:  # its thread starts with the first large array
            for offset, values in metadata:
                _write_at(fd, offset, [values], pool)
            extents = [_write_at(fd, offset, arrays, pool) for offset, arrays in data]
            _write_at(fd, size, [np.frombuffer(trailer(extents), np.uint8)], pool)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream of unknown length that is written under a temporary name and renamed at the end; see `write_new`.

    Raises
    ------
    StoreError
        See `write_new`.
    """
    with _temporary(path, Rename(), "") as fd, open(fd, "wb", closefd=False) as file:
        yield file


@contextmanager
def _temporary(path: Path, rename: Rename, size: str) -> Iterator[int]:
    """Yield the descriptor of a new temporary file, and rename it; after a failure the file is removed."""
    temporary = (rename.folder or path.parent) / f".{path.name}-{secrets.token_hex(6)}{TEMPORARY}"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    try:
        with suppress(OSError):  # without locks, the age of the file decides
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield fd
        os.fsync(fd)
        rename.check()
        _publish(temporary, path, rename.replace)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, StoreError):
            raise StoreError(f"{path}: cannot be written: {error.strerror}{size}") from error
        raise
    finally:
        os.close(fd)


def write_bytes(path: Path, content: bytes, rename: Rename) -> None:
    """Write a small durable file, at least one byte; see `write_new`."""
    write_new(path, len(content), [(0, np.frombuffer(content, np.uint8))], (), lambda _: b"", rename)


def _allocate(fd: int, size: int) -> None:
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise


def _publish(temporary: Path, target: Path, replace: bool) -> None:
    """Rename a complete file to its final name; a new file is removed if its name cannot be made durable."""
    try:
        (os.replace if replace else _rename_new)(temporary, target)
    except FileExistsError as error:
        raise StoreError(f"{target}: already exists and is not replaced") from error
    except OSError as error:
        raise StoreError(f"{target}: cannot be made by renaming: {error.strerror}") from error
    try:
        sync_folder(target.parent)
    except OSError as error:
        if not replace:
            target.unlink(missing_ok=True)
        raise StoreError(f"{target}: cannot be made by renaming: {error.strerror}") from error


def _rename_new(old: Path, new: Path) -> None:
    """Rename a file atomically; raise FileExistsError if the new name exists."""
    if _renameat2 is not None:
        if _renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE) == 0:
            return
        if ctypes.get_errno() == errno.EEXIST:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    # Other file systems need two steps; a kill between them leaves one complete file with two names.
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:
        # File systems without hard links: only the lock of the writer excludes another one between these steps.
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new)) from None
        os.rename(old, new)
    else:
        old.unlink()


def remove_abandoned(folder: Path, name: str | None = None) -> None:
    """Remove the temporary files that killed processes have left in a folder.

    Parameters
    ----------
    name : the name of the file for which they were written; None for any name.
    """
    pattern = re.compile(rf"\.{re.escape(name)}-[0-9a-f]{{12}}\.tmp" if name else r".*\.tmp")
    for path in folder.iterdir() if folder.is_dir() else ():
        if pattern.fullmatch(path.name):
            with suppress(OSError):  # another process removes or renames it
                if _is_abandoned(path):
                    path.unlink()


def _is_abandoned(path: Path) -> bool:
    """Whether no process is writing a temporary file."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - os.fstat(fd).st_mtime > _ABANDONED_SECONDS
    finally:
        os.close(fd)
