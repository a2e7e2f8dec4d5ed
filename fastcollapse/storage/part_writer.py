"""Parts of a run: one is written at each commit, and small ones are merged, because each file costs a reader time."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.storage.atomic_write import Rename
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import FORMAT, FORMAT_VERSION, block_arrays, state_arrays
from fastcollapse.storage.part_files import PartFile, part_path
from fastcollapse.storage.readers import read_parts

# Number of parts that are merged into one; merged parts are merged again. A run of a month has 150 parts.
PARTS_PER_MERGE = 64
# Parts are also merged if they have this many bytes together; larger parts than a quarter of it stay as they are.
MERGED_BYTES = 256 << 20


@dataclass(frozen=True)
class WrittenPart:
    """A part of this run.

    Parameters
    ----------
    file : its file.
    n_bytes : bytes of its blocks; None for a part of an earlier process, which has another provenance and stays.
    """

    file: PartFile
    n_bytes: int | None = None


def write_part(
    path: Path,
    header: Header,
    blocks: Sequence[Block],
    state: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
    check: Callable[[], None],
) -> None:
    """Write consecutive generations and the state after them.

    Parameters
    ----------
    check : called before the file gets its name.

    Raises
    ------
    StoreError
        The file exists or cannot be written.
    """
    arrays = block_arrays(header, blocks, dims=False) + state_arrays(state)
    root = {
        "format": FORMAT,
        "format_version": np.int64(FORMAT_VERSION),
        "digest": header.digest,
        "provenance": json.dumps(provenance, sort_keys=True),
    }
    write_file(path, arrays, {"/": root}, Rename(check=check))


def n_to_merge(parts: Sequence[WrittenPart]) -> int:
    """Return how many of the last parts are to be merged into one, 0 for none.

    Examples
    --------
    >>> small = WrittenPart(PartFile(1, 1, Path("part-00001.h5")), 10)
    >>> n_to_merge([small] * 63), n_to_merge([small] * 64)
    (0, 64)
    """
    n = n_bytes = 0
    span = parts[-1].file.last - parts[-1].file.first
    for part in reversed(parts):
        if part.n_bytes is None or part.n_bytes > MERGED_BYTES // 4 or part.file.last - part.file.first != span:
            break
        n, n_bytes = n + 1, n_bytes + part.n_bytes
    return n if n >= PARTS_PER_MERGE or n_bytes >= MERGED_BYTES else 0


def merge_parts(parts: Sequence[WrittenPart], header: Header, check: Callable[[], None]) -> WrittenPart:
    """Write consecutive parts of one process into one file, then remove them; a kill leaves all of them, or the file.

    Raises
    ------
    StoreError
        The file cannot be written, or the data of a part do not match their checksums; no part is removed.
    """
    files = [part.file for part in parts]
    read = list(read_parts(files, header, checked=True, copied=True, first=None))
    first, last = files[0].first, files[-1].last
    path = part_path(files[0].path.parent, first, last)
    write_part(path, header, [part.block for part in read], read[-1].state, read[-1].provenance, check)
    for file in files:
        file.path.unlink(missing_ok=True)
    return WrittenPart(PartFile(first, last, path), sum(part.n_bytes or 0 for part in parts))
