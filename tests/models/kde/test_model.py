"""The model of the kernel density family: exact errors, workflows, shapes, points, and refusals.

A |z| above 4 is rejected.
"""

import dataclasses
import itertools
from typing import ClassVar

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, simulate
from fastcollapse.config import WORKFLOWS, Schedule, Workflow, register_workflow
from fastcollapse.config.fields import ValidationErrors
from fastcollapse.config.sizes import resolve
from fastcollapse.datasets.load import load_truth
from fastcollapse.kernels.density.pair_sums import add_pair_sums
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import run_key
from fastcollapse.models.kde.kernels import draw_real
from fastcollapse.models.kde.model import Kde
from fastcollapse.models.kde.parameters import KdeTruthSection
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.sampler import Sampler
from fastcollapse.simulation.schedules import schedule_of
from tests._goodness_of_fit import z_scores

NORMAL = {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}}
REPLACE = {"name": "replace", "n_samples": 50}
ACCUMULATE = {"name": "accumulate", "n_samples": 50, "keep_real": True}
SUBSAMPLE = {"name": "accumulate_subsample", "n_samples": 50, "keep_real": True, "replacement": False}


def experiment(truth=NORMAL, bandwidth=0.4, workflow=REPLACE, record=("ise",), **numbers):
    return Experiment.from_mapping(
        {
            "model": {"family": "kde", "bandwidth": bandwidth},
            "truth": {"n_test": 1, **truth} if "n_test" not in truth else truth,
            "workflow": workflow,
            "run": {"n_generations": 10, "n_replicates": 2000, "seed": 3, "record": list(record), **numbers},
        }
    )


def sample(section, n, n_replicates=1, seed=1):
    """Return samples of n real points, (R, n, d)."""
    made = experiment(section, n_replicates=n_replicates, n_generations=1)
    truth = load_truth(made.truth)
    sampler = Sampler(KdePlan(made.model, schedule_of(made, None), truth.dimension), truth)
    span = span_of(run_key(seed, 0), 1, 0, 2)
    out = np.empty((n_replicates, n, truth.dimension))
    source = sampler.source(sampler.centres(span, n_replicates))
    place = np.tile([0, n], (n_replicates, 1))
    draw_real(source, 1, np.uint64(2), span, place, normal_table(), out)
    return out


# Mean integrated squared errors at generations 1 and 10, n = 50, h = 0.4, truth N(0, 1).
MISE = {
    "replace": (REPLACE, 0.4, 0.070648613190),
    "accumulate": (ACCUMULATE, 0.4, 0.013714239121),
    "accumulate, scott": (ACCUMULATE, "scott", 0.014172321388),
    "fresh": ({"name": "mix", "n_samples": 40, "n_real": 10, "real": "fresh"}, 0.4, 0.027292638955),
    "fixed": ({"name": "mix", "n_samples": 40, "n_real": 10, "real": "fixed"}, 0.4, 0.037973334302),
    "subsample": (SUBSAMPLE, 0.4, 0.022907842276),
}


@pytest.mark.parametrize("name", MISE)
def test_ise__has_exact_mean(name):
    workflow, bandwidth, expected = MISE[name]
    errors = simulate(experiment(bandwidth=bandwidth, workflow=workflow)).metrics["ise"]
    first = 0.009022328059 if bandwidth == "scott" else 0.009987921477
    assert (np.abs(z_scores(errors[:, [1, 10]], np.array([first, expected]))) < 4).all()
    # Negative control: the error of an eighth more.
    assert abs(z_scores(errors[:, 10], 1.125 * expected)) > 4


def test_ise__tells_subsamples_with_replacement_apart():
    errors = simulate(experiment(workflow={**SUBSAMPLE, "replacement": True}, n_replicates=6000)).metrics["ise"]
    assert abs(z_scores(errors[:, 10], MISE["subsample"][2])) > 4


