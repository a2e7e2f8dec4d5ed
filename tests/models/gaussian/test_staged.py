"""Gaussian runs with weights, shares, windows, discounts and maps: law of raw refits, bits, units, invalid input."""

import dataclasses
import re

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.gaussian.model import MODEL
from fastcollapse.models.gaussian.parameters import GaussianParameters, GaussianTruth
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.schedules import schedule_of
from tests.models._block_runs import assert_bits_are_reproducible, run
from tests.naive import gaussian as naive

# About 200 goodness-of-fit tests in this file, 5e-7 each: 1e-4 in all.
P_LIMIT = 5e-7
LINE = {"mean": 3.0, "sigma": 2.0}
PLANE = {"dimension": 2, "mean": [1.0, -2.0], "covariance": [[2.0, 0.5], [0.5, 1.0]]}
SPACE = {"dimension": 4, "sigma": [1.0, 0.3, 2.0, 1.0]}
MAPS = {
    "none": {},
    "bias": {"bias": 0.6},
    "tilt": {"tilt": -0.15},
    "verifier": {"verifier": {"centre": 0.5, "tau": 2.5}},
    "truncate": {"truncate": 1.1},
}


def scheduled(workflow, n_generations, sampling=None):
    schedule = workflow if isinstance(workflow, Schedule) else workflow.schedule(n_generations, None)
    return dataclasses.replace(schedule, sampling=build(Sampling, sampling) if sampling else None)


def model(truth, schedule, estimator="unbiased"):
    return MODEL.create(build(GaussianTruth, truth), GaussianParameters(estimator=estimator), schedule, ("metrics",))


def assert_law(truth, schedule, estimator, n_twins=700):
    """Compare columns of numbers of the last generation with the twin, and reject a shifted twin."""
    loaded, parameters = build(GaussianTruth, truth), GaussianParameters(estimator=estimator)
    n_generations = schedule.n_generations
    made = MODEL.create(loaded, parameters, schedule, ("metrics",))
    states = run(made, 2 * n_twins, n_generations)
    mean, last = states["mean"][:, -1], -1
    got = [mean if mean.ndim == 1 else mean[:, last]]
    if "log_sigma" in states:
        got.append(states["log_sigma"][:, -1])
    else:
        got += [states["log_diagonal"][:, -1].sum(axis=1), (states["factor"][:, -1, -1] ** 2).sum(axis=1)]
    rng = np.random.default_rng(11)
    rows = [naive.raw(loaded, parameters, schedule, n_generations, rng)[-1] for _ in range(n_twins)]
    columns = np.array(rows).T
    expected = [columns[0], columns[1] / 2] if loaded.dimension == 1 else [columns[0], columns[1] / 2, columns[2]]
    for mine, other in zip(got, expected, strict=True):
        assert stats.ks_2samp(mine, other).pvalue > P_LIMIT
        # Negative control: a shift by 0.7 of the deviation.
        assert stats.ks_2samp(mine, other + 0.7 * other.std()).pvalue < P_LIMIT


MIXED = [
    Mix(n_samples=6, n_real=3, real="fresh"),
    Mix(n_samples=6, n_real=3, real="fixed"),
    AccumulateSubsample(n_samples=7, keep_real=True, replacement=False),
    AccumulateSubsample(n_samples=7, keep_real=False, replacement=True, n_train=12),
    Accumulate(n_samples=7, keep_real=True, window=2),
    Mix(n_samples=9, real="fresh", real_share=0.2),
]
MIXED_IDS = ["fresh", "fixed", "subsample", "bootstrap", "window", "share"]


@pytest.mark.parametrize("name", [name for name in MAPS if name != "none"])
@pytest.mark.parametrize("workflow", MIXED, ids=MIXED_IDS)
def test_law__of_maps_in_every_workflow(name, workflow):
    assert_law(LINE, scheduled(workflow, 4, MAPS[name]), "mle")
    if name != "truncate" and workflow is not MIXED[3]:
        assert_law(PLANE, scheduled(workflow, 4, MAPS[name]), "unbiased", 500)


# Parts of one and of two points, and sizes that change.
SIZES = [
    ("mle", Mix(n_samples=[1, 2, 1, 3], n_real=[1, 1, 2, 1], real="fresh", weight=[0.5, 0.2, 0.9, 0.6])),
    ("mle", Mix(n_samples=2, n_real=[0, 1, 0, 2], real="fresh", weight=0.3)),
    ("unbiased", Mix(n_samples=2, n_real=2, real="fresh", weight=[1.0, 0.0, 0.4, 0.3])),
    ("unbiased", Mix(n_samples=2, real="fresh", real_share=[0.5, 0.1, 0.9, 0.3])),
    ("mle", Accumulate(n_samples=[3, 1, 1, 1], keep_real=True, window=1)),
    ("unbiased", Accumulate(n_samples=[3, 1, 2, 1], keep_real=True, window=2)),
    ("mle", Accumulate(n_samples=[3, 1, 2, 1], keep_real=False, discount=0.4)),
    ("unbiased", Accumulate(n_samples=[3, 2, 2, 4], keep_real=True, discount=0.4)),
]


