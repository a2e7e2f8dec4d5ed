"""Estimates of time and memory of the points of a sweep."""

import os

import pytest

from fastcollapse.sweeps import needs as module
from fastcollapse.sweeps.folder import make_folder
from fastcollapse.sweeps.needs import estimate_needs
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import mapping, small_sweep


def test_memory__is_that_of_the_largest_point(tmp_path, monkeypatch):
    made = mapping(
        workflow={"n_samples": 5}, sweep={"grid": {"run.n_replicates": [1, 50, 2], "truth.uniform": [9, 7, 8, 10]}}
    )
    folder = make_folder(tmp_path / "s", Sweep(made))
    seen = []

    def size(experiment, truth):
        seen.append((experiment.run.n_replicates, experiment.truth.uniform))
        return 1000 * experiment.run.n_replicates + experiment.truth.uniform

    monkeypatch.setattr(module, "estimate_bytes", size)
    monkeypatch.setattr(module, "_N_TRIALS", 2)
    monkeypatch.setattr(module, "_N_ALL", 4)
    monkeypatch.setattr(module, "estimate_seconds", lambda experiment, threads: 4.0)
    found = estimate_needs(folder, range(12))
    assert found.memory == 50_010
    assert len(seen) == len(set(seen)) <= 8
    assert (found.seconds, found.longest, found.n_finished, found.n_trials) == (4.0, 4.0, 0, 3)


def test_trial__has_fewer_replicates_of_a_large_point(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "s", small_sweep())
    monkeypatch.setattr(module, "estimate_bytes", lambda experiment, truth: 5 << 30)
    monkeypatch.setattr(module, "estimate_seconds", lambda experiment, threads: float(experiment.run.n_replicates))
    found = estimate_needs(folder, [3])
    assert (found.seconds, found.memory) == (5.0, 5 << 30)  # one of five replicates, times five


def test_finished_points__are_timed_by_their_files(tmp_path, monkeypatch):
    sweep = small_sweep(run={"record": ["metrics", "trajectory"]})  # each point has a file of its own
    run_sweep(sweep, tmp_path / "s", shard=(1, 2))
    folder = make_folder(tmp_path / "s", sweep)
    (tmp_path / "s" / "claims" / "measured.jsonl").unlink()  # as an earlier version has left it
    for index in (0, 2, 4):
        path = folder.point_path(index)
        os.utime(path, (0, path.stat().st_mtime + 100))
    monkeypatch.setattr(module, "estimate_seconds", lambda experiment, threads: 0.0)  # trials that fail
    found = estimate_needs(folder, [1, 3, 5])
    assert (found.n_finished, found.n_trials) == (3, 0)
    assert found.seconds == pytest.approx(100, abs=60)
    os.utime(folder.point_path(0), (0, 0))  # a copy
    assert estimate_needs(folder, [1, 3, 5]).n_finished == 2


def test_estimates__of_a_small_sweep(tmp_path):
    found = estimate_needs(make_folder(tmp_path / "s", small_sweep()), range(6))
    assert found.seconds > 0
    assert found.n_trials == 6
    assert 350e6 < found.memory < 3e9
