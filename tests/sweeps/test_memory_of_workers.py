"""The number of processes follows from the memory of the largest missing point, and no result depends on it."""

import warnings

import pytest

from fastcollapse.errors import InputError
from fastcollapse.simulation.memory_budget import RESERVE
from fastcollapse.sweeps import memory_of_workers as module
from fastcollapse.sweeps import needs
from fastcollapse.sweeps import run as run_module
from fastcollapse.sweeps.executors import ProcessPool, SerialExecutor
from fastcollapse.sweeps.folder import make_folder
from fastcollapse.sweeps.measured import Measured, note_measured
from fastcollapse.sweeps.memory_of_workers import workers_that_fit
from fastcollapse.sweeps.needs import worker_memory
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import folder_contents, mapping, small_sweep

GB = 10**9


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "s", small_sweep())


@pytest.mark.parametrize(
    ("available", "limit", "n", "message"),
    [
        (9 * GB, None, 3, None),
        (None, None, 3, None),
        (
            5 * GB,
            None,
            2,
            "point 4 may need 2,000 MB of memory, and 5,000 MB are available: 2 processes run instead of 3",
        ),
        (
            99 * GB,
            3 * GB,
            1,
            "point 4 may need 2,000 MB of memory, and 3,000 MB are the limit: 1 process runs instead of 3",
        ),
        (1 * GB, 6 * GB, 3, None),
        (
            1 * GB,
            None,
            1,
            "point 4 may need 2,000 MB of memory, and 1,000 MB are available, so that the system may end the process: "
            "one process runs",
        ),
        (9 * GB, 1, 1, "point 4 may need 2,000 MB of memory, and 0 MB are the limit: one process runs"),
    ],
)
def test_workers__are_as_many_as_fit(folder, monkeypatch, available, limit, n, message):
    monkeypatch.setattr(module, "available_memory", lambda: available)
    monkeypatch.setattr(module, "worker_memory", lambda folder, missing: (4, 2 * GB))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert workers_that_fit(folder, range(6), 3, limit) == n
    assert [str(one.message) for one in caught] == ([message] if message else [])


def test_worker_memory__is_that_of_the_largest_missing_point(folder, monkeypatch):
    """Without the compiler, whose kernels are in the cache. A point that cannot be estimated is left out."""

    def size(experiment, truth):
        if experiment.truth.uniform == 20:
            raise RuntimeError("no estimate")
        return GB + experiment.workflow.n_samples

    monkeypatch.setattr(needs, "estimate_bytes", size)
    assert worker_memory(folder, range(6)) == (4, GB + 7 - RESERVE + needs._KERNEL_BYTES)
    assert worker_memory(folder, [1, 2]) == (2, GB + 6 - RESERVE + needs._KERNEL_BYTES)
    assert worker_memory(folder, [1, 3]) == (1, 0)


def test_worker_memory__is_measured_where_points_of_the_size_are_finished(tmp_path):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    folder = make_folder(tmp_path / "s", small_sweep())
    note_measured(folder.path, [(index, Measured(1.0, (100 + index) << 20)) for index in (0, 2, 4)])
    assert worker_memory(folder, [1, 3, 5])[1] == 104 << 20


def test_run__with_fewer_processes_is_the_same(tmp_path, monkeypatch):
    """The pool of one process has all cores; a finished sweep estimates nothing."""
    seen, original = [], ProcessPool.map
    monkeypatch.setattr(ProcessPool, "map", lambda pool, *given: seen.append(pool.n_workers) or original(pool, *given))
    run_sweep(small_sweep(), tmp_path / "serial")
    with pytest.warns(UserWarning, match="the limit: 1 process runs instead of 2$"):
        run_sweep(small_sweep(), tmp_path / "pool", 2, memory_limit="300MB")
    assert seen == [1]
    assert folder_contents(tmp_path / "pool") == folder_contents(tmp_path / "serial")
    monkeypatch.setattr(run_module, "workers_that_fit", None)
    assert run_sweep(small_sweep(), tmp_path / "pool", 2).earlier == 6


def test_run__in_this_process_warns_of_a_point_that_does_not_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "available_memory", lambda: 10**6)
    with pytest.warns(UserWarning, match="^point [0-5] may need .* and 1 MB are available, so that the system may end"):
        assert run_sweep(small_sweep(), tmp_path / "s", SerialExecutor(1)).done == 6


@pytest.mark.parametrize("executor", [None, 2])
def test_limit__that_is_no_size_leaves_no_folder(tmp_path, executor):
    with pytest.raises(InputError, match=r"^memory_limit must be a size such as 2GB or 500MiB, got 'much'$"):
        run_sweep(small_sweep(), tmp_path / "s", executor, memory_limit="much")
    assert list(tmp_path.iterdir()) == []


def test_limit__is_refused_for_other_machines(tmp_path):
    class Peer:
        def map(self, function, tasks):
            return map(function, tasks)

    with pytest.raises(InputError, match=r"^memory_limit must be absent with an executor of other machines"):
        run_sweep(mapping(), tmp_path / "s", Peer(), memory_limit="2GB")
    assert list(tmp_path.iterdir()) == []
