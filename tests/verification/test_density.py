"""Verification of the theory of kernel density estimates by raw simulation of the points, and by the family.

Each test states its number of z-scores and fails at |z| > 5. Each has a negative control: a slightly wrong theory that
the same data must reject.
"""

import functools
import types

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.schedules import schedule_of as schedule_of_run
from fastcollapse.theory.density.likelihood import (
    kde_accumulate_nll_bound,
    kde_mix_nll_bound,
    kde_nll_bounds,
    kde_nll_bounds_shape,
)
from fastcollapse.theory.density.mise import kde_mise, kde_mise_shape, kde_mmd_square
from fastcollapse.theory.density.mixing import kde_mixing_bandwidth, kde_mixing_mise, kde_mixing_ratio
from fastcollapse.theory.density.moments import kde_scaled_within_variance, kde_second_moment, kde_within_variance
from fastcollapse.theory.density.replace import kde_mise_limit, kde_mise_replace
from tests._goodness_of_fit import z_scores
from tests.naive.point_clouds import (
    fits,
    integrated_squared_errors,
    negative_log_likelihoods,
    normal_density,
    squared_distances,
)

# Fewer than 500 z-scores in this file, 5.7e-7 each: 3e-4 in all.
Z_LIMIT = 5.0
T = 5
# A skewed mixture; in two dimensions its components differ in the second coordinate, too.
WEIGHTS, VARIANCES = np.array([0.3, 0.7]), np.array([0.25, 1.0])
MEANS = {1: np.array([[-1.5], [1.0]]), 2: np.array([[-1.5, 0.5], [1.0, 0.0]])}
WORKFLOWS = {
    "replace": {"n_synthetic": [8, 12, 9, 14, 7]},
    "accumulate": {"n_synthetic": [10] * T, "keep": 1},
    "subsample": {"n_synthetic": [10] * T, "keep": 1, "n_train": 10},
    "subsample_replacement": {"n_synthetic": [10] * T, "keep": 1, "n_train": 10, "replacement": True},
    "fresh": {"n_synthetic": [8] * T, "n_real": [0, 3, 2, 3, 2], "real": "fresh"},
    "fresh_accumulate": {"n_synthetic": [6] * T, "n_real": 2, "real": "fresh", "keep": 1, "n_train": [0, 5, 9, 4, 0]},
    "real_share": {"n_synthetic": [10] * T, "real_share": [0.3, 0.5, 0.2, 0.3, 0.4]},
    "fixed": {"n_synthetic": [8] * T, "n_real": 4, "real": "fixed"},
    "fixed_subsample": {"n_synthetic": [8] * T, "n_real": 4, "real": "fixed", "n_train": 6},
}
# Theory of a slightly different workflow, which the data must reject.
CONTROLS = {
    "subsample": {"replacement": True},
    "subsample_replacement": {"replacement": False},
    "fresh": {"n_real": [0, 2, 2, 2, 2]},
    "fixed": {"real": "fresh"},
    "real_share": {"real_share": 0.35},
    "fixed_subsample": {"real": "fresh"},
    "fresh_accumulate": {"keep": 0, "n_train": 0},
}
BANDWIDTHS = np.array([0.5, 0.6, 0.4, 0.5, 0.45])


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def schedule_of(n_synthetic, n_real=0, keep=0, n_train=0, replacement=False, real="none", real_share=0.0):
    """Return the schedule of arguments of the theory for the naive chain."""
    arrays = {"n_synthetic": n_synthetic, "n_real": n_real, "keep": keep, "n_train": n_train, "real_share": real_share}
    full = {name: np.broadcast_to(values, len(n_synthetic)) for name, values in arrays.items()}
    return types.SimpleNamespace(**full, replacement=replacement, real=real)


def draw_mixture(rng, n_replicates, d):
    """Return a function that draws points of the skewed mixture."""

    def draw(n):
        which = rng.choice(2, (n_replicates, n), p=WEIGHTS)
        noise = rng.standard_normal((n_replicates, n, d))
        return MEANS[d][which] + np.sqrt(VARIANCES)[which][..., None] * noise

    return draw


