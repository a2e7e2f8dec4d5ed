"""Verification of the theory of weighted fits by raw simulation of tokens, Gaussian points and rows of least squares.

Each test states its number of z-scores and fails at |z| > 5. Each has a negative control: a slightly wrong theory that
the same data must reject. All replicates are simulated at once, along the last axis.
"""

import dataclasses
import functools

import numpy as np
import pytest

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflows import Mix
from fastcollapse.theory.mixing.gaussian_parts import weighted_covariance_moments, weighted_variance_spread
from fastcollapse.theory.mixing.pathways import discount_slope, fixed_real_factor, pathway_factors, window_slope
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.mixing.weighted_fit import (
    best_weight,
    contaminated_errors,
    fixed_real_errors,
    optimal_weights,
    weighted_errors,
)
from tests._goodness_of_fit import z_scores
from tests.naive import recursion

# Fewer than 700 z-scores in this file, 5.7e-7 each: 4e-4 in all.
Z_LIMIT = 5.0
LAW = np.array([0.4, 0.3, 0.2, 0.1])


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def schedule_of(n_synthetic, n_real=0, keep=0, **options):
    sizes = np.broadcast_arrays(np.asarray(n_synthetic, np.int64), n_real, keep, 0)
    return Schedule(*(np.array(array, np.int64) for array in sizes), **options)


def constant(value, n_generations):
    return np.full(n_generations, value, float)


def token_errors(schedule, n_replicates=20_000, seed=1):
    """Return |p_t - p_0|^2 over the heterozygosity of p_0, float64 (R, T): raw tokens, counted."""
    rng = np.random.default_rng(seed)

    def draw(state, n, rng):
        uniform = rng.random((n, n_replicates))
        return sum((uniform > edge for edge in np.cumsum(state, axis=0)[:-1]), np.zeros(uniform.shape, np.int8))

    def fit(groups):
        return sum(
            weight * np.array([(tokens == k).mean(axis=0) for k in range(LAW.size)]) for tokens, weight in groups
        )

    truth = np.repeat(LAW[:, None], n_replicates, axis=1)
    states = recursion.staged_states(truth, draw, fit, schedule, schedule.n_generations, rng)
    square = ((np.array(states[1:]) - truth) ** 2).sum(axis=1)
    return square.T / (1 - (LAW**2).sum())


def point_moments(schedule, estimator, n_replicates=10_000, seed=2):
    """Return means and variances of generations 1..T, float64 (R, T) each: raw points of N(0, 1) at the start."""
    rng = np.random.default_rng(seed)

    def draw(state, n, rng):
        mean, variance = state
        return mean + np.sqrt(variance) * rng.standard_normal((n, n_replicates))

    def fit(groups):
        mean = sum(weight * points.mean(axis=0) for points, weight in groups)
        if estimator == "mle":
            return mean, sum(weight * ((points - mean) ** 2).mean(axis=0) for points, weight in groups)
        return mean, sum(weight * points.var(axis=0, ddof=1) for points, weight in groups)

    start = np.zeros(n_replicates), np.ones(n_replicates)
    states = recursion.staged_states(start, draw, fit, schedule, schedule.n_generations, rng)
    means, variances = (np.array(values).T for values in zip(*states[1:], strict=True))
    return means, variances


