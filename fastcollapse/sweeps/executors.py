"""Who computes: this process, a pool of processes, a Dask cluster, or any object with `map`; they give one result.

Every executor has `n_workers` and `map(function, tasks)`, which calls `function(task, threads)` for each task and
yields what it returns, in any order. Tasks are asked for as late as possible: an iterator may have more of them once it
knows what became of earlier ones.
"""

import atexit
import concurrent.futures
import ctypes
import itertools
import logging
import multiprocessing.pool
import os
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from fastcollapse.errors import FastcollapseError, InputError

Task = TypeVar("Task")
Result = TypeVar("Result")
# Tasks that wait at a worker, so that it need not.
_AHEAD = 2
# So often may workers die beside a task before it is given out with nothing else running.
_SUSPECT = 2
# Seconds that workers have to commit what they are at, before they are killed.
_STOP_WITHIN = 1.2
_CONNECT_WITHIN = 10
_A_BATCH = 64
_PR_SET_PDEATHSIG = 1


class WorkerDied(FastcollapseError):
    """A worker ends whenever it is given this task."""


class Executor(Protocol):
    """What computes tasks."""

    @property
    def n_workers(self) -> int | None:
        """How many tasks are computed at once; None if that is not known."""

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield `function(task, threads)` for every task, in any order."""


class Here:
    """This process, one task after the other.

    Parameters
    ----------
    threads : of parallel kernels; None for all cores.
    """

    n_workers = 1

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results in order."""
        return (function(task, self.threads) for task in tasks)


