"""Byte-range locks: many locks in one file that end with their process; a file for each would cost milliseconds."""

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

# Bytes of the range of one lock.
RANGE_BYTES = 64
# struct flock of 64-bit Linux: type, whence, start, length, process.
_FLOCK = struct.Struct("hhqqi4x")
# Errors of file systems without locks: two workers may then compute the same point, with bit-identical results.
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class _OpenFile:
    """Open file with the locks of this process: one descriptor for any number of locks, closed after the last."""

    def __init__(self, path: Path) -> None:
        # A link could name any file of the user, which would be written to.
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self.process = os.getpid()
        self.held: set[int] = set()

    def is_current(self, path: Path) -> bool:
        """Whether its locks exclude other processes: not after a fork, nor if the file at the path is another one."""
        try:
            return bool(self.held) and self.process == os.getpid() and os.path.samestat(os.fstat(self.fd), path.stat())
        except OSError:
            return False

    def lock(self, number: int) -> bool:
        """Lock a range; return whether it was free."""
        if number in self.held or not _lock(self.fd, fcntl.F_WRLCK, number):
            return False
        self.held.add(number)
        return True

    def unlock(self, number: int) -> None:
        """Unlock a range."""
        self.held.discard(number)
        if self.process == os.getpid():  # a forked process shares the locks of its parent
            _lock(self.fd, fcntl.F_UNLCK, number)

    def close_unused(self) -> None:
        """Close the file if it has no locks."""
        if not self.held:
            os.close(self.fd)


class RangeLock:
    """Lock on one range of a file, held until it is released or this process ends; see `RangeLocks.claim`."""

    def __init__(self, file: _OpenFile, number: int) -> None:
        self._file: _OpenFile | None = file
        self._number = number

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            self._file.unlock(self._number)
            self._file.close_unused()
            self._file = None


class RangeLocks:
    """File of locks, numbered from 0.

    Parameters
    ----------
    path : path of the file; the first claim makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: _OpenFile | None = None

    def claim(self, number: int) -> RangeLock | None:
        """Return a lock, or None if it is held already, by this process or another.

        Raises
        ------
        OSError
            The file cannot be made.
        """
        file = self._file
        if file is None or not file.is_current(self.path):
            file = self._file = _OpenFile(self.path)
        try:
            if not file.lock(number):
                return None
            holder = f"process {os.getpid()} on {socket.gethostname()}".encode()
            os.pwrite(file.fd, holder[:RANGE_BYTES].ljust(RANGE_BYTES), number * RANGE_BYTES)
        except OSError:
            file.unlock(number)
            raise
        finally:
            file.close_unused()
        return RangeLock(file, number)

    def held(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers of the locks that are held, and their holders; nothing is written."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return
        try:
            for number in sorted(_locked_numbers(fd)):
                holder = os.pread(fd, RANGE_BYTES, number * RANGE_BYTES).decode(errors="replace").strip()
                yield number, holder or "another process"
        finally:
            os.close(fd)


def _lock(fd: int, kind: int, number: int) -> bool:
    """Lock or unlock a range; return whether no other process holds it."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, number * RANGE_BYTES, RANGE_BYTES, 0))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _locked_numbers(fd: int) -> Iterator[int]:
    """Yield the numbers of the locked ranges.

    The system reports any lock of a range, not the first one, and the adjacent ranges of one process as one lock.
    """
    ranges = [(0, os.fstat(fd).st_size)]
    while ranges:
        start, end = ranges.pop()
        if start >= end:
            continue
        query = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, end - start, 0)
        try:
            kind, _, found, n_bytes, _ = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, query))
        except OSError:
            return
        if kind == fcntl.F_UNLCK:
            continue
        low, high = max(found, start), min(found + n_bytes, end) if n_bytes else end
        yield from range(low // RANGE_BYTES, high // RANGE_BYTES)
        ranges += [(start, low), (high, end)]
