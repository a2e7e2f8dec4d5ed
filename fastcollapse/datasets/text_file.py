"""Text files: UTF-8, plain or gzip, read as a stream."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError

# Position and bytes that identify a file of another format.
_OTHER_FORMATS = {
    (4, b"1AY&SY"): "bzip2",
    (0, b"\xfd7zXZ\0"): "xz",
    (0, b"\x28\xb5\x2f\xfd"): "zstd",
    (0, b"PK\3\4"): "a zip archive",
    (0, b"\xff\xfe"): "UTF-16",
    (0, b"\xfe\xff"): "UTF-16",
}


def open_data(path: Path) -> BinaryIO:
    """Open a data file to read its bytes; texts and tables of counts are opened here only."""
    return open(path, "rb")


@contextmanager
def open_text(path: Path, key: str, given: str) -> Iterator[TextIO]:
    """Open a text file, unpacked if it is gzip; its lines keep their ends.

    Parameters
    ----------
    path : the file.
    key, given : the key of the file and its value, for errors.

    Raises
    ------
    InputError
        The file is unreadable, empty, damaged, or in another format. Errors inside the context are translated too.
    """
    try:
        with open_data(path) as raw:
            head = raw.read(2)
            if not head:
                raise InputError(f"{key} must be a text file with words, got the empty file {show(given)}")
            raw.seek(0)
            packed = head == b"\x1f\x8b" or path.suffix == ".gz"
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            head = stream.peek(16)  # type: ignore[attr-defined]
            for (start, magic), name in _OTHER_FORMATS.items():
                if head[start:].startswith(magic):
                    raise InputError(f"{key} must be UTF-8 text, plain or gzip, got {show(given)}: {name}")
            with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError:
        raise InputError(f"{key} must be UTF-8 text, got {show(given)}: binary, or not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{key} must be a complete gzip file, got {show(given)}: {error}") from None
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{key} must be a readable file, got {show(given)}: {error.strerror}") from None


def refuse_binary(text: str, key: str, given: str) -> None:
    """Refuse a part of a file that has a zero byte.

    Raises
    ------
    InputError
        The part has a zero byte.
    """
    if "\0" in text:
        raise InputError(f"{key} must be a text file, got the binary file {show(given)}")