class Pool:
    """Processes of this machine, spawned; one that dies is replaced, and its task is given out again.

    Parameters
    ----------
    n_workers : at least 1.
    threads : of each; None for its share of the cores, at least 1.

    Raises
    ------
    InputError
        Less than one worker.
    """

    def __init__(self, n_workers: int, threads: int | None = None) -> None:
        if n_workers < 1:
            raise InputError(f"jobs must be at least 1, got {n_workers}")
        self.n_workers = n_workers
        self.threads = _at_most(max(1, available_cores() // n_workers)) if threads is None else threads
        self._lost: Callable[[Any], Any] | None = None

    def on_lost(self, lost: Callable[[Any], Any]) -> None:
        """Have `lost(task)` give the result of a task that ends every worker it is given to."""
        self._lost = lost

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results as they come.

        The standard pool ends all workers with one that dies. So a new one takes over: what was given out is given
        out again, and what was so twice runs alone, until it is told which task it is that ends its worker.
        """
        waiting, again = iter(tasks), _Again()
        while True:
            for task in again.suspects():
                yield from self._alone(function, task)
            broken: list[Task] = []
            yield from self._until_broken(function, lambda n: again.taken(n) or [*itertools.islice(waiting, n)], broken)
            if not broken:
                return
            again.note(broken)

    def _alone(self, function: Callable, task: Any) -> Iterator[Any]:
        broken: list[Any] = []
        only = _Again([task])
        yield from self._until_broken(function, only.taken, broken, n_workers=1)
        if broken:
            if self._lost is None:
                raise WorkerDied(f"the worker of a task has died {_SUSPECT + 1} times")
            yield self._lost(task)

    def _until_broken(
        self, function: Callable, taken: Callable[[int], list], broken: list[Any], n_workers: int | None = None
    ) -> Iterator[Any]:
        """Yield results until no task is left, or a worker has died: then `broken` has what was given out."""
        n_workers = n_workers or self.n_workers
        others = set(multiprocessing.active_children())
        pool = concurrent.futures.ProcessPoolExecutor(
            n_workers, multiprocessing.get_context("spawn"), _start_worker, (os.getpid(),)
        )
        given: dict[concurrent.futures.Future, Any] = {}
        waiting: list[Any] = []
        finished = False
        try:
            # Workers start, and import what the function needs, while the first tasks are made.
            for _ in range(n_workers):
                pool.submit(_awake, function)
            while True:
                waiting += taken(n_workers * _AHEAD - len(given))
                while waiting:
                    future = pool.submit(_in_worker, function, waiting[0], self.threads)
                    given[future] = waiting.pop(0)
                if not given:
                    break
                done, _ = concurrent.futures.wait(given, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del given[future]
                    yield result
            finished = True
        except BrokenProcessPool:
            broken += [*given.values(), *waiting]
        finally:
            if not finished:
                _stop(set(multiprocessing.active_children()) - others)
            pool.shutdown(wait=True, cancel_futures=True)


class _Again:
    """Tasks to give out again, and how often a worker has died beside each."""

    def __init__(self, tasks: Iterable[Any] = ()) -> None:
        self._tasks = list(tasks)
        self._deaths: Counter[Any] = Counter()

    def note(self, broken: Sequence[Any]) -> None:
        """Keep what was given out when a worker died."""
        self._deaths.update(broken)
        self._tasks += broken

    def suspects(self) -> list[Any]:
        """Return, and let go of, what has been so often beside a death that it may be the cause."""
        found = [task for task in self._tasks if self._deaths[task] >= _SUSPECT]
        self._tasks = [task for task in self._tasks if self._deaths[task] < _SUSPECT]
        return found

    def taken(self, n: int) -> list[Any]:
        """Return, and let go of, up to n tasks."""
        found, self._tasks = self._tasks[:n], self._tasks[n:]
        return found


def _start_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end with it whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    # Taking an interpreter with compiled code down takes 0.3 s, and nothing depends on it.
    atexit.register(os._exit, 0)


def _awake(function: Callable) -> None:
    """Do nothing: to be given the function takes its imports."""


def _in_worker(function: Callable, task: Any, threads: int | None) -> Any:
    try:
        return function(task, threads)
    except KeyboardInterrupt as stopped:
        os._exit(getattr(stopped, "status", 1))  # the pool would go on with the next task


def _stop(workers: Iterable[Any]) -> None:
    """Let processes commit what they are at, then end them."""
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + _STOP_WITHIN
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
    for worker in workers:
        if worker.is_alive():
            worker.kill()
            worker.join()


class Mapped:
    """Any object with `map(function, tasks)`: an executor of concurrent.futures or MPI, a pool, a Dask client.

    Parameters
    ----------
    peer : the object.
    threads : of each of its workers.

    Raises
    ------
    InputError
        It has no `map`, or its processes are forked: OpenMP ends a fork of a process that has used it.
    """

    n_workers = None

    def __init__(self, peer: Any, threads: int | None = 1) -> None:
        if not callable(getattr(peer, "map", None)):
            raise InputError(f"executor must be an object with map(function, tasks), got {type(peer).__name__}")
        if _forks(peer):
            raise InputError(
                "executor must have processes of multiprocessing.get_context('spawn'), its mp_context, got a "
                f"{type(peer).__name__} that forks: parallel kernels do not outlive that"
            )
        self.peer = peer
        self.threads = threads

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results of batches, each of which is made when the last one is done."""
        waiting = iter(tasks)
        while batch := list(itertools.islice(waiting, _A_BATCH)):
            yield from self.peer.map(partial(_with_threads, function, self.threads), batch)


def _forks(peer: Any) -> bool:
    context: Any
    if isinstance(peer, concurrent.futures.ProcessPoolExecutor):
        context = peer._mp_context  # type: ignore[attr-defined]
    elif isinstance(peer, multiprocessing.pool.Pool) and not isinstance(peer, multiprocessing.pool.ThreadPool):
        context = peer._ctx  # type: ignore[attr-defined]
    else:
        return False
    return context.get_start_method() == "fork"


def _with_threads(function: Callable, threads: int | None, task: Any) -> Any:
    return function(task, threads)


class Dask:
    """The workers of a Dask cluster; each computes one task at a time, with all of its threads.

    Parameters
    ----------
    client : a `distributed.Client`, or the address of a scheduler.

    Raises
    ------
    InputError
        Dask is not installed, or nobody answers at the address.
    """

    def __init__(self, client: Any) -> None:
        self._own = isinstance(client, str)
        self.client = _connected(client) if self._own else client
        self._lost: Callable[[Any], Any] | None = None

    @property
    def n_workers(self) -> int:
        """How many workers there are now, at least 1."""
        return max(1, self._n_there())

    def _n_there(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def on_lost(self, lost: Callable[[Any], Any]) -> None:
        """Have `lost(task)` give the result of a task that ends every worker it is given to."""
        self._lost = lost

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results as they come; Dask gives out again what a worker that died had.

        Raises
        ------
        FastcollapseError
            The connection to the scheduler is lost.
        """
        from distributed.comm import CommClosedError  # an extra

        given: dict[Any, Any] = {}
        gone = False
        try:
            if not self._n_there():
                warnings.warn("the scheduler has no workers yet: waiting for them", stacklevel=2)
            yield from self._results(partial(self.client.submit, _on_dask, function, pure=False), iter(tasks), given)
        except Exception as error:
            gone = isinstance(error, CommClosedError | CancelledError) or self.client.status != "running"
            if not gone:
                raise
            raise FastcollapseError("the connection to the Dask scheduler is lost; what is done is kept") from None
        finally:
            with suppress(Exception):
                if not gone:
                    self.client.cancel(list(given))
                if self._own:
                    _close(self.client)

    def _results(self, submit: Callable[[Any], Any], waiting: Iterator[Any], given: dict[Any, Any]) -> Iterator[Any]:
        """Yield the results; `given` has the tasks that are given out.

        Dask gives a task up if workers have died beside it a few times. Another task may be the cause, so it is given
        out again, alone, when all others are done.
        """
        from distributed import KilledWorker, as_completed  # an extra

        running = as_completed(loop=self.client.loop)  # else of the default client, which this need not be
        suspects: list[Any] = []
        while True:
            for task in itertools.islice(waiting, max(0, self.n_workers * _AHEAD - len(given))):
                future = submit(task)
                given[future] = task
                running.add(future)
            if given:
                future = next(running)
                task = given.pop(future)
                try:
                    result = future.result()
                except KilledWorker:
                    suspects.append(task)
                    continue
            elif suspects:
                task = suspects.pop()
                try:
                    result = submit(task).result()
                except KilledWorker as error:
                    if self._lost is None:
                        raise WorkerDied(f"the worker of a task has died {error.allowed_failures + 1} times") from None
                    result = self._lost(task)
            else:
                return
            yield result


def _connected(address: str) -> Any:
    try:
        import distributed  # an extra
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'fastcollapse[dask]'") from None
    client: Any = distributed.Client.__new__(distributed.Client)
    try:
        client.__init__(address, timeout=_CONNECT_WITHIN, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        client.status = "closed"  # half made, it would be waited for when it is let go of
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"scheduler must be the address of a Dask scheduler, got {address!r}: {reason}") from None
    return client


def _close(client: Any) -> None:
    """Close a client, without its words on how it was connecting again."""
    logger = logging.getLogger("distributed.client")
    before, logger.disabled = logger.disabled, True
    try:
        client.close()
    finally:
        logger.disabled = before


def _on_dask(function: Callable, task: Any) -> Any:
    from distributed import get_worker  # an extra

    return function(task, _at_most(min(get_worker().state.nthreads, available_cores())))


def _at_most(threads: int) -> int:
    """Return as many threads as Numba may have, if fewer are asked of it by its variable."""
    allowed = os.environ.get("NUMBA_NUM_THREADS", "")
    return min(threads, int(allowed)) if allowed.isdigit() and int(allowed) else threads


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))
