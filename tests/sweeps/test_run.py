"""Runs of sweeps: results are identical for every executor, task size and shard."""

import concurrent.futures
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.storage.pack import is_small
from fastcollapse.sweeps.executors import ProcessPool, SerialExecutor
from fastcollapse.sweeps.folder import SweepFolder, make_folder
from fastcollapse.sweeps.manifest import MANIFEST
from fastcollapse.sweeps.measured import MEASURED
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.precompile import precompile
from fastcollapse.sweeps.replicate_ranges import WorkUnit, concatenate_ranges
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.worker import Task, run_task
from tests.sweeps._example_sweeps import contents, folder_contents, mapping, small_sweep
from tests.sweeps._gated_sweep import FIRST

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def serial_folder(tmp_path_factory):
    """A sweep of small and large points, run serially in this process."""
    path = tmp_path_factory.mktemp("sweep") / "here"
    assert run_sweep(mixed(), path).done == 6
    return path


def mixed():
    """Return a sweep with points stored in a pack and points stored in files."""
    tables = [{"n_generations": 6}, {"n_generations": 400, "n_replicates": 20}]
    grid = {"run": tables, "truth.uniform": [10, 20, 30]}
    return small_sweep(workflow={"n_samples": 9}, sweep={"grid": grid})


def test_run__points_equal_simulate(serial_folder):
    folder = SweepFolder(serial_folder)
    assert len(folder.with_file()) == len(folder.packed()) == 3
    for index in range(len(folder)):
        results = folder.results(index)
        assert contents(results) == contents(simulate(folder.sweep[index].experiment))
        assert is_small(results.reader) == (index in folder.packed())
    assert sorted(os.listdir(serial_folder)) == ["claims", "failed", "packs", "points", MANIFEST]
    assert (sorted(os.listdir(serial_folder / "claims")), folder.running()) == ([MEASURED, "points"], {})


def test_run__repeated_call_does_nothing(serial_folder):
    before = folder_contents(serial_folder)
    outcome = run_sweep(mixed(), serial_folder)
    assert (outcome.total, outcome.earlier, outcome.done, outcome.failed) == (6, 6, 0, 0)
    shard = run_sweep(mixed(), serial_folder, shard=(1, 4))
    assert (shard.total, shard.earlier, shard.done) == (2, 2, 0)
    assert folder_contents(serial_folder) == before


@pytest.mark.parametrize("executor", [1, 2], ids=["a process", "two processes"])
def test_run__pool_gives_identical_results(serial_folder, tmp_path, executor):
    run_sweep(mixed(), tmp_path / "pool", executor)
    assert folder_contents(tmp_path / "pool") == folder_contents(serial_folder)


