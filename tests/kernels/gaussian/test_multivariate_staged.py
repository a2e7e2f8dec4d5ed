"""Pools and fits in d dimensions against plain points, and runs whose frame moves."""

import numpy as np
import pytest

from fastcollapse.config.kernel_schedule import kernel_stages
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflows import Accumulate
from fastcollapse.kernels.gaussian.multivariate_batches import add_to_pool, move_batches
from fastcollapse.kernels.gaussian.weighted_parts import Estimator, part_shares
from fastcollapse.models.gaussian.model import MODEL
from fastcollapse.models.gaussian.parameters import GaussianParameters, GaussianTruth
from tests.kernels.gaussian.test_univariate_staged import POOLS, workflow_schedule
from tests.naive import gaussian as naive
from tests.naive.gaussian import weighted_fit

D = 3


def batch_of(points):
    mean = points.mean(axis=0)
    return float(len(points)), mean, (points - mean).T @ (points - mean)


def places_of(window):
    return np.zeros(window + 1), np.zeros((window + 1, D)), np.zeros((window + 1, D, D))


@pytest.mark.parametrize("keys", POOLS, ids=str)
@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize("real", [False, True])
def test_pool_and_shares__equal_weighted_points(keys, estimator, real):
    if "weight" in keys and not real:
        return
    rng = np.random.default_rng(1)
    sizes, schedule = workflow_schedule(keys, estimator, real)
    stages, ddof = kernel_stages(schedule), int(estimator == "unbiased")
    apart = bool(ddof and schedule.discount)
    places, pool = places_of(schedule.window), (np.empty(D), np.zeros((D, D)))
    real_points = rng.normal(1.0, 2.0, (9, D)) if real else np.empty((0, D))
    batches = []
    for t, n in enumerate(sizes):
        batches.append(rng.normal(rng.normal(size=D), rng.exponential(), (n, D)))
        kept = bool(stages.n_pool[t] > n)
        position = t % max(1, schedule.window)
        total = add_to_pool(
            batch_of(batches[-1]), kept, position, stages.discount, apart, places, pool, np.empty(D)
        )  # fmt: skip
        weight = stages.weight[t] if len(stages.weight) else -1.0
        m, real_mean, real_squares = batch_of(real_points) if real else (0.0, pool[0], np.zeros((D, D)))
        share, of_real, of_pool, of_gap = part_shares(m, total, weight, Estimator(ddof, apart))
        gap = real_mean - pool[0]
        squares = np.triu(pool[1]) + np.triu(pool[1], 1).T
        got = of_real * real_squares + of_pool * squares + of_gap * np.outer(gap, gap)
        held = batches[-schedule.window :] if schedule.window else batches
        groups, weights = [(np.concatenate(held), 1.0)], [sum(map(len, held))]
        if schedule.discount:
            weights = [len(b) * schedule.discount**age for age, b in zip(range(t, -1, -1), held, strict=True)]
            groups = [(b, w / sum(weights)) for b, w in zip(held, weights, strict=True)]
        if real and weight < 0 and not schedule.discount:
            groups = [(np.concatenate([real_points, groups[0][0]]), 1.0)]
        elif real:
            part = 9 / (9 + sum(weights)) if weight < 0 else weight
            groups = [(real_points, part), *((b, (1 - part) * w) for b, w in groups)]
        mean, covariance = weighted_fit(groups, ddof)
        np.testing.assert_allclose(pool[0] + share * gap, mean, rtol=1e-10)
        np.testing.assert_allclose(got, covariance, rtol=1e-9, atol=1e-12)


def test_move_batches__changes_coordinates_of_points():
    rng = np.random.default_rng(2)
    points, change, origin = rng.normal(size=(7, D)), np.tril(rng.normal(size=(D, D))), rng.normal(size=D)
    places = places_of(1)
    for place, chosen in enumerate((points, points[:4])):
        places[0][place], places[1][place], places[2][place] = batch_of(chosen)
    move_batches(change, origin, places, np.empty((D, D)), np.empty(D))
    for place, chosen in enumerate((points, points[:4])):
        _, mean, squares = batch_of(origin + chosen @ change.T)
        np.testing.assert_allclose(places[1][place], mean, rtol=1e-12)
        np.testing.assert_allclose(np.triu(places[2][place]), np.triu(squares), rtol=1e-11)


