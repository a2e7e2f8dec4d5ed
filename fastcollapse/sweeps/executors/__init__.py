"""Executors: serial, process pool, Dask, or any object with a `map` method."""

from typing import TYPE_CHECKING, Any

from fastcollapse.errors import no_attribute
from fastcollapse.sweeps.executors.adapter import ExecutorAdapter
from fastcollapse.sweeps.executors.base import Executor, WorkerDied, available_cores
from fastcollapse.sweeps.executors.process_pool import ProcessPool
from fastcollapse.sweeps.executors.serial import SerialExecutor

if TYPE_CHECKING:
    from fastcollapse.sweeps.executors.dask import DaskExecutor

__all__ = [
    "DaskExecutor",
    "Executor",
    "ExecutorAdapter",
    "ProcessPool",
    "SerialExecutor",
    "WorkerDied",
    "available_cores",
]


def __getattr__(name: str) -> Any:
    if name != "DaskExecutor":
        raise no_attribute(__name__, name, __all__)
    from fastcollapse.sweeps.executors.dask import DaskExecutor  # only sweeps on a Dask cluster use it

    return DaskExecutor
