"""Adapter for other executors: any object with a `map(function, tasks)` method."""

import concurrent.futures
import itertools
import multiprocessing.pool
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from fastcollapse.errors import InputError
from fastcollapse.sweeps.executors.base import Executor, Result, Task

_BATCH_SIZE = 64


class ExecutorAdapter(Executor):
    """Run tasks with any object that has a `map(function, tasks)` method.

    Examples of such objects are executors of concurrent.futures or mpi4py, and pools of multiprocessing.

    Parameters
    ----------
    peer : the object.
    threads : threads of each of its workers.

    Raises
    ------
    InputError
        The object has no `map` method, or it forks its processes. OpenMP ends a forked process if its parent has run
        parallel kernels.
    """

    def __init__(self, peer: Any, threads: int | None = 1) -> None:
        if not callable(getattr(peer, "map", None)):
            raise InputError(f"executor must be an object with map(function, tasks), got {type(peer).__name__}")
        if _forks(peer):
            raise InputError(
                "executor must have processes of multiprocessing.get_context('spawn'), its mp_context, got a "
                f"{type(peer).__name__} that forks: parallel kernels do not run in a forked process"
            )
        self.peer = peer
        self.threads = threads

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results batch by batch; a batch is taken from the tasks when the previous one is finished."""
        waiting = iter(tasks)
        while batch := list(itertools.islice(waiting, _BATCH_SIZE)):
            yield from self.peer.map(partial(_with_threads, function, self.threads), batch)


def _forks(peer: Any) -> bool:
    context: Any
    if isinstance(peer, concurrent.futures.ProcessPoolExecutor):
        context = peer._mp_context
    elif isinstance(peer, multiprocessing.pool.Pool) and not isinstance(peer, multiprocessing.pool.ThreadPool):
        context = peer._ctx  # type: ignore[attr-defined]
    else:
        return False
    return context.get_start_method() == "fork"


def _with_threads(function: Callable[..., Any], threads: int | None, task: Any) -> Any:
    return function(task, threads)
