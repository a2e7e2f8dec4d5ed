"""Worker of a sweep: claims points of the folder, computes them and publishes the results."""

import dataclasses
import functools
import os
import socket
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fastcollapse.errors import FastcollapseError, InputError, StoreError, UnreadableResults
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.interrupts import SIGNALS, Interrupts
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import same_truth
from fastcollapse.simulation.version_0_1 import as_version_0_1
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import Lock
from fastcollapse.storage.pack import is_small, write_run
from fastcollapse.storage.part_files import is_begun
from fastcollapse.storage.range_lock import RangeLock
from fastcollapse.storage.readers import check_file
from fastcollapse.storage.spill_store import SpillStore
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.measured import Measured, note_measured, peak_memory
from fastcollapse.sweeps.replicate_ranges import WorkUnit, concatenate_ranges, range_paths
from fastcollapse.sweeps.truth_cache import cached_truth

# Seconds of work between two packs. A kill loses at most this much work; a shorter time would make more files.
_PUBLISH_SECONDS = 0.2
# Parallel kernels in two threads of one process abort it, and a Dask worker may have several threads.
_one_task = threading.Lock()


class Task(NamedTuple):
    """Units to compute.

    Parameters
    ----------
    folder : absolute path of the folder of the sweep.
    units : units in the order of their computation.
    seconds : time after which the worker returns the remaining units.
    """

    folder: str
    units: tuple[WorkUnit, ...]
    seconds: float


@dataclass(frozen=True)
class Report:
    """Result of a task.

    Parameters
    ----------
    done, failed : number of units that succeeded, that failed; an already finished unit counts as done.
    busy : units that another process is computing.
    remaining : units to dispatch again.
    seconds : time that the units took.
    warnings : warnings, each once.
    """

    done: int
    failed: int
    busy: tuple[WorkUnit, ...]
    remaining: tuple[WorkUnit, ...]
    seconds: float
    warnings: tuple[str, ...] = ()


def run_task(task: Task, threads: int | None = None, interrupts: Interrupts | None = None) -> Report:
    """Compute the units of a task that are neither finished nor being computed.

    The error of a unit that fails is recorded in the folder, and the worker continues with the next unit.

    Parameters
    ----------
    threads, interrupts : as for `simulate`.

    Raises
    ------
    StoreError
        The results cannot be written.
    KeyboardInterrupt
        A signal has arrived; finished points are saved.
    """
    handler = Interrupts(SIGNALS) if interrupts is None else nullcontext(interrupts)
    with _one_task, warnings.catch_warnings(record=True) as caught, handler as active:
        warnings.simplefilter("always")
        report = Worker(_open_folder(task.folder, _modified(task.folder)), threads, active).run(task)
        return Report(*report, warnings=tuple(dict.fromkeys(str(warning.message) for warning in caught)))


def _modified(folder: str) -> int:
    return os.stat(os.path.join(folder, "sweep.json")).st_mtime_ns


@functools.lru_cache(maxsize=2)
def _open_folder(path: str, modified: int) -> SweepFolder:
    return SweepFolder(Path(path))


