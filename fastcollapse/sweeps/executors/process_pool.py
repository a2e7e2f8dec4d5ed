"""Process pool: spawned processes of this machine; a worker that dies is replaced and its task is retried."""

import atexit
import concurrent.futures
import ctypes
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any

from fastcollapse.errors import InputError
from fastcollapse.sweeps.executors.base import (
    TASKS_AHEAD,
    Executor,
    Result,
    Task,
    WorkerDied,
    available_cores,
    limit_threads,
)

# Worker deaths after which a task is quarantined: it is retried with no other task running.
_QUARANTINE_AFTER = 2
# Seconds that workers have to commit their results before they are killed.
_STOP_SECONDS = 1.2
_PR_SET_PDEATHSIG = 1
# Exit status of a worker whose script asks for processes while the worker imports it.
_UNGUARDED = 78
# Where memory runs out, the system ends a worker before the parent, which reports the point, and other programs.
_OOM_SCORE = "500"


class ProcessPool(Executor):
    """Run tasks in spawned processes of this machine.

    Parameters
    ----------
    n_workers : number of processes, at least 1.
    threads : threads of each process; None for its share of the cores, at least 1.

    Raises
    ------
    InputError
        `n_workers` is below 1, or this process cannot start others.
    """

    def __init__(self, n_workers: int, threads: int | None = None) -> None:
        if n_workers < 1:
            raise InputError(f"jobs must be at least 1, got {n_workers}")
        if multiprocessing.current_process().daemon:
            raise InputError("a process of multiprocessing.Pool cannot start others: use no executor there")
        self._n_workers = n_workers
        self._given_threads = threads
        self.threads = limit_threads(max(1, available_cores() // n_workers)) if threads is None else threads

    @property
    def n_workers(self) -> int:
        """Number of processes."""
        return self._n_workers

    def end_unguarded_worker(self) -> None:
        """End this process if it is a worker that still imports the script of its parent, which reports the status.

        The script then starts processes outside `if __name__ == "__main__":`, and each would start others.
        """
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            os._exit(_UNGUARDED)

    def with_at_most(self, n_workers: int) -> "ProcessPool":
        """Return a pool of at most this number of processes; each has a larger share of the cores."""
        return self if n_workers >= self._n_workers else ProcessPool(n_workers, self._given_threads)

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results in the order in which they are finished.

        The standard pool ends all of its workers if one of them dies. A new pool then retries the tasks that were
        running. A task that was running during repeated deaths is retried alone, which shows if it is the cause.

        Raises
        ------
        InputError
            The script asks for processes outside `if __name__ == "__main__":`, see `end_unguarded_worker`.
        """
        waiting, retries = iter(tasks), RetryQueue()
        while True:
            for task in retries.quarantined():
                yield from self._run_alone(function, task)
            broken: list[Task] = []
            yield from self._run_until_broken(
                function, lambda n: retries.pop(n) or [*itertools.islice(waiting, n)], broken
            )
            if not broken:
                return
            retries.add(broken)

    def _run_alone(self, function: Callable[..., Any], task: Any) -> Iterator[Any]:
        broken: list[Any] = []
        only = RetryQueue([task])
        yield from self._run_until_broken(function, only.pop, broken, n_workers=1)
        if broken:
            if self._lost is None:
                raise WorkerDied(f"the worker of a task has died {_QUARANTINE_AFTER + 1} times")
            yield self._lost(task)

    def _run_until_broken(
        self,
        function: Callable[..., Any],
        pop: Callable[[int], list[Any]],
        broken: list[Any],
        n_workers: int | None = None,
    ) -> Iterator[Any]:
        """Yield results until no task is left or a worker has died; `broken` then receives the unfinished tasks."""
        n_workers = n_workers or self.n_workers
        others, started = set(multiprocessing.active_children()), set[Any]()
        pool = concurrent.futures.ProcessPoolExecutor(
            n_workers, multiprocessing.get_context("spawn"), _start_worker, (os.getpid(),)
        )
        running: dict[concurrent.futures.Future[Any], Any] = {}
        waiting: list[Any] = []
        finished = False
        try:
            # Workers start, and import what the function needs, while the first tasks are prepared.
            for _ in range(n_workers):
                pool.submit(_import_function, function)
            started = set(multiprocessing.active_children()) - others
            while True:
                waiting += pop(n_workers * TASKS_AHEAD - len(running))
                while waiting:
                    future = pool.submit(_run_in_worker, function, waiting[0], self.threads)
                    running[future] = waiting.pop(0)
                if not running:
                    break
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del running[future]
                    yield result
            finished = True
        except BrokenProcessPool:
            if any(worker.exitcode == _UNGUARDED for worker in started):
                raise InputError(
                    'a script that runs a sweep in processes must do so under `if __name__ == "__main__":`, '
                    "because each process imports the script"
                ) from None
            broken += [*running.values(), *waiting]
        finally:
            if not finished:
                _stop(set(multiprocessing.active_children()) - others)
            pool.shutdown(wait=True, cancel_futures=True)


class RetryQueue:
    """Tasks to retry, and the number of worker deaths during each.

    Parameters
    ----------
    tasks : tasks in the queue at the start.
    """

    def __init__(self, tasks: Iterable[Any] = ()) -> None:
        self._tasks = list(tasks)
        self._deaths: Counter[Any] = Counter()

    def add(self, tasks: Sequence[Any]) -> None:
        """Add the tasks that were unfinished when a worker died."""
        self._deaths.update(tasks)
        self._tasks += tasks

    def quarantined(self) -> list[Any]:
        """Remove and return tasks that were running during repeated worker crashes."""
        found = [task for task in self._tasks if self._deaths[task] >= _QUARANTINE_AFTER]
        self._tasks = [task for task in self._tasks if self._deaths[task] < _QUARANTINE_AFTER]
        return found

    def pop(self, n: int) -> list[Any]:
        """Remove and return up to n tasks."""
        found, self._tasks = self._tasks[:n], self._tasks[n:]
        return found


def _start_worker(parent: int) -> None:
    """Ignore signals of the terminal, which the parent handles, and end this process when the parent ends."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(_OOM_SCORE)
    if os.getppid() != parent:
        os._exit(1)
    # Shutting down an interpreter with compiled code takes 0.3 s, and nothing depends on it.
    atexit.register(os._exit, 0)


def _import_function(function: Callable[..., Any]) -> None:
    """Do nothing: receiving the function imports its module."""


def _run_in_worker(function: Callable[..., Any], task: Any, threads: int | None) -> Any:
    try:
        return function(task, threads)
    except KeyboardInterrupt as stopped:
        os._exit(getattr(stopped, "status", 1))  # the pool would start the next task


def _stop(workers: Iterable[Any]) -> None:
    """Let processes commit their results, then end them."""
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + _STOP_SECONDS
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
    for worker in workers:
        if worker.is_alive():
            worker.kill()
            worker.join()
