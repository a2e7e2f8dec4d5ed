"""What a report says of a run."""

import tomllib

from fastcollapse import Experiment, simulate
from fastcollapse.analysis.html_report.sections import run_section, toml_lines
from fastcollapse.simulation.recorded_run import RecordedRun

EXPERIMENT = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"dimension": 2, "covariance": [[2.0, 0.5], [0.5, 1.0]]},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 4, "n_replicates": 20, "seed": 1},
}


def test_toml_lines__make_the_same_experiment_again():
    experiment = Experiment.from_mapping(EXPERIMENT)
    again = Experiment.from_mapping(tomllib.loads(toml_lines(experiment.to_mapping())))
    assert again.digest == experiment.digest


def test_section__counts_what_is_not_scored():
    section = run_section(
        simulate(Experiment.from_mapping({**EXPERIMENT, "run": {**EXPERIMENT["run"], "n_replicates": 1}}))
    )
    row = {name: cells for name, *cells in section.agreements.rows}["variance"]
    assert row == ["0", "-", "-", "-", "4", "a score needs 2 replicates, here 1"]


def test_section__of_an_unfinished_run_says_how_to_resume(tmp_path, monkeypatch):
    results = simulate(Experiment.from_mapping(EXPERIMENT), tmp_path / "a b.h5")
    assert "resume" not in run_section(results).replay
    monkeypatch.setattr(RecordedRun, "finished", False)
    assert run_section(results).replay["resume"] == f"fastcollapse run --resume '{tmp_path / 'a b.h5'}'"
