"""A results file has all data to reproduce it bit for bit."""

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.replay import replay
from tests._runs import run_with_truth

WORKFLOWS = [
    {"name": "replace", "n_samples": {"start": 400, "factor": 1.1}},
    {"name": "accumulate_subsample", "n_samples": 400, "keep_real": True, "replacement": False},
    {"name": "mix", "n_samples": 300, "n_real": 50, "real": "fixed"},
]


def assert_same(got, expected):
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values, err_msg=name)
    np.testing.assert_array_equal(got.forgotten, expected.forgotten)
    for replicate in range(expected.n_replicates):
        for generation in expected.generation[1:].tolist():
            for one, other in zip(
                got.counts(replicate, generation), expected.counts(replicate, generation), strict=True
            ):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow["name"])
@pytest.mark.parametrize("seed", [2**64 - 1, None], ids=["given", "drawn"])
def test_replay__a_file_reproduces_itself(tmp_path, workflow, seed):
    run = {"n_generations": 8, "n_replicates": 3, "record": ["metrics", "trajectory"]}
    if seed is not None:
        run["seed"] = seed
    experiment = Experiment.from_mapping(
        {
            "truth": {"zipf_mandelbrot": {"a": 1, "b": 2.7, "size": 5000}},
            "workflow": workflow,
            "run": run,
        }
    )
    simulate(experiment, tmp_path / "first.h5", threads=1)
    first = open_results(tmp_path / "first.h5")
    assert first.complete
    assert first.experiment.run.seed is not None
    assert seed is None or first.experiment.run.seed == seed
    second = simulate(first.experiment, tmp_path / "second.h5", block=3)
    assert_same(second, first)
    assert second.digest == first.digest


def test_replay__a_table_of_counts_is_found_again(tmp_path):
    (tmp_path / "words.csv").write_text("word,count\n" + "".join(f"w{i},{1 + i % 7}\n" for i in range(60)))
    (tmp_path / "experiment.toml").write_text(
        f"""
[truth]
counts = "{tmp_path / "words.csv"}"
[workflow]
name = "replace"
n_samples = "truth"
[run]
n_generations = 5
n_replicates = 2
seed = 9
record = ["trajectory"]
"""
    )
    experiment = Experiment.from_toml(tmp_path / "experiment.toml")
    simulate(experiment, tmp_path / "out.h5")
    first = open_results(tmp_path / "out.h5")
    assert first.experiment_text == experiment.text
    assert_same(simulate(first.experiment), first)
    # The file itself holds the truth, should the table be gone.
    assert_same(run_with_truth(first.experiment, first.truth), first)


def test_replay__another_seed_differs(tmp_path):
    mapping = {
        "truth": {"uniform": 500},
        "workflow": {"name": "replace", "n_samples": 500},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
    first = simulate(Experiment.from_mapping(mapping))
    other = simulate(Experiment.from_mapping(mapping).with_values({"run.seed": 2}))
    assert (first.metrics["entropy"][:, 1:] != other.metrics["entropy"][:, 1:]).all()
    # Two replicates are two streams, not one stream twice.
    assert (first.metrics["entropy"][0, 1:] != first.metrics["entropy"][1, 1:]).all()


def test_replay__names_the_first_entry_of_a_state_that_differs(tmp_path, monkeypatch):
    experiment = Experiment.from_mapping(
        {
            "model": {"family": "gaussian", "estimator": "mle"},
            "truth": {"dimension": 2},
            "workflow": {"name": "replace", "n_samples": 9},
            "run": {"n_generations": 3, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
        }
    )
    simulate(experiment, tmp_path / "out.h5")
    recorded = open_results(tmp_path / "out.h5")
    monkeypatch.setattr(recorded, "experiment", experiment.with_values({"run.seed": 2}))
    different = replay(recorded).different
    assert [line.partition(":")[0] for line in different] == [*recorded.metrics, *recorded.states]
    assert "factor: 18 of 32 values, first at replicate 0, generation 1, entry 0, 0: " in " ".join(different)


def test_replay__of_other_data_is_refused_and_a_recorded_truth_needs_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    covariance = np.array([[2.0, 1.0], [1.0, 3.0]])
    common = {
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
    ridge = {"family": "ridge", "ridge": 0.1, "designs": "independent", "sigma": 0.5}
    np.savetxt("c.csv", covariance, delimiter=",")
    simulate(Experiment.from_mapping({"model": ridge, "truth": {"covariance": "c.csv"}, **common}), "r.h5")
    (tmp_path / "a.txt").write_text("the cat and the dog")
    simulate(Experiment.from_mapping({"truth": {"text": "a.txt"}, **common}), "d.h5")
    assert not replay(open_results("r.h5")).different
    np.savetxt("c.csv", 2 * covariance, delimiter=",")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(InputError, match=r"r\.h5 cannot be replayed: data file 'c\.csv' has changed .*restore it"):
        replay(open_results("r.h5"))
    assert not replay(open_results("d.h5")).different
