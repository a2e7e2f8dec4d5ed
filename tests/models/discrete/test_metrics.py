"""Metrics of discrete distributions: definitions, ranges and symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.kernels.counts.count_sums import N_SUMS, segment_sums
from fastcollapse.models.discrete.metrics import METRICS, CountSums, metrics_of, metrics_of_truth
from fastcollapse.simulation.experiment import Experiment
from tests._runs import run_with_truth
from tests.naive import discrete as naive

COUNTS = st.lists(st.integers(0, 10**6), min_size=2, max_size=30).filter(any)


def metrics_of_counts(counts, truth):
    """Return the metrics of one state as numbers."""
    symbols = np.flatnonzero(counts).astype(np.int32)
    sums = np.zeros(N_SUMS)
    total = int(counts.sum())
    segment_sums(counts[symbols].astype(np.float64), truth[symbols], np.log(truth[symbols]), float(total), sums)
    states = CountSums._make([*sums[:, None, None], np.array([total])])
    return {name: value.item() for name, value in metrics_of(states).items()}


def some_truth(size, seed):
    truth = np.random.default_rng(seed).dirichlet(np.ones(size)) + 1e-6
    return truth / truth.sum()


def test_metrics__all_have_a_naive_twin():
    assert list(naive.metrics(np.array([1, 2]), np.array([0.5, 0.5]))) == list(METRICS)


@given(COUNTS, st.integers(0, 999))
def test_metrics__equal_their_definitions(counts, seed):
    counts, truth = np.array(counts), some_truth(len(counts), seed)
    got = metrics_of_counts(counts, truth)
    expected = naive.metrics(counts, truth)
    for name in METRICS:
        # Differences of numbers near 1 to 20 lose their last digits.
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


@given(COUNTS, st.integers(0, 999))
def test_metrics__are_within_their_ranges(counts, seed):
    counts, truth = np.array(counts), some_truth(len(counts), seed)
    got = metrics_of_counts(counts, truth)
    support = np.count_nonzero(counts)
    assert got["support_size"] == support
    assert 0 <= got["entropy"] <= np.log(support) + 1e-12
    assert 0 <= got["heterozygosity"] <= 1 - 1 / support + 1e-12
    assert 0 <= got["lost_mass"] <= got["total_variation"] + 1e-12
    assert got["total_variation"] <= 1
    # Pinsker's inequality.
    assert got["kl_divergence"] >= 2 * got["total_variation"] ** 2 - 1e-12


@given(COUNTS, st.integers(0, 999))
def test_metrics__are_invariant_to_permuted_symbols(counts, seed):
    counts, truth = np.array(counts), some_truth(len(counts), seed)
    order = np.random.default_rng(seed).permutation(len(counts))
    got, expected = metrics_of_counts(counts[order], truth[order]), metrics_of_counts(counts, truth)
    for name in METRICS:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


def test_metrics__of_the_truth_equal_their_definitions():
    counts = np.array([5, 3, 2])
    got = metrics_of_truth(counts / 10)
    for name, expected in naive.metrics(counts, counts / 10).items():
        np.testing.assert_allclose(got[name], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "workflow",
    [
        {"name": "replace", "n_samples": "truth"},
        {"name": "accumulate_subsample", "n_samples": 5000, "keep_real": True, "replacement": False},
        {"name": "mix", "n_samples": 3000, "n_real": 500, "real": "fresh"},
    ],
    ids=lambda workflow: workflow["name"],
)
def test_metrics__of_a_run_equal_those_of_its_trajectory(workflow):
    # Two blocks of symbols, so that sums over blocks are combined.
    counts = np.ceil(3000 / np.arange(1, 5001)).astype(np.int64)
    truth = CategoricalDistribution(None, counts, counts / counts.sum(), "a test")
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": 5000},
            "workflow": workflow,
            "run": {
                "n_generations": 6,
                "n_replicates": 2,
                "seed": 5,
                "record": ["metrics", "trajectory"],
            },
        }
    )
    results = run_with_truth(experiment, truth)
    for replicate in range(2):
        states = np.zeros((6, 5000), np.int64)
        for generation in range(1, 7):
            symbols, values = results.counts(replicate, generation)
            states[generation - 1, symbols] = values
            expected = naive.metrics(states[generation - 1], truth.probabilities)
            for name in METRICS:
                got = results.metrics[name][replicate, generation]
                np.testing.assert_allclose(got, expected[name], rtol=1e-10, err_msg=name)
        expected = naive.forgotten(states, truth.probabilities)
        np.testing.assert_array_equal(results.forgotten[replicate], expected)