def mixture(d):
    return {"weights": WEIGHTS, "means": MEANS[d], "covariances": VARIANCES}


@functools.cache
def mixture_runs(workflow, d, n_replicates):
    """Return the points of all fits of a workflow from the skewed mixture."""
    rng = np.random.default_rng(100 * d + sorted(WORKFLOWS).index(workflow))
    schedule = schedule_of(**WORKFLOWS[workflow])
    return list(fits(draw_mixture(rng, n_replicates, d), BANDWIDTHS, schedule, n_replicates, rng))


def mixture_errors(runs, d, bandwidths=BANDWIDTHS):
    squares = squared_distances(MEANS[d], MEANS[d])
    square = WEIGHTS @ normal_density(squares, VARIANCES[:, None] + VARIANCES, d) @ WEIGHTS
    steps = zip(runs, bandwidths, strict=True)
    errors = [integrated_squared_errors(p, h, WEIGHTS, MEANS[d], VARIANCES, square) for p, h in steps]
    return np.stack(errors, axis=1)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_mise__of_every_workflow(workflow, d):
    # 5 comparisons for each of 18 cases.
    arguments = WORKFLOWS[workflow]
    errors = mixture_errors(mixture_runs(workflow, d, 4000), d)
    assert not reject(z_scores(errors, kde_mise(BANDWIDTHS, **arguments, **mixture(d))[1:]))
    wrong = {**arguments, **CONTROLS.get(workflow, {"n_synthetic": np.array(arguments["n_synthetic"]) + 1})}
    assert reject(z_scores(errors, kde_mise(BANDWIDTHS, **wrong, **mixture(d))[1:]))


def test_mise__discrepancy_of_every_workflow():
    # 5 comparisons for each of 2 cases: pair means of the kernel of width 0.5, as densities times a constant.
    d, width = 1, 0.5
    norm = (2 * np.pi * width**2) ** (d / 2)
    for workflow in ("subsample", "fresh_accumulate"):
        squares = squared_distances(MEANS[d], MEANS[d])
        own = WEIGHTS @ normal_density(squares, VARIANCES[:, None] + VARIANCES + width**2, d) @ WEIGHTS
        got = []
        for points, h in zip(mixture_runs(workflow, d, 4000), BANDWIDTHS, strict=True):
            pairs = normal_density(squared_distances(points, points), 2 * h * h + width**2, d).mean(axis=(1, 2))
            across = normal_density(squared_distances(points, MEANS[d]), VARIANCES + h * h + width**2, d) @ WEIGHTS
            got.append(norm * (pairs - 2 * across.mean(axis=1) + own))
        values = np.stack(got, axis=1)
        arguments = {**WORKFLOWS[workflow], **mixture(d)}
        assert not reject(z_scores(values, kde_mmd_square(BANDWIDTHS, **arguments)[1:]))
        assert reject(z_scores(values, kde_mmd_square(BANDWIDTHS, **arguments, width=0.45)[1:]))


# Workflows of the package, and arguments of theory that are slightly different.
FAMILY = {
    "replace": ({"name": "replace", "n_samples": [8, 12, 9, 14, 7]}, {"n_synthetic": [9, 13, 10, 15, 8]}),
    "accumulate": ({"name": "accumulate", "n_samples": 10, "keep_real": True}, {"n_synthetic": [11] * T}),
    "accumulate_real": (
        {"name": "accumulate", "n_samples": 8, "keep_real": True, "n_real": 3},
        {"n_real": 4},
    ),
    "subsample": (
        {"name": "accumulate_subsample", "n_samples": 10, "keep_real": True, "replacement": False},
        {"replacement": True},
    ),
    "subsample_replacement": (
        {"name": "accumulate_subsample", "n_samples": 10, "keep_real": True, "replacement": True},
        {"replacement": False},
    ),
    "fresh": ({"name": "mix", "n_samples": 8, "n_real": 4, "real": "fresh"}, {"n_real": 5}),
    "fixed": ({"name": "mix", "n_samples": 8, "n_real": 4, "real": "fixed"}, {"real": "fresh"}),
    "real_share": ({"name": "mix", "n_samples": 10, "real_share": 0.3, "real": "fresh"}, {"real_share": 0.36}),
}


