"""Executors: every task runs once, even if workers die."""

import concurrent.futures
import logging
import multiprocessing.pool
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fastcollapse.errors import FastcollapseError, InputError
from fastcollapse.sweeps import executors
from fastcollapse.sweeps.executors.adapter import ExecutorAdapter
from fastcollapse.sweeps.executors.base import WorkerDied, available_cores, limit_threads
from fastcollapse.sweeps.executors.dask import DaskExecutor
from fastcollapse.sweeps.executors.process_pool import ProcessPool, RetryQueue
from fastcollapse.sweeps.executors.serial import SerialExecutor


def square(task, threads):
    return task * task, threads


def exit_at_three(task, threads):
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


class GrowingTasks:
    """Tasks whose number grows when the first results are known."""

    def __init__(self):
        self.tasks = [1, 2]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.tasks:
            raise StopIteration
        return self.tasks.pop(0)


@pytest.fixture(scope="module")
def pool():
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.mark.parametrize(
    "make", [lambda _: SerialExecutor(3), lambda pool: ExecutorAdapter(pool, 3)], ids=["serial", "map"]
)
def test_map__runs_every_task(pool, make):
    assert sorted(make(pool).map(square, range(200))) == [(i * i, 3) for i in range(200)]


@pytest.mark.parametrize(
    "make", [lambda _: SerialExecutor(), lambda pool: ExecutorAdapter(pool), lambda _: ProcessPool(2)]
)
def test_map__accepts_tasks_created_from_results(pool, make):
    tasks, got = GrowingTasks(), []
    for result, _ in make(pool).map(square, tasks):
        got.append(result)
        if result == 1:
            tasks.tasks += [5, 6, 7]
    assert sorted(got) == [1, 4, 25, 36, 49]


def test_pool__divides_cores_among_workers():
    assert ProcessPool(1).threads == available_cores()
    assert ProcessPool(10**4).threads == 1
    assert ProcessPool(2, threads=5).threads == 5


def test_pool__of_fewer_processes_divides_the_cores_again(monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.executors.process_pool.available_cores", lambda: 8)
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    pool = ProcessPool(8)
    assert pool.with_at_most(8) is pool
    smaller = pool.with_at_most(2)
    assert (smaller.n_workers, smaller.threads) == (2, 4)
    assert ProcessPool(8, 3).with_at_most(2).threads == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such score")
def test_pool__workers_are_ended_first_where_memory_runs_out():
    scores = list(ProcessPool(1, 1).map(oom_score, [0]))
    assert scores == ["500"]


def oom_score(task, threads):
    return Path("/proc/self/oom_score_adj").read_text().strip()


def test_pool__reports_task_that_ends_its_worker_and_keeps_others():
    pool = ProcessPool(2)
    pool.on_lost(lambda task: f"lost {task}")
    got = list(pool.map(exit_at_three, range(8)))
    assert sorted(map(str, got)) == sorted(map(str, [0, 1, 2, 4, 5, 6, 7, "lost 3"]))


def test_pool__raises_without_a_function_for_lost_tasks():
    with pytest.raises(WorkerDied, match="has died 3 times"):
        list(ProcessPool(1).map(exit_at_three, [3]))


def test_retry_queue__quarantines_a_task_after_repeated_deaths():
    queue = RetryQueue([0])
    queue.add([1, 2])
    assert (queue.quarantined(), queue.pop(2), queue.pop(2)) == ([], [0, 1], [2])
    queue.add([1])
    assert (queue.quarantined(), queue.pop(9)) == ([1], [])


def test_limit_threads__follows_numba(monkeypatch):
    for allowed, expected in (("3", 3), ("0", 8), ("", 8), ("many", 8)):
        monkeypatch.setenv("NUMBA_NUM_THREADS", allowed)
        assert limit_threads(8) == expected


def test_package__imports_dask_only_on_use():
    code = (
        "import sys, fastcollapse.sweeps.executors as e; assert f'{e.__name__}.dask' not in sys.modules; e.DaskExecutor"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(executors.__all__) <= set(dir(executors)) | {"DaskExecutor"}
    with pytest.raises(AttributeError, match="has no attribute 'Dask'"):
        _ = executors.Dask


def test_process_pool__in_a_process_of_a_pool_is_refused(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(InputError, match=r"multiprocessing\.Pool cannot start others: use no executor there"):
        ProcessPool(2)


def test_bad_input__is_refused():
    with pytest.raises(InputError, match="jobs must be at least 1, got 0"):
        ProcessPool(0)
    with pytest.raises(InputError, match="object with map"):
        ExecutorAdapter(3)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://", "127.0.0.1:notaport", "nonsense", ""])
def test_dask__refuses_address_without_scheduler(monkeypatch, address):
    pytest.importorskip("distributed")
    monkeypatch.setattr("fastcollapse.sweeps.executors.dask._CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match="scheduler must be the address of a Dask scheduler"):
        DaskExecutor(address)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("make", [concurrent.futures.ProcessPoolExecutor, multiprocessing.pool.Pool])
def test_map__refuses_forked_processes(method, make):
    context = multiprocessing.get_context(method)
    with make(1, **{"mp_context" if make is concurrent.futures.ProcessPoolExecutor else "context": context}) as peer:
        if method == "spawn":
            assert list(ExecutorAdapter(peer).map(square, range(3))) == [(0, 1), (1, 1), (4, 1)]
            return
        with pytest.raises(InputError, match=r"get_context\('spawn'\).*, got a P.* that forks"):
            ExecutorAdapter(peer)


def test_map__accepts_thread_pool():
    with multiprocessing.pool.ThreadPool(1) as peer:
        assert list(ExecutorAdapter(peer).map(square, range(2))) == [(0, 1), (1, 1)]


def test_dask__refused_address_prints_nothing_at_exit():
    pytest.importorskip("distributed")
    code = "from fastcollapse.sweeps.executors import DaskExecutor; DaskExecutor('nonsense')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "InputError: scheduler must be the address" in done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_dask__reports_task_that_ends_its_worker_and_keeps_others():
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        executor = DaskExecutor(client)
        executor.on_lost(lambda task: f"lost {task}")
        got = list(executor.map(exit_at_three, range(8)))
    assert sorted(map(str, got)) == sorted(map(str, [0, 1, 2, 4, 5, 6, 7, "lost 3"]))


def test_dask__warns_without_workers_and_ends_without_a_scheduler(caplog, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("fastcollapse.sweeps.executors.dask._CONNECT_SECONDS", 600)
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as cluster:

        def tasks():
            yield 1
            cluster.close()
            yield 2

        with (
            pytest.warns(UserWarning, match="the scheduler has no workers yet: waiting for them"),
            pytest.raises(
                FastcollapseError, match="connection to the Dask scheduler is lost; finished points are saved"
            ),
        ):
            list(DaskExecutor(cluster.scheduler_address).map(square, tasks()))
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_pool__has_at_most_numba_max_threads(monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.executors.process_pool.available_cores", lambda: 8)
    assert ProcessPool(2).threads == 4
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert (ProcessPool(2).threads, ProcessPool(8).threads, ProcessPool(2, threads=4).threads) == (3, 1, 4)
