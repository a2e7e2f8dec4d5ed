"""Readers of runs on disk, which may be finished, running or killed (FORMAT.md)."""

import dataclasses
import os
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.attributes import PART, PART_OPTIONAL, check_attributes
from fastcollapse.storage.base import Reader, finished_reader
from fastcollapse.storage.blocks import Block, Header, StoredSum
from fastcollapse.storage.checksums import damaged, mismatch, read_checksums
from fastcollapse.storage.content import Content, read_block, read_header, read_run
from fastcollapse.storage.hdf5_file import decoded, read_file
from fastcollapse.storage.part_files import PartFile, consecutive_parts, part_path, parts_folder

# A writer that merges or removes parts changes the folder while it is read.
_TRIES = 10


class Part(NamedTuple):
    """Part after the first: its generations, the state after them, and its provenance."""

    block: Block
    state: dict[str, np.ndarray]
    provenance: dict[str, Any]


def read_parts(
    files: Iterable[PartFile], header: Header, checked: bool = False, copied: bool = False, first: int | None = 0
) -> Iterator[Part]:
    """Yield consecutive parts after part 0.

    Parameters
    ----------
    files : their files, for example `consecutive_parts`.
    checked : whether to compare the data with their checksums.
    copied : whether the rows are compared while they are copied, and not here: see `Block.unchecked`.
    first : first generation of the first part; None for any.

    Raises
    ------
    FileNotFoundError
        The writer has merged or removed the parts.
    UnreadableResults
        A part is damaged or belongs to another experiment.
    """
    expected = first
    for _, _, path in files:
        content = read_file(path)
        rows = ("trajectory/indices", "trajectory/data", *header.samples) if copied else ()
        sums = check_data(path, rows, content) if checked else {}
        root = decoded(path, lambda content=content: check_attributes(content.attributes["/"], PART, PART_OPTIONAL))  # type: ignore[misc]
        if root["digest"] != header.digest:
            raise UnreadableResults(f"{path}: belongs to another experiment")
        block = decoded(path, lambda content=content: read_block(content, header))  # type: ignore[misc]
        if expected not in (None, block.first):
            raise UnreadableResults(f"{path}: starts at generation {block.first} instead of {expected}")
        expected = block.first + block.n_generations
        block = dataclasses.replace(block, unchecked={name: StoredSum(path, crc) for name, crc in sums.items()})
        yield Part(block, content.group("state"), root.get("provenance", header.provenance))


def check_data(
    path: Path, skip: Collection[str] = (), content: Content | None = None, checksums_required: bool = True
) -> dict[str, int]:
    """Compare the data of a file with their checksums, and return the CRC-32 of each data set that is skipped.

    Parameters
    ----------
    skip : names of data sets or groups that are not read.
    content : the content of the file, if it is already read.
    checksums_required : whether a file without checksums is refused; otherwise it is a warning.

    Raises
    ------
    UnreadableResults
        The message names the path and the damaged data sets.
    """
    content = read_file(path) if content is None else content
    skipped = [offset for name, offset in content.offsets.items() if name in skip or os.path.dirname(name) in skip]
    try:
        checksums = read_checksums(path)
        wrong = [] if checksums is None else [one.offset for one in damaged(path, checksums, skipped)]
    except (OSError, ValueError) as error:
        raise UnreadableResults(f"{path}: cannot be read: {error}") from error
    if checksums is None:
        message = f"{path}: has no checksums: another tool has rewritten it"
        if checksums_required:
            raise UnreadableResults(message)
        warnings.warn(f"{message}, and its numbers cannot be verified", stacklevel=2)
    if wrong:
        names = [name for name, offset in content.offsets.items() if offset in wrong]
        raise mismatch(path, *names)
    sums = {one.offset: one.crc for one in (checksums.data if checksums else ()) if one.n_bytes}
    return {name: sums[offset] for name, offset in content.offsets.items() if offset in skipped and offset in sums}


def _read_finished(path: Path) -> Reader:
    """Open a finished run."""
    try:
        content = read_file(path)
    except FileNotFoundError as error:
        raise UnreadableResults(f"{path}: no such file") from error
    header, block, final = decoded(path, lambda: read_run(content))
    state = content.group("state")
    if state and "forgotten" in final:  # stored once
        state.setdefault("forgotten", final["forgotten"])
    return finished_reader(header, [block], final, path, state or None)


def read_first(folder: Path) -> Header:
    """Return the header of an unfinished run.

    Raises
    ------
    FileNotFoundError
        The first part does not exist.
    UnreadableResults
        The first part is damaged.
    """
    path = part_path(folder, 0)
    content = read_file(path)
    return decoded(path, lambda: read_header(content))


def open_file(path: str | Path) -> Reader:
    """Open a finished run, or the complete parts of one that is running or was killed.

    Parameters
    ----------
    path : results file of the run; the file of an unfinished run does not exist yet.

    Raises
    ------
    UnreadableResults
        The file is missing, foreign, truncated or of a newer format; the message names the path and the reason.
    """
    path = Path(path)
    if not os.path.lexists(path) and os.path.isdir(parts_folder(path)):
        with suppress(FileNotFoundError):  # a run that finishes at this moment removes its parts
            reader = open_parts(path)
            if not os.path.lexists(path):
                return reader
        if not os.path.lexists(path):
            raise UnreadableResults(f"{path}: holds no complete part yet")
    return _read_finished(path)


def open_parts(path: Path) -> Reader:
    """Open the complete parts of a run that is not finished, also of one that will replace the file at `path`.

    Raises
    ------
    FileNotFoundError
        There are no parts.
    UnreadableResults
        See `open_file`.
    """
    folder = parts_folder(path)
    for attempt in range(_TRIES):
        try:
            header = read_first(folder)
            parts = list(read_parts(consecutive_parts(folder), header))
            break
        except FileNotFoundError:  # the run merges or removes its parts at this moment
            if attempt == _TRIES - 1 or not part_path(folder, 0).exists():
                raise
    state = parts[-1].state if parts else None
    return Reader(header, [part.block for part in parts], path=path, state=state, finished=False)


def check_file(path: str | Path, everything: bool = True, checksums_required: bool = True) -> Reader:
    """Open a run as `open_file` does, after a comparison of its data with their checksums.

    Parameters
    ----------
    path : see `open_file`.
    everything : whether to check the counts and states of every generation too, which may be large.
    checksums_required : see `check_data`; parts always have checksums.

    Raises
    ------
    UnreadableResults
        As for `open_file`; or a checksum does not match, or there are none.
    """
    path = Path(path)
    for _ in range(_TRIES):
        reader = open_file(path)
        header, folder = reader.header, parts_folder(path)
        skip = () if everything else ("trajectory", "state", *(header.states.keys() - header.metrics.keys()))
        parts = [part_path(folder, 0), *(part.path for part in consecutive_parts(folder))]
        with suppress(FileNotFoundError):  # the run finishes, or merges parts, at this moment
            for file in [path] if reader.finished else parts:
                check_data(file, skip, checksums_required=checksums_required or not reader.finished)
            return reader
    raise UnreadableResults(f"{path}: cannot be read: its parts change all the time")
