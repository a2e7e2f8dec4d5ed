"""Run the missing points of a sweep: task scheduling and bookkeeping."""

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fastcollapse.errors import InputError
from fastcollapse.models.registry import registered
from fastcollapse.simulation.execute import use_threads
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.memory_budget import parse_bytes
from fastcollapse.sweeps.executors import Executor, ExecutorAdapter, ProcessPool, SerialExecutor
from fastcollapse.sweeps.folder import SweepFolder, make_folder
from fastcollapse.sweeps.load import SweepSource, as_sweep
from fastcollapse.sweeps.memory_of_workers import workers_that_fit
from fastcollapse.sweeps.pack_merge import merge_packs
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.progress import Progress, shown_progress
from fastcollapse.sweeps.replicate_ranges import WorkUnit, most_ranges, replicate_ranges
from fastcollapse.sweeps.task_queue import Outcome, TaskQueue
from fastcollapse.sweeps.worker import Report, Task, run_task


def run_sweep(
    sweep: SweepSource,
    path: str | Path,
    executor: Any = None,
    *,
    shard: tuple[int, int] | None = None,
    retry: bool = False,
    memory_limit: int | str | None = None,
    progress: bool | Progress | None = None,
    interrupts: Interrupts | None = None,
) -> Outcome:
    """Compute the missing points of a sweep into a folder.

    Parameters
    ----------
    sweep : a sweep, its mapping, the path of its TOML file, or the name of a shipped sweep.
    path : a new folder, or the folder of this sweep; `fastcollapse.open_sweep` reads it.
    executor : None for this process, a number of processes, the address of a Dask scheduler, a Dask client, any object
        with a `map` method, or an executor of `fastcollapse.sweeps.executors`.
    shard : (i, n) for the i-th of n shares, from 1; other processes compute the other shares.
    retry : whether to retry points that have failed before.
    memory_limit : maximum memory of all processes together, in bytes or as text such as "2GB", by default what is
        available; fewer processes run if their points may need more. Only for this process and for a number of
        processes; never changes a number.
    progress : true for a progress bar (tqdm), or a function that is called with the outcome so far: at the start, again
        when the kernels are compiled, and after every task.
    interrupts : handler of signals that is already active.

    Returns
    -------
    Numbers of all units, and of those that were finished before, are done or have failed; and the warnings. The unit is
    a point, or a range of the replicates of a long point.

    Raises
    ------
    InputError
        The folder holds something else, no point of a new sweep can load its data, or a value is refused.
    StoreError
        The results cannot be written.
    KeyboardInterrupt
        A signal has arrived; finished points are saved.

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
    sweep = as_sweep(sweep)
    i, n = _checked_shard(shard)
    limit = None if memory_limit is None else parse_bytes(memory_limit)
    with shown_progress(progress) as report_progress, closing(executor_of(executor)) as workers:
        if isinstance(workers, ProcessPool):
            workers.end_unguarded_worker()
        if isinstance(workers, SerialExecutor | ProcessPool):
            use_threads(workers.threads)  # refuses here what every point would refuse
        elif limit is not None:
            raise InputError("memory_limit must be absent with an executor of other machines, which have their own")
        if not isinstance(workers, SerialExecutor):
            _check_known_elsewhere(sweep)
        folder = make_folder(Path(path), sweep)
        units, earlier, known_failures = _missing_units(folder, _units_of_shard(folder, i, n), retry)
        if shard is None:
            units = _resume_split(folder, units)
        if units and isinstance(workers, SerialExecutor | ProcessPool):
            n_fit = workers_that_fit(folder, sorted({unit.point for unit in units}), workers.n_workers, limit)
            if isinstance(workers, ProcessPool):
                workers = workers.with_at_most(n_fit)
        outcome = Outcome(
            earlier + known_failures + len(units),
            earlier,
            known_failures=known_failures,
            split=any(unit.n_ranges > 1 for unit in units),
        )
        queue = TaskQueue(
            folder,
            units,
            workers.n_workers,
            # The processes of another executor may be forked later, and a fork of a process that has run kernels ends.
            cold=not isinstance(workers, ExecutorAdapter)
            and (shard is not None or not isinstance(workers, SerialExecutor)),
            can_split=shard is None,
            compiled=lambda: report_progress(outcome),
        )
        workers.on_lost(queue.lost)
        report_progress(outcome)
        function: Callable[[Task, int | None], Report] = run_task
        if isinstance(workers, SerialExecutor):
            function = lambda task, threads: run_task(task, threads, interrupts)  # noqa: E731
        if units:
            with closing(workers.map(function, queue)) as reports:  # type: ignore[type-var]
                for report in reports:
                    queue.record(report, outcome)
                    report_progress(outcome)
    merge_packs(folder)
    return outcome


def _check_known_elsewhere(sweep: Sweep) -> None:
    """Refuse a sweep of families that other processes do not know: a registration is valid for one process."""
    families = {sweep[0].experiment.family}
    families |= {str(axis.at(i).get("model.family")) for axis in sweep.axes for i in range(len(axis))}
    here_only = families & set(registered())
    if here_only:
        raise InputError(
            f"model.family {', '.join(sorted(here_only))} is registered in this process alone: "
            "run the sweep here, with SerialExecutor()"
        )


def _checked_shard(shard: tuple[int, int] | None) -> tuple[int, int]:
    """Return i and n of a shard, (1, 1) for None.

    Raises
    ------
    InputError
        i is not from 1 to n.
    """
    if shard is None:
        return 1, 1
    if not isinstance(shard, tuple | list) or len(shard) != 2 or {type(one) for one in shard} != {int}:
        raise InputError(f"shard must be two whole numbers (i, n), got {shard!r}")
    i, n = shard
    if n < 1 or not 1 <= i <= n:
        raise InputError(f"shard must be i/n with i from 1 to n, got {i}/{n}")
    return i, n


def executor_of(given: Any) -> Executor:
    """Return the executor for an argument `executor`; see `run_sweep`.

    Raises
    ------
    InputError
        The argument has none of the forms that `run_sweep` names.
    """
    if given is None:
        return SerialExecutor()
    if isinstance(given, int) and not isinstance(given, bool):
        return ProcessPool(given)
    if isinstance(given, Executor):
        return given
    if isinstance(given, str) or type(given).__module__.startswith("distributed."):
        from fastcollapse.sweeps.executors import DaskExecutor  # only sweeps on a Dask cluster use it

        return DaskExecutor(given)
    return ExecutorAdapter(given)


def _units_of_shard(folder: SweepFolder, i: int, n: int) -> list[WorkUnit]:
    """Return the units of the i-th of n shards, finished or not: the shards do not know of each other.

    If there are fewer points than shards, each point is split into replicate ranges.
    """
    n_ranges = math.ceil(n / len(folder))
    if n_ranges == 1:
        return [WorkUnit(index) for index in range(i - 1, len(folder), n)]
    units = []
    for index in range(len(folder)):
        units += replicate_ranges(index, min(n_ranges, most_ranges(folder.sweep[index].experiment)))
    return units[i - 1 :: n]


def _missing_units(folder: SweepFolder, units: Sequence[WorkUnit], retry: bool) -> tuple[list[WorkUnit], int, int]:
    """Return the units to compute, the number of finished units, and that of failed points that are not retried."""
    done, failures = folder.done(), folder.failures()
    failed = {unit.point for unit in units if unit.point in failures and unit.point not in done}
    if retry:
        for index in failed:
            folder.forget_failure(index)
        failed = set()
    missing = [unit for unit in units if unit.point not in done and unit.point not in failed]
    return missing, sum(unit.point in done for unit in units), len(failed)


def _resume_split(folder: SweepFolder, units: Sequence[WorkUnit]) -> list[WorkUnit]:
    """Return the units; a point that was split before is split into the same ranges."""
    split = folder.split()
    return [part for unit in units for part in replicate_ranges(unit.point, split.get(unit.point, 1))]
