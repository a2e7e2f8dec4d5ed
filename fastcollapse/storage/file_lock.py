"""File lock: exclusive, and released by the operating system when its process ends."""

import errno
import fcntl
import os
import secrets
import socket
import time
from pathlib import Path

from fastcollapse.storage.regular_file import read_regular

# `owner` locks a free file briefly while it tests it, and a process that ends holds its lock a little longer.
_TRIES = 5
_PAUSE = 0.02
# Errors of file systems without locks (some clusters): there, the newest writer holds the lock.
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
# Separates the name of the process from the random number of its lock.
_NUMBER = ", lock "
# Maximum size of a lock file: the name of a machine has at most 64 bytes.
_MAX_BYTES = 300


class AlreadyLocked(Exception):
    """Another process holds the lock; the message names it."""


class Lock:
    """Exclusive lock, held until it is released or this process ends.

    The file has the process and a random number. If the file is removed, or if the file system has no locks, another
    process can take the lock; `is_held` is then false.

    Parameters
    ----------
    path : path of the lock file, in an existing folder.

    Raises
    ------
    AlreadyLocked
        Another process, or another lock of this process, holds it.
    OSError
        The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = f"process {os.getpid()} on {socket.gethostname()}{_NUMBER}{secrets.token_hex(8)}".encode()
        self._fd: int | None = _locked(path)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, self._content, 0)

    def is_held(self) -> bool:
        """Whether the lock file is still the file of this lock."""
        try:
            return self._fd is not None and read_regular(self.path, _MAX_BYTES) == self._content
        except (OSError, ValueError):
            return False

    def release(self) -> None:
        """Remove the lock file, unless another process has taken it, and release the lock."""
        if self._fd is not None:
            if self.is_held():
                self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None


def _locked(path: Path) -> int:
    """Return a file descriptor that holds the lock of the file at `path`."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE)
        # A link, for example in a folder from somebody else, could name any file of the user, which would be emptied.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(path)):  # else the previous owner has just removed it
                return fd
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return fd
            os.close(fd)
            raise
        os.close(fd)
    raise AlreadyLocked(owner(path) or "another process")


def owner(path: Path) -> str | None:
    """Return the process that holds the lock of a file, or None; nothing is written."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for its writer
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(fd, _MAX_BYTES, 0).decode(errors="replace").partition(_NUMBER)[0] or "another process"
    except OSError:
        pass
    finally:
        os.close(fd)
    return None