def family_errors(truth, workflow, bandwidth, n_replicates):
    """Return the integrated squared errors of the family `kde`, (R, T), and the arguments of theory."""
    mapping = {
        "model": {"family": "kde", "bandwidth": bandwidth},
        "truth": {**truth, "n_test": 1},
        "workflow": workflow,
        "run": {"n_generations": T, "n_replicates": n_replicates, "seed": 11, "record": ["ise"]},
    }
    results = simulate(Experiment.from_mapping(mapping))
    schedule = schedule_of_run(results.experiment, None)
    arguments = {name: getattr(schedule, name) for name in ("n_synthetic", "n_real", "n_train", "replacement", "real")}
    if schedule.real_share is not None:
        arguments["real_share"] = schedule.real_share
    return results.metrics["ise"][:, 1:], {**arguments, "keep": np.append(0, schedule.keep[1:])}


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("workflow", FAMILY)
def test_mise__of_the_family_under_every_workflow(workflow, d):
    # 5 comparisons for each of 16 cases.
    means = MEANS[d][:, 0].tolist() if d == 1 else MEANS[d].tolist()
    truth = {"normal_mixture": {"weights": [0.3, 0.7], "means": means, "covariances": [0.25, 1.0]}}
    setting, wrong = FAMILY[workflow]
    errors, arguments = family_errors(truth, setting, BANDWIDTHS.tolist(), 6000)
    z = z_scores(errors, kde_mise(BANDWIDTHS, **arguments, **mixture(d))[1:])
    assert np.abs(z).max() < 4
    assert reject(z_scores(errors, kde_mise(BANDWIDTHS, **{**arguments, **wrong}, **mixture(d))[1:]))


@pytest.mark.parametrize("placement", ["even", "iid"])
@pytest.mark.parametrize("shape", ["circles", "moons", "blobs"])
def test_mise__of_the_family_from_shapes(shape, placement):
    # 5 comparisons for each of 6 cases.
    workflow = {"name": "accumulate_subsample", "n_samples": 10, "keep_real": True, "replacement": False}
    h = 1.0 if shape == "blobs" else 0.3
    errors, arguments = family_errors({"shape": shape, "placement": placement}, workflow, h, 3000)
    other = "iid" if placement == "even" else "even"
    assert np.abs(z_scores(errors, kde_mise_shape(h, **arguments, shape=shape, placement=placement)[1:])).max() < 4
    assert reject(z_scores(errors, kde_mise_shape(h, **arguments, shape=shape, placement=other)[1:]))


def replace_chain(rng, n_replicates, n, d, h, n_generations):
    """Return the points of the last fit of workflow replace from N(0, 1)."""
    rows = np.arange(n_replicates)[:, None]
    points = rng.standard_normal((n_replicates, n, d))
    for _ in range(n_generations - 1):
        parents = rng.integers(n, size=(n_replicates, n))
        points = points[rows, parents] + h * rng.standard_normal((n_replicates, n, d))
    return points


@pytest.mark.parametrize("n", [1, 6])
def test_mise__closed_form_and_limit_of_replace(n):
    # 2 comparisons for each case.
    rng = np.random.default_rng(7 + n)
    d, h, variance = 3, 0.8, np.ones(1)
    square = (4 * np.pi) ** (-d / 2)
    truth = {"means": [[0.0] * d]}
    for t, expected in ((4, kde_mise_replace(h, n, 4, **truth)), (1500, kde_mise_limit(h, n, **truth))):
        points = replace_chain(rng, 2000, n, d, h, t)
        errors = integrated_squared_errors(points, h, np.ones(1), np.zeros((1, d)), variance, square)
        # After 1,500 generations the overlap with the truth is below 2 (2 pi 1500 h^2)^(-3/2) = 4e-6.
        z = z_scores(errors, expected, rounding=5e-6 if t > 4 else 1e-12)
        assert not reject(z)
        assert reject(z_scores(errors, expected * 1.05, rounding=5e-6))


