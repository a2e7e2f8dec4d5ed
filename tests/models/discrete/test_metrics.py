"""Metrics of discrete distributions: definitions, ranges and symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse import simulate
from fastcollapse.config.workflows import Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.kernels.counts.count_sums import N_SUMS, SUMS_BUFFER, add_blocks, segment_sums
from fastcollapse.models.discrete.metrics import METRICS, CountSums, metrics_of, metrics_of_truth
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.simulation.experiment import Experiment
from tests._runs import run_with_truth
from tests.naive import discrete as naive

COUNTS = st.lists(st.integers(0, 10**6), min_size=2, max_size=30).filter(any)


def metrics_of_counts(counts, truth):
    """Return the metrics of one state as numbers."""
    symbols = np.flatnonzero(counts).astype(np.int32)
    law = CategoricalDistribution(None, None, truth, "a test")
    table = Discrete(law, DiscreteParameters(), Replace(n_samples=1).schedule(1, None))._truth
    dtype = np.int32 if counts.sum() < 2**31 else np.float64
    partial, sums = np.zeros((1, N_SUMS)), np.zeros(N_SUMS)
    total = int(counts.sum())
    segment_sums(
        counts[symbols].astype(dtype), symbols, truth[symbols], float(total), table, np.empty(SUMS_BUFFER), partial[0]
    )
    add_blocks(partial, np.array([truth[counts == 0].sum()]), sums)
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
        # A count below 2048 that is nearly its mean has lost digits of x ln x.
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-10, atol=1e-14, err_msg=name)


def near_truth(n, size, seed):
    """Return a truth and counts of about n tokens whose deviations are those of a sample."""
    truth, z = some_truth(size, seed), np.random.default_rng(seed + 1).normal(size=size)
    return np.rint(n * truth + z * np.sqrt(n * truth)).astype(np.int64), truth


@pytest.mark.parametrize("size", [4, 300], ids=["few symbols", "vectorised"])
@pytest.mark.parametrize("n", [10**6, 10**9, 10**12, 10**15])
def test_metrics__keep_their_digits_near_the_truth(n, size):
    counts, truth = near_truth(n, size, 3)
    got, expected = metrics_of_counts(counts, truth), naive.metrics(counts, truth)
    # The rounding of n p and of x / n, relative to a deviation of sqrt(p / n).
    rtol = 1e-11 + 1e-15 * np.sqrt(n)
    for name in METRICS:
        np.testing.assert_allclose(got[name], expected[name], rtol=rtol, atol=0, err_msg=name)


def test_metrics__keep_their_digits_negative_control():
    counts, truth = near_truth(10**15, 4, 3)
    expected = naive.metrics(counts, truth)["kl_divergence"]
    state = counts / counts.sum()
    for got in ((state * np.log(state / truth)).sum(), (state * np.log(state)).sum() - (state * np.log(truth)).sum()):
        assert abs(got / expected - 1) > 1e-3


@pytest.mark.parametrize("n", [10, 2000, 10**6, 10**15])
@pytest.mark.parametrize("others", [0, 1, 3])
@pytest.mark.parametrize("size", [4, 300], ids=["few symbols", "vectorised"])
def test_metrics__keep_their_digits_near_fixation(n, others, size):
    counts = np.zeros(size, np.int64)
    counts[1 : 1 + others] = 1
    counts[0] = n - others
    # The largest probability is that of the largest count.
    truth = np.sort(some_truth(size, 4))[::-1]
    got, expected = metrics_of_counts(counts, truth), naive.metrics(counts, truth)
    for name in ("entropy", "heterozygosity", "lost_mass"):
        np.testing.assert_allclose(got[name], expected[name], rtol=3e-12, atol=0, err_msg=name)


@pytest.mark.parametrize("n", [10**6, 10**12, 10**14, 10**15])
def test_kl_divergence__of_large_samples_has_the_mean_of_theory(n):
    p = [0.001, 0.2, 0.299, 0.5]
    got = run_of(p, {"name": "replace", "n_samples": n}, 1, n_replicates=3000).metrics["kl_divergence"][:, 1]
    # 2 n KL is chi-square with 3 degrees of freedom: a standard error of 0.015, and a limit of 4 of them.
    assert abs(got.mean() * 2 * n / 3 - 1) < 0.06
    assert (got > 0).all()


WORKFLOWS = {
    "replace": {"name": "replace", "n_samples": 10**6},
    "accumulate": {"name": "accumulate", "n_samples": 10**6, "keep_real": False},
    "mix": {"name": "mix", "n_samples": 10**6, "n_real": 10, "real": "fresh"},
}


@pytest.mark.parametrize("n_replicates", [1, 40], ids=["by block", "by replicate"])
@pytest.mark.parametrize("name", WORKFLOWS)
def test_metrics__of_runs_keep_the_digits_of_lost_symbols(name, n_replicates):
    # The last symbols are below the rounding of 1; that of 1e-6 is lost in some replicates.
    p = np.array([0.4, 0.3, 0.299999, 1e-6, 0.0, 1e-17, 3e-19])
    results = run_of(p, WORKFLOWS[name], 4, n_replicates=n_replicates, record=["metrics", "trajectory"])
    bare = run_of(p, WORKFLOWS[name], 4, n_replicates=n_replicates)
    for replicate in range(0, n_replicates, 13):
        for generation in range(1, 5):
            counts = np.zeros(len(p), np.int64)
            symbols, values = results.counts(replicate, generation)
            counts[symbols] = values
            expected = naive.metrics(counts, p)
            assert expected["lost_mass"] > 0
            for metric in METRICS:
                for got in (results, bare):
                    value = got.metrics[metric][replicate, generation]
                    np.testing.assert_allclose(value, expected[metric], rtol=1e-9, atol=0, err_msg=metric)


def run_of(p, workflow, n_generations, n_replicates, record=("metrics",)):
    run = {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 5, "record": list(record)}
    return simulate(Experiment.from_mapping({"truth": {"probabilities": list(p)}, "workflow": workflow, "run": run}))


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
            if generation not in (1, 6):
                continue
            expected = naive.metrics(states[generation - 1], truth.probabilities)
            for name in METRICS:
                got = results.metrics[name][replicate, generation]
                np.testing.assert_allclose(got, expected[name], rtol=1e-10, err_msg=name)
        expected = naive.forgotten(states, truth.probabilities)
        np.testing.assert_array_equal(results.forgotten[replicate], expected)
