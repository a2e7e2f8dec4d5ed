"""Replicate-parallel resampling: bit-identical to resampling generation by generation in all threads."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.kernels.counts.replicate_loop import resample_replicates
from fastcollapse.models.discrete import count_model as discrete
from fastcollapse.simulation.experiment import Experiment

CASES = {
    "few symbols": ({"probabilities": [0.1, 0.9]}, 50),
    "several blocks": ({"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 20_000}}, 30_000),
    "sizes that change": ({"uniform": 300}, [100, 700, 700, 20, 20, 20, 500]),
}


@pytest.mark.parametrize(("truth", "n_samples"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("block", [None, 3])
def test_resample_replicates__equals_generation_by_generation(monkeypatch, truth, n_samples, block):
    assert discrete.resample_replicates is resample_replicates
    mapping = {
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": n_samples},
        "run": {"n_generations": 7, "n_replicates": 9, "seed": 3},
    }
    experiment = Experiment.from_mapping(mapping)
    runs = []
    for least in (1, 10**9):
        monkeypatch.setattr(discrete, "_MIN_REPLICATES_PER_THREAD", least)
        runs.append(simulate(experiment, block=block))
    for name, values in runs[0].metrics.items():
        np.testing.assert_array_equal(values, runs[1].metrics[name], err_msg=name)
    np.testing.assert_array_equal(runs[0].forgotten, runs[1].forgotten)
