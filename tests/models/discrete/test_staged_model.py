"""Stages of the discrete family: exact means, maps in every workflow, errors, rewards and bits."""

import dataclasses
import hashlib
import re

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.config.sampling import BestOf, Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflows import Mix
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.rewards import rank_rewards
from fastcollapse.models.discrete.staged_buffers import stages_of
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.schedules import schedule_of
from fastcollapse.theory.mixing.weighted_fit import optimal_weights
from tests._goodness_of_fit import two_sample_p
from tests.naive import discrete

LAW = {"probabilities": [0.3, 0.25, 0.2, 0.1, 0.05, 0.04, 0.02, 0.02, 0.01, 0.01]}
REPLACE = {"name": "replace", "n_samples": 30}


def experiment(workflow=REPLACE, sampling=None, truth=LAW, **run):
    run = {"n_generations": 4, "n_replicates": 3, "seed": 5, **run}
    sections = {"truth": truth, "workflow": workflow, "run": run}
    return Experiment.from_mapping({**sections, **({"sampling": sampling} if sampling else {})})


def mean_and_error(values):
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


# 1.2 of the theory: q' = w^2/n + (1 - w)^2 (1/m + (1 - 1/m) q), E H = H_0 (1 - q).
def heterozygosity(n, m, w, t):
    q = 0.0
    for _ in range(t):
        q = w**2 / n + (1 - w) ** 2 * (1 / m + (1 - 1 / m) * q)
    return 1 - q


def test_weight__mean_heterozygosity_is_the_exact_recursion():
    workflow = {"name": "mix", "n_samples": 15, "n_real": 10, "real": "fresh", "weight": 0.4}
    values = simulate(experiment(workflow, n_generations=12, n_replicates=20_000)).metrics["heterozygosity"]
    mean, error = mean_and_error(values[:, -1] / values[:, 0])
    assert heterozygosity(10, 15, 0.4, 12) == pytest.approx(1 - 0.060240839128, abs=1e-12)
    assert abs(mean - heterozygosity(10, 15, 0.4, 12)) < 4 * error
    assert abs(mean - heterozygosity(10, 15, 0.6, 12)) > 8 * error  # negative control: the weights swapped


def test_real_share__mean_heterozygosity_is_the_exact_recursion():
    workflow = {"name": "mix", "n_samples": 12, "real_share": [0.9, 0.5, 0.3, 0.2], "real": "fresh"}
    values = simulate(experiment(workflow, n_replicates=20_000)).metrics["heterozygosity"]

    def expected(shares):
        q = 0.0
        for a in shares:
            q = 1 / 12 + (1 - 1 / 12) * (1 - a) ** 2 * q
        return 1 - q

    mean, error = mean_and_error(values[:, -1] / values[:, 0])
    assert abs(mean - expected((0.9, 0.5, 0.3, 0.2))) < 4 * error
    assert abs(mean - expected((0.2, 0.3, 0.5, 0.9))) > 8 * error  # negative control: another order


def test_fit_errors__best_weights_are_those_of_the_exact_recursion():
    schedule = Mix(n_samples=15, n_real=10, real="fresh", weight="optimal").schedule(200, None)
    errors = Discrete.fit_errors(None, None, schedule)
    assert [float(values[0]) for values in errors] == [1 / 10, 1 / 15, 1 - 1 / 15]
    assert optimal_weights(*errors)[-1] == pytest.approx(0.539142025050, abs=1e-12)


