"""Dask executor: the workers of a Dask cluster."""

import itertools
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import Any

from fastcollapse.errors import FastcollapseError, InputError
from fastcollapse.sweeps.executors.base import (
    TASKS_AHEAD,
    Executor,
    Result,
    Task,
    WorkerDied,
    available_cores,
    limit_threads,
)

# Seconds to wait for the scheduler.
_CONNECT_SECONDS = 10


class DaskExecutor(Executor):
    """Run tasks on the workers of a Dask cluster; each worker runs one task at a time, with all of its threads.

    Parameters
    ----------
    client : a `distributed.Client`, or the address of a scheduler.

    Raises
    ------
    InputError
        Dask is not installed, or no scheduler answers at the address.
    """

    def __init__(self, client: Any) -> None:
        self._own_client = isinstance(client, str)
        self.client = _connect(client) if self._own_client else client

    @property
    def n_workers(self) -> int:
        """Current number of workers, at least 1."""
        return max(1, self._n_connected())

    def _n_connected(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def map(self, function: Callable[[Task, int | None], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield the results in the order in which they are finished; Dask retries the tasks of a worker that died.

        Raises
        ------
        FastcollapseError
            The connection to the scheduler is lost.
        """
        from distributed.comm.core import CommClosedError  # an extra

        running: dict[Any, Any] = {}
        lost_connection = False
        try:
            if not self._n_connected():
                warnings.warn("the scheduler has no workers yet: waiting for them", stacklevel=2)
            yield from self._results(partial(self.client.submit, _run_on_dask, function, pure=False), tasks, running)
        except Exception as error:
            lost_connection = isinstance(error, CommClosedError | CancelledError) or self.client.status != "running"
            if not lost_connection:
                raise
            raise FastcollapseError("the connection to the Dask scheduler is lost; finished points are saved") from None
        finally:
            if not lost_connection:
                with suppress(Exception):
                    self.client.cancel(list(running))
            self.close()

    def _results(self, submit: Callable[[Any], Any], tasks: Iterable[Any], running: dict[Any, Any]) -> Iterator[Any]:
        """Yield the results; `running` receives the submitted tasks by future.

        Dask gives up a task after repeated worker deaths, but another task may be the cause. The task is therefore
        retried alone after all others.
        """
        from distributed import KilledWorker, as_completed  # an extra

        waiting = iter(tasks)
        completed = as_completed(loop=self.client.loop)  # without a loop it uses that of the default client
        quarantined: list[Any] = []
        while True:
            for task in itertools.islice(waiting, max(0, self.n_workers * TASKS_AHEAD - len(running))):
                future = submit(task)
                running[future] = task
                completed.add(future)
            if running:
                future = next(completed)
                task = running.pop(future)
                try:
                    result = future.result()
                except KilledWorker:
                    quarantined.append(task)
                    continue
            elif quarantined:
                task = quarantined.pop()
                try:
                    result = submit(task).result()
                except KilledWorker as error:
                    if self._lost is None:
                        raise WorkerDied(f"the worker of a task has died {error.allowed_failures + 1} times") from None
                    result = self._lost(task)
            else:
                return
            yield result

    def close(self) -> None:
        """Close the client if the executor has opened it, without log messages about the lost connection."""
        if not self._own_client:
            return
        logger = logging.getLogger("distributed.client")
        before, logger.disabled = logger.disabled, True
        try:
            with suppress(Exception):
                self.client.close()
        finally:
            logger.disabled = before


def _connect(address: str) -> Any:
    try:
        import distributed  # an extra
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install distributed") from None
    client: Any = distributed.Client.__new__(distributed.Client)
    try:
        client.__init__(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        client.status = "closed"  # else the destructor of the incomplete client waits
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"scheduler must be the address of a Dask scheduler, got {address!r}: {reason}") from None
    return client


def _run_on_dask(function: Callable[..., Any], task: Any) -> Any:
    from distributed import get_worker  # an extra

    return function(task, limit_threads(min(get_worker().state.nthreads, available_cores())))
