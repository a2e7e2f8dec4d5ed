"""Properties of all runs of the discrete family."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse import simulate
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families, family
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.blocks import Block, take
from fastcollapse.variables import CountRows
from tests._runs import run_with_truth
from tests.naive import discrete as naive
from tests.storage._stored_runs import make_header

T = 6
SMALL = st.lists(st.integers(1, 30), min_size=2, max_size=20)


def run(counts, workflow, seed=1, n_replicates=2, probabilities=None, n_generations=T):
    """Return the results and the dense trajectory int64 (R, T, K)."""
    if probabilities is None:
        counts = np.array(counts, dtype=np.int64)
        truth = CategoricalDistribution(None, counts, counts / counts.sum(), "a test")
    else:
        truth = CategoricalDistribution(None, None, np.array(probabilities, dtype=float), "a test")
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": max(2, truth.support_size)},
            "workflow": workflow,
            "run": {
                "n_generations": n_generations,
                "n_replicates": n_replicates,
                "seed": seed,
                "record": ["metrics", "trajectory"],
            },
        }
    )
    results = run_with_truth(experiment, truth)
    states = np.zeros((n_replicates, n_generations, truth.support_size), np.int64)
    for replicate in range(n_replicates):
        for generation in range(1, n_generations + 1):
            symbols, values = results.counts(replicate, generation)
            assert (np.diff(symbols) > 0).all()
            assert (values > 0).all()
            states[replicate, generation - 1, symbols] = values
    return results, states


@settings(max_examples=40)
@given(SMALL, st.lists(st.integers(1, 80), min_size=T, max_size=T), st.integers(0, 2**64 - 1))
def test_replace__has_exact_sums_and_no_symbol_returns(counts, sizes, seed):
    results, states = run(counts, {"name": "replace", "n_samples": sizes}, seed)
    np.testing.assert_array_equal(states.sum(axis=2), np.tile(sizes, (2, 1)))
    alive = states > 0
    # An extinct symbol never returns.
    assert (alive[:, 1:] <= alive[:, :-1]).all()
    np.testing.assert_array_equal(results.metrics["support_size"][:, 1:], alive.sum(axis=2))
    for replicate in range(2):
        expected = naive.forgotten(states[replicate], np.ones(len(counts)))
        np.testing.assert_array_equal(results.forgotten[replicate], expected)


@settings(max_examples=40)
@given(SMALL, st.integers(1, 50), st.booleans(), st.integers(0, 2**64 - 1))
def test_accumulate__pool_only_grows(counts, n_samples, keep_real, seed):
    workflow = {"name": "accumulate", "n_samples": n_samples, "keep_real": keep_real}
    results, states = run(counts, workflow, seed)
    assert (np.diff(states, axis=1) >= 0).all()
    np.testing.assert_array_equal(np.diff(states.sum(axis=2), axis=1), n_samples)
    start = sum(counts) if keep_real else 0
    assert (states[:, 0].sum(axis=1) == start + n_samples).all()
    if keep_real:
        assert (states >= np.array(counts)).all()
        assert (results.forgotten == -1).all()
    alive = states > 0
    assert (alive[:, 1:] >= alive[:, :-1]).all()


@settings(max_examples=40)
@given(SMALL, st.integers(1, 30), st.booleans(), st.booleans(), st.integers(0, 2**64 - 1))
def test_accumulate_subsample__has_exact_sums(counts, n_samples, keep_real, replacement, seed):
    workflow = {
        "name": "accumulate_subsample",
        "n_samples": n_samples,
        "keep_real": keep_real,
        "replacement": replacement,
    }
    results, states = run(counts, workflow, seed)
    assert (states.sum(axis=2) == n_samples).all()
    for replicate in range(2):
        expected = naive.forgotten(states[replicate], np.ones(len(counts)))
        np.testing.assert_array_equal(results.forgotten[replicate], expected)


@settings(max_examples=40)
@given(SMALL, st.integers(1, 30), st.integers(0, 40), st.sampled_from(["fresh", "fixed"]))
def test_mix__has_exact_sums(counts, n_samples, n_real, real):
    workflow = {"name": "mix", "n_samples": n_samples, "n_real": n_real, "real": real}
    results, states = run(counts, workflow, n_samples)
    assert (states.sum(axis=2) == n_samples + n_real).all()
    if real == "fixed" and n_real == sum(counts):
        assert (states >= np.array(counts)).all()
    for replicate in range(2):
        expected = naive.forgotten(states[replicate], np.ones(len(counts)))
        np.testing.assert_array_equal(results.forgotten[replicate], expected)


def test_mix__fresh_real_data_brings_symbols_back():
    counts = [20] + [1] * 30
    _, states = run(counts, {"name": "mix", "n_samples": 10, "n_real": 10, "real": "fresh"})
    alive = states > 0
    assert (alive[:, 1:] & ~alive[:, :-1]).any()


def test_mix__fixed_real_data_may_be_the_whole_truth():
    counts = [9, 5, 3] + [1] * 9
    _, states = run(counts, {"name": "mix", "n_samples": 5, "n_real": "truth", "real": "fixed"})
    assert (states >= np.array(counts)).all()


def test_mix__fixed_real_set_is_in_every_generation():
    counts = [9, 5, 3] + [1] * 9
    # One synthetic token: every state is the fixed set and one more.
    _, states = run(counts, {"name": "mix", "n_samples": 1, "n_real": 12, "real": "fixed"}, n_replicates=20)
    spread = states.max(axis=1) - states.min(axis=1)
    assert spread.max() == 1
    assert (states.min(axis=1).sum(axis=1) >= 11).all()
    # The set differs between replicates.
    assert len(np.unique(states.min(axis=1), axis=0)) > 10


@pytest.mark.parametrize(
    "workflow",
    [{"name": "replace", "n_samples": 50}, {"name": "accumulate", "n_samples": 50, "keep_real": True}],
    ids=lambda workflow: workflow["name"],
)
def test_forgotten__is_0_for_a_symbol_of_probability_zero(workflow):
    results, states = run(None, workflow, probabilities=[0.5, 0.0, *[0.05] * 10])
    assert not states[:, :, 1].any()
    assert (results.forgotten[:, 1] == 0).all()
    assert results.metrics["support_size"][0, 0] == 11


def test_keep_real__keeps_the_first_sample_of_a_law():
    law = [0.1] * 10
    for keep_real, expected in ((True, [7, 14, 21]), (False, [7, 7, 14])):
        workflow = {"name": "accumulate", "n_samples": 7, "keep_real": keep_real}
        _, states = run(None, workflow, probabilities=law, n_generations=3)
        assert states.sum(axis=2).tolist() == [expected] * 2


def test_simulate__does_not_depend_on_the_order_of_rows_in_a_table(tmp_path):
    counts = {"the": 40, "of": 25, "cat": 9, "dog": 9, **{f"word{i}": 1 + i % 3 for i in range(20)}}
    rng = np.random.default_rng(1)
    found = []
    for name in ("a.csv", "b.csv"):
        rows = [list(counts.items())[i] for i in rng.permutation(len(counts))]
        with open(tmp_path / name, "w", newline="") as file:
            csv.writer(file).writerows([("word", "count"), *rows])
        experiment = Experiment.from_mapping(
            {
                "truth": {"counts": str(tmp_path / name)},
                "workflow": {"name": "replace", "n_samples": "truth"},
                "run": {"n_generations": 4, "n_replicates": 2, "seed": 1, "record": "trajectory"},
            }
        )
        results = simulate(experiment)
        symbols, values = results.counts(1, 4)
        labels = np.array(results.truth.labels)
        found.append(dict(zip(labels[symbols].tolist(), values.tolist(), strict=True)))
    assert found[0] == found[1]


def test_replace__permuted_truth_gives_permuted_results_in_law():
    # 2 x 12 z-scores, |z| < 5.
    law = np.arange(1.0, 13) / 78
    order = np.random.default_rng(2).permutation(12)
    workflow = {"name": "replace", "n_samples": 40}
    _, plain = run(None, workflow, 1, 4000, law, n_generations=2)
    _, permuted = run(None, workflow, 2, 4000, law[order], n_generations=2)
    difference = permuted.mean(axis=0) - plain.mean(axis=0)[:, order]
    error = np.sqrt(permuted.var(axis=0) / 4000 + plain.var(axis=0)[:, order] / 4000)
    assert np.abs(difference / error).max() < 5
    assert np.abs((permuted.mean(axis=0) - plain.mean(axis=0)) / error).max() > 5


def test_replace__has_the_exact_variance_at_1e15_tokens():
    n = 10**15
    _, states = run(None, {"name": "replace", "n_samples": n}, 3, 2000, [0.25, 0.75], n_generations=2)
    assert (states.sum(axis=2) == n).all()
    # Variance of the share after t refits: p q (1 - (1 - 1/n)^t); 2 comparisons of a variance, 2000
    # replicates, 5 deviations.
    for t in (1, 2):
        got = (states[:, t - 1, 0] - n // 4).astype(float).var() / (n * 0.25 * 0.75 * t)
        assert abs(got - 1) < 5 * np.sqrt(2 / 2000)


def test_replace__a_poisson_count_above_the_tokens_fits_its_type():
    """One symbol has nearly all of 2^31 - 1 tokens, so that a third of its Poisson counts exceed them."""
    n, rare = 2**31 - 1, 1e-6
    _, states = run(None, {"name": "replace", "n_samples": n}, 4, 40, [1 - 9 * rare, *[rare] * 9], n_generations=1)
    assert (states.sum(axis=2) == n).all()
    z = (states[:, 0, 1:].sum(axis=1) - 9 * n * rare) / np.sqrt(9 * n * rare)
    assert np.abs(z).max() < 6


def test_record__metrics_do_not_depend_on_the_trajectory():
    mapping = {
        "truth": {"uniform": 300},
        "workflow": {"name": "replace", "n_samples": 500},
        "run": {"n_generations": 9, "n_replicates": 2, "seed": 1},
    }
    plain = simulate(Experiment.from_mapping(mapping))
    full = simulate(Experiment.from_mapping({**mapping, "run": {**mapping["run"], "record": "trajectory"}}))
    for name, expected in full.metrics.items():
        np.testing.assert_array_equal(plain.metrics[name], expected)
    np.testing.assert_array_equal(plain.forgotten, full.forgotten)
    with pytest.raises(InputError, match=r"run\.record"):
        plain.counts(0, 1)


def test_rows__of_a_block_have_their_length_and_are_not_copied_by_a_store():
    """The file is written from the arrays of the kernel, which keep no memory of dead symbols."""
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": 70_000},
            "workflow": {"name": "replace", "n_samples": 100_000},
            "run": {"n_generations": 4, "n_replicates": 1, "seed": 1, "record": "trajectory"},
        }
    )
    model = plan_run(experiment).model()
    rows = model.advance(model.initial(1, 1), 1, 4, 1).counts
    for array in (rows.indices, rows.data):
        assert array.base is None
        assert len(array) == rows.indptr[-1] < 4 * 70_000
    header = make_header(n_replicates=1, n_generations=4, n_symbols=70_000, labels=False)
    metrics = {name: np.zeros((1, 4)) for name in header.metrics}
    counted = CountRows(rows.indptr, rows.indices, rows.data.astype(np.uint8))
    taken = take(header, 1, Block(1, metrics, counted)).rows
    assert all(one is given for one, given in zip(taken, counted, strict=True))


def test_family__unknown_name_is_rejected():
    assert "discrete" in families()
    with pytest.raises(InputError, match=r"model\.family must be one of .*did you mean 'discrete'"):
        family("discret")