SIZES = np.array([6, 9, 5, 12, 7, 8])
WEIGHTS = np.array([0.2, 0.5, 0.3, 0.7, 0.1, 0.4])
STAGED = {
    "weight": (schedule_of(SIZES, 7, weight=WEIGHTS, real="fresh"), {"weight": WEIGHTS}),
    "weight of fixed data": (schedule_of(SIZES, 7, weight=WEIGHTS, real="fixed"), {"weight": WEIGHTS}),
    "window": (schedule_of(SIZES, keep=1, window=2), {"window": 2}),
    "window and fixed data": (schedule_of(SIZES, 7, 1, window=3, real="fixed"), {"window": 3}),
    "discount": (schedule_of(SIZES, keep=1, discount=0.6), {"discount": 0.6}),
    "discount and fixed data": (schedule_of(SIZES, 7, 1, discount=0.6, real="fixed"), {"discount": 0.6}),
    "weight of all batches": (
        schedule_of(SIZES, 7, 1, weight=WEIGHTS, real="fixed"),
        {"weight": WEIGHTS},
    ),
    "weight and window": (
        schedule_of(SIZES, 7, 1, weight=WEIGHTS, window=2, real="fixed"),
        {"weight": WEIGHTS, "window": 2},
    ),
    "weight and discount": (
        schedule_of(SIZES, 7, 1, weight=WEIGHTS, discount=0.6, real="fixed"),
        {"weight": WEIGHTS, "discount": 0.6},
    ),
}


def staged(schedule, estimator, **options):
    real = "fixed" if schedule.real == "fixed" else "fresh"
    sizes = schedule.n_synthetic, schedule.n_real, schedule.keep
    return np.array(expected_staged(*sizes, estimator=estimator, real=real, **options))[:, 1:]


@pytest.mark.parametrize("name", STAGED)
def test_tokens__of_staged_schedules(name):
    # 6 comparisons for each of 9 cases.
    schedule, options = STAGED[name]
    errors = token_errors(schedule)
    assert not reject(z_scores(errors, staged(schedule, "mle", **options)[1]))
    # Negative control: batches of one token more.
    more = dataclasses.replace(schedule, n_synthetic=schedule.n_synthetic + 1)
    assert reject(z_scores(errors, staged(more, "mle", **options)[1]))


@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize("name", STAGED)
def test_points__of_staged_schedules(name, estimator):
    # 12 comparisons for each of 18 cases.
    schedule, options = STAGED[name]
    means, variances = point_moments(schedule, estimator)

    def z(law):
        variance, error = staged(schedule, law, **options)
        return np.append(z_scores(variances, variance), z_scores(means**2, error))

    assert not reject(z(estimator))
    # Negative control: the other estimator.
    assert reject(z("mle" if estimator == "unbiased" else "unbiased"))


def test_weighted_errors__of_tokens():
    # 12 comparisons.
    n, m, t = 10, 15, 12
    schedule = schedule_of(constant(m, t), n, weight=constant(0.4, t), real="fresh")
    errors = token_errors(schedule)
    assert not reject(z_scores(errors, weighted_errors([0.4] * t, 1 / n, 1 / m, 1 - 1 / m)))
    # Negative controls: the recursion of large samples, and another weight.
    assert reject(z_scores(errors, weighted_errors([0.4] * t, 1 / n, 1 / m, 1)))
    assert reject(z_scores(errors, weighted_errors([0.45] * t, 1 / n, 1 / m, 1 - 1 / m)))


def test_weighted_errors__of_means_with_unbiased_variances():
    # 12 comparisons.
    n, m, t = 10, 15, 12
    means, _ = point_moments(schedule_of(constant(m, t), n, weight=constant(0.4, t), real="fresh"), "unbiased", 20_000)
    assert not reject(z_scores(means**2, weighted_errors([0.4] * t, 1 / n, 1 / m, 1)))
    # Negative control: the recursion of tokens.
    assert reject(z_scores(means**2, weighted_errors([0.4] * t, 1 / n, 1 / m, 1 - 1 / m)))


def test_fixed_real_errors__of_tokens():
    # 12 comparisons.
    n, m, t = 10, 15, 12
    schedule = schedule_of(constant(m, t), n, weight=constant(0.4, t), real="fixed")
    errors = token_errors(schedule)
    assert not reject(z_scores(errors, fixed_real_errors([0.4] * t, 1 / n, 1 / m, 1 - 1 / m)))
    # Negative control: real data drawn anew.
    assert reject(z_scores(errors, weighted_errors([0.4] * t, 1 / n, 1 / m, 1 - 1 / m)))
    # Synthetic data do not help: the error is above that of the real data alone.
    assert z_scores(errors[:, -1], 1 / n) > Z_LIMIT


