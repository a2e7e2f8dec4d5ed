"""Task queue of a sweep: groups units into tasks, splits long points and keeps count of the results."""

import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.memory_budget import megabytes
from fastcollapse.simulation.memory_estimate import estimate_bytes
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.precompile import precompile
from fastcollapse.sweeps.replicate_ranges import WorkUnit, most_ranges, replicate_ranges
from fastcollapse.sweeps.worker import Report, Task

# Target duration of a task in seconds: it has many points if they are short.
_TASK_SECONDS = 0.5
# Seconds after which a worker returns the remaining units of a task.
_RETURN_SECONDS = 4 * _TASK_SECONDS
# A task has at most this share of a worker's part of the queue, so that all workers finish at about the same time.
_SHARES = 4
# A point is split if there are more workers than points left and it takes longer than this, in seconds.
_SPLIT_SECONDS = 4.0
# Duration of the trial run that estimates the time of a point, in seconds.
_TRIAL_SECONDS = 0.5
# Number of points that are searched for kernels to compile.
PRECOMPILED_POINTS = 200


@dataclasses.dataclass
class Outcome:
    """Result of a sweep, or of one shard of it.

    Parameters
    ----------
    total : number of units, finished or not.
    earlier : number of units that were finished before.
    done, failed : number of units that succeeded, that failed in this call.
    known_failures : number of points that failed before and were not retried.
    split : whether some of the units are ranges of a point.
    busy : points that another process is computing.
    warnings : warnings of the points, each once.
    """

    total: int
    earlier: int = 0
    done: int = 0
    failed: int = 0
    known_failures: int = 0
    split: bool = False
    busy: set[int] = dataclasses.field(default_factory=set)
    warnings: dict[str, None] = dataclasses.field(default_factory=dict)

    @property
    def settled(self) -> int:
        """Number of units that have succeeded or failed, now or before."""
        return self.earlier + self.known_failures + self.done + self.failed

    @property
    def succeeded(self) -> bool:
        """Whether no point has failed, now or before."""
        return self.failed + self.known_failures == 0


class TaskQueue(Iterator[Task]):
    """Remaining units as an iterator of tasks; the size of each task depends on the results so far.

    Parameters
    ----------
    folder : folder of the sweep.
    units : units to compute.
    n_workers : number of workers; None if it is not known.
    cold : whether to compile the kernels before the first task; the workers of a pool start at the same time.
    can_split : whether a long point may be split into replicate ranges if there are fewer units than workers. A point
        that has been started in one range is not split.
    compiled : called when the kernels are compiled.
    """

    def __init__(
        self,
        folder: SweepFolder,
        units: Sequence[WorkUnit],
        n_workers: int | None,
        *,
        cold: bool,
        can_split: bool,
        compiled: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._units = deque(units)
        self._n_workers = n_workers or 1
        self._cold = cold
        self._can_split = can_split
        self._compiled = compiled
        self._unsplit = folder.begun()
        self._n_added = 0
        self._single: set[WorkUnit] = set()
        self._recent: deque[float] = deque(maxlen=2 * self._n_workers)

    def __next__(self) -> Task:
        if not self._units:
            raise StopIteration
        if self._cold:
            self._cold = False
            first = list(self._units)[:PRECOMPILED_POINTS]
            precompile(self._folder.sweep[unit.point].experiment for unit in first)
            self._compiled()
        if self._can_split and len(self._units) < self._n_workers:
            self._split_next()
        n = 1
        if self._recent and self._units[0] not in self._single:
            share = math.ceil(len(self._units) / (_SHARES * self._n_workers))
            # The fastest recent task counts: the first tasks compile, and a worker returns a part of a task too large.
            n = max(1, min(share, int(_TASK_SECONDS / max(min(self._recent), 1e-6))))
        units = tuple(self._units.popleft() for _ in range(min(n, len(self._units))))
        return Task(str(self._folder.path.resolve()), units, _RETURN_SECONDS)  # workers may run in other folders

    def _split_next(self) -> None:
        """Split the next unit if it is a long point that is not split yet."""
        point = self._units[0].point
        if self._units[0].n_ranges > 1 or point in self._unsplit:
            return
        self._unsplit.add(point)
        experiment = self._folder.sweep[point].experiment
        n_ranges = min(math.ceil(self._n_workers / len(self._units)), most_ranges(experiment))
        if n_ranges > 1 and estimate_seconds(experiment) > _SPLIT_SECONDS:
            self._units.popleft()
            self._units.extendleft(reversed(replicate_ranges(point, n_ranges)))
            self._n_added += n_ranges - 1

    def record(self, report: Report, outcome: Outcome) -> None:
        """Add the report of a task to the outcome, and its remaining units to the queue."""
        self._units.extend(report.remaining)
        outcome.total += self._n_added
        outcome.split |= self._n_added > 0
        self._n_added = 0
        n_done = report.done + report.failed
        if n_done:
            self._recent.append(report.seconds / n_done)
        outcome.done += report.done
        outcome.failed += report.failed
        outcome.busy |= {unit.point for unit in report.busy}
        outcome.warnings.update(dict.fromkeys(report.warnings))

    def lost(self, task: Task) -> Report:
        """Return the report of a task that ends its workers.

        The units of the task are then dispatched one by one. A single unit has failed.
        """
        if len(task.units) > 1:
            self._single |= set(task.units)
            return Report(0, 0, (), task.units, 0.0)
        point = task.units[0].point
        error = "its worker was killed in every attempt, by the system (out of memory) or by a crash"
        with suppress(Exception):  # a point that cannot be estimated
            n_bytes = estimate_bytes(task.units[0].experiment(self._folder.sweep[point].experiment))
            error += f"; it needs about {megabytes(n_bytes)}"
        self._folder.note_failure(point, {"point": point, "error": error, "traceback": ""})
        return Report(0, 1, (), (), 0.0)


class _TimeIsUp(Exception):
    pass


def estimate_seconds(experiment: Experiment, threads: int | None = None) -> float:
    """Return about how long an experiment takes, from a trial of its first generations; 0 if the trial fails.

    Parameters
    ----------
    threads : number of threads of the trial, by default all.
    """
    start, done = time.monotonic(), 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        if time.monotonic() - start > _TRIAL_SECONDS:
            raise _TimeIsUp

    try:
        execute(plan_run(experiment), progress=count, threads=threads)
    except _TimeIsUp:
        return (time.monotonic() - start) * experiment.run.n_generations / done
    except Exception:  # the worker reports the error when it computes the point
        return 0.0
    return time.monotonic() - start
