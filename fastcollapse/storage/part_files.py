"""Files of a run in progress: the names of the parts, and the finished file that an overwriting run will replace."""

import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fastcollapse.errors import InputError
from fastcollapse.storage.atomic_write import Rename, write_bytes
from fastcollapse.storage.regular_file import open_regular, read_regular

_PART = re.compile(r"part-(\d{5,})(?:-(\d{5,}))?\.h5")
# Identity of the finished file that the run will replace when it is complete.
REPLACES = "replaces"
_TAIL_BYTES = 4096


class PartFile(NamedTuple):
    """File of the parts `first` to `last`, which are merged if there are several; part 0 is the header."""

    first: int
    last: int
    path: Path


def parts_folder(path: Path) -> Path:
    """Return the folder of the parts of an unfinished run.

    Raises
    ------
    InputError
        The path does not end in a file name.

    Examples
    --------
    >>> parts_folder(Path("out.h5")).name
    'out.h5.parts'
    """
    if path.name in ("", ".."):
        raise InputError(f"a results file must have a name, got {str(path)!r}")
    return path.with_name(path.name + ".parts")


def part_path(folder: Path, first: int, last: int | None = None) -> Path:
    """Return the path of a part, or of the merged parts `first` to `last`; part 0 is the header."""
    return folder / (f"part-{first:05d}.h5" if last in (None, first) else f"part-{first:05d}-{last:05d}.h5")


def part_of(path: Path) -> PartFile | None:
    """Return the numbers of the file of a part; None for another file."""
    match = _PART.fullmatch(path.name)
    return PartFile(int(match[1]), int(match[2] or match[1]), path) if match else None


def listed_parts(folder: Path) -> list[PartFile]:
    """Return all files of parts, in the order of their first numbers; of equal ones, that with most parts is first."""
    found = [part for path in listed(folder) if (part := part_of(path))]
    return sorted(found, key=lambda part: (part.first, -part.last))


def consecutive_parts(folder: Path) -> list[PartFile]:
    """Return the files of part 1 to the last part before a missing one, each part once."""
    return list(_consecutive(listed_parts(folder)))


def _consecutive(parts: Iterable[PartFile]) -> Iterator[PartFile]:
    expected = 1
    for part in parts:
        if part.first == expected:
            yield part
            expected = part.last + 1


def listed(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names; none if it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def is_begun(path: Path) -> bool:
    """Whether there are readable parts of a run to `path`."""
    return os.path.isfile(part_path(parts_folder(path), 0))


def note_replaced(path: Path, file: Path) -> None:
    """Note in the parts folder of `path` that its run replaces `file`, which is at `path` when the run is complete."""
    write_bytes(parts_folder(path) / REPLACES, _identity(file), Rename(replace=True))


def is_replacing(path: Path) -> bool:
    """Whether the parts are of a run that will replace the file at `path`.

    A file with another identity is that of the run itself: a kill after the rename has left its parts.
    """
    with suppress(OSError, ValueError):
        return read_regular(parts_folder(path) / REPLACES, _TAIL_BYTES) == _identity(path)
    return False


def _identity(file: Path) -> bytes:
    """Return the size and the CRC-32 of the end of a file: the end of a results file has the checksums of all data."""
    with open_regular(file) as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - _TAIL_BYTES))
        return f"{size} bytes, CRC-32 of the end {zlib.crc32(opened.read()):08x}\n".encode()