def test_run__object_with_map_gives_identical_results(serial_folder, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        run_sweep(mixed(), tmp_path / "map", threads)
    assert folder_contents(tmp_path / "map") == folder_contents(serial_folder)
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        run_sweep(mixed(), tmp_path / "processes", processes)
    assert folder_contents(tmp_path / "processes") == folder_contents(serial_folder)


def test_run__remote_executor_compiles_nothing_locally(tmp_path, monkeypatch):
    monkeypatch.delattr("fastcollapse.sweeps.task_queue.precompile")
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        assert run_sweep(small_sweep(), tmp_path / "s", threads).done == 6


def test_run__progress_restarts_after_compilation(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("fastcollapse.sweeps.task_queue.precompile", lambda experiments: seen.append("compiled"))
    run_sweep(
        small_sweep(),
        tmp_path / "s",
        SerialExecutor(),
        shard=(1, 2),
        progress=lambda outcome: seen.append(outcome.done),
    )
    assert seen[:3] == [0, "compiled", 0]
    assert seen[-1] == 3


@pytest.mark.parametrize("n", [2, 5, 17])
def test_run__shards_give_identical_results_in_any_order(serial_folder, tmp_path, n):
    for i in sorted(range(1, n + 1), key=lambda i: (i * 7) % n):
        run_sweep(mixed(), tmp_path / "shards", shard=(i, n))
    assert folder_contents(tmp_path / "shards") == folder_contents(serial_folder)


def test_run__dask_gives_identical_results(serial_folder, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("fastcollapse.sweeps.executors.dask._CONNECT_SECONDS", 600)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.chdir(tmp_path)  # the workers have another current folder
        run_sweep(mixed(), "address", cluster.scheduler_address)
        with distributed.Client(cluster) as client:
            run_sweep(mixed(), "client", client)
    for name in ("client", "address"):
        assert folder_contents(tmp_path / name) == folder_contents(serial_folder)


@pytest.mark.parametrize("record", [["metrics"], ["metrics", "trajectory"]])
@pytest.mark.parametrize("family", ["discrete", "gaussian"])
@pytest.mark.parametrize("of", [2, 3, 5])
def test_ranges__concatenate_to_undivided_run(tmp_path, record, family, of):
    more = (
        {"model": {"family": "gaussian", "estimator": "mle"}, "truth": {"sigma": 1.0}} if family == "gaussian" else {}
    )
    made = mapping(run={"record": record}) | more
    made["sweep"] = {"grid": {"workflow.n_samples": [5]}}
    whole = Sweep(made)[0].experiment
    pieces = [
        simulate(unit.experiment(whole), first_replicate=unit.replicates(5).start).reader
        for unit in (WorkUnit(0, k, of) for k in range(of))
    ]
    assert contents(type(simulate(whole))(concatenate_ranges(whole, pieces))) == contents(simulate(whole))


def test_ranges__are_used_if_workers_outnumber_points(tmp_path):
    sweep = small_sweep(run={"record": ["metrics", "trajectory"]}, sweep={"grid": {"workflow.n_samples": [5]}})
    for i in (1, 2):
        run_sweep(sweep, tmp_path / "s", shard=(i, 3))
        assert len(list((tmp_path / "s" / "points").glob("000000-*of3.h5"))) == i
    run_sweep(sweep, tmp_path / "s", shard=(3, 3))
    assert os.listdir(tmp_path / "s" / "points") == ["000000.h5"]
    simulate(sweep[0].experiment, tmp_path / "one.h5")
    assert contents(open_results(tmp_path / "s" / "points" / "000000.h5")) == contents(
        open_results(tmp_path / "one.h5")
    )


def test_ranges__divide_long_last_point_unless_started(serial_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.task_queue.estimate_seconds", lambda experiment: 60.0)
    outcome = run_sweep(mixed(), tmp_path / "pool", 2)
    assert (outcome.total, outcome.done) == (len(mixed()) + 1, len(mixed()) + 1)
    assert folder_contents(tmp_path / "pool") == folder_contents(serial_folder)
    make_folder(tmp_path / "begun", mixed())
    (tmp_path / "begun" / "points" / f"{len(mixed()) - 1:06d}.h5.parts").mkdir()
    assert run_sweep(mixed(), tmp_path / "begun", 2).total == len(mixed())


def failing(tmp_path):
    """Return a sweep of three texts, one of which is missing."""
    for name in "ac":
        (tmp_path / f"{name}.txt").write_text("one two two three " * 5)
    made = mapping(sweep={"zip": {"truth.text": [f"{name}.txt" for name in "abc"], "workflow.n_samples": [5, 6, 7]}})
    del made["truth"]
    return Sweep(made, base=tmp_path)


def test_failure__is_recorded_and_other_points_run(tmp_path):
    sweep = failing(tmp_path)
    outcome = run_sweep(sweep, tmp_path / "s")
    assert (outcome.done, outcome.failed, outcome.succeeded) == (2, 1, False)
    folder = SweepFolder(tmp_path / "s")
    assert folder.done() == {0, 2}
    assert folder.failures()[1]["error"] == "truth.text must be a file, got 'b.txt': no such file"
    again = run_sweep(sweep, tmp_path / "s")
    assert (again.total, again.earlier, again.known_failures, again.succeeded) == (3, 2, 1, False)
    assert again.settled == again.total
    (tmp_path / "b.txt").write_text("four five five six")
    retried = run_sweep(sweep, tmp_path / "s", retry=True)
    assert (retried.total, retried.earlier, retried.done, retried.succeeded) == (3, 2, 1, True)
    assert SweepFolder(tmp_path / "s").failures() == {}


def test_failure__internal_error_has_traceback(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise IndexError("7")

    monkeypatch.setattr("fastcollapse.sweeps.worker.execute", fail)
    assert run_sweep(small_sweep(), tmp_path / "s").failed == 6
    record = SweepFolder(tmp_path / "s").failures()[3]
    assert record["error"] == "IndexError: 7"
    assert "Traceback" in record["traceback"]


def test_folder__refuses_point_of_another_experiment(serial_folder, tmp_path):
    shutil.copytree(serial_folder, tmp_path / "s")
    points = tmp_path / "s" / "points"
    shutil.copy(points / "000003.h5", points / "000004.h5")
    with pytest.raises(UnreadableResults, match=r"000004\.h5: holds another experiment than point 4"):
        SweepFolder(tmp_path / "s").results(4)


def test_folder__claimed_point_is_skipped(tmp_path):
    sweep = small_sweep()
    run_sweep(sweep, tmp_path / "s", shard=(1, 6))
    folder = SweepFolder(tmp_path / "s")
    claim = folder.claim(WorkUnit(2))
    report = run_task(Task(str(tmp_path / "s"), (WorkUnit(1), WorkUnit(2)), 9.0))
    assert (report.done, report.busy) == (1, (WorkUnit(2),))
    assert set(folder.running()) == {2}
    claim.release()
    assert folder.done() == {0, 1}


def test_folder__keeps_drawn_seed(tmp_path):
    made = mapping()
    del made["run"]["seed"]
    run_sweep(Sweep(made), tmp_path / "s", shard=(1, 2))
    seed = json.loads((tmp_path / "s" / MANIFEST).read_text())["seed"]
    assert run_sweep(Sweep(made), tmp_path / "s").done == 3
    folder = SweepFolder(tmp_path / "s")
    assert contents(folder.results(5)) == contents(simulate(Sweep(made).resolve_seed(seed)[5].experiment))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (small_sweep(run={"seed": 8}), "run.seed is 7 there, 8 here"),
        (
            small_sweep(sweep={"grid": {"workflow.n_samples": [5]}}),
            r"sweep.grid.workflow.n_samples is \[5, 6, 7\] there, \[5\]",
        ),
    ],
)
def test_bad_input__folder_of_another_sweep_is_unchanged(serial_folder, tmp_path, other, words):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 6))
    before = folder_contents(tmp_path / "s")
    with pytest.raises(InputError, match=words):
        run_sweep(other, tmp_path / "s")
    assert folder_contents(tmp_path / "s") == before


@pytest.mark.parametrize(
    ("shard", "executor"),
    [
        ((0, 2), None),
        ((3, 2), None),
        ((1, 0), None),
        (None, 0),
        (None, 1.5),
        (None, SerialExecutor(0)),
        (None, SerialExecutor(10**6)),
        (None, ProcessPool(2, -3)),
    ],
)
def test_bad_input__leaves_no_folder(tmp_path, shard, executor):
    with pytest.raises(InputError, match=r"shard must be i/n|jobs must be at least 1|object with map|threads must be "):
        run_sweep(small_sweep(), tmp_path / "s", executor, shard=shard)
    assert not (tmp_path / "s").exists()


def test_bad_input__folder_with_other_files(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"it holds notes\.txt"):
        run_sweep(small_sweep(), tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_precompile__ignores_errors_of_points(tmp_path):
    precompile([failing(tmp_path)[1].experiment])


SLOW = f"""
[truth]
uniform = 2000
[workflow]
name = "replace"
[run]
n_generations = 100
n_replicates = 4
seed = 1
record = ["support_size"]
[sweep.grid]
"workflow.n_samples" = {[*range(FIRST, FIRST + 8)]}
"""


def allow(folder, n):
    """Let the first n points run; the others wait after their claim."""
    (folder / "new").write_text(str(n))
    os.replace(folder / "new", folder / "allowed")


def start_sweep(tmp_path, n_allowed, *more):
    (tmp_path / "slow.toml").write_text(SLOW)
    allow(tmp_path, n_allowed)
    code = "import sys; from tests.sweeps._gated_sweep import main; main(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, "sweep", "slow.toml", "-o", "s", *more],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_done(process, folder, n):
    while not ((folder / MANIFEST).exists() and len(SweepFolder(folder).done()) >= n):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return SweepFolder(folder)


def workers_at_work(folder):
    """Return the ids of the processes that have claimed a point."""
    return {int(owner.split()[1]) for owner in folder.running().values()}


def test_kill__of_worker_loses_and_repeats_no_point(tmp_path):
    process = start_sweep(tmp_path, 1, "--jobs", "2")
    folder = wait_until_done(process, tmp_path / "s", 1)
    while not (workers := workers_at_work(folder) - {process.pid}):
        assert process.poll() is None
    before = {index: folder.results(index).provenance for index in folder.done()}
    os.kill(workers.pop(), signal.SIGKILL)
    allow(tmp_path, 8)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "8 of 8 points done" in out
    after = SweepFolder(tmp_path / "s")
    assert {index: after.results(index).provenance for index in before} == before
    run_sweep(after.sweep, tmp_path / "alone")
    expected = SweepFolder(tmp_path / "alone")
    assert [contents(after.results(i)) for i in range(8)] == [contents(expected.results(i)) for i in range(8)]


@pytest.mark.parametrize(
    ("number", "jobs", "status"),
    [(signal.SIGINT, "2", 130), pytest.param(signal.SIGTERM, "1", 143, marks=pytest.mark.slow)],
)
def test_interrupt__stops_and_names_command_to_resume(tmp_path, number, jobs, status):
    process = start_sweep(tmp_path, 1, "--jobs", jobs)
    wait_until_done(process, tmp_path / "s", 1)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == status, err
    n_kept = len(SweepFolder(tmp_path / "s").done())
    assert 1 <= n_kept < 8
    assert f"error: interrupted; s: {n_kept} of 8 points done; to resume: fastcollapse" in err
    assert run_sweep(SweepFolder(tmp_path / "s").sweep, tmp_path / "s").done == 8 - n_kept


@pytest.mark.slow
def test_kill__of_all_processes_keeps_finished_points(tmp_path):
    process = start_sweep(tmp_path, 2, "--jobs", "2")
    folder = wait_until_done(process, tmp_path / "s", 2)
    while not (workers := workers_at_work(folder) - {process.pid}):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.05)
    kept = folder.done()
    assert len(kept) >= 2
    assert folder.running() == {}
    assert run_sweep(folder.sweep, tmp_path / "s").done == 8 - len(kept)


def run_except_point_1(task, threads):
    """Run the task, but kill the process if it contains point 1."""
    if any(unit.point == 1 for unit in task.units):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task, threads)