def test_optimal_weights__have_the_least_error():
    # 8 comparisons with exact errors, and one with the best constant weight.
    n, m, t = 10, 10, 8
    errors = 1 / n, 1 / m, 1 - 1 / m
    weights = optimal_weights([1 / n] * t, *errors[1:])
    got = token_errors(schedule_of(constant(m, t), n, weight=weights, real="fresh"), 60_000)
    assert not reject(z_scores(got, weights / n))
    # Negative control: the best weights of large samples, whose error is 1/n times the weight too.
    assert reject(z_scores(got, optimal_weights([1 / n] * t, 1 / m, 1.0) / n))
    weight, least = best_weight(*errors)
    assert not reject(z_scores(got[:, -1], least))
    assert abs(weight - weights[-1]) < 1e-3
    # Negative control: the same tokens pooled have a larger error.
    pooled = token_errors(schedule_of(constant(m, t), n, weight=constant(0.5, t), real="fresh"))
    assert reject(z_scores(pooled[:, -1], least))


def contaminated(n, share, n_replicates=6000, seed=3):
    """Return |p_t - p_0|^2 over the heterozygosity, and means of points and variances (ML), of contaminated data."""
    rng = np.random.default_rng(seed)
    rows = np.arange(n_replicates)
    p = np.repeat(LAW[None], n_replicates, axis=0)
    mean, variance, found = np.zeros(n_replicates), np.ones(n_replicates), []
    for size, a in zip(n, share, strict=True):
        counts = np.zeros(p.shape)
        total, square = np.zeros(n_replicates), np.zeros(n_replicates)
        for _ in range(size):
            is_real = rng.random(n_replicates) < a
            edges = np.where(is_real[:, None], np.cumsum(LAW), np.cumsum(p, axis=1))
            counts[rows, (rng.random((n_replicates, 1)) > edges[:, :-1]).sum(axis=1)] += 1
            normal = rng.standard_normal(n_replicates)
            point = np.where(is_real, normal, mean + np.sqrt(variance) * normal)
            total += point
            square += point**2
        p, mean = counts / size, total / size
        variance = square / size - mean**2
        found.append([((p - LAW) ** 2).sum(axis=1) / (1 - LAW @ LAW), mean**2, variance])
    return np.moveaxis(np.array(found), 2, 0)


@functools.cache
def contaminated_runs():
    return contaminated((6, 9, 12, 16), (0.9, 0.5, 0.4, 0.2))


def test_contaminated_errors__of_tokens_and_points():
    # 12 comparisons.
    n, a = [6, 9, 12, 16], np.array([0.9, 0.5, 0.4, 0.2])
    runs = contaminated_runs()

    def z(share):
        q = contaminated_errors(n, share)
        return z_scores(runs, np.stack([q, q, 1 - q], axis=1))

    assert not reject(z(a))
    # Negative control: another share.
    assert reject(z(a - 0.1))
    variance, error = expected_staged(n, estimator="mle", real_share=a)
    np.testing.assert_allclose(1 - variance[1:], contaminated_errors(n, a), rtol=1e-12)
    np.testing.assert_allclose(error[1:], contaminated_errors(n, a), rtol=1e-12)


def test_expected_staged__of_unbiased_real_shares():
    # 8 comparisons.
    n, a, n_replicates = [6, 9, 12, 16], [0.9, 0.5, 0.4, 0.2], 20_000
    rng = np.random.default_rng(5)
    mean, variance, found = np.zeros(n_replicates), np.ones(n_replicates), []
    for size, share in zip(n, a, strict=True):
        normal = rng.standard_normal((size, n_replicates))
        points = np.where(rng.random(normal.shape) < share, normal, mean + np.sqrt(variance) * normal)
        mean, variance = points.mean(axis=0), points.var(axis=0, ddof=1)
        found.append([variance, mean**2])
    found = np.moveaxis(np.array(found), 2, 0)

    def z(estimator):
        return z_scores(found, np.array(expected_staged(n, estimator=estimator, real_share=a))[:, 1:].T)

    assert not reject(z("unbiased"))
    # Negative control: the other estimator.
    assert reject(z("mle"))


