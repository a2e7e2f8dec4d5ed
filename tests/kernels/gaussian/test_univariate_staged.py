"""Pools of batches and weighted fits against plain points, and frames."""

import math

import numpy as np
import pytest

from fastcollapse.config.kernel_schedule import kernel_schedule, kernel_stages
from fastcollapse.config.workflows import Accumulate, Mix
from fastcollapse.kernels.gaussian.univariate_map import UnivariateSource
from fastcollapse.kernels.gaussian.univariate_staged import (
    UnivariateLaws,
    add_batch,
    draw_fixed_batches,
    fit_parts,
    move_batches,
    refit_staged,
)
from fastcollapse.kernels.gaussian.weighted_parts import Estimator
from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from tests.naive.gaussian import weighted_fit

KEY = StreamKey(np.uint64(4), np.uint64(0), np.uint64(0), np.uint64(1))
SIZES = (4, 1, 3, 6, 2, 5, 1, 7, 3, 4, 2)


def batch_of(points):
    return float(len(points)), float(points.mean()), float(((points - points.mean()) ** 2).sum())


def workflow_schedule(keys, estimator, real):
    sizes = [max(size, 2) for size in SIZES] if estimator == "unbiased" else list(SIZES)
    return sizes, Accumulate(n_samples=sizes, keep_real=real, **keys).schedule(len(sizes), 9 if real else None)


POOLS = [
    {"window": 1},
    {"window": 2},
    {"window": 3},
    {"window": 11},
    {"discount": 0.6},
    {"discount": 1.0},
    {"weight": 0.3},
    {"weight": 0.0},
    {"weight": 1.0},
    {"weight": 0.3, "window": 4},
    {"weight": 0.3, "discount": 0.5},
]


@pytest.mark.parametrize("keys", POOLS, ids=str)
@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize("real", [False, True])
def test_pool_and_fit__equal_weighted_points(keys, estimator, real):
    """Random points of other means and deviations in each generation."""
    if "weight" in keys and not real:
        return
    rng = np.random.default_rng(1)
    sizes, schedule = workflow_schedule(keys, estimator, real)
    stages, ddof = kernel_stages(schedule), int(estimator == "unbiased")
    form = Estimator(ddof, bool(ddof and schedule.discount))
    recent, ring = np.zeros(3), np.zeros((schedule.window, 3))
    real_points = rng.normal(1.0, 2.0, (9, 1)) if real else np.empty((0, 1))
    batches = []
    for t, n in enumerate(sizes):
        batches.append(rng.normal(rng.normal(), rng.exponential(), (n, 1)))
        kept = stages.n_pool[t] > n
        pool = add_batch(batch_of(batches[-1]), kept, t % max(1, schedule.window), stages, form.apart, recent, ring)
        weight = stages.weight[t] if len(stages.weight) else -1.0
        mean, variance = fit_parts(batch_of(real_points) if real else (0.0, 0.0, 0.0), pool, weight, form)
        held = batches[-schedule.window :] if schedule.window else batches
        if schedule.discount:
            weights = [len(b) * schedule.discount**age for age, b in zip(range(t, -1, -1), held, strict=True)]
            groups = [(b, w / sum(weights)) for b, w in zip(held, weights, strict=True)]
        else:
            groups, weights = [(np.concatenate(held), 1.0)], [sum(map(len, held))]
        if real and weight < 0 and not schedule.discount:
            groups = [(np.concatenate([real_points, groups[0][0]]), 1.0)]
        elif real:
            share = 9 / (9 + sum(weights)) if weight < 0 else weight
            groups = [(real_points, share), *((b, (1 - share) * w) for b, w in groups)]
        expected = weighted_fit(groups, ddof)
        np.testing.assert_allclose([mean, variance], [expected[0][0], expected[1][0, 0]], rtol=1e-10)


def test_add_batch__forgets_what_is_not_kept():
    _, schedule = workflow_schedule({"window": 3}, "mle", False)
    recent, ring = np.zeros(3), np.zeros((3, 3))
    stages = kernel_stages(schedule)
    for t in range(5):
        add_batch((3.0, 1.0, 2.0), True, t % 3, stages, False, recent, ring)
    assert add_batch((2.0, 0.5, 0.25), False, 2, stages, False, recent, ring) == (2.0, 0.5, 0.25)


def test_move_batches__changes_units_of_points():
    points = np.random.default_rng(1).normal(size=7)
    recent, ring = np.array(batch_of(points)), np.array([batch_of(points[:3])])
    move_batches(recent, ring, 2.0, 0.1)
    np.testing.assert_allclose(recent, batch_of(2 + 0.1 * points), rtol=1e-12)
    np.testing.assert_allclose(ring[0], batch_of(2 + 0.1 * points[:3]), rtol=1e-12)


