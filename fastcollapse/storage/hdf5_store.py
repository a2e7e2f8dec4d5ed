"""Hdf5Store: a run on disk, by way of parts; one writer at a time, no step that a kill can spoil."""

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
from fastcollapse.storage.base import Block, Header, Reader, Store
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import FORMAT, FORMAT_VERSION, Array, block_arrays, groups_of, header_arrays, whole
from fastcollapse.storage.parts_folder import (
    Workplace,
    check_free,
    check_taken,
    is_begun,
    numbers,
    part_path,
    parts_folder,
    temporary_path,
)
from fastcollapse.storage.readers import Part, check_data, open_file, read_first, read_parts

PART_BYTES = 256 << 20
PART_SECONDS = 30.0


class Hdf5Store(Store):
    """Writes a run to `path`, by way of parts in the folder `path`.parts.

    A part is written by a thread of its own while the run goes on; the next one waits for it. A part that
    could not be written is pending again, and the error comes from the next call that waits.

    Parameters
    ----------
    header : what is known before the first generation.
    path : must not exist, but for the two cases below; missing folders above it are made.
    part_bytes : a commit writes a part when this much is pending, at least 1; bounds the memory, twice this.
    part_seconds : or when this long has passed since the last one, at least 0; bounds what a kill loses.
    overwrite : a results file at `path`, finished or not, makes room for the new run. A finished one is put back if
        the new run ends before it has committed a generation, and is gone when it is finished.
    resume : go on after the last committed generation of the parts, whose data are read and checked.

    Raises
    ------
    InputError : `path` or its parts exist, or are being written, or the folder cannot be written; to resume, there are
        no parts, or they record something else.
    UnreadableResults : to resume, a part is damaged.
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
        self._in_part: list[Block] = []
        check_free(self.path, overwrite, resume)
        if resume and not is_begun(self.path):
            raise UnreadableResults(f"{self.path}: holds no complete part yet, run it anew")
        self._place = Workplace(self.path)
        try:
            if resume:
                self._go_on()
            else:
                self._place.put_back()
                check_taken(self.path, overwrite)
                if overwrite:
                    self._place.put_aside()
        except BaseException:
            self._place.release()
            raise
        self._writer = ThreadPoolExecutor(1, "fastcollapse-parts")
        self._last_part = time.monotonic()
        if not resume:
            arrays = [*block_arrays(header, [], dims=False), *header_arrays(header)]
            self._start_part([a for a in arrays if a.name != "generation"], groups_of(header, []))

    def _go_on(self) -> None:
        """Take over header and state of the parts, all of which are checked."""
        if os.path.lexists(self.path):
            raise InputError(f"a run to resume must not be finished, got {self.path}: it exists")
        recorded = read_first(self.parts)
        _check_same_record(self.path, recorded, self.header)
        # In the order of the file; what numbers may be infinite or missing is not in it.
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
        stray = [n for n in numbers(self.parts) if n >= self._n_parts]
        if stray:
            raise UnreadableResults(
                f"{part_path(self.parts, self._n_parts)}: is missing; remove the parts behind it to resume after "
                f"generation {max(self._next - 1, 0):,}"
            )

    def _start_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin to write what is pending, as `arrays`; the last part is done."""
        self._last_part = time.monotonic()
        self._in_part, self._pending, self._pending_bytes = self._pending, [], 0
        self._writing = self._writer.submit(self._write_part, arrays, groups)

    def _write_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        path = part_path(self.parts, self._n_parts)
        write_file(temporary_path(path), arrays, groups)
        publish(temporary_path(path), path)
        self._n_parts += 1

    def _wait(self) -> None:
        """Wait for the part that is being written; if that failed, its blocks are pending again."""
        if self._writing is None:
            return
        wait([self._writing])  # apart from its result: Ctrl-C here does not mean that the part failed
        error = self._writing.exception()
        if error is None or self._n_parts > 0:  # without the first part none can be read: it stays failed
            self._writing = None
        failed, self._in_part = self._in_part if error else [], []
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
        late = time.monotonic() - self._last_part >= self._part_seconds
        if self._writing is not None and self._writing.done():
            self._wait()
        if self._pending and (force or late or self._pending_bytes >= self._part_bytes):
            self._wait()
            arrays = block_arrays(self.header, self._pending, dims=False)
            # Copies: the model goes on while they are written.
            arrays += [whole(f"state/{name}", np.array(values)) for name, values in state.items()]
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
        """Collect everything into `path`, streaming from the parts, and remove them; see `Store.finish`.

        The parts are checked first: a damage must not become part of a file whose checksums agree.
        """
        self._wait()
        parts = list(read_parts(self.parts, self.header, checked=True))
        blocks = [part.block for part in parts] + self._pending
        self.header = dataclasses.replace(self.header, provenance=self._all_provenance(parts))
        arrays = block_arrays(self.header, blocks, dims=True)
        if "forgotten" in final:
            values = np.asarray(final["forgotten"], np.int32)
            arrays.append(whole("forgotten", values, ("replicate", "symbol")))
        temporary = temporary_path(self.parts / "final")
        write_file(temporary, arrays + header_arrays(self.header), groups_of(self.header, blocks))
        publish(temporary, self.path)
        self._finished = True
        self._pending.clear()
        self._place.remove()
        return open_file(self.path)

    def _all_provenance(self, parts: Sequence[Part]) -> dict[str, Any]:
        """Return the provenance of the first generation and, under "resumed", of what was made by another process."""
        made = [(part.block.first, part.provenance) for part in parts]
        if self._pending:
            made.append((self._pending[0].first, self._provenance))
        last, resumed = self.header.provenance, []
        for first, one in made:
            if one != last:
                last = one
                resumed.append({"after": first - 1, **one})
        return {**self.header.provenance, "resumed": resumed} if resumed else self.header.provenance

    def close(self) -> None:
        """Drop what is pending; the committed parts stay, or nothing if there are none."""
        self._writer.shutdown()
        self._pending.clear()
        if self._finished:
            return
        if self._n_parts <= 1 and not self._resumed:
            self._place.discard()
        else:
            self._place.release()


def _check_same_record(path: Path, recorded: Header, header: Header) -> None:
    """Refuse to go on with a file whose arrays would change in the middle.

    Raises
    ------
    InputError : naming the first thing that differs.
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
            raise InputError(f"{path}: cannot be resumed: {what} {old} became {new}")


def clear_leftovers(path: Path, digest: str) -> None:
    """Remove what a kill at the very end of a run has left beside its finished file; parts of another run stay."""
    with suppress(InputError, UnreadableResults, FileNotFoundError):
        if is_begun(path):
            if read_first(parts_folder(path)).digest == digest:
                Workplace(path).remove()
        elif os.path.isdir(parts_folder(path)) and not [*numbers(parts_folder(path))]:
            Workplace(path).release()
