"""One writer at a time: a lock on a file that dies with its owner, whatever kills it."""

import errno
import fcntl
import os
import socket
import time
from pathlib import Path

# A writer that looks whether a lock is taken holds it for an instant; a dying one a little longer.
_TRIES = 5
_PAUSE = 0.02
# File systems without locks (some clusters): two writers still damage no part, since no name is taken twice.
_UNKNOWN = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class Taken(Exception):
    """Somebody else holds the lock; the text says who."""


class Lock:
    """The right to write into a folder, held while the object is and this process lives.

    Parameters
    ----------
    path : of the lock file; it is made where it does not exist, in a folder that does.

    Raises
    ------
    Taken : another process, or another writer of this one, holds it.
    OSError : the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = _locked(path)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def release(self) -> None:
        """Let go of the lock and remove its file."""
        if self._fd is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None


def _locked(path: Path) -> int:
    """Return a descriptor of the file at `path` that holds its lock."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(path)):  # else its owner has just removed it
                return fd
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            if error.errno in _UNKNOWN:
                return fd
            os.close(fd)
            raise
        os.close(fd)
    raise Taken(owner(path) or "another process")


def owner(path: Path) -> str | None:
    """Return who holds the lock of a file, or None; touches nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(fd, 300, 0).decode(errors="replace") or "another process"
    except OSError:
        pass
    finally:
        os.close(fd)
    return None
