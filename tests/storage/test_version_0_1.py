"""Files of version 0.1: opening, check, replay and resume."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray

from fastcollapse import Experiment, Sweep, open_results, run_sweep, simulate
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.results import check_results
from fastcollapse.sweeps import open_sweep, sweep_status
from fastcollapse.sweeps.executors import SerialExecutor

OLD = Path(__file__).parents[1] / "data" / "version_0_1"
FAMILIES = ("discrete", "gaussian", "ridge", "kernel_ridge")
# Rounding of kernel ridge and of eigenvalues depends on the processor.
RTOL = {"kernel_ridge": 1e-6}


def assert_close(got, expected, family):
    assert got.metrics.keys() == expected.metrics.keys()
    assert got.states.keys() == expected.states.keys()
    for values, other in ((got.metrics, expected.metrics), (got.states, expected.states)):
        for name in other:
            rtol = RTOL.get(family, 1e-9)
            np.testing.assert_allclose(values[name], other[name], rtol=rtol, atol=rtol, err_msg=name)
    if expected.forgotten is not None:
        np.testing.assert_array_equal(got.forgotten, expected.forgotten)
    if expected.has_trajectory:
        for replicate in range(expected.n_replicates):
            for generation in range(1, expected.last + 1):
                np.testing.assert_array_equal(got.counts(replicate, generation), expected.counts(replicate, generation))


@pytest.fixture
def old_files(tmp_path, monkeypatch):
    """A copy of the files as current folder, where data files are searched."""
    folder = shutil.copytree(OLD, tmp_path / "old")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_file__opens_passes_check_and_has_current_numbers(old_files, family):
    found = check_results(f"{family}.h5")
    assert (found.finished, found.experiment.family) == (True, family)
    assert found.provenance["packages"]["fastcollapse"] == "0.1.0"
    assert_close(simulate(Experiment.from_toml(f"{family}.toml")), found, family)
    with xarray.open_dataset(f"{family}.h5") as dataset:
        xarray.testing.assert_identical(dataset, found.to_xarray().drop_vars("symbol", errors="ignore"))


@pytest.mark.parametrize("family", FAMILIES)
def test_file__replays(old_files, family):
    found = replay(open_results(f"{family}.h5"), threads=1)
    names = {*found.same, *(line.partition(":")[0] for line in found.different)}
    assert names >= set(open_results(f"{family}.h5").metrics)
    if family == "discrete":  # integers do not depend on the processor
        assert {"counts", "forgotten"} <= set(found.same)


@pytest.mark.parametrize("family", ["discrete", "gaussian"])
def test_stopped_run__resumes_to_finished_run(old_files, family):
    stopped = open_results(f"stopped-{family}.h5")
    assert (stopped.finished, stopped.last) == (False, 3)
    resumed = simulate(Experiment.from_toml(f"{family}.toml"), f"stopped-{family}.h5", resume=True)
    assert resumed.finished
    assert_close(resumed, open_results(f"{family}.h5"), family)


def test_finished_run__is_returned_by_resume(old_files):
    before = Path("discrete.h5").read_bytes()
    assert simulate(Experiment.from_toml("discrete.toml"), "discrete.h5", resume=True).finished
    assert Path("discrete.h5").read_bytes() == before


def test_sweep__is_recognised_and_completed(old_files):
    assert (len(sweep_status("sweep").done), len(open_sweep(Path("sweep")).sweep)) == (4, 4)
    assert len(sweep_status("partial").done) == 2
    outcome = run_sweep(Sweep.from_toml("sweep.toml"), "partial", SerialExecutor(1))
    assert (len(sweep_status("partial").done), outcome.failed) == (4, 0)
    for index in range(4):
        got, expected = (open_sweep(Path(name)).results(index) for name in ("partial", "sweep"))
        assert_close(got, expected, "discrete")


def test_collected_sweep__opens(old_files):
    assert open_sweep(Path("collected.h5")).check() == 4
