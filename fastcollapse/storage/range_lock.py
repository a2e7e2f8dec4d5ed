"""Many locks in one file, a slot each, that die with their owner: a file for each would cost milliseconds."""

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

SLOT = 64
# Of Linux, 64 bits: type, whence, start, length, process.
_FLOCK = struct.Struct("hhqqi4x")
# File systems without locks: two workers then compute a point twice, to the same bits, and no name is taken twice.
_UNKNOWN = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class Slot:
    """The right to one slot, held while the object is and this process lives; see `Slots.claim`."""

    def __init__(self, fd: int, number: int) -> None:
        self._fd: int | None = fd
        self._number = number

    def release(self) -> None:
        """Let go of the slot."""
        if self._fd is not None:
            _lock(self._fd, fcntl.F_UNLCK, self._number)
            os.close(self._fd)
            self._fd = None


class Slots:
    """A file of slots, numbered from 0.

    Parameters
    ----------
    path : of the file, which is made when a slot is first claimed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self, number: int) -> Slot | None:
        """Return the right to a slot, or None if somebody else has it, in this process or another.

        Raises
        ------
        OSError : the file cannot be made.
        """
        # A description of its own for each: locks of one description do not exclude each other.
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if not _lock(fd, fcntl.F_WRLCK, number):
                os.close(fd)
                return None
            os.pwrite(fd, f"process {os.getpid()} on {socket.gethostname()}".encode()[:SLOT].ljust(SLOT), number * SLOT)
        except OSError:
            os.close(fd)
            raise
        return Slot(fd, number)

    def taken(self) -> Iterator[tuple[int, str]]:
        """Yield the slots that are taken, and by whom; touches nothing."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return
        try:
            start = 0
            while (found := _first(fd, start)) is not None:
                number, start = found // SLOT, found + SLOT
                yield number, os.pread(fd, SLOT, number * SLOT).decode(errors="replace").strip() or "another process"
        finally:
            os.close(fd)


def _lock(fd: int, kind: int, number: int) -> bool:
    """Lock or unlock a slot; return whether nobody else has it."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, number * SLOT, SLOT, 0))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        if error.errno not in _UNKNOWN:
            raise
    return True


def _first(fd: int, start: int) -> int | None:
    """Return where the first lock from `start` on begins, or None."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, 0, 0)
    try:
        kind, _, found, _, _ = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else max(found, start)
