"""Folder of a sweep: which of its points are done, failed or being computed (FORMAT.md)."""

import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastcollapse.datasets.data_files import changed_files
from fastcollapse.errors import InputError, StoreError, UnreadableResults
from fastcollapse.simulation.recorded_run import RecordedRun, open_run
from fastcollapse.storage.atomic_write import Rename, remove_abandoned
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import AlreadyLocked, Lock, owner
from fastcollapse.storage.json_text import parse_json
from fastcollapse.storage.pack import Pack, write_pack
from fastcollapse.storage.range_lock import RangeLock, RangeLocks
from fastcollapse.storage.readers import check_data
from fastcollapse.storage.regular_file import read_regular
from fastcollapse.sweeps.manifest import (
    CLAIMS,
    FAILED,
    FOLDERS,
    MANIFEST,
    PACKS,
    POINTS,
    read_manifest,
    sweep_of,
    write_json,
    write_manifest,
)
from fastcollapse.sweeps.panel_scores import PanelScore
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.replicate_ranges import WorkUnit

# Record of a failure: a message and a traceback.
_MAX_FAILURE_BYTES = 4 << 20
# Two changes of a folder within this time, in seconds, may have the same time stamp.
TIME_STAMP_SECONDS = 0.05
# Lock file in the folder of claims, with one byte range for each point.
LOCK_FILE = "points"
_RANGE = r"(?:-\d+of\d+)?"
_POINT, _FAILURE, _CLAIM = (re.compile(rf"(\d+){end}") for end in (r"\.h5", r"\.json", r"-\d+of\d+"))
_SPLIT = re.compile(r"(\d+)-\d+of\d+\.h5(?:\.parts)?")
_PARTS = re.compile(rf"(\d+){_RANGE}\.h5(?:\.parts)?")