def run(workflow, n_generations, n_replicates, d=D, estimator="mle", **truth):
    """Return mean and log diagonal of the factor, float64 (R, T, d) each, and the factor."""
    schedule = workflow if isinstance(workflow, Schedule) else workflow.schedule(n_generations, None)
    model = MODEL.create(GaussianTruth(dimension=d, **truth), GaussianParameters(estimator=estimator), schedule)
    states = model.advance(model.initial(n_replicates, 5), 1, n_generations, 5).states
    return states["mean"], states["log_diagonal"], states["factor"]


def test_run__collapses_far_below_the_smallest_number():
    mean, logs, _ = run(Accumulate(n_samples=5, keep_real=False, window=2), 12_000, 2)
    assert np.isfinite(logs).all()
    assert (logs[:, -1] < -800).all()
    assert np.ptp(mean[:, -50:], axis=1).max() == 0
    # The axes separate: the condition number of the covariance is far beyond the digits of a sum of squares.
    assert (np.ptp(logs[:, -1], axis=1) > 50).all()


@pytest.mark.parametrize("n_real", [2, 3, 40])
def test_run__real_data_after_a_collapse(n_real):
    """Few and many real points beside a law that has collapsed: the fit has the rank of the real points and more."""
    sizes = np.zeros(601, np.int64)
    sizes[-1] = n_real
    zero = np.zeros_like(sizes)
    mean, logs, factor = run(Schedule(zero + 6, sizes, zero, zero, real="fresh", window=1), 601, 2000)
    assert np.isfinite(logs).all()
    assert np.median(logs[:, -2].max(axis=1)) < -15
    total = 6 + n_real
    got = (factor[:, -1] ** 2).sum(axis=(1, 2))
    old = (mean[:, -2] ** 2).sum(axis=1)
    expected = (n_real - 1) / total * D + n_real * 6 / total**2 * (old + D / n_real)
    assert abs((got - expected).mean()) < 5 * (got - expected).std() / 2000**0.5
    if n_real < D:
        assert np.median(logs[:, -1].min(axis=1)) < -15


def test_run__window_goes_on_after_the_truth_has_become_the_frame():
    """A pool and real data at one generation alone, beside the twin."""
    n_generations = 4
    real = np.array([0, 0, 5, 0])
    zero = np.zeros(n_generations, np.int64)
    schedule = Schedule(zero + 6, real, zero + 1, zero, real="fresh", window=3)
    truth = GaussianTruth(dimension=D, mean=(1.0, 2.0, 3.0), sigma=(1.0, 0.1, 30.0))
    mean, logs, factor = run(schedule, n_generations, 4000, mean=(1.0, 2.0, 3.0), sigma=(1.0, 0.1, 30.0))
    rng, covariance = np.random.default_rng(3), truth.factor() @ truth.factor().T
    found = [
        naive.multivariate_chain(truth.means(), covariance, schedule, n_generations, rng, estimator="mle")
        for _ in range(600)
    ]
    for t in range(n_generations):
        pairs = [(2 * logs[:, t].sum(axis=1), [np.linalg.slogdet(c[t + 1])[1] for _, c in found])]
        pairs += [(mean[:, t, i], [m[t + 1, i] for m, _ in found]) for i in range(D)]
        pairs += [((factor[:, t, i] ** 2).sum(axis=1), [c[t + 1, i, i] for _, c in found]) for i in range(D)]
        for got, expected in pairs:
            error = (np.var(got) / len(got) + np.var(expected) / len(expected)) ** 0.5
            assert abs(np.mean(got) - np.mean(expected)) < 5 * error
