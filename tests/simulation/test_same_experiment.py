"""Differences between an experiment and a results file, by key."""

from dataclasses import replace

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, simulate
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.simulation.same_experiment import (
    check_coordinates,
    check_same_experiment,
    experiment_diff,
    recorded_truth,
    with_seed_of,
)

MAPPING = {
    "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 30}},
    "workflow": {"name": "replace", "n_samples": 20},
    "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
}
OTHERS = {
    "run.seed=2": ({"run.seed": 2}, "run.seed is 1 there, 2 here"),
    "n_generations": ({"run.n_generations": 3}, "run.n_generations is 2 there, 3 here"),
    "n_samples": ({"workflow.n_samples": 21}, "workflow.n_samples is 20 there, 21 here"),
    "nested": ({"truth.zipf_mandelbrot.a": 2.0}, "truth.zipf_mandelbrot.a is 1.0 there, 2.0 here"),
    "record": ({"run.record": ["entropy"]}, r"run.record is \['metrics'\] there, \['entropy'\] here"),
    "more than one": (
        {"run.seed": 2, "workflow.name": "mix", "workflow.n_real": 5, "workflow.real": "fresh"},
        "workflow.name is 'replace' there, 'mix' here; run.seed is 1 there, 2 here; "
        "workflow.n_real is absent there, 5 here; workflow.real is absent there, 'fresh' here",
    ),
}


@pytest.fixture(scope="module")
def ran():
    return simulate(Experiment.from_mapping(MAPPING))


@pytest.mark.parametrize("case", OTHERS)
def test_differences__name_each_key_with_both_values(ran, case):
    values, message = OTHERS[case]
    with pytest.raises(InputError, match=f"holds another experiment: {message}$"):
        check_same_experiment(Experiment.from_mapping(MAPPING).with_values(values), ran)


def test_differences__of_the_same_are_none(ran):
    experiment = Experiment.from_mapping(MAPPING)
    assert experiment_diff(experiment, ran) == []
    assert experiment_diff(experiment, ran, recorded_truth(ran)) == []
    check_same_experiment(experiment, ran)
    assert experiment_diff(experiment, ran, first_replicate=5) == ["first_replicate is 0 there, 5 here"]


def test_differences__a_file_of_data_that_has_changed_is_another_truth(ran):
    truth = recorded_truth(ran)
    for other in (
        CategoricalDistribution(truth.labels, truth.counts, np.roll(truth.probabilities, 1), truth.source),
        CategoricalDistribution(truth.labels, np.ones(30, np.int64), truth.probabilities, truth.source),
        CategoricalDistribution(tuple("abc") * 10, truth.counts, truth.probabilities, truth.source),
    ):
        (difference,) = experiment_diff(Experiment.from_mapping(MAPPING), ran, other)
        assert difference.startswith("the data of [truth] are not what they were")


def test_seed__is_that_of_the_file_unless_given(ran):
    free = Experiment.from_mapping({**MAPPING, "run": {"n_generations": 2, "n_replicates": 2}})
    assert with_seed_of(free, ran).run.seed == 1
    assert with_seed_of(free.with_values({"run.seed": 7}), ran).run.seed == 7


def test_coordinates__of_changed_data_are_refused_except_their_rounding():
    """A file of version 0.1 has no hashes of its data files."""
    truth = {"truth": {"spectrum": [2.0, 1.0]}, "model": {"family": "ridge", "ridge": 0.1, "designs": "independent"}}
    ran = simulate(Experiment.from_mapping({**MAPPING, **truth, "model": {**truth["model"], "sigma": 0.5}}))
    recorded = ran.coordinates["spectrum"]
    check_coordinates({"spectrum": replace(recorded, values=recorded.values * (1 + 1e-12))}, ran)
    with pytest.raises(InputError, match=r"holds another experiment: spectrum of the data of \[truth\] has changed"):
        check_coordinates({"spectrum": replace(recorded, values=recorded.values * 1.01)}, ran)