class SweepFolder:
    """Folder that holds a sweep.

    Parameters
    ----------
    path : the folder; `make_folder` makes a new one.

    Attributes
    ----------
    inputs : SHA-256 of the data files of the sweep by path: those in its manifest, and those of the points read so far.

    Raises
    ------
    InputError
        The folder is not that of a sweep, has a newer format, or has a damaged manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = read_manifest(path)
        self.sweep = sweep_of(path / MANIFEST, self.manifest)
        self.inputs: dict[str, str] = dict(self.manifest.get("inputs", {}))
        self._packs: dict[tuple[str, int, int], Pack] = {}
        self._packed: dict[int, Pack] = {}
        self._listed_at = -1
        self._locks = RangeLocks(path / CLAIMS / LOCK_FILE)

    def __len__(self) -> int:
        return len(self.sweep)

    def point_path(self, index: int) -> Path:
        """Return the path of the results file of a point."""
        return self.path / POINTS / f"{index:06d}.h5"

    def claim(self, unit: WorkUnit) -> Lock | RangeLock | None:
        """Return an exclusive lock on a unit, or None if another process has it; it ends with its process."""
        if unit.n_ranges == 1:
            return self._locks.claim(unit.point)
        try:
            return Lock(self.path / CLAIMS / unit.name)
        except AlreadyLocked:
            return None

    def clear_claims(self) -> None:
        """Remove the claims of replicate ranges that killed processes have left."""
        for _, path in self._numbered(CLAIMS, _CLAIM):
            with suppress(AlreadyLocked):
                Lock(path).release()

    def is_done(self, index: int) -> bool:
        """Whether a point is finished now, by any process."""
        return os.path.lexists(self.point_path(index)) or index in self.packed()

    def packed(self) -> Mapping[int, Pack]:
        """Return the current packs by the numbers of their points."""
        folder = self.path / PACKS
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:  # a copy without empty folders
            return {}
        except OSError as error:
            raise UnreadableResults(f"{folder}: cannot be read: {error.strerror}") from error
        if changed == self._listed_at:
            return self._packed
        listed = dict(_identified(folder))
        if listed.keys() != self._packs.keys():
            for key in self._packs.keys() - listed:
                del self._packs[key]
            for key in listed.keys() - self._packs.keys():
                with suppress(FileNotFoundError):  # a concurrent merge has removed it; the next call lists its target
                    self._packs[key] = Pack(listed[key])
            self._packed = {index: pack for pack in self._packs.values() for index in pack if index < len(self)}
        # Only a stamp that is old enough differs from the stamp of a later change.
        self._listed_at = changed if time.time_ns() - changed > TIME_STAMP_SECONDS * 1e9 else -1
        return self._packed

    def packs(self) -> list[Pack]:
        """Return all current packs, read anew, also those whose points are all in other packs."""
        self._listed_at = -1
        self.packed()
        return list(self._packs.values())

    def done(self) -> set[int]:
        """Return the finished points."""
        return self.with_file() | set(self.packed())

    def with_file(self) -> set[int]:
        """Return the finished points that have a file of their own."""
        return set(self._numbers(POINTS, _POINT))

    def failures(self) -> dict[int, dict[str, Any]]:
        """Return the records of points that have failed, by point."""
        found = {}
        for index in self._numbers(FAILED, _FAILURE):
            record = None
            try:
                record = parse_json(read_regular(self._failure_path(index), _MAX_FAILURE_BYTES))
            except FileNotFoundError:  # a concurrent retry has removed it
                continue
            except (OSError, ValueError):
                pass
            found[index] = record if isinstance(record, dict) else {}
        return found

    def running(self) -> dict[int, str]:
        """Return the processes that are computing points, by point."""
        ranges = ((index, owner(path)) for index, path in self._numbered(CLAIMS, _CLAIM))
        return {**dict(self._locks.held()), **{index: process for index, process in ranges if process}}

    def begun(self) -> set[int]:
        """Return the unfinished points that have saved parts or replicate ranges."""
        return set(self._numbers(POINTS, _PARTS)) - self.with_file()

    def split(self) -> dict[int, int]:
        """Return the number of replicate ranges by point, for the points that are split."""
        return {index: int(path.name.split("of")[1].split(".")[0]) for index, path in self._numbered(POINTS, _SPLIT)}

    def _numbered(self, folder: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, Path]]:
        """Yield the entries whose name begins with the number of a point, with that number."""
        for name in _names(self.path / folder):
            match = pattern.fullmatch(name)
            if match and int(match[1]) < len(self):
                yield int(match[1]), self.path / folder / name

    def _numbers(self, folder: str, pattern: re.Pattern[str]) -> Iterator[int]:
        return (number for number, _ in self._numbered(folder, pattern))

    def _failure_path(self, index: int) -> Path:
        return self.path / FAILED / f"{index:06d}.json"

    def note_failure(self, index: int, record: Mapping[str, Any]) -> None:
        """Write the record of a point that has failed; an earlier record is replaced."""
        write_json(self._failure_path(index), record, Rename(replace=True))

    def forget_failure(self, index: int) -> None:
        """Remove the record of a failure, so that the point counts as missing again."""
        self._failure_path(index).unlink(missing_ok=True)

    def check_unchanged(self) -> None:
        """Check that the folder is still that of this sweep.

        Raises
        ------
        StoreError
            It was removed, or another sweep has been started in it.
        """
        with suppress(InputError):
            manifest = read_manifest(self.path)
            if all(manifest[key] == self.manifest[key] for key in ("digest", "seed")):
                return
        raise StoreError(f"{self.path}: was removed or is the folder of another sweep now; nothing is written to it")

    def remove_abandoned(self) -> None:
        """Remove the temporary files that killed processes have left."""
        for name in FOLDERS:
            remove_abandoned(self.path / name)

    def publish(self, runs: Sequence[tuple[int, Reader]]) -> None:
        """Write finished small runs into a new pack.

        Raises
        ------
        StoreError
            The pack cannot be written; or see `check_unchanged`.
        """
        self.check_unchanged()
        write_pack(self.path / PACKS / f"new-{runs[0][0]:06d}-{secrets.token_hex(6)}.h5", runs)

    def results(self, index: int) -> RecordedRun:
        """Return the results of a point.

        Raises
        ------
        InputError
            The point is not finished.
        UnreadableResults
            The file is damaged or holds another experiment.
        """
        pack = self.packed().get(index)
        found = open_run(self.point_path(index)) if pack is None else RecordedRun(pack.reader(index))
        path = self.point_path(index) if pack is None else pack.path
        if found.digest != self.sweep[index].experiment.digest:
            raise UnreadableResults(f"{path}: holds another experiment than point {index} of the sweep")
        changed = changed_files(self.inputs, found.inputs)
        if changed:
            raise UnreadableResults(f"{path}: holds point {index} of other data than the sweep: {'; '.join(changed)}")
        self.inputs |= found.inputs
        return found

    def scores(self) -> dict[int, list[PanelScore]]:
        """Return nothing: a folder keeps no scores, its points are compared anew. A collected sweep has them."""
        return {}

    def check_before_copying(self, indices: Iterable[int], skip: Collection[str] = ()) -> None:
        """Compare the data of finished points with their checksums: a copy of damaged data would get valid checksums.

        Parameters
        ----------
        skip : data sets or groups that are not copied.

        Raises
        ------
        UnreadableResults
            A checksum does not match.
        """
        packed = self.packed()
        for path in {packed[index].path if index in packed else self.point_path(index) for index in indices}:
            with suppress(FileNotFoundError):  # a concurrent merge has checked and removed it
                check_data(path, skip)

    def check(self) -> int:
        """Compare all data with their checksums and return the number of finished points.

        Raises
        ------
        UnreadableResults
            A checksum does not match, or a file holds another experiment.
        """
        for path in (*{pack.path for pack in self.packed().values()}, *map(self.point_path, self.with_file())):
            with suppress(FileNotFoundError):  # a concurrent merge has checked and removed it
                check_data(path)
        done = self.done()
        for index in done:
            self.results(index)
        return len(done)


def _identified(folder: Path) -> Iterator[tuple[tuple[str, int, int], Path]]:
    """Yield the packs of a folder with a key that differs for a replaced pack of the same name."""
    for name in _names(folder):
        if name.endswith(".h5"):
            try:
                found = os.stat(folder / name)
            except FileNotFoundError:  # a concurrent merge has removed it
                continue
            except OSError as error:
                raise UnreadableResults(f"{folder / name}: cannot be read: {error.strerror}") from error
            yield (name, found.st_ino, found.st_mtime_ns), folder / name


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, which may be missing in a copy without empty folders."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableResults(f"{folder}: cannot be read: {error.strerror}") from error


def make_folder(path: Path, sweep: Sweep) -> SweepFolder:
    """Return the folder of a sweep; a new one is made.

    Raises
    ------
    InputError
        See `check_folder`.
    StoreError
        The folder cannot be written.
    """
    write_manifest(path, sweep)
    return SweepFolder(path)