def test_first_fit__of_even_circles_is_not_that_of_independent_points():
    """int f^2 of the first fit, n = 20, h = 0.3: 0.1639337 for equal angles, 0.1987813 for independent ones."""
    found = {}
    for placement in ("even", "iid"):
        points, sums = sample({"shape": "circles", "placement": placement}, 20, 4000), np.zeros(4000)
        add_pair_sums(points, 0, 20, np.array([1 / 0.36]), 2, sums)
        found[placement] = sums / 400 / (4 * np.pi * 0.09)
    assert abs(z_scores(found["even"], 0.1639336856)) < 4
    assert abs(z_scores(found["iid"], 0.1987813173)) < 4
    assert abs(z_scores(found["iid"], 0.1639336856)) > 4


def test_single_point__is_a_random_walk():
    """n = 1: the variance of the points is 0, and their second moment grows by h^2 a generation."""
    results = simulate(experiment(workflow={"name": "replace", "n_samples": 1}, record=["metrics", "trajectory"]))
    assert (results.metrics["within_variance"][:, 1:] == 0).all()
    second = results.metrics["second_moment"]
    np.testing.assert_array_equal(second, results.metrics["centre"] + results.metrics["within_variance"])
    assert (np.abs(z_scores(second[:, 1:], 1 + 0.16 * np.arange(10))) < 4).all()
    assert abs(z_scores(second[:, 10], 1 + 0.16 * 12)) > 4
    steps = np.diff(results.states["mean"][:, 1:, 0], axis=1)
    assert abs(z_scores(steps.ravel() ** 2, 0.16)) < 4
    # int (f - f0)^2 of one kernel: (4 pi h^2)^-1/2 - 2 N(x; 0, 1 + h^2) + (4 pi)^-1/2.
    x = results.states["mean"][:, 1:, 0]
    crossed = np.exp(-0.5 * x**2 / 1.16) / np.sqrt(2 * np.pi * 1.16)
    expected = 1 / np.sqrt(4 * np.pi * 0.16) - 2 * crossed + 1 / np.sqrt(4 * np.pi)
    np.testing.assert_allclose(results.metrics["ise"][:, 1:], expected, rtol=1e-12)


def test_scaled__explodes_at_exact_rate():
    """E v' = (1 - 1/n + c^2) E v with c = n^(-1/5), v the unbiased variance of the points."""
    workflow = {"name": "replace", "n_samples": 30}
    results = simulate(experiment(bandwidth="scaled", workflow=workflow, record=["within_variance"], n_generations=5))
    unbiased = results.metrics["within_variance"][:, 1:] * 30 / 29
    assert (np.abs(z_scores(unbiased, 1.2232045447 ** np.arange(5))) < 4).all()
    assert abs(z_scores(unbiased[:, 4], 1.19**4)) > 4


def test_accumulate__keeps_real_points_at_every_generation():
    """Fresh real points join the pool of a registered workflow, as in arXiv:2602.16065."""

    @register_workflow
    @dataclasses.dataclass(frozen=True)
    class AccumulateBoth(Workflow):
        name: ClassVar[str] = "accumulate_both"

        def needs(self):
            return frozenset({"pool", "fresh_real"})

        def schedule(self, n_generations, truth_total):
            n = resolve(self.n_samples, "workflow.n_samples", n_generations, truth_total)
            return Schedule(n, 2 * n, np.ones_like(n), np.zeros_like(n), real="fresh")

    try:
        made = experiment(
            workflow={"name": "accumulate_both", "n_samples": 5},
            record=["ise", "nll", "trajectory"],
            n_replicates=3,
            n_generations=4,
        )
        results = simulate(made)
    finally:
        del WORKFLOWS["accumulate_both"]
    for r, t in itertools.product(range(3), range(1, 5)):
        assert len(results.sample("points", r, t)) == 15 * t
        if t > 1:
            np.testing.assert_array_equal(
                results.sample("points", r, t)[: 15 * t - 15], results.sample("points", r, t - 1)
            )


