"""Data files of an experiment, hashed while they are read: a recorded SHA-256 is that of the bytes in use."""

from __future__ import annotations

import glob
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.datasets.shipped import find_data, match_data
from fastcollapse.errors import InputError

_BUFFER = 2**20


class DataFiles:
    """Opens the data files of an experiment and records their SHA-256.

    Parameters
    ----------
    base : folder of the experiment file, which is also searched, see `find_data`.

    Attributes
    ----------
    hashes : path as written by the user -> SHA-256 in hexadecimal, of the files that have been read. A pattern of paths
        has that of the names that it matches, each with a line end.
    """

    def __init__(self, base: Path | None = None) -> None:
        self.base = base
        self.hashes: dict[str, str] = {}

    @contextmanager
    def open(self, path: str, key: str) -> Iterator[io.BufferedReader[Any]]:
        """Open a file for reading from its start to its end; the stream cannot seek.

        At the end, the bytes that were not read, for example those after a gzip stream, are hashed too.

        Parameters
        ----------
        path, key : the path as written by the user and its key.

        Raises
        ------
        InputError
            The file does not exist, is not a regular file, or was read before with other bytes.
        OSError
            The file cannot be read.
        """
        with open(find_data(path, self.base, key), "rb", buffering=0) as raw:
            hashed = _HashedFile(raw)
            with io.BufferedReader(hashed, _BUFFER) as stream:
                yield stream
                while stream.read(_BUFFER):
                    pass
        self._record(path, key, hashed.hash)

    def read(self, path: str, key: str) -> bytes:
        """Return the bytes of a file; see `open`."""
        content = find_data(path, self.base, key).read_bytes()
        self._record(path, key, hashlib.sha256(content))
        return content

    def match(self, given: str, key: str) -> list[str]:
        """Return the paths of a pattern, sorted, or a path that is no pattern; the names of the matches are hashed.

        A path of a file is that file, whatever characters it has.

        Parameters
        ----------
        given, key : the path or pattern as written by the user, and its key.

        Raises
        ------
        InputError
            No file matches the pattern.
        """
        if not glob.has_magic(given):
            return [given]
        with suppress(InputError):
            find_data(given, self.base, key)
            return [given]
        found = match_data(given, self.base, key)
        self._record(
            given, key, hashlib.sha256("".join(f"{name}\n" for name in found).encode("utf-8", "surrogateescape"))
        )
        return found

    def _record(self, path: str, key: str, found: Any) -> None:
        if self.hashes.setdefault(path, found.hexdigest()) != found.hexdigest():
            raise InputError(f"{key} must not change while it is read, got {show(path)}")


class _HashedFile(io.RawIOBase):
    """Reads a file and hashes its bytes."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = self._raw.readinto(buffer)
        self.hash.update(memoryview(buffer)[:n])
        return n


def hash_files(paths: Iterable[str], base: Path | None = None) -> dict[str, str]:
    """Return path -> SHA-256 in hexadecimal of the data files that can be read, and of the names of a pattern.

    Parameters
    ----------
    paths : paths and patterns as written in an experiment.
    base : see `DataFiles`.

    Examples
    --------
    >>> hash_files(["data/wikitext2_sample.txt.gz", "missing.txt"])["data/wikitext2_sample.txt.gz"][:8]
    '07e25059'
    """
    files = DataFiles(base)
    for given in paths:
        with suppress(InputError):
            for path in files.match(given, "path"):
                with suppress(InputError, OSError), files.open(path, "path"):
                    pass
    return files.hashes


def split_name(path: str) -> tuple[str, str | None]:
    """Return the file of a path and, for "FILE.npz:NAME", the name of the array.

    Examples
    --------
    >>> split_name("mnist.npz:x_train"), split_name("x.npy")
    (('mnist.npz', 'x_train'), ('x.npy', None))
    """
    file, mark, name = path.rpartition(".npz:")
    return (f"{file}.npz", name) if mark else (path, None)


def changed_files(recorded: Mapping[str, str], current: Mapping[str, str]) -> list[str]:
    """Return a line for each data file whose SHA-256 is not the recorded one; files in one table only are skipped.

    Examples
    --------
    >>> changed_files({"a.csv": "00ff", "b.csv": "11ee"}, {"a.csv": "22dd", "b.csv": "11ee"})
    ["data file 'a.csv' has changed (SHA-256 00ff recorded, 22dd now): restore it, or compute anew under another name"]
    """
    return [
        f"data file {show(path)} has changed (SHA-256 {old[:12]} recorded, {current[path][:12]} now): "
        "restore it, or compute anew under another name"
        for path, old in recorded.items()
        if current.get(path, old) != old
    ]