# Workflows that the conformance test does not combine with maps.
WORKFLOWS = (
    {"name": "accumulate", "n_samples": 12, "keep_real": False},
    {"name": "accumulate_subsample", "n_samples": 12, "keep_real": True, "replacement": False},
    {"name": "accumulate_subsample", "n_samples": 12, "keep_real": False, "replacement": True, "n_train": 20},
    {"name": "mix", "n_samples": 12, "n_real": 5, "real": "fresh"},
    {"name": "mix", "n_samples": 12, "n_real": 5, "real": "fixed"},
    {"name": "mix", "n_samples": 12, "n_real": 5, "real": "fresh", "weight": 0.3},
    {"name": "mix", "n_samples": 12, "real_share": 0.3, "real": "fresh"},
    {"name": "accumulate", "n_samples": 12, "keep_real": True, "window": 2},
    {"name": "accumulate", "n_samples": 12, "keep_real": True, "discount": 0.5},
)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: " ".join(map(str, workflow.values())))
def test_maps__combine_with_every_workflow(workflow):
    """Two columns at two generations and two truths of each of 9 workflows: 1e-6 each is below 1e-4 in all."""
    sampling, rng = {"temperature": 0.6, "top_k": 6}, np.random.default_rng(3)
    given = experiment(workflow, sampling, n_generations=3, n_replicates=3000, record=["metrics", "trajectory"])
    truth = CategoricalDistribution.from_probabilities(tuple(LAW["probabilities"]))
    schedule = schedule_of(given, None)
    got = discrete.columns(simulate(given))
    expected = np.array([discrete.raw(truth, given.model, schedule, 3, rng) for _ in range(1500)])
    unmapped = dataclasses.replace(schedule, sampling=None)
    wrong = np.array([discrete.raw(truth, given.model, unmapped, 3, rng) for _ in range(1500)])
    for t in (1, 3):
        for column in range(2):
            assert two_sample_p(got[:, t, column], expected[:, t, column]) > 1e-6
    # Negative control: the twin without the maps.
    assert min(two_sample_p(got[:, 3, column], wrong[:, 3, column]) for column in range(2)) < 1e-6


def test_temperature__of_1_alone_has_the_bits_of_no_map():
    plain, tempered = (simulate(experiment(sampling=one)) for one in (None, {"temperature": 1.0}))
    for name, values in plain.metrics.items():
        np.testing.assert_array_equal(tempered.metrics[name], values)
    np.testing.assert_array_equal(tempered.forgotten, plain.forgotten)
    other = simulate(experiment(sampling={"temperature": 0.99}))
    assert not np.array_equal(other.metrics["entropy"], plain.metrics["entropy"])


@pytest.mark.parametrize("rule", ["soft", "hard"])
def test_expected_reward__is_that_of_the_states(rule):
    rewards = np.linspace(-1, 2, 10)
    sampling = {"best_of": {"k": 3, "reward": rewards.tolist(), "rule": rule}}
    for workflow in (REPLACE, {"name": "mix", "n_samples": 9, "n_real": 5, "real": "fresh", "weight": 0.3}):
        found = simulate(experiment(workflow, sampling, record=["metrics", "trajectory"]))
        p = np.array(LAW["probabilities"])
        np.testing.assert_allclose(found.metrics["expected_reward"][:, 0], p @ rewards)
        np.testing.assert_allclose(found.metrics["expected_exp_reward"][:, 0], p @ np.exp(rewards))
        symbols, counts = found.counts(2, 3)
        p = counts / counts.sum()
        np.testing.assert_allclose(found.metrics["expected_reward"][2, 3], p @ rewards[symbols])
        np.testing.assert_allclose(found.metrics["expected_exp_reward"][2, 3], p @ np.exp(rewards[symbols]))
    grown = simulate(experiment(sampling=sampling, n_replicates=200)).metrics["expected_reward"].mean(axis=0)
    assert (np.diff(grown) > 0).all()


def test_expected_reward__only_with_curation():
    assert "expected_reward" not in simulate(experiment(sampling={"top_k": 2})).metrics
    with pytest.raises(InputError, match=r"run.record must be of support_size, .*, got 'expected_reward'"):
        simulate(experiment(record=["expected_reward"]))
    best_of = {"k": 2, "reward": "rank", "rule": "hard"}
    assert set(simulate(experiment(sampling={"best_of": best_of}, record=["expected_reward"])).metrics) == {
        "expected_reward"
    }


def test_weights__of_states_sum_to_1(tmp_path):
    workflow = {"name": "accumulate", "n_samples": 12, "keep_real": True, "discount": 0.5}
    found = simulate(experiment(workflow, record=["metrics", "trajectory"]), tmp_path / "out.h5")
    for results in (found, open_results(tmp_path / "out.h5")):
        symbols, weights = results.counts(1, 4)
        assert (symbols.dtype, weights.dtype) == (np.int64, np.float64)
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert len(symbols) == results.metrics["support_size"][1, 4]
        heterozygosity_of_weights = 1 - (weights**2).sum()
        assert results.metrics["heterozygosity"][1, 4] == pytest.approx(heterozygosity_of_weights, rel=1e-12)