def test_points__are_those_of_the_fit(tmp_path):
    sizes = {"replace": [4, 4, 4], "accumulate": [4, 8, 12], "accumulate_subsample": [4, 4, 4], "mix": [6, 6, 6]}
    flows = {
        "replace": {"n_samples": 4},
        "accumulate": {"n_samples": 4, "keep_real": True},
        "accumulate_subsample": {"n_samples": 4, "keep_real": True, "replacement": False},
        "mix": {"n_samples": 4, "n_real": 2, "real": "fixed"},
    }
    for name, keys in flows.items():
        made = experiment(
            {"shape": "blobs"}, workflow={"name": name, **keys}, record=["metrics", "trajectory"], n_generations=3,
            n_replicates=2,
        )  # fmt: skip
        results = simulate(made, tmp_path / f"{name}.h5", block=2)
        assert [len(results.sample("points", 1, t)) for t in range(4)] == [0, *sizes[name]]
        for r, t in itertools.product(range(2), range(1, 4)):
            points = results.sample("points", r, t)
            np.testing.assert_allclose(results.states["mean"][r, t], points.mean(axis=0), rtol=1e-12)
            np.testing.assert_allclose(results.states["variance"][r, t], points.var(axis=0), rtol=1e-10)
        if name == "mix":
            np.testing.assert_array_equal(results.sample("points", 0, 3)[4:], results.sample("points", 0, 1)[4:])


def test_window__keeps_the_last_batches():
    workflow = {"name": "accumulate", "n_samples": 3, "keep_real": False, "window": 2}
    made = experiment(workflow=workflow, record=["nll", "trajectory"], n_replicates=1, n_generations=4)
    points = [simulate(made).sample("points", 0, t) for t in range(5)]
    assert [len(one) for one in points] == [0, 3, 6, 6, 6]
    for t in (3, 4):
        np.testing.assert_array_equal(points[t][:3], points[t - 1][3:])


def test_circles_and_moons__are_at_the_published_angles():
    a = 2 * np.pi * np.arange(3) / 3
    b = 2 * np.pi * np.arange(4) / 4
    circles = np.concatenate([np.c_[np.cos(a), np.sin(a)], 0.8 * np.c_[np.cos(b), np.sin(b)]])
    np.testing.assert_allclose(sample({"shape": "circles", "noise": 0.0}, 7)[0], circles, atol=1e-15)
    a, b = np.pi * np.arange(3) / 2, np.pi * np.arange(4) / 3
    moons = np.concatenate([np.c_[np.cos(a), np.sin(a)], np.c_[1 - np.cos(b), 0.5 - np.sin(b)]])
    np.testing.assert_allclose(sample({"shape": "moons", "noise": 0.0}, 7)[0], moons, atol=1e-15)
    for shape in ("circles", "moons"):
        assert np.isfinite(sample({"shape": shape}, 1)).all()


def test_shapes__equal_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    for shape, make in (("circles", datasets.make_circles), ("moons", datasets.make_moons)):
        for n in (9, 10):
            expected = make(n, shuffle=False)[0]
            np.testing.assert_allclose(sample({"shape": shape, "noise": 0.0}, n)[0], expected, atol=1e-15)


