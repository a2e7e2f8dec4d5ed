"""Text files: UTF-8, plain or gzip, read as a stream."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from fastcollapse.config.fields import show
from fastcollapse.config.file_formats import N_BYTES, format_of
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.shipped import find_data
from fastcollapse.errors import InputError


@contextmanager
def open_text(files: DataFiles, key: str, given: str) -> Iterator[TextIO]:
    """Open a text file, unpacked if it is gzip; its lines keep their ends.

    Parameters
    ----------
    files : opens and hashes the file.
    key, given : the key of the file, and its path as written by the user.

    Raises
    ------
    InputError
        The file is unreadable, empty, damaged, or in another format. Errors inside the context are translated too.
    """
    try:
        with files.open(given, key) as raw:
            head = raw.peek(2)
            if not head:
                raise InputError(f"{key} must be a text file with words, got the empty file {show(given)}")
            packed = head[:2] == b"\x1f\x8b" or given.endswith(".gz")
            stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            other = format_of(stream.peek(N_BYTES)[:N_BYTES])
            if other is not None:
                raise InputError(f"{key} must be UTF-8 text, plain or gzip, got {show(given)}: {other}")
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            try:
                yield text
            finally:
                text.detach()  # its end would close `raw`, whose last bytes are not hashed yet
    except UnicodeDecodeError:
        raise InputError(f"{key} must be UTF-8 text, got {show(given)}: binary, or not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{key} must be a complete gzip file, got {show(given)}: {error}") from None
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{key} must be a readable file, got {show(given)}: {error.strerror}") from None


def text_paths(files: DataFiles, key: str, given: Sequence[str]) -> list[str]:
    """Return the paths of text files, those of a pattern in alphabetical order.

    Parameters
    ----------
    files : finds the files.
    key, given : the key, and its paths and patterns as written by the user.

    Raises
    ------
    InputError
        A file does not exist, a pattern matches no file, or a file is there twice.
    """
    found: dict[Path, str] = {}
    for path in (path for one in given for path in files.match(one, key)):
        file = find_data(path, files.base, key).resolve()
        if file in found:
            again = "" if found[file] == path else f", which is {show(path)}"
            raise InputError(f"{key} must have each file once, got {show(found[file])} twice{again}")
        found[file] = path
    return list(found.values())


def refuse_binary(text: str, key: str, given: str) -> None:
    """Refuse a part of a file that has a zero byte.

    Raises
    ------
    InputError
        The part has a zero byte.
    """
    if "\0" in text:
        raise InputError(f"{key} must be a text file, got the binary file {show(given)}")
