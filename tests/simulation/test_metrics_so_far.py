"""Callbacks after each block: what they see, and a stop by them."""

import os

import numpy as np
import pytest

from fastcollapse import Experiment, open_results, simulate
from fastcollapse.models.registry import families
from fastcollapse.simulation.metrics_so_far import MetricsSoFar
from tests.test_conformance import N_SAMPLES, assert_same, everything, experiment_of, twin

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 9},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 7, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
    }
)


@pytest.mark.parametrize("family", families())
def test_callback__sees_all_metrics_so_far(tables, family):
    workflow = {"name": "replace", "n_samples": N_SAMPLES}
    experiment = experiment_of(family, next(iter(twin(family).CASES)), workflow, tables)
    seen = []
    results = simulate(experiment, block=2, on_block=lambda m: seen.append({k: np.array(v) for k, v in m.items()}))
    assert [next(iter(one.values())).shape[1] for one in seen] == [3, 5, 6]
    for one in seen:
        assert one.keys() == results.metrics.keys()
        for name, values in one.items():
            np.testing.assert_array_equal(values, results.metrics[name][:, : values.shape[1]])


def test_callback__stops_a_run_that_is_resumed_with_the_same_bits(tmp_path):
    path, expected = tmp_path / "a.h5", everything(simulate(EXPERIMENT))
    for last in (3, 6):
        stopped = simulate(EXPERIMENT, path, resume=True, block=1, on_block=lambda m, n=last: m["entropy"].shape[1] > n)
        assert (stopped.last, stopped.finished, stopped.complete) == (last, False, False)
        assert open_results(path).last == last
    whole = simulate(EXPERIMENT, path, resume=True, on_block=lambda m: m["entropy"].shape == (2, 8))
    assert whole.finished
    assert_same(everything(whole), expected)


def test_callback__stops_a_run_in_memory_and_an_extension(tmp_path):
    stopped = simulate(EXPERIMENT, block=2, on_block=lambda _: True)
    assert (stopped.last, stopped.finished) == (2, False)
    np.testing.assert_array_equal(stopped.metrics["entropy"], simulate(EXPERIMENT).metrics["entropy"][:, :3])
    path = tmp_path / "a.h5"
    simulate(EXPERIMENT, path)
    longer = EXPERIMENT.with_values({"run.n_generations": 12, "run.n_replicates": 3})
    seen = []
    stopped = simulate(longer, path, resume=True, block=2, on_block=lambda m: seen.append(m["entropy"].shape) or True)
    assert (stopped.last, stopped.finished, seen) == (9, False, [(2, 10)])
    assert open_results(path).digest == EXPERIMENT.digest
    assert_same(everything(simulate(longer, path, resume=True)), everything(simulate(longer)))
    assert os.listdir(tmp_path) == ["a.h5"]


def test_callback__that_fails_ends_the_run(tmp_path):
    def fail(_):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        simulate(EXPERIMENT, tmp_path / "a.h5", on_block=fail)
    assert simulate(EXPERIMENT, tmp_path / "a.h5", resume=True).complete


def test_metrics__are_read_only():
    metrics = MetricsSoFar({"m": np.zeros((2, 1))})
    metrics.add({"m": np.ones((2, 2))})
    assert (len(metrics), list(metrics)) == (1, ["m"])
    with pytest.raises(ValueError, match="read-only"):
        metrics["m"][0, 0] = 1
    with pytest.raises(KeyError):
        metrics["other"]
