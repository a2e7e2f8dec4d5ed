"""A sweep from its first missing point to its last: what is given out, in which portions, and what came back."""

import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.simulate import simulate, use_threads
from fastcollapse.sweeps.executors import Dask, Executor, Here, Mapped, Pool
from fastcollapse.sweeps.folder import SweepFolder, make_folder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.precompile import warm
from fastcollapse.sweeps.replicate_ranges import Unit
from fastcollapse.sweeps.worker import Report, Task, work

# Seconds that a task should take: many points where they are short. A longer one gives back what it has not begun.
_TASK_SECONDS = 0.5
_GIVE_BACK = 4 * _TASK_SECONDS
# A worker gets at most this share of what is left, so that all end at about the same time.
_SHARES = 4
# A point is cut into pieces if there are more workers than points left, and it takes longer than this.
_WORTH_CUTTING = 4.0
_TRIED = 0.5
# Points that are looked at for kernels to compile.
_LOOKED_AT = 200


@dataclasses.dataclass
class Outcome:
    """What has come of a sweep, or of one shard of it.

    Parameters
    ----------
    total : units that were missing.
    done, failed : of these.
    known_failures : points that failed before and were not tried again.
    cut : are some of them pieces of points?
    busy : points that another process is computing.
    words : warnings of the points, each once.
    """

    total: int
    done: int = 0
    failed: int = 0
    known_failures: int = 0
    cut: bool = False
    busy: set[int] = dataclasses.field(default_factory=set)
    words: dict[str, None] = dataclasses.field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Has no point failed, now or before?"""
        return self.failed + self.known_failures == 0


def run_sweep(
    sweep: Sweep,
    path: str | Path,
    executor: Any = None,
    *,
    shard: tuple[int, int] | None = None,
    retry: bool = False,
    progress: Callable[[Outcome], None] | None = None,
    interrupts: Interrupts | None = None,
) -> Outcome:
    """Compute what is missing of a sweep, into a folder.

    Parameters
    ----------
    path : the folder; a new one, or that of this very sweep.
    executor : who computes: None for this process, a number of processes, the address of a Dask scheduler, a Dask
        client, any object with `map`, or one of `fastcollapse.sweeps.executors`.
    shard : (i, n), the i-th of n shares, from 1 on; the others are left to other processes.
    retry : try again what has failed.
    progress : called at first, again once kernels are compiled, and after every portion of points.
    interrupts : who has taken over the signals.

    Raises
    ------
    InputError
        The folder holds something else, or a value is refused.
    StoreError
        Nothing can be written.
    KeyboardInterrupt
        What is done is kept.

    Examples
    --------
    >>> import tempfile
    >>> sweep = Sweep({"model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
    ...                "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    ...                "sweep": {"grid": {"workflow.n_samples": [10, 100]}}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run_sweep(sweep, folder).done
    2
    """
    i, n = check_shard(shard)
    workers = executor_of(executor)
    if isinstance(workers, Here | Pool):
        use_threads(workers.threads)  # refuses now what every point would refuse
    folder = make_folder(Path(path), sweep)
    units, known_failures = _missing(folder, _share(folder, i, n), retry)
    if shard is None:
        units = _as_begun(folder, units)
    outcome = Outcome(len(units), known_failures=known_failures, cut=any(unit.of > 1 for unit in units))
    told: Callable[[Outcome], None] = (lambda outcome: None) if progress is None else progress
    plan = _Plan(
        folder,
        units,
        workers.n_workers,
        # How others start their processes is not known, and a fork of one that has run kernels may be ended.
        cold=not isinstance(workers, Mapped) and (shard is not None or not isinstance(workers, Here)),
        cuts=shard is None,
        compiled=lambda: told(outcome),
    )
    if isinstance(workers, Pool | Dask):
        workers.on_lost(plan.lost)
    told(outcome)
    function: Callable[[Task, int | None], Report] = work
    if isinstance(workers, Here):
        function = lambda task, threads: work(task, threads, interrupts)  # noqa: E731
    if units:
        with closing(workers.map(function, plan)) as reports:  # type: ignore[type-var]
            for report in reports:
                plan.take(report, outcome)
                told(outcome)
    folder.merge()
    return outcome


def check_shard(shard: tuple[int, int] | None) -> tuple[int, int]:
    """Return i and n of a shard, (1, 1) for None.

    Raises
    ------
    InputError
        i is not from 1 to n.
    """
    i, n = (1, 1) if shard is None else shard
    if n < 1 or not 1 <= i <= n:
        raise InputError(f"shard must be i/n with i from 1 to n, got {i}/{n}")
    return i, n


def executor_of(given: Any) -> Executor:
    """Return what an argument `executor` stands for; see `run_sweep`.

    Raises
    ------
    InputError
        It is none.
    """
    if given is None:
        return Here()
    if isinstance(given, int) and not isinstance(given, bool):
        return Pool(given)
    if isinstance(given, Here | Pool | Dask | Mapped):
        return given
    if isinstance(given, str) or type(given).__module__.startswith("distributed."):
        return Dask(given)
    return Mapped(given)


def _share(folder: SweepFolder, i: int, n: int) -> list[Unit]:
    """Return what is the i-th of n processes' to do, whatever is done of it: they know nothing of each other.

    Of fewer points than processes each is cut into pieces.
    """
    of = math.ceil(n / len(folder))
    if of == 1:
        return [Unit(index) for index in range(i - 1, len(folder), n)]
    units = []
    for index in range(len(folder)):
        n_pieces = min(of, folder.sweep[index].experiment.run.n_replicates)
        units += [Unit(index, k, n_pieces) for k in range(n_pieces)]
    return units[i - 1 :: n]


def _missing(folder: SweepFolder, share: Sequence[Unit], retry: bool) -> tuple[list[Unit], int]:
    """Return what of a share is to be computed, and how many of its points are known to fail."""
    done, failures = folder.done(), folder.failures()
    failed = {unit.point for unit in share if unit.point in failures and unit.point not in done}
    if retry:
        for index in failed:
            folder.forget_failure(index)
        failed = set()
    return [unit for unit in share if unit.point not in done and unit.point not in failed], len(failed)


def _as_begun(folder: SweepFolder, units: Sequence[Unit]) -> list[Unit]:
    """Return the units, in pieces where a point has been cut before."""
    before = folder.cut()
    return [piece for unit in units for piece in _pieces(unit.point, before.get(unit.point, 1))]


def _pieces(point: int, of: int) -> list[Unit]:
    return [Unit(point, k, of) for k in range(of)]


class _Enough(Exception):
    pass


def _seconds(experiment: Experiment) -> float:
    """Return about how long an experiment takes, by trying its first generations."""
    start, done = time.monotonic(), 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        if time.monotonic() - start > _TRIED:
            raise _Enough

    try:
        simulate(experiment, progress=count)
    except _Enough:
        return (time.monotonic() - start) * experiment.run.n_generations / done
    except Exception:  # it is told when the point is computed
        return 0.0
    return 0.0


class _Plan(Iterator[Task]):
    """The units that are left, as tasks: asked for the next one, it says how large that should be now.

    Where `cold`, kernels are compiled before the first one, and then `compiled` is called; the workers of a pool start
    meanwhile. Where it `cuts`, a long point is given out in pieces once fewer are left than there are workers, unless
    it has been begun in one.
    """

    def __init__(
        self,
        folder: SweepFolder,
        units: Sequence[Unit],
        n_workers: int | None,
        *,
        cold: bool,
        cuts: bool,
        compiled: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._units = deque(units)
        self._n_workers = n_workers or 1
        self._cold = cold
        self._cuts = cuts
        self._compiled = compiled
        self._whole = folder.begun()
        self._n_added = 0
        self._alone: set[Unit] = set()
        self._recent: deque[float] = deque(maxlen=2 * self._n_workers)

    def __next__(self) -> Task:
        if not self._units:
            raise StopIteration
        if self._cold:
            self._cold = False
            warm(self._folder.sweep[unit.point].experiment for unit in list(self._units)[:_LOOKED_AT])
            self._compiled()
        if self._cuts and len(self._units) < self._n_workers:
            self._cut()
        n = 1
        if self._recent and self._units[0] not in self._alone:
            share = math.ceil(len(self._units) / (_SHARES * self._n_workers))
            # The fastest of the last few: a first one compiles, and one that is too large comes back in part.
            n = max(1, min(share, int(_TASK_SECONDS / max(min(self._recent), 1e-6))))
        units = tuple(self._units.popleft() for _ in range(min(n, len(self._units))))
        return Task(str(self._folder.path.resolve()), units, _GIVE_BACK)  # workers may be in other folders

    def _cut(self) -> None:
        """Cut the next unit, if it is a whole point, and long."""
        point = self._units[0].point
        if self._units[0].of > 1 or point in self._whole:
            return
        self._whole.add(point)
        experiment = self._folder.sweep[point].experiment
        of = min(math.ceil(self._n_workers / len(self._units)), experiment.run.n_replicates)
        if of > 1 and _seconds(experiment) > _WORTH_CUTTING:
            self._units.popleft()
            self._units.extendleft(reversed(_pieces(point, of)))
            self._n_added += of - 1

    def take(self, report: Report, outcome: Outcome) -> None:
        """Note what came back."""
        self._units.extend(report.left)
        outcome.total += self._n_added
        outcome.cut |= self._n_added > 0
        self._n_added = 0
        n_done = report.done + report.failed
        if n_done:
            self._recent.append(report.seconds / n_done)
        outcome.done += report.done
        outcome.failed += report.failed
        outcome.busy |= {unit.point for unit in report.busy}
        outcome.words.update(dict.fromkeys(report.words))

    def lost(self, task: Task) -> Report:
        """Return what is to be done about a task that ends its workers: unit by unit, until it is known which."""
        if len(task.units) > 1:
            self._alone |= set(task.units)
            return Report(0, 0, (), task.units, 0.0)
        told = "its worker was killed each time it was tried: by the system, for want of memory, or by a crash"
        self._folder.note_failure(task.units[0].point, {"point": task.units[0].point, "error": told, "traceback": ""})
        return Report(0, 1, (), (), 0.0)
