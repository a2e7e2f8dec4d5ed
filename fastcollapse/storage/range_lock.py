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


class RangeLock:
    """Lock on one range of a file, held until it is released or this process ends; see `RangeLocks.claim`."""

    def __init__(self, fd: int, number: int) -> None:
        self._fd: int | None = fd
        self._number = number

    def release(self) -> None:
        """Release the lock."""
        if self._fd is not None:
            _lock(self._fd, fcntl.F_UNLCK, self._number)
            os.close(self._fd)
            self._fd = None


class RangeLocks:
    """File of locks, numbered from 0.

    Parameters
    ----------
    path : path of the file; the first claim makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self, number: int) -> RangeLock | None:
        """Return a lock, or None if it is held already, by this process or another.

        Raises
        ------
        OSError
            The file cannot be made.
        """
        # Each lock has its own open file description: locks of one description do not exclude each other.
        # A link could name any file of the user, which would be written to.
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            if not _lock(fd, fcntl.F_WRLCK, number):
                os.close(fd)
                return None
            holder = f"process {os.getpid()} on {socket.gethostname()}".encode()
            os.pwrite(fd, holder[:RANGE_BYTES].ljust(RANGE_BYTES), number * RANGE_BYTES)
        except OSError:
            os.close(fd)
            raise
        return RangeLock(fd, number)

    def held(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers of the locks that are held, and their holders; nothing is written."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return
        try:
            start = 0
            while (found := _first(fd, start)) is not None:
                number, start = found // RANGE_BYTES, found + RANGE_BYTES
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


def _first(fd: int, start: int) -> int | None:
    """Return the offset of the first lock at or after `start`, or None."""
    query = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, 0, 0)
    try:
        kind, _, found, _, _ = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, query))
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else max(found, start)
