"""Executor interface, and the cores and threads of this machine."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from fastcollapse.errors import FastcollapseError

Task = TypeVar("Task")
Result = TypeVar("Result")
# Tasks queued for each worker, so that no worker waits for its next task.
TASKS_AHEAD = 2


class WorkerDied(FastcollapseError):
    """A task ends every worker that runs it."""


class Executor(ABC):
    """Interface of executors: `map` calls a function for every task.

    Tasks are taken from their iterator as late as possible, because an iterator may add tasks once it knows the results
    of earlier ones.
    """

    _lost: Callable[[Any], Any] | None = None

    @property
    def n_workers(self) -> int | None:
        """Number of tasks that run at the same time; None if it is not known."""
        return None

    def on_lost(self, lost: Callable[[Any], Any]) -> None:
        """Set the function that gives the result of a task that ends every worker; without one, `map` raises."""
        self._lost = lost

    @abstractmethod
    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield `function(task, threads)` for every task, in any order."""

    def close(self) -> None:  # noqa: B027
        """Release the resources that the executor has opened; most executors have none."""


def limit_threads(threads: int) -> int:
    """Return a number of threads, but not more than NUMBA_NUM_THREADS allows."""
    allowed = os.environ.get("NUMBA_NUM_THREADS", "")
    return min(threads, int(allowed)) if allowed.isdigit() and int(allowed) else threads


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))