class Worker:
    """Computes the units of a task and buffers the finished points until it publishes them.

    Parameters
    ----------
    folder : folder of the sweep.
    threads, interrupts : as for `simulate`.
    """

    def __init__(self, folder: SweepFolder, threads: int | None, interrupts: Interrupts) -> None:
        self._folder = folder
        self._threads = threads
        self._interrupts = interrupts
        self._finished: list[tuple[int, Reader]] = []
        self._claims: list[Lock | RangeLock] = []
        self._measured: list[tuple[int, Measured]] = []
        self._published_at = time.monotonic()

    def run(self, task: Task) -> tuple[int, int, tuple[WorkUnit, ...], tuple[WorkUnit, ...], float]:
        """Compute the units of a task; return the first five fields of its `Report`."""
        start = self._published_at = time.monotonic()
        busy: list[WorkUnit] = []
        remaining: Sequence[WorkUnit] = ()
        done = failed = 0
        try:
            for i, unit in enumerate(task.units):
                if i and time.monotonic() - start > task.seconds:
                    remaining = task.units[i:]
                    break
                claim = self._folder.claim(unit)
                if claim is None:
                    busy.append(unit)
                    continue
                self._claims.append(claim)
                if self._folder.is_done(unit.point) or self._try_unit(unit):
                    done += 1
                else:
                    failed += 1
                if time.monotonic() - self._published_at > _PUBLISH_SECONDS:
                    self._publish()
        finally:  # also after a signal
            self._publish()
        return done, failed, tuple(busy), tuple(remaining), time.monotonic() - start

    def _publish(self) -> None:
        """Publish the finished points, then release the claims."""
        with self._interrupts.deferred():
            try:
                if self._finished:
                    self._folder.publish(self._finished)
                if self._measured:
                    note_measured(self._folder.path, self._measured)
            finally:
                for claim in self._claims:
                    claim.release()
                self._finished, self._claims, self._measured = [], [], []
                self._published_at = time.monotonic()

    def _try_unit(self, unit: WorkUnit) -> bool:
        """Compute a unit and return whether it succeeded; record the error if it did not."""
        try:
            experiment = self._folder.sweep[unit.point].experiment
            if unit.n_ranges == 1:
                start = time.monotonic()
                self._compute_point(unit.point, experiment)
                self._measured.append((unit.point, Measured(time.monotonic() - start, peak_memory())))
            else:
                self._compute_range(unit, experiment)
            return True
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, UnreadableResults):
                raise
            self._folder.note_failure(unit.point, _failure_record(unit, error))
            return False

    def _truth(self, experiment: Experiment) -> Any:
        """Return the loaded truth of the experiment of a point.

        Raises
        ------
        InputError
            The data cannot be read, a data file is not the recorded one, or the finished points of a folder of version
            0.1 have other words of the text.
        """
        truth = cached_truth(experiment, self._folder.inputs)
        before = experiment if "inputs" in self._folder.manifest else as_version_0_1(experiment)
        if before is not experiment and not same_truth(cached_truth(before, truth.inputs), truth):
            raise InputError(
                "points must have the same words as those of version 0.1, which cut words at combining marks: "
                "start a new sweep, with truth.token_pattern = '\\w+' for the old words"
            )
        return truth

    def _compute_point(self, index: int, experiment: Experiment) -> None:
        path = self._folder.point_path(index)
        truth = self._truth(experiment)
        common: dict[str, Any] = {"threads": self._threads, "interrupts": self._interrupts}
        if is_begun(path):
            # A state at the end would differ between executors: a point may be computed in memory, or in ranges.
            plan = plan_run(experiment, path, "resume", truth=truth)
            execute(dataclasses.replace(plan, keeps_state=False), **common)
            return
        plan = plan_run(experiment, truth=truth, store=lambda header: SpillStore(header, path))
        results = execute(plan, **common)
        if results.path is None:
            self._keep(index, results.reader)

    def _keep(self, index: int, reader: Reader) -> None:
        """Buffer a finished run for the next pack, or write it to its own file if it is large."""
        if is_small(reader):
            self._finished.append((index, reader))
        else:
            self._folder.check_unchanged()
            try:
                write_run(self._folder.point_path(index), reader)
            except StoreError:
                if not self._folder.is_done(index):  # without locks, another worker may have computed the same point
                    raise

    def _compute_range(self, unit: WorkUnit, experiment: Experiment) -> None:
        paths = range_paths(self._folder.point_path(unit.point).parent, unit.point, unit.n_ranges)
        plan = plan_run(
            unit.experiment(experiment),
            paths[unit.range_index],
            "resume",
            truth=self._truth(experiment),
            first_replicate=unit.replicates(experiment.run.n_replicates).start,
        )
        execute(dataclasses.replace(plan, keeps_state=False), threads=self._threads, interrupts=self._interrupts)
        # Each worker checks after it has renamed its own file, so the last worker sees all files.
        if not all(path.exists() for path in paths):
            return
        claim = self._folder.claim(WorkUnit(unit.point))
        if claim is None:
            return
        self._claims.append(claim)
        if not self._folder.is_done(unit.point):
            self._keep(unit.point, concatenate_ranges(experiment, [check_file(path) for path in paths]))
            self._publish()
            for path in paths:
                path.unlink(missing_ok=True)


def _failure_record(unit: WorkUnit, error: Exception) -> dict[str, Any]:
    """Return the content of the file of a failure (FORMAT.md)."""
    text = " ".join(str(error).split()) or type(error).__name__
    expected = isinstance(error, FastcollapseError | MemoryError)
    return {
        "point": unit.point,
        "error": text if isinstance(error, FastcollapseError) else f"{type(error).__name__}: {text}",
        "traceback": "" if expected else "".join(traceback.format_exception(error)),
        "host": socket.gethostname(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