def test_window__of_the_run_is_accumulate_without_a_window():
    wide = {"name": "accumulate", "n_samples": 12, "keep_real": False}
    a, b = (simulate(experiment(one, n_replicates=4000)) for one in ({**wide, "window": 4}, {**wide, "discount": 1.0}))
    p = two_sample_p(a.metrics["support_size"][:, -1], b.metrics["support_size"][:, -1])
    assert p > 1e-4
    short = simulate(experiment({**wide, "window": 1}, n_replicates=4000))
    assert two_sample_p(a.metrics["support_size"][:, -1], short.metrics["support_size"][:, -1]) < 1e-6


def test_reward__wrong_length_and_wide_range_are_one_line():
    for reward, problem in (
        ([1, 2, 3], "sampling.best_of.reward must have one reward for each of the 10 symbols, got 3"),
        ([-699, *range(8), 699], "sampling.best_of.reward must have a range of at most 700 for the rule 'soft', got"),
    ):
        with pytest.raises(InputError, match=re.escape(problem)):
            simulate(experiment(sampling={"best_of": {"k": 2, "reward": reward, "rule": "soft"}}))


def test_reward__of_a_file_is_an_input_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rewards = np.linspace(0, 1, 10)
    np.save("r.npy", rewards)
    sampling = {"best_of": {"k": 2, "reward": "r.npy", "rule": "soft"}}
    found = simulate(experiment(sampling=sampling), "out.h5")
    assert found.inputs == {"r.npy": hashlib.sha256((tmp_path / "r.npy").read_bytes()).hexdigest()}
    listed = simulate(experiment(sampling={"best_of": {"k": 2, "reward": rewards.tolist(), "rule": "soft"}}))
    np.testing.assert_array_equal(found.metrics["entropy"], listed.metrics["entropy"])
    assert replay(open_results("out.h5")).different == ()
    np.save("r.npy", rewards[::-1])
    assert replay(open_results("out.h5")).different == ()  # the file has the rewards of the run
    with pytest.raises(InputError, match=r"data file 'r.npy' has changed"):
        simulate(experiment(sampling=sampling), "out.h5", resume=True)


def test_rank_rewards__ties_share_their_mean_rank():
    np.testing.assert_allclose(rank_rewards(np.array([0.1, 0.4, 0.1, 0.4])), [1 / 6, 5 / 6, 1 / 6, 5 / 6])
    np.testing.assert_array_equal(rank_rewards(np.array([0.5, 0.5, 0.0])), [0.5, 0.5, 0.0])


def test_spectrum_engine__refuses_stages_and_the_automatic_one_is_of_symbols():
    law = {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 10**6}}
    sampling = {"temperature": 0.5}
    given = experiment(sampling=sampling, truth=law, record=["entropy"], n_generations=1, n_replicates=1)
    named = given.with_values({"model.engine": "spectrum"})
    with pytest.raises(InputError, match=r"\[sampling\] must be one without sampling at a temperature, with model"):
        simulate(named)
    assert simulate(given).engine == "symbols"
    plain = experiment(truth=law, record=["entropy"], n_generations=1, n_replicates=1)
    tempered = dataclasses.replace(plain, sampling=Sampling(temperature=1.0))
    assert simulate(plain).engine == simulate(tempered).engine == "spectrum"


def test_restore__wrong_weights_are_refused():
    schedule: Schedule = Mix(n_samples=9, n_real=5, real="fresh", weight=0.4).schedule(3, None)
    truth = CategoricalDistribution.from_probabilities(tuple(LAW["probabilities"]))
    model = Discrete.create(truth, DiscreteParameters(), schedule, ())
    state = model.initial(2, 1)
    model.advance(state, 1, 2, 1)
    arrays = {name: values.copy() for name, values in state.arrays().items()}
    model.restore(arrays, 2, 1)
    arrays["counts"] *= 1.01
    with pytest.raises(ValueError, match="counts of a state must be a sample of the size of the state"):
        model.restore(arrays, 2, 1)


def test_stages_of__without_one_part_the_other_has_all_of_the_weight():
    schedule = Mix(n_samples=4, n_real=[0, 2], real="fresh", weight=0.3).schedule(2, None)
    np.testing.assert_allclose(stages_of(schedule).scales, [[0, 0.25], [0.15, 0.175]])


def test_best_of__rewards_of_a_schedule_are_numbers():
    assert isinstance(schedule_of(experiment(), None), Schedule)
    best_of = BestOf(k=2, reward="rank", rule="hard")
    assert Sampling(best_of=best_of).files == ()
    assert Sampling(best_of=dataclasses.replace(best_of, reward="r.csv")).files == ("r.csv",)