@pytest.mark.parametrize(("estimator", "workflow"), SIZES)
def test_law__of_small_parts(estimator, workflow):
    assert_law(LINE, scheduled(workflow, 4), estimator, 1500)


SPACES = [
    ("mle", Mix(n_samples=6, n_real=2, real="fresh", weight=0.3)),
    ("mle", Mix(n_samples=3, n_real=2, real="fixed", weight=0.6)),
    ("unbiased", Mix(n_samples=3, n_real=3, real="fresh", weight=0.3)),
    ("unbiased", Mix(n_samples=6, real="fresh", real_share=0.3)),
    ("mle", Accumulate(n_samples=5, keep_real=False, window=3)),
    ("unbiased", Accumulate(n_samples=[9, 3, 2, 6], keep_real=True, window=2)),
    ("unbiased", Accumulate(n_samples=6, keep_real=False, discount=0.4)),
]


@pytest.mark.parametrize(("estimator", "workflow"), SPACES)
def test_law__of_few_points_in_four_dimensions(estimator, workflow):
    assert_law(SPACE, scheduled(workflow, 4), estimator, 1000)


BITS = [
    scheduled(Accumulate(n_samples=5, keep_real=True, window=3), 9, {"bias": 0.5}),
    scheduled(
        Accumulate(n_samples=5, keep_real=False, window=4, discount=None), 9, {"verifier": MAPS["verifier"]["verifier"]}
    ),
    scheduled(Accumulate(n_samples=5, keep_real=True, discount=0.5, weight=0.2), 9),
    scheduled(Mix(n_samples=5, real="fresh", real_share=0.02), 9),
    scheduled(Replace(n_samples=5), 9, {"tilt": 0.5}),
    scheduled(AccumulateSubsample(n_samples=5, keep_real=True, replacement=False), 9, {"bias": 0.5}),
]