def test_weighted_variance_spread__of_raw_points():
    # 12 comparisons; v is the mean of (sigma^2 - 1)^2.
    n, m, t = 10, 15, 12
    _, variances = point_moments(
        schedule_of(constant(m, t), n, weight=constant(0.4, t), real="fresh"), "unbiased", 40_000
    )
    assert not reject(z_scores((variances - 1) ** 2, weighted_variance_spread([0.4] * t, n, m)))
    # Negative control: one synthetic point more.
    assert reject(z_scores((variances - 1) ** 2, weighted_variance_spread([0.4] * t, n, m + 1)))


def test_weighted_covariance_moments__of_raw_points():
    # 12 comparisons.
    n, m, t, spectrum, n_replicates = 10, 15, 6, np.array([1.0, 0.6, 0.3]), 6000
    schedule = schedule_of(constant(m, t), n, weight=constant(0.4, t), real="fresh")
    rng = np.random.default_rng(8)

    def draw(state, size, rng):
        mean, factor = state
        return mean + np.einsum("rij,srj->sri", factor, rng.standard_normal((size, n_replicates, 3)))

    def fit(groups):
        mean = sum(weight * points.mean(axis=0) for points, weight in groups)
        covariance = np.zeros((n_replicates, 3, 3))
        for points, weight in groups:
            centred = points - points.mean(axis=0)
            covariance += weight * np.einsum("sri,srj->rij", centred, centred) / (len(points) - 1)
        return mean, np.linalg.cholesky(covariance)

    start = np.zeros((n_replicates, 3)), np.repeat(np.diag(np.sqrt(spectrum))[None], n_replicates, axis=0)
    factors = np.array([state[1] for state in recursion.staged_states(start, draw, fit, schedule, t, rng)[1:]])
    covariances = factors @ factors.swapaxes(-1, -2)
    square = np.einsum("trij,trij->rt", covariances, covariances)
    trace = np.einsum("trii->rt", covariances) ** 2

    def z(real):
        expected = weighted_covariance_moments(spectrum, [0.4] * t, real, m)
        return np.append(z_scores(square, expected[0]), z_scores(trace, expected[1]))

    assert not reject(z(n))
    # Negative control: half as many real points.
    assert reject(z(n // 2))


def means_with_noise(weights, n_replicates=4000, seed=9):
    """Return D_1..D_T of unit noise, float64 (R, T): means of one point a batch with unit variance in all models."""
    rng = np.random.default_rng(seed)
    means, batches = [np.zeros(n_replicates)], []
    for row in weights:
        batches.append(means[-1] + rng.standard_normal(n_replicates))
        means.append(sum(a * batch for a, batch in zip(row, batches, strict=False)))
    return np.array(means[1:]).T


def window_weights(n_generations, n_batches):
    age = np.subtract.outer(np.arange(n_generations), np.arange(n_generations))
    inside = ((age >= 0) & (age < n_batches)).astype(float)
    return inside / inside.sum(axis=1, keepdims=True)


def discount_weights(n_generations, beta):
    age = np.subtract.outer(np.arange(n_generations), np.arange(n_generations))
    discounted = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
    return discounted / discounted.sum(axis=1, keepdims=True)


def fixed_weights(n_generations, share):
    weights = (1 - share) * np.eye(n_generations)
    weights[:, 0] += share
    return weights


@pytest.mark.parametrize(
    ("weights", "other"),
    [
        (window_weights(60, 3), window_weights(60, 4)),
        (discount_weights(60, 0.6), discount_weights(60, 0.65)),
        (fixed_weights(60, 0.2), fixed_weights(60, 0.25)),
    ],
    ids=["window", "discount", "fixed real data"],
)
def test_pathway_factors__of_raw_means(weights, other):
    # 60 comparisons for each of 3 cases.
    squares = means_with_noise(weights) ** 2
    assert not reject(z_scores(squares, pathway_factors(weights)))
    # Negative control: the weights of another workflow.
    assert reject(z_scores(squares, pathway_factors(other)))


def test_pathway_factors__of_tokens():
    # 12 comparisons.
    schedule = schedule_of(constant(8, 12), keep=1, window=3)
    errors = token_errors(schedule)
    assert not reject(z_scores(errors, pathway_factors(window_weights(12, 3), 1 / 8, estimator="mle")))
    # Negative control: the noise of large samples.
    assert reject(z_scores(errors, pathway_factors(window_weights(12, 3), 1 / 8)))


def test_slopes__of_raw_means():
    # 4 comparisons: the growth of E D^2 over 30 generations, and a limit.
    for weights, slope, wrong in (
        (window_weights(60, 3), window_slope(3), window_slope(4)),
        (discount_weights(60, 0.6), discount_slope(0.6), discount_slope(0.7)),
    ):
        squares = means_with_noise(weights, 40_000) ** 2
        growth = (squares[:, 59] - squares[:, 29]) / 30
        assert not reject(z_scores(growth, slope))
        # Negative control: the slope of another workflow.
        assert reject(z_scores(growth, wrong))
    squares = means_with_noise(fixed_weights(60, 0.2), 20_000)[:, -1] ** 2
    assert not reject(z_scores(squares, fixed_real_factor(0.2)))
    assert reject(z_scores(squares, fixed_real_factor(0.25)))


def row_errors(workflow, d, sigmas, n_replicates=1500, seed=10):
    """Return the excess errors of least squares on raw rows, float64 (R, T); `sigmas` of real and synthetic labels."""
    rng = np.random.default_rng(seed)
    n, m, weights = workflow.n_real, workflow.n_samples, np.array(workflow.weight)
    truth = np.ones((n_replicates, d))

    def fits(w, size, sigma):
        x = rng.standard_normal((n_replicates, size, d))
        y = np.einsum("rni,ri->rn", x, w) + sigma * rng.standard_normal((n_replicates, size))
        return np.einsum("rin,rn->ri", np.linalg.pinv(x), y)

    now, real, errors = truth, fits(truth, n, sigmas[0]), []
    for w in weights:
        real = fits(truth, n, sigmas[0]) if workflow.real == "fresh" else real
        now = w * real + (1 - w) * fits(now, m, sigmas[1])
        errors.append(((now - truth) ** 2).sum(axis=1))
    return np.array(errors).T


@pytest.mark.parametrize(("real", "theory"), [("fresh", weighted_errors), ("fixed", fixed_real_errors)])
def test_weighted_errors__of_least_squares(real, theory):
    # 6 comparisons for each of 2 cases: v = sigma^2 d/(T - d - 1).
    d, w = 5, (0.5, 0.4, 0.6, 0.3, 0.5, 0.5)
    errors = row_errors(Mix(n_samples=30, n_real=20, real=real, weight=w), d, (0.5, 0.3))
    assert not reject(z_scores(errors, theory(w, 0.25 * d / 14, 0.09 * d / 24, 1.0)))
    # Negative control: the errors of large samples.
    assert reject(z_scores(errors, theory(w, 0.25 * d / 20, 0.09 * d / 30, 1.0)))


def test_best_weight__of_least_squares():
    # 1 comparison.
    d, t = 5, 12
    weight, error = best_weight(d / 14, d / 24)
    errors = row_errors(Mix(n_samples=30, n_real=20, real="fresh", weight=(float(weight),) * t), d, (1.0, 1.0), 4000)
    assert not reject(z_scores(errors[:, -1], error))
    # Negative control: the best weight of large samples, and its error.
    assert reject(z_scores(errors[:, -1], best_weight(d / 20, d / 30)[1]))
