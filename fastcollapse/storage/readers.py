"""Runs on disk as anybody may read them at any time: finished, running or killed (FORMAT.md)."""

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.base import Block, Header, Reader
from fastcollapse.storage.checksums import damaged, read_checksums
from fastcollapse.storage.hdf5_file import decoded, read_file
from fastcollapse.storage.layout import read_block, read_header
from fastcollapse.storage.parts_folder import part_path, parts_folder


class Part(NamedTuple):
    """A part after the first: its generations, the state after them, and what made it."""

    block: Block
    state: dict[str, np.ndarray]
    provenance: dict[str, Any]


def read_parts(folder: Path, header: Header, checked: bool = False, but: Collection[str] = ()) -> Iterator[Part]:
    """Yield the complete parts after part 0, up to the first one missing; `checked`: see `check_data`.

    Raises
    ------
    UnreadableResults : a part is damaged or of another experiment.
    """
    expected = 0
    for n in range(1, 1 << 31):
        path = part_path(folder, n)
        if not path.exists():
            return
        if checked:
            check_data(path, but)
        content = read_file(path)
        if content.attributes["/"].get("digest") != header.digest:
            raise UnreadableResults(f"{path}: belongs to another experiment")
        block = decoded(path, lambda content=content: read_block(content, header))  # type: ignore[misc]
        if block.first != expected:
            raise UnreadableResults(f"{path}: starts at generation {block.first} instead of {expected}")
        expected += block.n_generations
        made = content.attributes["/"].get("provenance")
        provenance = header.provenance if made is None else decoded(path, lambda made=made: json.loads(made))  # type: ignore[misc]
        yield Part(block, content.group("state"), provenance)


def check_data(path: Path, but: Collection[str] = ()) -> None:
    """Read the data of a file, but for data sets or groups of these names, and compare them with their checksums.

    Raises
    ------
    UnreadableResults : naming the path and what is damaged.
    """
    content = read_file(path)
    spared = [offset for name, offset in content.offsets.items() if name in but or os.path.dirname(name) in but]
    try:
        checksums = read_checksums(path)
        wrong = [] if checksums is None else [one.offset for one in damaged(path, checksums, spared)]
    except (OSError, ValueError) as error:
        raise UnreadableResults(f"{path}: cannot be read: {error}") from error
    if checksums is None:
        raise UnreadableResults(f"{path}: has no checksums: it is not as it was written")
    if wrong:
        names = [name for name, offset in content.offsets.items() if offset in wrong]
        raise UnreadableResults(f"{path}: is damaged: {', '.join(names)} not as written")


def _read_whole(path: Path) -> Reader:
    """Open a finished run."""
    try:
        content = read_file(path)
    except FileNotFoundError as error:
        raise UnreadableResults(f"{path}: no such file") from error
    header = decoded(path, lambda: read_header(content))
    block = decoded(path, lambda: read_block(content, header))
    if block.first != 0:
        raise UnreadableResults(f"{path}: is damaged: it starts at generation {block.first}")
    return Reader(header, [block], forgotten=content.arrays.get("forgotten"), path=path)


def read_first(folder: Path) -> Header:
    """Return the header of a run that is not finished.

    Raises
    ------
    FileNotFoundError : it has no first part.
    UnreadableResults : see `open_file`.
    """
    path = part_path(folder, 0)
    content = read_file(path)
    return decoded(path, lambda: read_header(content))


def open_file(path: str | Path) -> Reader:
    """Open a finished run, or the complete parts of one that is running or was killed.

    Parameters
    ----------
    path : the file that was given to the run, whether or not it exists yet.

    Raises
    ------
    UnreadableResults : missing, foreign, cut off, or of a newer format; naming path and reason.
    """
    path = Path(path)
    folder = parts_folder(path)
    if not os.path.lexists(path) and os.path.isdir(folder):
        try:
            header = read_first(folder)
            parts = list(read_parts(folder, header))
            if not os.path.lexists(path):
                state = parts[-1].state if parts else None
                return Reader(header, [part.block for part in parts], path=path, state=state, finished=False)
        except FileNotFoundError as error:  # a run that finishes just now removes its parts
            if not os.path.lexists(path):
                raise UnreadableResults(f"{path}: holds no complete part yet") from error
    return _read_whole(path)


def check_file(path: str | Path, everything: bool = True) -> Reader:
    """Open a run as `open_file` does, and read and check its data first.

    Parameters
    ----------
    path : see `open_file`.
    everything : else the counts and states of every generation are left out, which may be as large as a disk.

    Raises
    ------
    UnreadableResults : as `open_file`; or data are not what was written, or there is nothing to tell it by.
    """
    path = Path(path)
    reader = open_file(path)
    header, folder = reader.header, parts_folder(path)
    but = () if everything else ("trajectory", "state", *(header.states.keys() - header.metrics.keys()))
    if not reader.finished:
        try:
            check_data(part_path(folder, 0), but)
            for _ in read_parts(folder, header, checked=True, but=but):
                pass
            return reader
        except FileNotFoundError:  # it finishes just now
            reader = open_file(path)
    check_data(path, but)
    return reader
