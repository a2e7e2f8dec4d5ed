"""Estimates of the memory of a run."""

import numpy as np
import pytest

from fastcollapse import Experiment
from fastcollapse.simulation.memory_budget import RESERVE, copied_bytes
from fastcollapse.simulation.memory_estimate import estimate_bytes
from fastcollapse.storage.hdf5_store import STATE_BYTES


def given(**values):
    mapping = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"dimension": 20},
        "workflow": {"name": "accumulate_subsample", "n_samples": 500, "keep_real": True, "replacement": False},
        "run": {"n_generations": 10, "n_replicates": 4, "seed": 1},
    }
    return Experiment.from_mapping(mapping).with_values(values)


@pytest.mark.parametrize("stop", [{}, {"run.stop": "trace_ratio < 0.01"}])
def test_memory__has_the_pool_of_all_replicates_and_its_copies(stop):
    """A commit does not copy this large state; a run with a stop condition keeps the state before each block."""
    one, all_of_them = (estimate_bytes(given(**stop, **{"run.n_replicates": n})) for n in (1, 1001))
    pools = 1000 * 8 * 20 * 500 * 10
    n_pools = 2 if stop else 1
    assert RESERVE < one < all_of_them
    assert n_pools * pools < all_of_them - one < (n_pools + 0.2) * pools


@pytest.mark.parametrize("keeps_before", [False, True])
def test_copied_bytes__has_two_copies_of_a_state_that_is_not_large(keeps_before):
    """One is written while the run continues, and a signal may save the other one."""
    n_before = 1 if keeps_before else 0
    assert copied_bytes(STATE_BYTES, keeps_before) == (2 + n_before) * STATE_BYTES
    assert copied_bytes(STATE_BYTES + 1, keeps_before) == n_before * (STATE_BYTES + 1)


def test_memory__has_results_up_to_three_parts():
    short, long, longest = (
        estimate_bytes(given(**{"run.n_generations": n, "workflow.name": "replace"})) for n in (10, 10**5, 10**6)
    )
    assert short < long < longest < short + (1 << 30)


def test_memory__is_that_of_a_new_process():
    """A notebook with large arrays in memory estimates the same as a process without them."""
    before = estimate_bytes(given())
    held = np.ones(50_000_000)
    assert estimate_bytes(given()) == before
    assert held.nbytes == 400_000_000


def test_memory__has_the_truth():
    base = {"workflow": {"name": "replace", "n_samples": 50}, "run": {"n_generations": 1, "n_replicates": 1, "seed": 1}}
    small, large = (estimate_bytes(Experiment.from_mapping({**base, "truth": {"uniform": n}})) for n in (10, 10**7))
    assert large - small > 8 * 10**7  # the probabilities alone
