"""The folder of a sweep: what it is of, which of its points are done, failed or being computed (FORMAT.md)."""

import itertools
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastcollapse.errors import StoreError, UnreadableResults
from fastcollapse.simulation.results import Results, open_results
from fastcollapse.storage.atomic_write import sync_folder
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import Lock, Taken, owner
from fastcollapse.storage.pack import Pack, write_pack
from fastcollapse.storage.range_lock import Slot, Slots
from fastcollapse.storage.readers import check_data, open_file
from fastcollapse.sweeps.manifest import (
    CLAIMS,
    FAILED,
    PACKS,
    POINTS,
    read_manifest,
    sweep_of,
    write_json,
    write_manifest,
)
from fastcollapse.sweeps.points import Point, Sweep
from fastcollapse.sweeps.replicate_ranges import Unit

# Points whose arrays are larger than this have a file of their own, and so have those with a trajectory.
SMALL_BYTES = 256 << 10
# Points of a full pack.
A_PACK = 1000
# Two changes of a folder may have one time stamp where they are closer than this, in seconds.
_GRANULARITY = 0.05
_MERGE_WITHIN = 60.0
# Seconds after which nobody writes any more what a pack is written to first: that takes less than one.
_ABANDONED = 3600.0
SLOTS = "points"
_PIECE = r"(?:-\d+of\d+)?"
_POINT, _FAILURE, _CLAIM = (re.compile(rf"(\d+){end}") for end in (r"\.h5", r"\.json", r"-\d+of\d+"))
_MERGED = re.compile(r".*\.merged(?:\.tmp)?")
_CUT = re.compile(r"(\d+)-\d+of\d+\.h5(?:\.parts)?")
_PARTS = re.compile(rf"(\d+){_PIECE}\.h5(?:\.parts)?")


