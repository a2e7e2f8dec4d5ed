"""HDF5 store: a run on disk, written as parts that are renamed when complete, with one writer at a time."""

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fastcollapse.errors import InputError, StoreError, UnreadableResults
from fastcollapse.storage.atomic_write import Rename
from fastcollapse.storage.base import Reader, Store
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import block_arrays, final_arrays, groups_of, header_arrays, state_arrays
from fastcollapse.storage.part_files import (
    PartFile,
    consecutive_parts,
    is_begun,
    is_replacing,
    listed_parts,
    part_path,
    parts_folder,
)
from fastcollapse.storage.part_writer import WrittenPart, merge_parts, n_to_merge, write_part
from fastcollapse.storage.parts_folder import PartsFolder, check_free, check_unused
from fastcollapse.storage.readers import Part, check_data, open_file, open_parts, read_first, read_parts

# A commit writes a part if this much is pending, or this long after the previous part, in seconds.
PART_BYTES = 256 << 20
PART_SECONDS = 30.0
# A state of more bytes, such as the pools of all replicates, is written without a copy, while the run waits.
STATE_BYTES = 256 << 20
_Read = TypeVar("_Read")


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
    overwrite : whether to replace a results file at `path`, finished or not. A finished file stays at `path` until the
        new run is complete.
    resume : whether to continue after the last committed generation of the parts, whose data are checked.
    continued : a finished run of fewer generations, whose data are checked, with its state: the new run has its
        generations and continues after them.

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
        continued: Reader | None = None,
    ) -> None:
        super().__init__(header)
        self.path = Path(path)
        self.parts = parts_folder(self.path)
        self._provenance = header.provenance
        self._part_bytes = part_bytes
        self._part_seconds = part_seconds
        self._pending_bytes = 0
        self._n_parts = 0
        self._written: list[WrittenPart] = []
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
                check_unused(self.path, overwrite)
                self._folder.start()
        except BaseException:
            self._folder.release()
            raise
        self._writer = ThreadPoolExecutor(1, "fastcollapse-parts")
        self._last_part = time.monotonic()
        if not resume:
            if continued is not None:
                self.header = dataclasses.replace(header, provenance=continued.header.provenance)
            self._start(self._write_first)
        if continued is not None:
            self._take_over(continued)

    def _open_parts(self) -> None:
        """Check all parts and take their header and state."""
        if os.path.lexists(self.path) and not is_replacing(self.path):
            raise InputError(f"{self.path} is finished and cannot be resumed")
        recorded = self._read(lambda: read_first(self.parts))
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
        files = consecutive_parts(self.parts)
        parts = self._read(lambda: list(read_parts(files, recorded, checked=True)))
        for file, part in zip(files, parts, strict=True):
            self._n_parts = file.last + 1
            self._next = part.block.first + part.block.n_generations
            self.state = part.state
        for file in listed_parts(self.parts):
            if file.last >= self._n_parts:
                raise UnreadableResults(
                    f"{part_path(self.parts, self._n_parts)}: is missing; remove the parts after it to resume after "
                    f"generation {max(self._next - 1, 0):,}"
                )
            if file.first > 0 and file not in files:  # a kill has left it beside the file with which it was merged
                file.path.unlink()
        self._written = [WrittenPart(file) for file in files]

    def _take_over(self, run: Reader) -> None:
        """Write the generations of a finished run, and the state after them, as part 1."""
        for block in run.blocks:
            for one in block.after_generation_0():
                self.append(one.with_names_of(self.header))
        self.state = dict(run.state or {})
        mine, self._provenance = self._provenance, self.header.provenance
        try:
            self.commit(self.state, force=True)
        except BaseException:
            self.close()
            raise
        self._provenance = mine
        self._written = [WrittenPart(part.file) for part in self._written]  # it keeps its provenance

    def _read(self, read: Callable[[], _Read]) -> _Read:
        """Return what `read` reads from the parts.

        Raises
        ------
        UnreadableResults
            A part does not exist any more.
        """
        try:
            return read()
        except FileNotFoundError as error:
            raise UnreadableResults(f"{error.filename}: was removed by another process") from error

    def _start(self, write: Callable[..., None], *arguments: Any) -> None:
        """Start to write the pending blocks as a part; the previous part must be complete."""
        self._last_part = time.monotonic()
        self._blocks_in_writing, self._pending, self._pending_bytes = self._pending, [], 0
        self._writing = self._writer.submit(write, *arguments)

    def _write_first(self) -> None:
        """Write part 0, the header."""
        self._folder.check()
        arrays = [*block_arrays(self.header, [], dims=False), *header_arrays(self.header)]
        path, groups = part_path(self.parts, 0), groups_of(self.header, [])
        write_file(path, [a for a in arrays if a.name != "generation"], groups, Rename(check=self._folder.check))
        self._n_parts = 1

    def _write_part(self, blocks: Sequence[Block], state: Mapping[str, np.ndarray]) -> None:
        self._folder.check()
        number, path = self._n_parts, part_path(self.parts, self._n_parts)
        write_part(path, self.header, blocks, state, self._provenance, self._folder.check)
        self._n_parts += 1
        self._written.append(WrittenPart(PartFile(number, number, path), sum(block.nbytes for block in blocks)))
        with suppress(OSError):  # the parts are complete, and the next commit tries again
            while n := n_to_merge(self._written):
                self._written[-n:] = [merge_parts(self._written[-n:], self.header, self._folder.check)]

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
        is_large = sum(values.nbytes for values in state.values()) > STATE_BYTES
        if self._pending and (force or is_due or self._pending_bytes >= self._part_bytes):
            self._wait()
            # Copies, because the model continues while they are written; it waits for a large state.
            copies = {name: values if is_large else np.array(values) for name, values in state.items()}
            self._start(self._write_part, self._pending, copies)
            force |= is_large
        if force:
            self._wait()

    def finish(self, final: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray] | None = None) -> Reader:
        """Stream all parts into `path` and remove them; see `Store.finish`.

        The parts are checked, because a copy of damaged data would get valid checksums; rows while they are copied.
        """
        self._wait()
        self._folder.check()
        files = [part.file for part in self._written]
        parts = self._read(lambda: list(read_parts(files, self.header, checked=True, copied=True)))
        blocks = [part.block for part in parts] + self._pending
        passage = final.get("first_passage")
        stopped = passage is not None and bool((passage >= 0).all())
        last = self._next - 1 if stopped else self.header.n_generations
        generations = [np.arange(block.first, block.first + block.n_generations) for block in blocks]
        if not blocks or not np.array_equal(np.concatenate(generations), np.arange(last + 1)):
            n = sum(map(len, generations))
            raise StoreError(f"{self.path}: cannot be written: it must have generations 0 to {last} once, got {n}")
        self.header = dataclasses.replace(self.header, provenance=self._all_provenance(parts))
        arrays = block_arrays(self.header, blocks, dims=True)
        arrays += final_arrays(self.header, final)
        # Extinction times are often part of the state: they are stored once.
        arrays += state_arrays({name: values for name, values in (state or {}).items() if name not in final})
        rename = Rename(self.parts, replace=is_replacing(self.path), check=self._folder.check)
        write_file(self.path, arrays + header_arrays(self.header), groups_of(self.header, blocks), rename)
        self._finished = True
        self._pending.clear()
        self._folder.remove()
        return open_file(self.path)

    def partial(self, state: Mapping[str, np.ndarray]) -> Reader:
        """Commit all generations, and return the reader of the parts; see `Store.partial`."""
        self.commit(state, force=True)
        return open_parts(self.path)

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
        if not resumed:
            return self.header.provenance
        return {**self.header.provenance, "resumed": [*self.header.provenance.get("resumed", ()), *resumed]}

    def close(self) -> None:
        """Discard the pending blocks; committed parts stay, and a run without a commit leaves nothing."""
        self._writer.shutdown()
        self._pending.clear()
        if self._finished:
            return
        if self._n_parts <= 1 and not self._resumed:
            self._folder.remove()
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
    """Remove the parts that a kill at the end of a run has left beside its finished file; parts of another run stay.

    So do the parts of a run that will replace the file.
    """
    with suppress(InputError, UnreadableResults, FileNotFoundError):
        if is_begun(path):
            if read_first(parts_folder(path)).digest == digest and not is_replacing(path):
                PartsFolder(path).remove()
        elif os.path.isdir(parts_folder(path)) and not listed_parts(parts_folder(path)):
            PartsFolder(path).remove()