def refit(schedule, n_replicates, estimator=(1, False), source=None, seed=4):
    """Return mean and ln sigma of all generations, float64 (2, R, T)."""
    n_generations, n_real = schedule.n_generations, int(schedule.n_real[0]) if schedule.real == "fixed" else 0
    state = UnivariateLaws(
        np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (n_replicates, 1)),
        np.zeros((n_replicates, 3)),
        np.zeros((n_replicates, schedule.window, 3)),
        np.zeros((n_replicates if n_real else 0, 3)),
    )
    key, out = KEY._replace(seed=np.uint64(seed)), np.empty((2, n_replicates, n_generations))
    if n_real:
        draw_fixed_batches(float(n_real), normal_table(), key, state.real)
    compiled = kernel_schedule(schedule), kernel_stages(schedule)
    source = source or UnivariateSource(0.0, 1.0, 0.0)
    refit_staged(
        state, *compiled, Estimator(*estimator), source, normal_table(), span_of(key, 1, n_generations, 2), out
    )
    return out


def test_refit__collapses_far_below_the_smallest_number():
    """Over long runs ln sigma has the slope of short ones, and the mean stops."""
    n, window = 3, 2
    out = refit(Accumulate(n_samples=n, keep_real=False, window=window).schedule(20_000, None), 8)
    assert np.isfinite(out).all()
    logs = out[1]
    assert (logs[:, -1] < -1000).all()
    early, late = logs[:, 2000] - logs[:, 0], (logs[:, -1] - logs[:, 2000]) / 8.9995
    assert abs(early.mean() - late.mean()) < 5 * math.hypot(early.std(), late.std()) / 8**0.5
    assert np.ptp(out[0][:, -100:], axis=1).max() < 1e-300


def test_refit__frames_change_no_law():
    """Equal steps of ln sigma after a collapse of 500 e-folds; the gaps between batches still count."""
    steps = np.diff(refit(Accumulate(n_samples=4, keep_real=False, window=3).schedule(4000, None), 200)[1], axis=1)
    early, late = steps[:, 100:600].mean(axis=1), steps[:, -500:].mean(axis=1)
    assert abs(early.mean() - late.mean()) < 5 * math.hypot(early.std(), late.std()) / 200**0.5
    assert early.mean() < -10 * early.std() / 200**0.5


def test_refit__returns_to_the_truth_with_real_data():
    """Real data after a collapse that underflows gives a fit as to the real data and a point mass."""
    n_real = np.zeros(3001, np.int64)
    n_real[-1] = 5
    schedule = Mix(n_samples=3, n_real=n_real.tolist(), real="fresh").schedule(3001, None)
    mean, logs = refit(schedule, 4000, estimator=(0, False))
    assert logs[:, -2].max() < -600
    # 5 of 8 points are real, 3 are at the old mean mu, which has a law of its own.
    spread = 5 / 8 * mean[:, -2] ** 2 * 3 / 8 + (5 / 8) * (1 - 1 / 5) + 5 / 8 * 3 / 8 / 5
    z = (np.exp(2 * logs[:, -1]) - spread).mean() / (np.exp(2 * logs[:, -1]) - spread).std() * 4000**0.5
    assert abs(z) < 5
    assert abs((mean[:, -1] - 3 / 8 * mean[:, -2]).std() - 5**0.5 / 8) < 0.02


def test_refit__any_scale_of_bias():
    source = UnivariateSource(0.0, 1.0, 0.0, log_scale=math.log(1e-200))
    logs = refit(Mix(n_samples=4, n_real=0, real="fresh").schedule(5, None), 3, source=source)[1]
    plain = refit(Mix(n_samples=4, n_real=0, real="fresh").schedule(5, None), 3)[1]
    np.testing.assert_allclose(logs - plain, np.tile(math.log(1e-200) * np.arange(1, 6), (3, 1)), rtol=1e-12)


def test_refit__shares_of_0_and_1_are_exact():
    """All real: independent fits. None: the walk of `replace`, with the variates of the staged kernel."""
    for share, expected in ((0.0, False), (1.0, True)):
        out = refit(Mix(n_samples=2, real="fresh", real_share=share).schedule(400, None), 20)
        assert (np.abs(out[1]).max() < 40) == expected
        assert np.isfinite(out).all()


@pytest.mark.parametrize(("estimator", "share"), [(0, 0.2), (0, 0.9), (1, 0.2), (1, 0.9)])
def test_refit__few_shared_points_have_law_of_points(estimator, share):
    """Three points: parts of 0, 1, 2 and 3 points."""
    out = refit(Mix(n_samples=3, real="fresh", real_share=share).schedule(2, None), 40_000, (estimator, False))
    rng = np.random.default_rng(5)
    mean, variance = np.zeros((2, 40_000)), np.ones((3, 40_000))
    for t in range(2):
        of_truth = rng.random((3, 40_000)) < share
        z = rng.standard_normal((3, 40_000))
        points = np.where(of_truth, z, mean[t - 1] * (t > 0) + np.sqrt(variance[t]) * z)
        mean[t], variance[t + 1] = points.mean(axis=0), points.var(axis=0, ddof=estimator)
    for got, expected in ((out[0][:, 1], mean[1]), (np.exp(2 * out[1][:, 1]), variance[2])):
        for power in (1, 2):
            gap = (got**power).mean() - (expected**power).mean()
            assert abs(gap) < 5 * math.hypot((got**power).std(), (expected**power).std()) / 200