@pytest.mark.parametrize("truth", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("schedule", BITS)
def test_bits__do_not_depend_on_blocks_or_threads(truth, schedule):
    assert_bits_are_reproducible(lambda: model(truth, schedule))


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("dimension", [1, 3])
def test_run__scales_with_the_truth_and_the_map(scale, dimension):
    """All lengths are in units of the truth, so that a map with the same lengths gives the same run."""
    workflow = Accumulate(n_samples=6, keep_real=True, window=2)
    found = []
    for unit in (1.0, scale):
        verifier = {"verifier": {"centre": 2.0 * unit, "tau": 1.5 * unit}}
        truth = {"dimension": dimension, "mean": 1.0 * unit, "sigma": unit}
        states = run(model(truth, scheduled(workflow, 30, verifier)), 3, 30)
        logs = states["log_sigma" if dimension == 1 else "log_diagonal"] - np.log(unit)
        found.append((states["mean"] / unit, logs))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize(
    "keys", [{"bias": 0.5}, {"bias": 1.5}, {"truncate": 1.0}, {"verifier": {"centre": 3.0, "tau": 1.0}}]
)
def test_run__stays_finite_for_thousands_of_generations(dimension, keys):
    if dimension == 2 and "truncate" in keys:
        return
    generations = 1500 if "bias" in keys else 5000
    states = run(model({"dimension": dimension}, scheduled(Replace(n_samples=5), generations, keys)), 4, generations)
    logs = states["log_sigma" if dimension == 1 else "log_diagonal"]
    assert np.isfinite(logs).all()
    slope = {"bias": np.log(keys.get("bias", 1)) * generations}.get(next(iter(keys)), -5)
    assert (logs[:, -1] < max(slope, 0) + 1).all()


def test_weights__of_one_family_law_in_one_and_two_dimensions_agree():
    """A coordinate of two independent ones has the law of one dimension."""
    schedule = scheduled(Mix(n_samples=7, n_real=4, real="fresh", weight=0.3), 6)
    line = run(model({}, schedule, "mle"), 4000, 6)
    plane = run(model({"dimension": 2}, schedule, "mle"), 4000, 6, seed=2)
    assert stats.ks_2samp(line["mean"][:, -1], plane["mean"][:, -1, 1]).pvalue > P_LIMIT
    assert stats.ks_2samp(line["log_sigma"][:, -1], plane["log_diagonal"][:, -1, 0]).pvalue > P_LIMIT
    assert stats.ks_2samp(line["log_sigma"][:, -1], plane["log_diagonal"][:, -1, 1]).pvalue < P_LIMIT


def test_fit_errors__are_those_of_the_estimator():
    schedule = Mix(n_samples=15, n_real=[10, 0], real="fresh", weight="optimal").schedule(2, None)
    for estimator, carried in (("mle", 1 - 1 / 15), ("unbiased", 1.0)):
        real, synthetic, kept = MODEL.fit_errors(GaussianTruth(), GaussianParameters(estimator=estimator), schedule)
        np.testing.assert_array_equal(real, [0.1, np.inf])
        np.testing.assert_array_equal(synthetic, [1 / 15, 1 / 15])
        np.testing.assert_array_equal(kept, [carried, carried])


def create(sections):
    experiment = Experiment.from_mapping(sections)
    return MODEL.create(experiment.truth, experiment.model, schedule_of(experiment, None))


def refusal(truth, workflow, estimator="unbiased", sampling=None):
    sections = {
        "model": {"family": "gaussian", "estimator": estimator},
        "truth": truth,
        "workflow": workflow,
        "run": {"n_generations": 3, "n_replicates": 1, "seed": 1},
        **({"sampling": sampling} if sampling else {}),
    }
    with pytest.raises(InputError) as error:
        create(sections)
    assert "\n" not in str(error.value)
    return str(error.value)


MIX = {"name": "mix", "n_samples": 5, "n_real": 5, "real": "fresh"}
KEPT = {"name": "accumulate", "n_samples": 5, "keep_real": True}
REPLACE = {"name": "replace", "n_samples": 5}
REFUSED = [
    (LINE, MIX | {"n_real": 1, "weight": 0.5}, {}, "workflow.n_real must give at least 2 points .*'unbiased'.*got 1"),
    (LINE, MIX | {"n_samples": 1, "weight": 0.5}, {}, "workflow.n_samples must give at least 2 points .* generation 1"),
    (LINE, KEPT | {"n_samples": [5, 2, 1], "discount": 0.5}, {}, "workflow.n_samples must give .* generation 3"),
    (LINE, MIX | {"n_samples": 1, "weight": 0.0}, {}, "must give at least 2 points to fit a deviation to, got 1"),
    (
        LINE,
        MIX | {"n_real": 1, "weight": 1.0},
        {},
        "workflow.n_real must give at least 2 .* where workflow.weight is 1, ",
    ),
    (LINE, MIX | {"n_real": [5, 1, 5], "weight": [0.5, 1.0, 0.5]}, {}, "workflow.n_real must .* got 1 at generation 2"),
    (LINE, {"name": "mix", "n_samples": 1, "real": "fresh", "real_share": 0.5}, {}, "at least 2 points to fit"),
    (LINE, REPLACE, {"tilt": [1.0, 2.0]}, "sampling.tilt must be a number or a list of truth.dimension = 1 numbers"),
    (PLANE, REPLACE, {"tilt": [1.0, 2.0, 3.0]}, "sampling.tilt must be .* truth.dimension = 2 numbers, got 3"),
    (PLANE, REPLACE, {"verifier": {"centre": [1.0], "tau": 1.0}}, "sampling.verifier.centre must be .* got 1"),
    (PLANE, REPLACE, {"truncate": 2.0}, "sampling.truncate must be absent for truth.dimension above 1, which is 2"),
    (SPACE, MIX | {"n_samples": 2, "n_real": 3, "weight": 0.5}, {}, "span truth.dimension = 4 dimensions .* got 3"),
    (SPACE, REPLACE | {"n_samples": 4}, {"bias": 0.5}, "span truth.dimension = 4 dimensions .* got 3 at generation 1"),
    (
        {"dimension": 4},
        {"name": "accumulate_subsample", "n_samples": 4, "keep_real": True, "replacement": False},
        {"bias": 0.5},
        "workflow.n_samples must give more than truth.dimension = 4 points, got 4",
    ),
    (LINE, REPLACE, {"temperature": 0.5}, "sampling.temperature must be absent for the gaussian family"),
]


@pytest.mark.parametrize(("truth", "workflow", "sampling", "message"), REFUSED)
def test_parts_and_maps__invalid_values_give_a_one_line_error(truth, workflow, sampling, message):
    assert re.search(message, refusal(truth, workflow, sampling=sampling))


def test_parts__of_one_point_are_fitted_by_maximum_likelihood():
    workflow = MIX | {"n_real": 1, "n_samples": 1, "weight": 0.5}
    assert "at least 2 points" in refusal(LINE, workflow)
    schedule = scheduled(Mix(n_samples=1, n_real=1, real="fresh", weight=0.5), 3)
    assert np.isfinite(run(model(LINE, schedule, "mle"), 5, 3)["log_sigma"]).all()


@pytest.mark.parametrize("truth", [LINE, PLANE], ids=["line", "plane"])
def test_window__larger_than_memory_is_rejected(truth):
    huge = model(truth, scheduled(Accumulate(n_samples=5, keep_real=False, window=10**5), 10**5))
    with pytest.raises(InputError, match=r"^workflow\.window must keep the points of all replicates at most"):
        huge.initial(10**5, 1)
