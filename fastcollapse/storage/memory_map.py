"""Memory maps of files that hold no file descriptor, because a run may have thousands of parts."""

import ctypes
import mmap
import os
import weakref
from typing import Any, BinaryIO

import numpy as np

_FAILED = ctypes.c_void_p(-1).value
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class _Map:
    """Owner of a read-only map, which ends with the last array that uses it; `mmap.mmap` keeps a descriptor open."""

    def __init__(self, fd: int, n_bytes: int) -> None:
        address = _libc.mmap(None, n_bytes, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
        if address == _FAILED:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self.address, self.n_bytes = address, n_bytes
        self.__array_interface__ = {"shape": (n_bytes,), "typestr": "|u1", "data": (address, True), "version": 3}
        weakref.finalize(self, _libc.munmap, address, n_bytes).atexit = False  # arrays may be alive at exit


def map_file(file: BinaryIO) -> np.ndarray:
    """Return the bytes of an open file, uint8[n], as a read-only memory map; the file may be closed.

    Raises
    ------
    OSError
        The file cannot be mapped.
    ValueError
        The file is empty.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    if not n_bytes:
        raise ValueError("is empty")
    return np.asarray(_Map(file.fileno(), n_bytes))


def forget_pages(array: Any) -> None:
    """Release the memory of an array that is mapped from a file; a later access reads it again.

    Without it, the final file of a run needs as much memory as the run has bytes.
    """
    owner: Any = array
    while owner is not None and not isinstance(owner, _Map):
        owner = getattr(owner, "base", None)
    if owner is not None:
        _libc.madvise(owner.address, owner.n_bytes, mmap.MADV_DONTNEED)
