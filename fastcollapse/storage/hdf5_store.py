"""HDF5 store: a run on disk, written as parts that are renamed when complete, with one writer at a time."""

import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.storage.atomic_write import publish
from fastcollapse.storage.base import Reader, Store
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import (
    FORMAT,
    FORMAT_VERSION,
    Array,
    block_arrays,
    groups_of,
    header_arrays,
    memory_array,
)
from fastcollapse.storage.parts_folder import (
    PartsFolder,
    check_free,
    check_unused,
    is_begun,
    part_numbers,
    part_path,
    parts_folder,
    temporary_path,
)
from fastcollapse.storage.readers import Part, check_data, open_file, read_first, read_parts

# A commit writes a part if this much is pending, or this long after the previous part, in seconds.
PART_BYTES = 256 << 20
PART_SECONDS = 30.0


class Hdf5Store(Store):
    """Writes a run to `path`, in parts in the folder `path`.parts that `finish` collects.

    A thread writes a part while the run continues, and the next part waits for it. The blocks of a part that could not
    be written are pending again, and the next call that waits raises the error.

    Parameters
    ----------
    header : header of the run.
    path : results file, which must not exist unless `overwrite` is true; missing parent folders are made.
    part_bytes : a commit writes a part if this many bytes are pending, at least 1. Memory is limited to twice this.
    part_seconds : a commit also writes a part if this time has passed since the previous one, at least 0. A kill loses
        at most this much work.
    overwrite : whether to replace a results file at `path`, finished or not. A finished file is restored if the new run
        ends before its first commit, and deleted when the new run is complete.
    resume : whether to continue after the last committed generation of the parts, whose data are checked.

    Raises
    ------
    InputError
        `path` or its parts exist or are being written, or the folder cannot be written; for `resume`, the parts belong
        to another run.
    UnreadableResults
        For `resume`, there are no complete parts, or a part is damaged.
    """

    def __init__(
        self,
        header: Header,
        path: str | Path,
        part_bytes: int = PART_BYTES,
        part_seconds: float = PART_SECONDS,
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        super().__init__(header)
        self.path = Path(path)
        self.parts = parts_folder(self.path)
        self._provenance = header.provenance
        self._part_bytes = part_bytes
        self._part_seconds = part_seconds
        self._pending_bytes = 0
        self._n_parts = 0
        self._finished = False
        self._resumed = resume
        self._writing: Future[None] | None = None
        self._blocks_in_writing: list[Block] = []
        check_free(self.path, overwrite, resume)
        if resume and not is_begun(self.path):
            raise UnreadableResults(f"{self.path}: holds no complete part yet; run it again without resume")
        self._folder = PartsFolder(self.path)
        try:
            if resume:
                self._open_parts()
            else:
                self._folder.restore_previous()
                check_unused(self.path, overwrite)
                if overwrite:
                    self._folder.stash_previous()
        except BaseException:
            self._folder.release()
            raise
        self._writer = ThreadPoolExecutor(1, "fastcollapse-parts")
        self._last_part = time.monotonic()
        if not resume:
            arrays = [*block_arrays(header, [], dims=False), *header_arrays(header)]
            self._start_part([a for a in arrays if a.name != "generation"], groups_of(header, []))

    def _open_parts(self) -> None:
        """Check all parts and take their header and state."""
        if os.path.lexists(self.path):
            raise InputError(f"{self.path} is finished and cannot be resumed")
        recorded = read_first(self.parts)
        _check_same_record(self.path, recorded, self.header)
        # The order is that of the file; the limits of the variables are not in the file.
        given = self.header
        self.header = dataclasses.replace(
            recorded,
            metrics={name: given.metrics[name] for name in recorded.metrics},
            states={name: given.states[name] for name in recorded.states},
            samples={name: given.samples[name] for name in recorded.samples},
        )
        check_data(part_path(self.parts, 0))
        self._n_parts = 1
        for part in read_parts(self.parts, recorded, checked=True):
            self._n_parts += 1
            self._next = part.block.first + part.block.n_generations
            self.state = part.state
        if any(number >= self._n_parts for number in part_numbers(self.parts)):
            raise UnreadableResults(
                f"{part_path(self.parts, self._n_parts)}: is missing; remove the parts after it to resume after "
                f"generation {max(self._next - 1, 0):,}"
            )

    def _start_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Start to write the pending blocks as a part; the previous part must be complete."""
        self._last_part = time.monotonic()
        self._blocks_in_writing, self._pending, self._pending_bytes = self._pending, [], 0
        self._writing = self._writer.submit(self._write_part, arrays, groups)

    def _write_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        path = part_path(self.parts, self._n_parts)
        write_file(temporary_path(path), arrays, groups)
        publish(temporary_path(path), path)
        self._n_parts += 1

    def _wait(self) -> None:
        """Wait for the part that is being written; if that fails, its blocks are pending again."""
        if self._writing is None:
            return
        wait([self._writing])  # not `result()`: a Ctrl-C here does not mean that the part failed
        error = self._writing.exception()
        # If the first part failed, later parts cannot be read, so every later call fails too.
        if error is None or self._n_parts > 0:
            self._writing = None
        failed, self._blocks_in_writing = self._blocks_in_writing if error else [], []
        self._pending[:0] = failed
        self._pending_bytes += sum(block.nbytes for block in failed)
        if error is not None:
            raise error

    def append(self, block: Block) -> None:
        """Add the next block; see `Store.append`."""
        super().append(block)
        self._pending_bytes += self._pending[-1].nbytes

    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Write a part if enough is pending, enough time has passed, or `force`; see `Store.commit`."""
        is_due = time.monotonic() - self._last_part >= self._part_seconds
        if self._writing is not None and self._writing.done():
            self._wait()
        if self._pending and (force or is_due or self._pending_bytes >= self._part_bytes):
            self._wait()
            arrays = block_arrays(self.header, self._pending, dims=False)
            # Copies, because the model continues while they are written.
            arrays += [memory_array(f"state/{name}", np.array(values)) for name, values in state.items()]
            root = {
                "format": FORMAT,
                "format_version": np.int64(FORMAT_VERSION),
                "digest": self.header.digest,
                "provenance": json.dumps(self._provenance, sort_keys=True),
            }
            self._start_part(arrays, {"/": root})
        if force:
            self._wait()

    def finish(self, final: Mapping[str, np.ndarray]) -> Reader:
        """Stream all parts into `path` and remove them; see `Store.finish`.

        The parts are checked first, because a copy of damaged data would get valid checksums.
        """
        self._wait()
        parts = list(read_parts(self.parts, self.header, checked=True))
        blocks = [part.block for part in parts] + self._pending
        self.header = dataclasses.replace(self.header, provenance=self._all_provenance(parts))
        arrays = block_arrays(self.header, blocks, dims=True)
        if "forgotten" in final:
            values = np.asarray(final["forgotten"], np.int32)
            arrays.append(memory_array("forgotten", values, ("replicate", "symbol")))
        temporary = temporary_path(self.parts / "final")
        write_file(temporary, arrays + header_arrays(self.header), groups_of(self.header, blocks))
        publish(temporary, self.path)
        self._finished = True
        self._pending.clear()
        self._folder.remove()
        return open_file(self.path)

    def _all_provenance(self, parts: Sequence[Part]) -> dict[str, Any]:
        """Return the provenance of the first generation and, under "resumed", that of each later process."""
        records = [(part.block.first, part.provenance) for part in parts]
        if self._pending:
            records.append((self._pending[0].first, self._provenance))
        last, resumed = self.header.provenance, []
        for first, one in records:
            if one != last:
                last = one
                resumed.append({"after": first - 1, **one})
        return {**self.header.provenance, "resumed": resumed} if resumed else self.header.provenance

    def close(self) -> None:
        """Discard the pending blocks; committed parts stay, and a run without a commit leaves nothing."""
        self._writer.shutdown()
        self._pending.clear()
        if self._finished:
            return
        if self._n_parts <= 1 and not self._resumed:
            self._folder.discard()
        else:
            self._folder.release()


def _check_same_record(path: Path, recorded: Header, header: Header) -> None:
    """Check that a run to resume has the arrays of the file.

    Raises
    ------
    InputError
        The message names the first difference.
    """
    for what in (
        "digest",
        "n_replicates",
        "n_generations",
        "first_replicate",
        "trajectory",
        "metrics",
        "states",
        "samples",
    ):
        old, new = getattr(recorded, what), getattr(header, what)
        if what in ("metrics", "states", "samples"):
            old, new = (", ".join(sorted(names)) or "none" for names in (old, new))
        if old != new:
            raise InputError(f"{path}: cannot be resumed: {what} was {old} and is {new} now")


def clear_leftovers(path: Path, digest: str) -> None:
    """Remove the parts that a kill at the end of a run has left beside its finished file; parts of another run stay."""
    with suppress(InputError, UnreadableResults, FileNotFoundError):
        if is_begun(path):
            if read_first(parts_folder(path)).digest == digest:
                PartsFolder(path).remove()
        elif os.path.isdir(parts_folder(path)) and not [*part_numbers(parts_folder(path))]:
            PartsFolder(path).release()
