"""Cache of compiled code: a file with a checksum for each compiled signature, in a folder that is private to the user.

A file contains a pickle, and machine code that is executed: whoever can write it can run code as the user. Therefore
the folder and its files must belong to the user or to root, and nobody else may write the folder.
"""

import errno
import hashlib
import os
import pickle
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

_CHECKSUM_BYTES = hashlib.sha256().digest_size
# Settings of Numba that change compiled code, and are not in its own key.
_SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DISABLE_INTEL_SVML", "DEBUGINFO_DEFAULT")

# Errors of a process that lacks something: the file that it cannot read is not damaged.
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_warned: set[str] = set()


class NotKeptWarning(RuntimeWarning):
    """Compiled code cannot be written, so that later runs compile again."""


def private_folder() -> Path | None:
    """Return the folder for compiled code, or None, with one warning, where there is none that is safe to read."""
    try:
        return _trusted_folder()
    except (OSError, RuntimeError) as error:
        _warn_not_kept(error)
        return None


def writable_folder() -> Path:
    """Return the folder for compiled code, which can be written.

    Raises
    ------
    NotKeptWarning
        There is none, or it cannot be written.
    """
    try:
        folder = _trusted_folder()
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError) as error:
        raise NotKeptWarning(_not_kept(error)) from None


def _trusted_folder() -> Path:
    folder = Path(os.path.abspath(_parent())) / "compiled"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.stat()
    if not _is_trusted(found):
        raise PermissionError(None, "it belongs to another user", str(folder))
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(None, "other users can write it", str(folder))
    return folder


def _parent() -> Path:
    if given := os.environ.get("FASTCOLLAPSE_CACHE"):
        return Path(given)
    # The XDG base directory specification ignores relative paths.
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A process without a home directory gives a RuntimeError.
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "fastcollapse"


def _is_trusted(found: os.stat_result) -> bool:
    return found.st_uid in (os.geteuid(), 0)


def _warn_not_kept(error: Exception) -> None:
    import multiprocessing  # start-up time

    if multiprocessing.parent_process() is None:  # the workers of a pool would repeat it
        _warn(_not_kept(error), NotKeptWarning)


def _not_kept(error: Exception) -> str:
    reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
    return f"compiled code is not kept ({reason}); set FASTCOLLAPSE_CACHE"


def _warn(message: str, category: type[Warning] = RuntimeWarning, reason: str = "") -> None:
    """Warn once: all kernels of a run are often damaged, and Numba makes Python forget which warnings it has shown.

    Parameters
    ----------
    message, category : the warning, which is shown once in a process.
    reason : text that is added to it, and differs between files.
    """
    if message not in _warned:
        warnings.warn(f"{message} ({reason})" if reason else message, category, stacklevel=2)
        _warned.add(message)


class CodeCache(FunctionCache):
    """The compiled code of one function, in a folder.

    A file that is damaged, or that another user has written, is removed, with a warning, and the function is compiled
    again. Where a file cannot be written, the work continues without it.

    Parameters
    ----------
    function : the function in Python.
    folder : the folder of the files, named by the source of the function and of all functions that it calls; it is
        created when it is needed.
    """

    def __init__(self, function: Callable, folder: Path) -> None:
        self._py_func = function
        self._folder = folder
        self._cache_path = str(folder)
        self._impl = _Impl(function)
        self.enable()

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """Return the compiled code of a signature, or None if it must be compiled."""
        # Numba would refresh the whole context here, which takes 0.2 s. Compiled code needs only the symbols of the
        # runtime, and a compilation refreshes the context itself.
        rtsys.initialize(target_context)
        key, path = self._place(sig, target_context.codegen())
        try:
            with open(path, "rb") as file:
                if not _is_trusted(os.fstat(file.fileno())):
                    raise PermissionError("it belongs to another user")
                data = memoryview(file.read())
            if _checksum(key, data[_CHECKSUM_BYTES:]) != data[:_CHECKSUM_BYTES]:
                raise ValueError("its checksum is another")
            return CompileResult._rebuild(target_context, *pickle.loads(data[_CHECKSUM_BYTES:]))
        except (FileNotFoundError, MemoryError):
            return None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _LACKING:
                return None
            _remove(self._folder if isinstance(error, NotADirectoryError) else path)
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            reason = " ".join(f"{type(error).__name__}: {reason}".split())
            _warn(f"compiled code in {self._folder.parent} was damaged and is compiled again", reason=reason)
            return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Write the compiled code of a signature."""
        if not self._impl.check_cachable(data):
            return
        key, path = self._place(sig, data.codegen)
        payload = dumps(data._reduce())
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _write(path, _checksum(key, payload), payload)
        except OSError as error:
            _warn_not_kept(OSError(error.errno, error.strerror, str(self._folder.parent)))

    def flush(self) -> None:
        """Remove the files of the function."""
        for path in self._folder.glob(f"{self._name_prefix()}*"):
            _remove(path)

    def _name_prefix(self) -> str:
        code = self._py_func.__code__
        return f"{Path(code.co_filename).stem}.{self._py_func.__qualname__}-{code.co_firstlineno}."

    def _place(self, sig: Any, codegen: Any) -> tuple[bytes, Path]:
        """Return everything that the code of a signature depends on, and the path of its file."""
        settings = [getattr(numba.config, name, None) for name in _SETTINGS]
        name = self._name_prefix()
        key = repr((numba.__version__, self._folder.name, name, settings, self._index_key(sig, codegen))).encode()
        return key, self._folder / f"{name}{hashlib.sha256(key).hexdigest()[:16]}"


class _Impl(CompileResultCacheImpl):
    """Numba's check of what can be cached, without its search for a folder."""

    def __init__(self, function: Callable) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = self
        self._py_file = function.__code__.co_filename


def _checksum(key: bytes, payload: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(key)
    digest.update(payload)
    return digest.digest()


def _write(path: Path, *parts: bytes) -> None:
    """Write a file that appears whole, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with open(descriptor, "wb") as file:
            file.writelines(parts)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):  # it has its name already
            os.unlink(name)
        raise


def _remove(path: Path) -> None:
    """Remove a file, or a folder in its place, if this is possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)
