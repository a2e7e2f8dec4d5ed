"""Every family under every workflow, both found by listing: numbers that depend on nothing but the
experiment, and the right law."""

import dataclasses
import importlib
import itertools

import numpy as np
import pytest

from fastcollapse._jit import max_threads
from fastcollapse.datasets import Truth
from fastcollapse.experiment import Experiment
from fastcollapse.models.base import families
from fastcollapse.parameters import REQUIRED, Choice, Flag
from fastcollapse.results import open_results
from fastcollapse.simulation import simulate
from fastcollapse.sizes import SizeCheck
from fastcollapse.workflows import WORKFLOWS
from tests.laws import two_sample_p

N_SAMPLES = 12
N_GENERATIONS = 5
N_REPLICATES = 4
# Each of about 2 x 9 variants is compared with its twin twice: 1e-5 each is below 4e-4 in all.
P_LIMIT = 1e-5


def variants(name):
    """Return a workflow with every combination of its required choices, as mappings."""
    options = []
    for field in dataclasses.fields(WORKFLOWS[name]):
        check = field.metadata["check"]
        if isinstance(check, Flag):
            values = (False, True)
        elif isinstance(check, Choice):
            values = tuple(check.names())
        elif isinstance(check, SizeCheck) and field.default is REQUIRED:
            values = (N_SAMPLES,)
        else:
            continue
        options.append([(field.name, value) for value in values])
    return [{"name": name, **dict(chosen)} for chosen in itertools.product(*options)]


def title(workflow):
    return ", ".join(str(value) for value in workflow.values())


VARIANTS = [workflow for name in WORKFLOWS for workflow in variants(name)]
CASES = [
    pytest.param(family, workflow, id=f"{family}: {title(workflow)}") for family in families() for workflow in VARIANTS
]


def twin(family):
    return importlib.import_module(f"tests.naive.{family}")


def truth_of(counts, with_data):
    counts = np.array(counts, dtype=np.int64)
    return Truth(None, counts if with_data else None, counts / counts.sum(), "a test")


def wide_truth():
    """Return a truth of three blocks of symbols, most of them rare."""
    return truth_of(np.ceil(9000 / np.arange(1, 9001)), True)


def experiment_of(family, workflow, n_replicates=N_REPLICATES, n_generations=N_GENERATIONS, record="trajectory"):
    run = {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 20241223, "record": record}
    # The truth is handed to `simulate`; this one only fills the section.
    return Experiment.from_mapping(
        {"model": {"family": family}, "truth": {"uniform": 2}, "workflow": workflow, "run": run}
    )


def everything(results):
    """Return all that a run gives, as one list of arrays, by replicate."""
    found = []
    for replicate in range(results.n_replicates):
        mine = [values[replicate] for values in results.metrics.values()]
        mine.append(results.forgotten[replicate])
        for generation in results.generation[1:].tolist():
            mine += results.counts(replicate, generation)
        found.append(mine)
    return found


def assert_same(got, expected):
    assert len(got) == len(expected)
    for mine, other in zip(got, expected, strict=True):
        for one, two in zip(mine, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_variants__are_found():
    assert {workflow["name"] for workflow in VARIANTS} == set(WORKFLOWS)
    assert len(VARIANTS) >= 9


@pytest.mark.parametrize("wide", [False, True], ids=["small", "wide"])
@pytest.mark.parametrize(("family", "workflow"), CASES)
def test_bits__depend_on_the_experiment_alone(tmp_path, family, workflow, wide):
    truth = wide_truth() if wide else truth_of(twin(family).TRUTH_COUNTS, True)
    if wide:
        scale = {"n_samples": 20_000, "n_real": 3000}
        workflow = {**workflow, **{name: size for name, size in scale.items() if name in workflow}}
    experiment = experiment_of(family, workflow)
    expected = everything(simulate(experiment, truth=truth, threads=1, block=N_GENERATIONS))
    for settings in ({}, {"threads": max_threads()}, {"block": 1}, {"block": 3}):
        assert_same(everything(simulate(experiment, truth=truth, **settings)), expected)
    parts = []
    for first, n_replicates in ((0, 1), (1, N_REPLICATES - 1)):
        part = experiment_of(family, workflow, n_replicates)
        parts += everything(simulate(part, truth=truth, first_replicate=first))
    assert_same(parts, expected)
    simulate(experiment, tmp_path / "out.h5", truth=truth, block=2)
    assert_same(everything(open_results(tmp_path / "out.h5")), expected)
    other = simulate(experiment.with_values({"run.seed": 1}), truth=truth)
    assert any(not np.array_equal(a, b) for a, b in zip(everything(other)[0], expected[0], strict=True))


def summary(states):
    """Return one whole number for each state (R, K): its support and its count of the first symbol, up to
    99."""
    return (states > 0).sum(axis=1) * 100 + np.minimum(states[:, 0], 99)


def simulated(family, workflow, truth, n_replicates, n_generations):
    results = simulate(experiment_of(family, workflow, n_replicates, n_generations), truth=truth)
    states = np.zeros((n_replicates, n_generations, truth.support_size), np.int64)
    for replicate in range(n_replicates):
        for generation in range(1, n_generations + 1):
            symbols, counts = results.counts(replicate, generation)
            states[replicate, generation - 1, symbols] = counts
    return states


@pytest.mark.parametrize("with_data", [False, True], ids=["law", "corpus"])
@pytest.mark.parametrize(("family", "workflow"), CASES)
def test_law__equals_the_raw_twin(family, workflow, with_data):
    raw = twin(family)
    truth = truth_of(raw.TRUTH_COUNTS, with_data)
    n_replicates, n_generations = 1500, 3
    corpus = np.repeat(np.arange(truth.support_size), truth.counts) if with_data else None
    schedule = WORKFLOWS[workflow["name"]](**{k: v for k, v in workflow.items() if k != "name"}).schedule(
        n_generations, truth.total
    )
    rng = np.random.default_rng(7)
    expected = np.array([raw.simulate(truth.probabilities, corpus, schedule, rng) for _ in range(n_replicates)])
    got = simulated(family, workflow, truth, n_replicates, n_generations)
    np.testing.assert_array_equal(got.sum(axis=2), expected.sum(axis=2))
    for t in (0, n_generations - 1):
        assert two_sample_p(summary(got[:, t]), summary(expected[:, t])) > P_LIMIT
    # Negative control: the same run from another truth.
    wrong = simulated(family, workflow, truth_of(raw.OTHER_COUNTS, with_data), n_replicates, n_generations)
    assert two_sample_p(summary(wrong[:, -1]), summary(expected[:, -1])) < P_LIMIT
