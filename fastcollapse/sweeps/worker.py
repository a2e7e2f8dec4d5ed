"""What a worker does, wherever it is: claim points of a folder, compute them, keep them."""

import functools
import json
import os
import signal
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

from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import FastcollapseError, StoreError, UnreadableResults
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.simulate import execute
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import Lock
from fastcollapse.storage.pack import write_run
from fastcollapse.storage.parts_folder import is_begun
from fastcollapse.storage.range_lock import Slot
from fastcollapse.storage.readers import check_file
from fastcollapse.storage.spill_store import LateStore
from fastcollapse.sweeps.folder import SweepFolder, is_small
from fastcollapse.sweeps.replicate_ranges import Unit, joined, piece_paths

# Finished points are kept after so much work: what a kill may cost, against a file for each.
_KEEP_SECONDS = 0.2
# A truth may be a corpus, and the points of a sweep often have one.
_TRUTHS = 4
# Parallel kernels of two threads of one process would abort it: a Dask worker may have several.
_one_at_a_time = threading.Lock()


class Task(NamedTuple):
    """Units to compute in the order given, and the seconds after which what is left goes back."""

    folder: str
    units: tuple[Unit, ...]
    seconds: float


@dataclass(frozen=True)
class Report:
    """What became of a task.

    Parameters
    ----------
    done, failed : numbers of units; what was done already is done.
    busy : units that another process is computing.
    left : units that have to be given out again.
    seconds : what the units took.
    words : warnings, each once.
    """

    done: int
    failed: int
    busy: tuple[Unit, ...]
    left: tuple[Unit, ...]
    seconds: float
    words: tuple[str, ...] = ()


def work(task: Task, threads: int | None = None, interrupts: Interrupts | None = None) -> Report:
    """Compute the units of a task, as far as they are neither done nor being computed.

    A unit that fails is noted in the folder, and the next one is begun.

    Parameters
    ----------
    threads, interrupts : as for `simulate`.

    Raises
    ------
    StoreError
        Nothing can be written, say.
    KeyboardInterrupt
        A signal has come; what is done is kept.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    stopping = Interrupts(signals) if interrupts is None else nullcontext(interrupts)
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught, stopping as held:
        warnings.simplefilter("always")
        report = _Work(_folder(task.folder, _stamp(task.folder)), threads, held).through(task)
        words = tuple(dict.fromkeys(str(one.message) for one in caught))
        return Report(*report, words=words)


def _stamp(folder: str) -> int:
    return os.stat(os.path.join(folder, "sweep.json")).st_mtime_ns


@functools.lru_cache(maxsize=2)
def _folder(path: str, stamp: int) -> SweepFolder:
    return SweepFolder(Path(path))


class _Work:
    """The points of one task that are finished and not yet kept, and what computes them."""

    def __init__(self, folder: SweepFolder, threads: int | None, interrupts: Interrupts) -> None:
        self._folder = folder
        self._threads = threads
        self._interrupts = interrupts
        self._finished: list[tuple[int, Reader]] = []
        self._claims: list[Lock | Slot] = []
        self._kept_at = time.monotonic()

    def through(self, task: Task) -> tuple[int, int, tuple[Unit, ...], tuple[Unit, ...], float]:
        start = self._kept_at = time.monotonic()
        busy: list[Unit] = []
        left: Sequence[Unit] = ()
        done = failed = 0
        try:
            for i, unit in enumerate(task.units):
                if i and time.monotonic() - start > task.seconds:
                    left = task.units[i:]
                    break
                claim = self._folder.claim(unit)
                if claim is None:
                    busy.append(unit)
                    continue
                self._claims.append(claim)
                if self._folder.is_done(unit.point) or self._succeeds(unit):
                    done += 1
                else:
                    failed += 1
                if time.monotonic() - self._kept_at > _KEEP_SECONDS:
                    self._keep()
        finally:  # also if a signal has come
            self._keep()
        return done, failed, tuple(busy), tuple(left), time.monotonic() - start

    def _keep(self) -> None:
        """Publish what is finished, then let go of the claims."""
        with self._interrupts.held():
            try:
                if self._finished:
                    self._folder.publish(self._finished)
            finally:
                for claim in self._claims:
                    claim.release()
                self._finished, self._claims, self._kept_at = [], [], time.monotonic()

    def _succeeds(self, unit: Unit) -> bool:
        try:
            experiment = self._folder.sweep[unit.point].experiment
            if unit.of == 1:
                self._whole(unit.point, experiment)
            else:
                self._piece(unit, experiment)
            return True
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, UnreadableResults):
                raise
            self._folder.note_failure(unit.point, _told(unit, error))
            return False

    def _whole(self, index: int, experiment: Experiment) -> None:
        path = self._folder.point_path(index)
        truth = _truth_of(experiment)
        common: dict[str, Any] = {"threads": self._threads, "interrupts": self._interrupts}
        if is_begun(path):
            execute(plan_run(experiment, path, "resume", truth=truth), **common)
            return
        plan = plan_run(experiment, truth=truth, store=lambda header: LateStore(header, path))
        results = execute(plan, **common)
        if results.path is None:
            self._take(index, results.reader)

    def _take(self, index: int, reader: Reader) -> None:
        """Keep a finished run that is in memory, or will be."""
        if is_small(reader):
            self._finished.append((index, reader))
        else:
            write_run(self._folder.point_path(index), reader)

    def _piece(self, unit: Unit, experiment: Experiment) -> None:
        paths = piece_paths(self._folder.point_path(unit.point).parent, unit.point, unit.of)
        plan = plan_run(
            unit.experiment(experiment),
            paths[unit.piece],
            "resume",
            truth=_truth_of(experiment),
            first_replicate=unit.replicates(experiment.run.n_replicates).start,
        )
        execute(plan, threads=self._threads, interrupts=self._interrupts)
        # Whoever is last finds all of them: each looks after its own has its name.
        if not all(path.exists() for path in paths):
            return
        claim = self._folder.claim(Unit(unit.point))
        if claim is None:
            return
        self._claims.append(claim)
        if not self._folder.is_done(unit.point):
            self._take(unit.point, joined(experiment, [check_file(path) for path in paths]))
            self._keep()
            for path in paths:
                path.unlink(missing_ok=True)


_truths: dict[tuple, Any] = {}


def _truth_of(experiment: Experiment) -> Any:
    """Return the loaded truth of an experiment, one of the last few."""
    key = (experiment.family, json.dumps(experiment.truth.to_mapping(), sort_keys=True), experiment.base)
    if key not in _truths:
        while len(_truths) >= _TRUTHS:
            del _truths[next(iter(_truths))]
        _truths[key] = load_truth(experiment.truth, experiment.base)
    return _truths[key]


def _told(unit: Unit, error: Exception) -> dict[str, Any]:
    """Return what is recorded of a failure."""
    text = " ".join(str(error).split()) or type(error).__name__
    expected = isinstance(error, FastcollapseError | MemoryError)
    return {
        "point": unit.point,
        "error": text if isinstance(error, FastcollapseError) else f"{type(error).__name__}: {text}",
        "traceback": "" if expected else "".join(traceback.format_exception(error)),
        "host": socket.gethostname(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