def test_blobs__are_split_evenly_around_centres_of_the_replicate():
    points = sample({"shape": "blobs"}, 3002, 20)
    centres = Kde(
        load_truth(KdeTruthSection(shape="blobs")), experiment().model, schedule_of(experiment(), None)
    ).initial(20, 1).centres  # fmt: skip
    assert np.abs(centres).max() <= 10
    nearest = ((points[:, :, None] - centres[:, None]) ** 2).sum(axis=3)
    for r in range(20):
        if min(np.linalg.norm(centres[r][i] - centres[r][j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 10:
            np.testing.assert_array_equal(np.bincount(nearest[r].argmin(axis=1)), [1001, 1001, 1000])
    # Held-out points are around the same centres.
    results = simulate(
        experiment({"shape": "blobs", "n_test": 200}, bandwidth=1.0, record=["nll"], n_replicates=50, n_generations=1)
    )
    assert results.metrics["nll"][:, 1].max() < 6


@pytest.mark.parametrize("shape", ["circles", "moons", "swiss_roll", "blobs"])
def test_moments__of_independent_points_are_those_of_the_truth(shape):
    section = {"shape": shape, "placement": "iid"}
    truth = KdeTruthSection(**section).load()
    points = sample(section, 2000, 200)
    made = experiment(section, n_replicates=200, n_generations=1)
    centres = Kde(truth, made.model, schedule_of(made, None)).initial(200, 1).centres
    mean, variance = truth.moments(centres)
    square = (points - mean[:, None]) ** 2
    assert (np.abs(z_scores((points.mean(axis=1) - mean), 0.0)) < 4).all()
    assert (np.abs(z_scores(square.mean(axis=1) / variance, 1.0)) < 4).all()
    components = truth.components(centres)
    if components is not None:
        weights, means, covariances = components
        own = np.einsum("k,qkj->qj", weights, means)
        np.testing.assert_allclose(np.broadcast_to(own, mean.shape), mean, atol=1e-12)
        spread = np.einsum("k,qkj->qj", weights, (means - own[:, None]) ** 2) + covariances[0].diagonal()
        np.testing.assert_allclose(spread, variance, rtol=1e-12)


def test_rows__are_drawn_from_the_file_and_held_out(tmp_path):
    np.savetxt(tmp_path / "x.csv", np.arange(20.0).reshape(10, 2), delimiter=",")
    truth = KdeTruthSection(rows="x.csv", n_test=4, split_seed=2).load(tmp_path)
    assert len(truth.rows) == 6
    assert sorted([*truth.rows[:, 0], *truth.test_rows[:, 0]]) == list(range(0, 20, 2))
    assert set(truth.inputs) == {"x.csv"}
    made = Experiment.from_mapping(
        {
            "model": {"family": "kde", "bandwidth": 1.0},
            "truth": {"rows": "x.csv", "n_test": 4, "split_seed": 2},
            "workflow": {"name": "replace", "n_samples": 40},
            "run": {"n_generations": 1, "n_replicates": 2, "seed": 1, "record": ["trajectory"]},
        },
        base=tmp_path,
    )
    points = simulate(made).sample("points", 1, 1)
    assert set(map(tuple, points)) == set(map(tuple, truth.rows))


MIXTURE = NORMAL["normal_mixture"]
REFUSED = [
    ({"bandwidth": 0.0}, "model.bandwidth must be above 0, got 0.0"),
    ({"bandwidth": -1}, "model.bandwidth must be above 0, got -1"),
    ({"bandwidth": 1e-200}, "model.bandwidth must be at least 1e-100, got 1e-200"),
    ({"bandwidth": float("nan")}, "model.bandwidth must be a finite number, got nan"),
    ({"bandwidth": [0.3] * 9 + [1e-200]}, r"model.bandwidth\[9\] must be at least 1e-100, got 1e-200"),
    ({"bandwidth": [0.3, 0.0]}, r"model.bandwidth\[1\] must be above 0"),
    ({"bandwidth": [0.3]}, "model.bandwidth must list one bandwidth for each of the 10 generations, got 1"),
    ({"bandwidth": "skott"}, r"model.bandwidth must be one of scott, .* got 'skott' \(did you mean 'scott'\?\)"),
    ({"bandwidth": True}, "model.bandwidth must be number above 0, a list .*, got True"),
    ({"bandwidth": {"start": 1.0, "power": 99.0, "x": 1}}, r"model.bandwidth.x is not a known key"),
    ({"bandwidth": {"start": 1e99, "power": 99.0}}, "model.bandwidth must stay from 1e-100 to 1e.100 at"),
    (
        {"bandwidth": "scaled", "workflow": {"name": "replace", "n_samples": 1}},
        "workflow.n_samples must give at least 2 points, for a covariance in 1 dimension, where .* 'scaled', got 1 at",
    ),
    (
        {"truth": {"shape": "moons"}, "bandwidth": "scaled", "workflow": {"name": "replace", "n_samples": 2}},
        "workflow.n_samples must give at least 3 points, for a covariance in 2 dimensions, .* got 2 at generation 1",
    ),
    (
        {"bandwidth": "scaled", "workflow": {**ACCUMULATE, "weight": 0.5}},
        "model.bandwidth must not be 'scaled' with workflow.weight",
    ),
    ({"workflow": {**ACCUMULATE, "discount": 0.5}}, "the kde family does not support batches that count less"),
    ({"truth": {}}, "truth must have exactly one of shape, normal_mixture, rows, got none"),
    ({"truth": {**NORMAL, "shape": "moons"}}, "truth must have exactly one of .*, got shape and normal_mixture"),
    ({"truth": {"shape": "blobs", "noise": 0.1}}, "truth.noise must be absent unless truth.shape is circles"),
    ({"truth": {**NORMAL, "placement": "iid"}}, "truth.placement must be absent without truth.shape"),
    ({"truth": {"shape": "swiss_roll", "placement": "even"}}, "truth.placement must be 'iid' for a swiss_roll"),
    ({"truth": {**NORMAL, "split_seed": 1}}, "truth.split_seed must be absent without truth.rows"),
    ({"truth": {"normal_mixture": {**MIXTURE, "weights": [0.9]}}}, "truth.normal_mixture.weights must sum to 1"),
    ({"truth": {"normal_mixture": {**MIXTURE, "means": [0.0, 1.0]}}}, "truth.normal_mixture.means must have 1 entries"),
    (
        {"truth": {"normal_mixture": {**MIXTURE, "means": [[0.0] * 101]}}},
        "truth.normal_mixture.means must have at most 100 coordinates, got 101",
    ),
    (
        {"truth": {"normal_mixture": {**MIXTURE, "covariances": [0.0]}}},
        r"truth.normal_mixture.covariances\[0\] must be positive definite, got 0.0",
    ),
    (
        {"truth": {"normal_mixture": {**MIXTURE, "means": [[0.0, 1.0]], "covariances": [[[1.0, 2.0], [2.0, 1.0]]]}}},
        r"truth.normal_mixture.covariances\[0\] must be positive definite",
    ),
    (
        {"truth": {"normal_mixture": {**MIXTURE, "means": [[0.0, 1.0]], "covariances": [[[1.0, 2.0], [0.0, 9.0]]]}}},
        r"truth.normal_mixture.covariances\[0\] must be symmetric",
    ),
    ({"truth": {"normal_mixture": {**MIXTURE, "covariances": [[1.0]]}}}, r"covariances\[0\] must be a number or 1 row"),
    ({"truth": {"shape": "blobs"}, "record": ["w1"]}, "run.record must not have w1 in 2 dimensions"),
    ({"workflow": {**ACCUMULATE, "n_samples": 10**9}}, "workflow.n_samples must keep the points of all replicates"),
    ({"truth": {**NORMAL, "n_test": 10**7}, "n_replicates": 10**6}, "truth.n_test must keep the held-out points"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:the pool of each replicate")
@pytest.mark.parametrize(("values", "message"), REFUSED)
def test_experiment__refuses_in_one_line(values, message):
    with pytest.raises((InputError, ValidationErrors), match=message) as error:
        simulate(experiment(**{"n_replicates": 2, **values}))
    assert "\n" not in str(error.value)


def test_rows__are_refused_in_one_line(tmp_path):
    wrong = {
        "nan.csv": (
            np.array([[1.0, 2.0], [np.nan, 1.0]]),
            "truth.rows must be an array of finite numbers, got",
        ),
        "wide.csv": (np.zeros((3, 101)), "truth.rows must have at most 100 columns, got 101"),
        "single.csv": (
            np.zeros((1, 2)),
            "truth.rows must have at least 2 rows, one to hold out and one to draw, got 1",
        ),
        "short.csv": (np.zeros((3, 2)), "truth.n_test must be at most 2, to leave a row of 3, got 500"),
        "large.csv": (np.full((3, 2), 1e200), r"truth.rows must have entries of at most 1e\+100, got 1e\+200"),
    }
    for name, (rows, message) in wrong.items():
        np.savetxt(tmp_path / name, rows, delimiter=",")
        with pytest.raises(InputError, match=message) as error:
            KdeTruthSection(rows=name).load(tmp_path)
        assert "\n" not in str(error.value)


def test_pool__is_named_before_the_run():
    made = experiment({"shape": "blobs"}, workflow={**ACCUMULATE, "n_samples": 10**5}, record=["nll"])
    model = Kde(load_truth(made.truth), made.model, schedule_of(made, None), made.run.record)
    assert [str(warning) for warning in model.warnings()] == ["the pool of each replicate grows to 16 MB"]
    made = experiment({"shape": "blobs"}, record=["nll"])
    assert Kde(load_truth(made.truth), made.model, schedule_of(made, None), made.run.record).warnings() == []
