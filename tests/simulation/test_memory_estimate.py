"""Estimates of the memory of a run."""

from fastcollapse import Experiment
from fastcollapse.simulation.memory_budget import RESERVE
from fastcollapse.simulation.memory_estimate import estimate_bytes


def given(**values):
    mapping = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"dimension": 20},
        "workflow": {"name": "accumulate_subsample", "n_samples": 500, "keep_real": True, "replacement": False},
        "run": {"n_generations": 10, "n_replicates": 4, "seed": 1},
    }
    return Experiment.from_mapping(mapping).with_values(values)


def test_memory__has_the_pool_of_all_replicates():
    one, all_of_them = (estimate_bytes(given(**{"run.n_replicates": n})) for n in (1, 401))
    pools = 400 * 8 * 20 * 500 * 10
    assert RESERVE < one < all_of_them
    assert pools < all_of_them - one < 2 * pools


def test_memory__has_results_up_to_three_parts():
    short, long, longest = (
        estimate_bytes(given(**{"run.n_generations": n, "workflow.name": "replace"})) for n in (10, 10**5, 10**6)
    )
    assert short < long < longest < short + (1 << 30)