class SweepFolder:
    """A folder that holds a sweep.

    Parameters
    ----------
    path : the folder; see `make_folder` for a new one.

    Raises
    ------
    InputError
        It is not the folder of a sweep, or of a newer format, or what it says is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = read_manifest(path)
        self.sweep = sweep_of(path, self.manifest)
        self._packs: dict[tuple[str, int, int], Pack] = {}
        self._packed: dict[int, Pack] = {}
        self._listed_at = -1
        self._slots = Slots(path / CLAIMS / SLOTS)

    def __len__(self) -> int:
        return len(self.sweep)

    def point_path(self, index: int) -> Path:
        """Return the results file of a point that has one of its own."""
        return self.path / POINTS / f"{index:06d}.h5"

    def claim(self, unit: Unit) -> Lock | Slot | None:
        """Return the right to compute a unit, or None if another process is at it; it dies with its owner."""
        if unit.of == 1:
            return self._slots.claim(unit.point)
        try:
            return Lock(self.path / CLAIMS / unit.name)
        except Taken:
            return None

    def is_done(self, index: int) -> bool:
        """Is a point finished, by whomever, as of now?"""
        return os.path.lexists(self.point_path(index)) or index in self.packed()

    def packed(self) -> Mapping[int, Pack]:
        """Return the packs by the points that are in them, as of now."""
        folder = self.path / PACKS
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:  # a copy without empty folders
            return {}
        if changed == self._listed_at:
            return self._packed
        listed = dict(_identified(folder))
        if listed.keys() != self._packs.keys():
            for key in self._packs.keys() - listed:
                del self._packs[key]
            for key in listed.keys() - self._packs.keys():
                with suppress(FileNotFoundError):  # merged just now, into one that is listed next time
                    self._packs[key] = Pack(listed[key])
            self._packed = {index: pack for pack in self._packs.values() for index in pack if index < len(self)}
        # Only a stamp that is old enough tells a later change apart.
        self._listed_at = changed if time.time_ns() - changed > _GRANULARITY * 1e9 else -1
        return self._packed

    def done(self) -> set[int]:
        """Return the points that are finished."""
        return self.with_file() | set(self.packed())

    def with_file(self) -> set[int]:
        """Return the finished points that have a file of their own."""
        return set(self._numbers(POINTS, _POINT))

    def failures(self) -> dict[int, dict[str, Any]]:
        """Return what is known of points that failed, by their number."""
        found = {}
        for index in self._numbers(FAILED, _FAILURE):
            with suppress(OSError, ValueError):
                told = json.loads(self._failure_path(index).read_text())
                found[index] = told if isinstance(told, dict) else {}
        return found

    def running(self) -> dict[int, str]:
        """Return the points that are being computed, and by whom."""
        pieces = ((index, owner(path)) for index, path in self._numbered(CLAIMS, _CLAIM))
        return {**dict(self._slots.taken()), **{index: who for index, who in pieces if who}}

    def begun(self) -> set[int]:
        """Return the points of which something is kept to go on from."""
        return set(self._numbers(POINTS, _PARTS)) - self.with_file()

    def cut(self) -> dict[int, int]:
        """Return the points of which pieces are there, and into how many they were cut."""
        return {index: int(path.name.split("of")[1].split(".")[0]) for index, path in self._numbered(POINTS, _CUT)}

    def _numbered(self, folder: str, pattern: re.Pattern) -> Iterator[tuple[int, Path]]:
        """Yield what has the number of a point as its name, and that."""
        with suppress(FileNotFoundError), os.scandir(self.path / folder) as listed:
            for entry in listed:
                match = pattern.fullmatch(entry.name)
                if match and int(match[1]) < len(self):
                    yield int(match[1]), Path(entry.path)

    def _numbers(self, folder: str, pattern: re.Pattern) -> Iterator[int]:
        return (number for number, _ in self._numbered(folder, pattern))

    def _failure_path(self, index: int) -> Path:
        return self.path / FAILED / f"{index:06d}.json"

    def note_failure(self, index: int, told: Mapping[str, Any]) -> None:
        """Record why a point failed, instead of what was known."""
        write_json(self._failure_path(index), told)

    def forget_failure(self, index: int) -> None:
        """Let a point be missing again."""
        self._failure_path(index).unlink(missing_ok=True)

    def publish(self, runs: Sequence[tuple[int, Reader]]) -> None:
        """Keep finished runs, all small, in a pack."""
        write_pack(self.path / PACKS / f"new-{runs[0][0]:06d}-{secrets.token_hex(6)}.h5", runs)

    def results(self, index: int) -> Results:
        """Return the results of a point.

        Raises
        ------
        InputError
            It is not finished.
        UnreadableResults
            It is damaged, or another experiment's.
        """
        pack = self.packed().get(index)
        found = open_results(self.point_path(index)) if pack is None else Results(pack.reader(index))
        if found.digest != self.sweep[index].experiment.digest:
            where = self.point_path(index) if pack is None else pack.path
            raise UnreadableResults(f"{where}: holds another experiment than point {index} of the sweep")
        return found

    def readers(self, indices: Iterable[int]) -> Iterator[tuple[Point, Results]]:
        """Yield finished points and their results."""
        for index in indices:
            yield self.sweep[index], self.results(index)

    def check_before_copying(self, indices: Iterable[int], but: Collection[str] = ()) -> None:
        """Compare the data of finished points with their checksums: a copy of damaged ones would get valid sums.

        Parameters
        ----------
        but : data sets or groups that are not copied.

        Raises
        ------
        UnreadableResults
            They are not what was written.
        """
        packed = self.packed()
        for path in {packed[index].path if index in packed else self.point_path(index) for index in indices}:
            with suppress(FileNotFoundError):  # merged just now, and checked then
                check_data(path, but)

    def check(self) -> int:
        """Return how many points are finished, all of their data having been checked.

        Raises
        ------
        UnreadableResults
            Data are not what was written, or another experiment's.
        """
        for path in (*{pack.path for pack in self.packed().values()}, *map(self.point_path, self.with_file())):
            check_data(path)
        done = self.done()
        for index in done:
            self.results(index)
        return len(done)

    def merge(self) -> None:
        """Bring the small points into full packs in their order, so that a finished folder does not tell who did what.

        Pack k has those of the points from 1,000 k on; only packs that change are written.

        Raises
        ------
        StoreError
            The disk is full, say, or data are not what was written; everything is where it was.
        """
        lock = self._merging()
        try:
            self._listed_at = -1
            packs = self.packed()
            self._clear_temporaries()
            # Also those that have nothing but what others have: a kill may have left both.
            new = {pack.path: pack for pack in self._packs.values() if pack.path.name.startswith("new-")}
            files = {index for index in self.with_file() if is_small(open_file(self.point_path(index)))}
            kept = packs.keys() | files
            changed = {index // A_PACK for index in (*files, *itertools.chain(*new.values())) if index in kept}
            insides = [range(k * A_PACK, min((k + 1) * A_PACK, len(self))) for k in sorted(changed)]
            self.check_before_copying(index for inside in insides for index in inside if index in kept)
            for inside in insides:
                target = self.path / PACKS / f"{inside.start:06d}-{inside.stop - 1:06d}.h5"
                made = target.with_name(f"{target.stem}.merged")
                write_pack(made, ((index, self._small_reader(index)) for index in inside if index in kept))
                os.replace(made, target)
            if changed:
                sync_folder(self.path / PACKS)
            for path in (*new, *map(self.point_path, files)):
                path.unlink(missing_ok=True)
            self._clear_claims()
        finally:
            lock.release()

    def _clear_temporaries(self) -> None:
        """Remove what killed processes were writing: of merges all, since this one has the lock; of workers the old."""
        for path in (self.path / PACKS).iterdir():
            with suppress(FileNotFoundError):
                if _MERGED.fullmatch(path.name) or (
                    path.suffix == ".tmp" and time.time() - path.stat().st_mtime > _ABANDONED
                ):
                    path.unlink()

    def _clear_claims(self) -> None:
        """Remove what the claims of pieces left whose owners were killed."""
        for _, path in self._numbered(CLAIMS, _CLAIM):
            with suppress(Taken):
                Lock(path).release()

    def _merging(self) -> Lock:
        end = time.monotonic() + _MERGE_WITHIN
        while True:
            try:
                return Lock(self.path / CLAIMS / "merge")
            except Taken as error:
                if time.monotonic() > end:
                    raise StoreError(f"{self.path}: {error} has been merging it for {_MERGE_WITHIN:g} s") from error
                time.sleep(_GRANULARITY)

    def _small_reader(self, index: int) -> Reader:
        pack = self.packed().get(index)
        return open_file(self.point_path(index)) if pack is None else pack.reader(index)


def _identified(folder: Path) -> Iterator[tuple[tuple[str, int, int], Path]]:
    """Yield the packs of a folder, and what tells each from another of its name."""
    with os.scandir(folder) as listed:
        for entry in listed:
            with suppress(FileNotFoundError):  # merged just now
                if entry.name.endswith(".h5"):
                    found = entry.stat()
                    yield (entry.name, found.st_ino, found.st_mtime_ns), folder / entry.name


def is_small(reader: Reader) -> bool:
    """Does a finished run go into a pack? All who compute it agree."""
    header = reader.header
    arrays = [*reader.metrics.values(), *reader.states.values()]
    n_bytes = sum(values.nbytes for values in arrays)
    n_bytes += 0 if reader.forgotten is None else reader.forgotten.nbytes
    n_bytes += 0 if header.truth is None else header.truth.probabilities.nbytes
    return not header.trajectory and n_bytes <= SMALL_BYTES


def make_folder(path: Path, sweep: Sweep) -> SweepFolder:
    """Return the folder of a sweep, made if it is not there.

    Raises
    ------
    InputError
        See `check_folder`.
    StoreError
        It cannot be written.
    """
    write_manifest(path, sweep)
    return SweepFolder(path)
