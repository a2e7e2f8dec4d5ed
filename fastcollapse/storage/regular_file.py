"""Regular files, opened without waiting: a name may be that of a pipe, a device, a folder or a circle of links."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        The file does not exist or cannot be read.
    ValueError
        The path is that of a folder, a pipe or a device.
    """
    # Without O_NONBLOCK the opening of a named pipe waits for a writer.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError("is a folder, not a file")
        if not stat.S_ISREG(mode):
            raise ValueError("is a pipe or a device, not a file")
        return os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    OSError
        The file does not exist or cannot be read.
    ValueError
        The path is not that of a regular file, or the file is larger than `max_bytes`.
    """
    with open_regular(path) as file:
        raw = file.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise ValueError(f"is larger than {max_bytes >> 20:,} MiB")
    return raw