@pytest.mark.slow
def test_kill__point_that_ends_its_worker_is_identified(tmp_path, monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.run.run_task", run_except_point_1)
    outcome = run_sweep(small_sweep(), tmp_path / "s", 2)
    assert (outcome.done, outcome.failed) == (5, 1)
    error = SweepFolder(tmp_path / "s").failures()[1]["error"]
    assert re.fullmatch(
        r"its worker was killed in every attempt, by the system \(out of memory\) or by a crash; it needs about \d+ MB",
        error,
    )


@pytest.mark.slow
def test_kill__point_that_ends_its_dask_workers_is_identified(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("fastcollapse.sweeps.executors.dask._CONNECT_SECONDS", 600)
    dask = pytest.importorskip("dask")
    monkeypatch.setattr("fastcollapse.sweeps.run.run_task", run_except_point_1)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        outcome = run_sweep(small_sweep(), tmp_path / "s", cluster.scheduler_address)
    assert (outcome.done, outcome.failed) == (5, 1)
    assert "its worker was killed in every attempt" in SweepFolder(tmp_path / "s").failures()[1]["error"]


UNGUARDED = """
import fastcollapse, json, sys
try:
    fastcollapse.run_sweep(json.loads(sys.argv[1]), "s", 2)
except fastcollapse.InputError as error:
    print(error)
"""


def test_script__without_a_guard_is_refused_in_one_line(tmp_path):
    """Its workers import it, and would run the sweep in processes of their own."""
    (tmp_path / "script.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "script.py", json.dumps(mapping())],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    expected = 'a script that runs a sweep in processes must do so under `if __name__ == "__main__":`, because '
    assert (done.stderr, done.stdout) == ("", expected + "each process imports the script\n")
    assert SweepFolder(tmp_path / "s").failures() == {}
