"""What a report says of a run."""

import tomllib

from fastcollapse import Experiment, Sweep, reproduce, run_sweep, simulate
from fastcollapse.analysis.html_report.page import page_of
from fastcollapse.analysis.html_report.sections import run_section, sweep_section, sweep_toml, toml_lines
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.folder import SweepFolder

EXPERIMENT = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"dimension": 2, "covariance": [[2.0, 0.5], [0.5, 1.0]]},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 4, "n_replicates": 20, "seed": 1},
}
FACTORY = "fastcollapse.models.estimator.examples:Normal"
ESTIMATOR = {"model": {"family": "estimator", "factory": FACTORY}, "truth": {"shape": "moons", "n_test": 10}}


def test_toml_lines__make_the_same_experiment_again():
    experiment = Experiment.from_mapping(EXPERIMENT)
    again = Experiment.from_mapping(tomllib.loads(toml_lines(experiment.to_mapping())))
    assert again.digest == experiment.digest


def test_section__counts_what_is_not_scored():
    section = run_section(
        simulate(Experiment.from_mapping({**EXPERIMENT, "run": {**EXPERIMENT["run"], "n_replicates": 1}}))
    )
    assert "not scored: a score needs 2 replicates, here 1 (6)." in section.verdict
    row = {name: cells for name, *cells in section.agreements.rows}["variance"]
    assert row == ["0", "-", "-", "-", "4", "a score needs 2 replicates, here 1"]


def test_section__of_a_run_without_theory_does_not_agree():
    results = simulate(Experiment.from_mapping({**EXPERIMENT, **ESTIMATOR}))
    section = run_section(results)
    assert section.agrees is None
    assert section.verdict.startswith("0 of 6 metrics compared with exact theory; not compared: ")
    assert 'class="verdict"' in page_of([section])


def test_section__of_an_estimator_replays_and_resumes_with_its_factory(tmp_path, monkeypatch):
    results = simulate(Experiment.from_mapping({**EXPERIMENT, **ESTIMATOR}), tmp_path / "own.h5")
    assert run_section(results).replay["check every number"].endswith(f"own.h5 --factory {FACTORY}")
    monkeypatch.setattr(RecordedRun, "finished", False)
    assert run_section(results).replay["resume"].startswith("fastcollapse run FILE.toml --resume ")


def test_section__of_a_changed_recipe_has_no_text_of_it():
    for values, is_there in (({}, True), ({"workflow.n_samples": 20}, False)):
        (results,) = reproduce("sur-gau", {"run.n_replicates": 20, **values}).cases
        page = page_of([run_section(results)])
        assert ("The curve that the published figure calls" in page) == is_there
        assert ("1,000 runs" in page) == is_there


def test_section__of_a_sweep_has_all_values_to_run_it_again(tmp_path):
    """A sweep without a file, whose seed is drawn, and one of a file with other values."""
    mapping = {**EXPERIMENT, "run": {"n_generations": 2, "n_replicates": 3}}
    mapping["sweep"] = {"grid": {"workflow.n_samples": [50, 60], "model": [{"family": "gaussian", "estimator": "mle"}]}}
    (tmp_path / "own.toml").write_text(sweep_toml({**mapping, "recipe": {"title": 'a "b"'}}))
    sweeps = {"mapping": Sweep(mapping), "file": Sweep.from_toml(tmp_path / "own.toml", {"run.n_replicates": 4})}
    for name, sweep in sweeps.items():
        run_sweep(sweep, tmp_path / name)
        made = SweepFolder(tmp_path / name)
        section = sweep_section(made)
        (tmp_path / "again.toml").write_text(section.values)
        assert Sweep.from_toml(tmp_path / "again.toml").digest == made.sweep.digest
        assert "all values above" in section.replay["run it again"]


def test_section__of_an_unfinished_run_says_how_to_resume(tmp_path, monkeypatch):
    results = simulate(Experiment.from_mapping(EXPERIMENT), tmp_path / "a b.h5")
    assert "resume" not in run_section(results).replay
    monkeypatch.setattr(RecordedRun, "finished", False)
    assert run_section(results).replay["resume"] == f"fastcollapse run --resume '{tmp_path / 'a b.h5'}'"
