"""The definition of the Gaussian family: draw every point, keep raw points, refit mean and covariance.

Nothing here is quick; `fastcollapse.models.gaussian` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# "unbiased" divides the sum of squares by one less than the number of points, "mle" by that number.
DDOF = {"unbiased": 1, "mle": 0}


def chain(mean, sigma, schedule, n_generations, rng, *, estimator, data=None):
    """Return means and deviations of generations 0..T in one dimension, float64 (T + 1) each.

    Parameters
    ----------
    mean, sigma: the truth
    schedule: as `fastcollapse.workflows.Schedule`
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
    schedule: as `fastcollapse.workflows.Schedule`
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
