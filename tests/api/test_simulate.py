"""Simulation in one call."""

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
