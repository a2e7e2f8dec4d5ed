"""Naive twin of the Gaussian family: draws every point, keeps raw points, and refits mean and covariance.

This code is slow; `fastcollapse.models.gaussian.model` must have exactly this law.
"""

import numpy as np

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
    ),
    # 12 points span 11 dimensions.
    "few points": recursion.Case({"dimension": 14}, {"estimator": "mle"}, workflows=("replace", "accumulate")),
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
    schedule: as `fastcollapse.config.workflows.Schedule`
    estimator: "unbiased" or "mle"
    data: (N) points of a truth that is a data set, or None for a law
    """

    def draw(state, n_points, rng):
        return state[0] + state[1] * rng.standard_normal(n_points)

    def fit(points):
        return points.mean(), points.std(ddof=DDOF[estimator])

    found = recursion.states((mean, sigma), draw, fit, schedule, n_generations, rng, data)
    means, sigmas = zip(*found, strict=True)
    return np.array(means), np.array(sigmas)


def multivariate_chain(mean, covariance, schedule, n_generations, rng, *, estimator, data=None):
    """Return means (T + 1, d) and covariances (T + 1, d, d) of generations 0..T.

    Parameters
    ----------
    mean, covariance: (d), (d, d), the truth
    schedule: as `fastcollapse.config.workflows.Schedule`
    estimator: "unbiased" or "mle"
    data: (N, d) points of a truth that is a data set, or None for a law
    """

    def draw(state, n_points, rng):
        # By singular values: the covariance of d points or fewer has no Cholesky factor.
        return rng.multivariate_normal(*state, size=n_points, method="svd", check_valid="ignore")

    def fit(points):
        covariance = np.cov(points, rowvar=False, ddof=DDOF[estimator])
        return points.mean(axis=0), np.atleast_2d(covariance)

    truth = (np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float))
    found = recursion.states(truth, draw, fit, schedule, n_generations, rng, data)
    means, covariances = zip(*found, strict=True)
    return np.array(means), np.array(covariances)
