"""Naive twin of the Gaussian family: draws every point, keeps raw points, and refits mean and covariance.

This code is slow; `fastcollapse.models.gaussian.model` must have exactly this law.
"""

import numpy as np

from fastcollapse.config.capabilities import STAGES
from tests.naive import recursion

# "unbiased" divides the sum of squares by one less than the number of points, "mle" by that number.
DDOF = {"unbiased": 1, "mle": 0}
_COVARIANCE = [[2.0, 0.5], [0.5, 1.0]]
# Cases of the conformance test.
CASES = {
    "line": recursion.Case({"mean": 3.0, "sigma": 2.0}, {"estimator": "unbiased"}, {"mean": 3.0, "sigma": 2.5}),
    "plane": recursion.Case(
        {"dimension": 2, "mean": [1.0, -2.0], "covariance": _COVARIANCE},
        {"estimator": "mle"},
        {"dimension": 2, "mean": [1.0, -2.0], "sigma": 1.0},
        lacks=frozenset({"truncate"}),
    ),
    # 12 points span 11 dimensions.
    "few points": recursion.Case(
        {"dimension": 14}, {"estimator": "mle"}, workflows=("replace", "accumulate"), lacks=STAGES
    ),
}
N_RAW = 800


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of numbers of generations 0..T for one replicate, float64 (T + 1, 3): the last coordinate of the
    mean, ln det of the covariance, and its last entry.
    """
    if truth.dimension == 1:
        mean, sigma = chain(truth.mean, truth.sigma, schedule, n_generations, rng, estimator=model.estimator)
        return np.column_stack([mean, 2 * np.log(sigma), sigma**2])
    covariance = truth.factor() @ truth.factor().T
    mean, covariance = multivariate_chain(
        truth.means(), covariance, schedule, n_generations, rng, estimator=model.estimator
    )
    return np.column_stack([mean[:, -1], np.linalg.slogdet(covariance)[1], covariance[:, -1, -1]])


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 3)."""
    states = results.states
    if "log_sigma" in states:
        return np.stack([states["mean"], 2 * states["log_sigma"], np.exp(2 * states["log_sigma"])], axis=2)
    squares = (states["factor"][..., -1, :] ** 2).sum(axis=-1)
    return np.stack([states["mean"][..., -1], 2 * states["log_diagonal"].sum(axis=-1), squares], axis=2)


def chain(mean, sigma, schedule, n_generations, rng, *, estimator, data=None):
    """Return means and deviations of generations 0..T in one dimension, float64 (T + 1) each.

    Parameters
    ----------
    mean, sigma: the truth
    schedule: as `fastcollapse.config.schedule.Schedule`
    estimator: "unbiased" or "mle"
    data: (N) points of a truth that is a data set, or None for a law
    """

    means, covariances = multivariate_chain(
        [mean],
        [[sigma**2]],
        schedule,
        n_generations,
        rng,
        estimator=estimator,
        data=None if data is None else data[:, None],
    )
    return means[:, 0], np.sqrt(covariances[:, 0, 0])


def multivariate_chain(mean, covariance, schedule, n_generations, rng, *, estimator, data=None):
    """Return means (T + 1, d) and covariances (T + 1, d, d) of generations 0..T.

    Parameters
    ----------
    mean, covariance: (d), (d, d), the truth
    schedule: as `fastcollapse.config.schedule.Schedule`
    estimator: "unbiased" or "mle"
    data: (N, d) points of a truth that is a data set, or None for a law
    """

    def draw_real(state, n_points, rng):
        return draw_points(*state, n_points, rng)

    def draw(state, n_points, rng):
        return draw_mapped(schedule.sampling, state, n_points, rng)

    def fit(groups):
        return weighted_fit(groups, DDOF[estimator])

    truth = (np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float))
    if schedule.n_train.any():
        found = recursion.states(
            truth, draw, lambda points: fit([(points, 1.0)]), schedule, n_generations, rng, data, draw_real
        )
    else:
        found = recursion.staged_states(truth, draw, fit, schedule, n_generations, rng, data, draw_real)
    means, covariances = zip(*found, strict=True)
    return np.array(means), np.array(covariances)


def draw_points(mean, covariance, n_points, rng):
    """Return points (n, d) of a Gaussian law."""
    if len(mean) == 1:
        return mean + np.sqrt(covariance[0, 0]) * rng.standard_normal((n_points, 1))
    # By singular values: the covariance of d points or fewer has no Cholesky factor.
    return rng.multivariate_normal(mean, covariance, size=n_points, method="svd", check_valid="ignore")


def draw_mapped(sampling, state, n_points, rng):
    """Return points (n, d) of a Gaussian law after the map of `sampling`."""
    mean, covariance = state
    if sampling is not None and sampling.bias is not None:
        covariance = sampling.bias**2 * covariance
    if sampling is not None and sampling.tilt is not None:
        mean = mean + covariance @ np.broadcast_to(sampling.tilt, len(mean))
    kept = np.empty((0, len(mean)))
    while len(kept) < n_points:
        points = draw_points(mean, covariance, n_points, rng)
        if sampling is not None and sampling.verifier is not None:
            distances = ((points - sampling.verifier.centre) ** 2).sum(axis=1)
            points = points[rng.random(n_points) < np.exp(-distances / (2 * sampling.verifier.tau**2))]
        if sampling is not None and sampling.truncate is not None:
            points = points[np.abs(points[:, 0] - mean[0]) < sampling.truncate * covariance[0, 0] ** 0.5]
        kept = np.concatenate([kept, points])
    return kept[:n_points]


def weighted_fit(groups, ddof):
    """Return the mean and the covariance of points in groups, a list of (points, weight of the group).

    With `ddof` 0 all points are weighted; with 1 the means and the unbiased covariances of the groups are.
    """
    groups = [(points, weight) for points, weight in groups if weight > 0]
    mean = sum(weight * points.mean(axis=0) for points, weight in groups)
    if ddof:
        return mean, sum(weight * np.atleast_2d(np.cov(points, rowvar=False)) for points, weight in groups)
    return mean, sum(weight * (points - mean).T @ (points - mean) / len(points) for points, weight in groups)
