"""Records of runs and sweeps: the values that the texts show, under stable keys."""

import dataclasses
import json

import pytest

from fastcollapse import Experiment, Sweep, run_sweep, simulate
from fastcollapse.analysis.agreement import agreement_of
from fastcollapse.analysis.comparison import Comparison, compare
from fastcollapse.analysis.records import comparison_record, run_record, status_record
from fastcollapse.cli.json_output import plain
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps import sweep_status


@pytest.fixture(scope="module")
def changed():
    values = {"workflow.n_samples": 20, "run.n_generations": 150, "run.n_replicates": 100}
    return simulate(load_experiment("sur-gau", values))


def test_run_record__has_the_experiment_and_its_changes(changed):
    record = run_record(changed)
    assert Experiment.from_mapping(record["experiment"]).digest == record["digest"] == changed.digest
    assert (record["last_generation"], record["n_generations"], record["n_replicates"]) == (150, 150, 100)
    assert record["finished"] is True
    assert record["recipe"]["changes"] == [
        {"key": "workflow.n_samples", "value": 20, "recipe": 10, "is_published": True}
    ]
    assert [one["name"] for one in record["metrics"]] == list(changed.metrics)
    assert record["metrics"][0]["end"] == changed.metrics[record["metrics"][0]["name"]][:, -1].mean()


def test_run_record__of_infinite_metrics_is_valid_json():
    run = simulate(Experiment.from_mapping({
        "model": {"family": "poisson"}, "truth": {"rate": 0.1}, "workflow": {"name": "replace", "n_samples": 3},
        "run": {"n_generations": 20, "n_replicates": 4, "seed": 1},
    }))  # fmt: skip
    text = json.dumps(plain(run_record(run)), allow_nan=False)
    assert json.loads(text)["recipe"] is None


def test_comparison_record__counts_as_the_agreements_do(changed):
    record, agreements = comparison_record(changed, compare(changed)), agreement_of(changed)
    assert record["n_scored"] == sum(one.n_scores for one in agreements) > 0
    assert record["n_unscored"] == sum(one.n_unscored + one.n_bounded for one in agreements)
    assert len(record["points"]) == record["n_points"] == record["n_scored"] + record["n_unscored"]
    assert [one["panel"] for one in record["panels"]] == [one.name for one in agreements]
    assert record["disagrees"] is False
    assert record["recipe"]["source"].endswith("changed: n_samples = 20 (published 10)")


def test_comparison_record__of_a_wrong_run_disagrees(changed):
    """Negative control: a point far from theory."""
    right = compare(changed)
    last = dataclasses.replace(right.plots[0][-1], z=30.0, where="generation 30")
    record = comparison_record(changed, Comparison(((*right.plots[0][:-1], last), *right.plots[1:])))
    assert record["disagrees"] is True
    assert record["panels"][0]["disagrees_at"] == ("generation 30",)


def test_status_record__has_each_point_in_one_state(tmp_path):
    sweep = Sweep({
        "model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
        "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
        "sweep": {"grid": {"workflow.n_samples": [5, 6, 7]}},
    })  # fmt: skip
    run_sweep(sweep, tmp_path / "study", shard=(1, 3))
    record = plain(status_record(sweep_status(tmp_path / "study")))
    assert record["axes"] == [{"keys": ["workflow.n_samples"], "n_values": 3}]
    states = [*record["done"], *map(int, record["running"]), *map(int, record["failed"]), *record["missing"]]
    assert sorted(states) == [0, 1, 2]
    assert len(record["done"]) == 1
