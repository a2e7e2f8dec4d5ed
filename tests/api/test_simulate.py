"""Simulation in one call."""

import os
import signal

import numpy as np
import pytest

from fastcollapse.api.results import Results
from fastcollapse.api.simulate import simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

EXPERIMENT = Experiment.from_mapping(
    {
        "model": {"family": "poisson"},
        "truth": {"rate": 2.0},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
)


def test_simulate__returns_results(tmp_path):
    for path in (None, tmp_path / "out.h5"):
        results = simulate(EXPERIMENT, path)
        assert isinstance(results, Results)
        assert results.finished
    assert isinstance(simulate(EXPERIMENT, tmp_path / "out.h5", resume=True), Results)


def test_simulate__resume_and_overwrite_exclude_each_other(tmp_path):
    with pytest.raises(InputError, match="give resume=True or overwrite=True, not both"):
        simulate(EXPERIMENT, tmp_path / "out.h5", resume=True, overwrite=True)


def test_simulate__a_second_time_returns_the_finished_run(tmp_path, monkeypatch):
    path = tmp_path / "out.h5"
    first, before = simulate(EXPERIMENT, path), path.read_bytes()
    monkeypatch.setattr("fastcollapse.simulation.execute.run_blocks", None)  # nothing runs
    again = simulate(EXPERIMENT, path)
    np.testing.assert_array_equal(again.metrics["rate"], first.metrics["rate"])
    assert (isinstance(again, Results), path.read_bytes()) == (True, before)


def test_simulate__an_experiment_without_a_seed_takes_that_of_the_file(tmp_path):
    free = EXPERIMENT.with_values({"run.seed": None})
    for resume in (False, True):
        first = simulate(free, tmp_path / f"{resume}.h5")
        assert simulate(free, tmp_path / f"{resume}.h5", resume=resume).experiment.run.seed == first.experiment.run.seed
    assert first.experiment.run.seed is not None


def test_simulate__another_state_of_the_path_is_one_line(tmp_path):
    path = tmp_path / "out.h5"
    simulate(EXPERIMENT, path)
    other = EXPERIMENT.with_values({"run.seed": 2, "workflow.n_samples": 11})
    differences = "workflow.n_samples is 10 there, 11 here; run.seed is 1 there, 2 here"
    with pytest.raises(InputError, match=rf"\({'another experiment: ' + differences}\).*overwrite=True.*resume=True"):
        simulate(other, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"out.h5 already exists and cannot be resumed \(resume=True.*overwrite=True"):
        simulate(EXPERIMENT, path)
    path.write_text("mine")
    with pytest.raises(InputError, match=r"out.h5 already exists and is not a results file.*resume=True.*overwrite"):
        simulate(EXPERIMENT, path)
    assert path.read_text() == "mine"
    unfinished = tmp_path / "unfinished.h5"
    with pytest.raises(KeyboardInterrupt):
        simulate(EXPERIMENT, unfinished, block=1, progress=lambda _: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(InputError, match=r"holds an unfinished run; resume it \(resume=True, --resume\), overwrite"):
        simulate(EXPERIMENT, unfinished)
    with pytest.raises(InputError, match=rf"of another experiment \({differences}\).*overwrite=True.*resume=True"):
        simulate(other, unfinished)