def shape_points(rng, shape, placement, n_replicates):
    """Return a function that draws points of circles or moons."""

    def draw(n):
        halves = []
        for k, m in enumerate((n // 2, n - n // 2)):
            if placement == "even":
                full = 2 * np.pi * np.arange(m) / m if shape == "circles" else np.linspace(0, np.pi, m)
                halves.append(np.broadcast_to(_on_arc(shape, k, full), (n_replicates, m, 2)))
        if placement == "iid":
            angle = rng.uniform(0, 2 * np.pi if shape == "circles" else np.pi, (n_replicates, n))
            second = rng.random((n_replicates, n, 1)) < 0.5
            halves = [np.where(second, _on_arc(shape, 1, angle), _on_arc(shape, 0, angle))]
        return np.concatenate(halves, axis=1) + 0.05 * rng.standard_normal((n_replicates, n, 2))

    return draw


def _on_arc(shape, k, angle):
    """Return the points of half k of a shape at angles."""
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    if shape == "circles":
        return (1.0, 0.8)[k] * unit
    return unit if k == 0 else np.array([1.0, 0.5]) - unit


def shape_truth(shape, n_nodes):
    """Return the weights and means of narrow normal components that are a shape, to rounding."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    angle = np.pi * (nodes + 1) * (1 if shape == "circles" else 0.5)
    means = np.concatenate([_on_arc(shape, k, angle) for k in (0, 1)])
    return np.concatenate([weights, weights]) / 4, means


SHAPE_WORKFLOWS = {
    "replace": {"n_synthetic": [12] * 3},
    "subsample": {"n_synthetic": [12] * 3, "keep": 1, "n_train": 7},
    "fresh": {"n_synthetic": [8, 7, 9], "n_real": [5, 4, 5], "real": "fresh"},
    "fixed": {"n_synthetic": [8] * 3, "n_real": 5, "real": "fixed"},
}


@pytest.mark.parametrize("placement", ["even", "iid"])
@pytest.mark.parametrize("workflow", SHAPE_WORKFLOWS)
@pytest.mark.parametrize("shape", ["circles", "moons"])
def test_mise__of_shapes(shape, workflow, placement):
    # 3 comparisons for each of 16 cases.
    rng = np.random.default_rng(41)
    h, n_replicates, arguments = 0.3, 800, SHAPE_WORKFLOWS[workflow]
    weights, means = shape_truth(shape, 400)
    square = weights @ normal_density(squared_distances(means, means), 2 * 0.05**2, 2) @ weights
    # Smoothed by the kernel, the shape needs fewer nodes.
    weights, means = shape_truth(shape, 60)
    runs = fits(shape_points(rng, shape, placement, n_replicates), [h] * 3, schedule_of(**arguments), n_replicates, rng)
    variances = np.full(len(weights), 0.05**2)
    errors = np.stack([integrated_squared_errors(p, h, weights, means, variances, square) for p in runs], axis=1)

    def z(placed):
        expected = kde_mise_shape(h, **arguments, shape=shape, placement=placed)
        return z_scores(errors, expected[1:], rounding=1e-9)

    assert not reject(z(placement))
    assert reject(z("iid" if placement == "even" else "even"))


@pytest.mark.parametrize("placement", ["even", "iid"])
def test_mise__of_blobs_averages_over_centres(placement):
    # 3 comparisons for each case.
    rng = np.random.default_rng(17)
    n_replicates, h, sizes = 4000, 0.7, [10] * 3
    centres = rng.uniform(-10, 10, (n_replicates, 3, 2))
    rows = np.arange(n_replicates)[:, None]

    def draw(n):
        which = np.broadcast_to(np.arange(n) % 3, (n_replicates, n))
        if placement == "iid":
            which = rng.integers(3, size=(n_replicates, n))
        return centres[rows, which] + rng.standard_normal((n_replicates, n, 2))

    weights, ones = np.full(3, 1 / 3), np.ones(3)
    square = normal_density(squared_distances(centres, centres), 2.0, 2).mean(axis=(1, 2))
    runs = list(fits(draw, [h] * 3, schedule_of(sizes), n_replicates, rng))
    errors = np.stack([integrated_squared_errors(p, h, weights, centres, ones, square) for p in runs], axis=1)
    expected, other = (
        kde_mise_shape(h, sizes, shape="blobs", placement=p)[1:]
        for p in (placement, "iid" if placement == "even" else "even")
    )
    assert not reject(z_scores(errors, expected))
    assert reject(z_scores(errors, other))


def moments(runs, centre):
    """Return second moments, variances and squared distances of the centre, (R, T) each, averaged over coordinates."""
    second = np.stack([((p - centre) ** 2).mean(axis=(1, 2)) for p in runs], axis=1)
    within = np.stack([p.var(axis=1).mean(axis=1) for p in runs], axis=1)
    return second, within, second - within


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_moments__of_every_workflow(workflow):
    # 15 comparisons for each of 9 cases.
    d, arguments = 2, WORKFLOWS[workflow]
    centre = WEIGHTS @ MEANS[d]
    V = (WEIGHTS @ (VARIANCES * d + ((MEANS[d] - centre) ** 2).sum(axis=1))) / d
    got = moments(mixture_runs(workflow, d, 4000), centre)

    def expected(bandwidths, **changed):
        every = {**arguments, **changed}
        plain = {key: value for key, value in every.items() if key not in ("n_train", "replacement")}
        second, within = kde_second_moment(bandwidths, **plain, V=V), kde_within_variance(bandwidths, **every, V=V)
        return second[1:], within[1:], (second - within)[1:]

    def z(values):
        return np.concatenate([z_scores(a, b) for a, b in zip(got, values, strict=True)])

    assert not reject(z(expected(BANDWIDTHS)))
    assert reject(z(expected(BANDWIDTHS * 1.1)))
    # The workflow is told apart where bandwidths alone do not matter.
    if "subsample" in workflow and "fixed" not in workflow:
        assert reject(z(expected(BANDWIDTHS, **CONTROLS[workflow])))


def test_moments__of_even_points():
    # 6 comparisons: the first batch has its own differences.
    rng = np.random.default_rng(23)
    n, h, n_replicates = 10, 0.2, 3000
    runs = list(
        fits(shape_points(rng, "circles", "even", n_replicates), [h] * 3, schedule_of([n] * 3), n_replicates, rng)
    )
    second, within, _ = moments(runs, np.zeros(2))
    V = 0.41 + 0.05**2
    pairs = 0.41 * n / (n - 1) + 0.05**2
    expected = kde_within_variance(h, [n] * 3, V=V, V_pairs=pairs)[1:]
    assert not reject(np.append(z_scores(second, kde_second_moment(h, [n] * 3, V=V)[1:]), z_scores(within, expected)))
    assert reject(z_scores(within, kde_within_variance(h, [n] * 3, V=V)[1:]))


def test_moments__of_scaled_bandwidth():
    # 6 comparisons.
    rng = np.random.default_rng(29)
    n, n_replicates, t = 12, 20_000, np.arange(1, 7)
    c = n**-0.2
    points, got = rng.standard_normal((n_replicates, n)), []
    for _ in t:
        got.append(points.var(axis=1))
        h = c * points.std(axis=1, ddof=1, keepdims=True)
        parents = rng.integers(n, size=(n_replicates, n))
        points = np.take_along_axis(points, parents, axis=1) + h * rng.standard_normal((n_replicates, n))
    got = np.stack(got, axis=1)
    assert not reject(z_scores(got, kde_scaled_within_variance(n, t, c)))
    assert reject(z_scores(got, kde_scaled_within_variance(n, t, n ** (-1 / 6))))


def mixture_nll(runs, bandwidths, d, seed):
    """Return the NLL of each replicate and fit on 40 test points of its own, (R, T)."""
    rng = np.random.default_rng(seed)
    test = draw_mixture(rng, len(runs[0]), d)(40)
    steps = zip(runs, bandwidths, strict=True)
    return np.stack([negative_log_likelihoods(p, h, test) for p, h in steps], axis=1)


def outside(values, lower, upper):
    """Return the distances of means from bounds in standard errors, 0 between them."""
    z_low, z_high = z_scores(values, lower), z_scores(values, upper)
    return np.where(z_low < 0, z_low, np.where(z_high > 0, z_high, 0.0))


@pytest.mark.parametrize("workflow", [name for name in WORKFLOWS if name != "real_share"])
def test_nll__of_every_workflow_is_within_bounds(workflow):
    # 5 comparisons for each of 8 cases.
    arguments = {key: v for key, v in WORKFLOWS[workflow].items() if key not in ("n_train", "replacement")}
    values = mixture_nll(mixture_runs(workflow, 1, 4000)[:], BANDWIDTHS, 1, 31)
    lower, upper = kde_nll_bounds(BANDWIDTHS, **arguments, **mixture(1))
    assert not reject(outside(values, lower[1:], upper[1:]))
    # Negative control: bounds in bits instead of nats.
    assert reject(outside(values, lower[1:] / np.log(2), upper[1:]))


def test_nll__bounds_are_sharp():
    # 4 comparisons. One point has the upper bound; many points have the lower one.
    rng = np.random.default_rng(37)
    h = [0.7, 0.5]
    for n, n_replicates, side, tolerance in ((1, 20_000, 1, 1e-12), (3000, 60, 0, 0.004)):

        def draw(size, n_replicates=n_replicates):
            return rng.standard_normal((n_replicates, size, 1))

        runs = list(fits(draw, h, schedule_of([n] * 2), n_replicates, rng))
        test = rng.standard_normal((n_replicates, 1 if n == 1 else 100, 1))
        values = np.stack([negative_log_likelihoods(p, b, test) for p, b in zip(runs, h, strict=True)], axis=1)
        expected = kde_nll_bounds(h, [n] * 2)[side][1:]
        wrong = kde_nll_bounds(h, [n] * 2, covariances=1.4)[side][1:]
        assert not reject(z_scores(values, expected, rounding=tolerance))
        assert reject(z_scores(values, wrong, rounding=tolerance))


@pytest.mark.parametrize("placement", ["even", "iid"])
def test_nll__of_shapes_is_within_bounds(placement):
    # 6 comparisons for each case.
    rng = np.random.default_rng(43)
    h, n_replicates = [0.3, 0.3, 0.3], 600
    for shape in ("circles", "moons"):
        draw = shape_points(rng, shape, placement, n_replicates)
        runs = list(fits(draw, h, schedule_of([12] * 3), n_replicates, rng))
        test = shape_points(rng, shape, placement, n_replicates)(40)
        values = np.stack([negative_log_likelihoods(p, b, test) for p, b in zip(runs, h, strict=True)], axis=1)
        lower, upper = kde_nll_bounds_shape(h, [12] * 3, shape=shape, placement=placement, n_test=40)
        assert not reject(outside(values, lower[1:], upper[1:]))
        assert reject(outside(values, lower[1:], lower[1:]))


@pytest.mark.parametrize(("shape", "n_test"), [("moons", 3), ("circles", 1)])
def test_nll__of_one_point_equals_the_upper_bound(shape, n_test):
    # 3 comparisons for each case. Few even points have another mean than the shape.
    h, n_replicates = 0.5, 4000
    draw = shape_points(np.random.default_rng(73), shape, "even", n_replicates)
    runs = fits(draw, [h] * 3, schedule_of([1] * 3), n_replicates, np.random.default_rng(79))
    values = np.stack([negative_log_likelihoods(p, h, draw(n_test)) for p in runs], axis=1)
    upper = kde_nll_bounds_shape(h, [1] * 3, shape=shape, n_test=n_test)[1][1:]
    assert not reject(z_scores(values, upper, rounding=1e-9))
    # Negative control: test points whose mean is that of the shape.
    wrong = kde_nll_bounds_shape(h, [1] * 3, shape=shape, n_test=4)[1][1:]
    assert reject(z_scores(values, wrong, rounding=1e-9))


def test_nll__pathwise_bounds_hold_for_every_run():
    h = [0.3] * T
    rng = np.random.default_rng(47)
    schedule = schedule_of([6] * T, keep=1)
    values = mixture_nll(list(fits(draw_mixture(rng, 500, 1), h, schedule, 500, rng)), h, 1, 5)
    sizes = 6 * np.arange(1, T + 1)
    bounds = np.stack([kde_accumulate_nll_bound(first, sizes) for first in values[:, 0]])
    assert (values <= bounds + 1e-12).all()
    # Negative control: workflow replace has no such bound.
    other = mixture_nll(list(fits(draw_mixture(rng, 500, 1), h, schedule_of([6] * T), 500, rng)), h, 1, 5)
    assert (other > other[:, :1] + np.log(sizes / 6)).any()


def test_nll__of_a_mix_is_bounded_by_its_real_part():
    rng = np.random.default_rng(53)
    real = draw_mixture(rng, 500, 1)(4)
    synthetic = rng.normal(5, 1, (500, 12, 1))
    test = draw_mixture(rng, 500, 1)(40)
    alone = negative_log_likelihoods(real, 0.4, test)
    mixed = negative_log_likelihoods(np.concatenate([real, synthetic], axis=1), 0.4, test)
    assert (mixed <= kde_mix_nll_bound(alone, 4, 16) + 1e-12).all()
    # Negative control: a share of real points that is twice as large.
    assert (mixed > kde_mix_nll_bound(alone, 8, 16)).any()


def mixing_errors(h, lam, n, n_replicates, n_generations, seed):
    """Return the integrated squared errors of the last fit, where each point is real with probability lam."""
    rng = np.random.default_rng(seed)
    rows = np.arange(n_replicates)[:, None]
    points = rng.standard_normal((n_replicates, n, 1))
    for _ in range(n_generations):
        parents = rng.integers(n, size=(n_replicates, n))
        drawn = points[rows, parents] + h * rng.standard_normal((n_replicates, n, 1))
        is_real = rng.random((n_replicates, n, 1)) < lam
        points = np.where(is_real, rng.standard_normal((n_replicates, n, 1)), drawn)
    square = 0.5 / np.sqrt(np.pi)
    return integrated_squared_errors(points, h, np.ones(1), np.zeros((1, 1)), np.ones(1), square)


@pytest.mark.parametrize("lam", [0.2, 0.6])
def test_mixing__stationary_error(lam):
    # 1 comparison for each case.
    errors = mixing_errors(0.4, lam, 30, 3000, 40, 59)
    assert not reject(z_scores(errors, kde_mixing_mise(0.4, lam, 30)))
    assert reject(z_scores(errors, kde_mixing_mise(0.4, lam * 0.85, 30)))


def test_mixing__best_bandwidth():
    # The asymptotic bandwidth is a few percent off for 200 points.
    best = float(kde_mixing_bandwidth(0.5, 200, 1))
    errors = {h: mixing_errors(h, 0.5, 200, 300, 8, 61) for h in (best, 1.5 * best, 0.55 * best)}
    # Common random numbers for all bandwidths; they are also negative controls.
    for h in (1.5 * best, 0.55 * best):
        assert z_scores(errors[h] - errors[best], 0.0) > Z_LIMIT


def test_mixing__ratio_to_the_real_points_alone():
    # 1 comparison, with a tolerance of 30 % for the terms that vanish with the number of points.
    lam, n = 0.1, 200
    mixed = mixing_errors(float(kde_mixing_bandwidth(lam, n, 1)), lam, n, 300, 40, 71)
    real = mixing_errors(float(kde_mixing_bandwidth(1.0, int(lam * n), 1)), 1.0, int(lam * n), 1000, 1, 67)
    ratio = mixed.mean() / real.mean()
    error = ratio * np.hypot(*(v.std() / v.mean() / np.sqrt(len(v)) for v in (mixed, real)))
    off = 0.3 * ratio + Z_LIMIT * error
    assert abs(ratio - kde_mixing_ratio(lam, 1)) < off
    # Negative control: the ratio of three dimensions.
    assert abs(ratio - kde_mixing_ratio(lam, 3)) > off
