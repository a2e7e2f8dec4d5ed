"""Naive twin of the kernel density family: draws every point, keeps raw points, and evaluates every kernel.

This code is slow; `fastcollapse.models.kde.model` must have exactly this law.
"""

import math

import numpy as np
from scipy.special import logsumexp

from tests.naive import recursion

_COVARIANCE = [[1.0, 0.6], [0.6, 1.0]]
_LINE = {"weights": [0.3, 0.7], "means": [-2.0, 1.0], "covariances": [0.5, 1.5]}
_PLANE = {"weights": [0.4, 0.6], "means": [[0.0, 0.0], [3.0, 1.0]], "covariances": [_COVARIANCE, 1.0]}
N_TEST = 20
# Cases of the conformance test.
CASES = {
    "line": recursion.Case(
        {"normal_mixture": _LINE, "n_test": N_TEST},
        {"bandwidth": 0.4},
        {"normal_mixture": {**_LINE, "covariances": [1.5, 1.5]}, "n_test": N_TEST},
    ),
    "circles": recursion.Case(
        {"shape": "circles", "n_test": N_TEST},
        {"bandwidth": "scott"},
        {"shape": "circles", "placement": "iid", "noise": 0.3, "n_test": N_TEST},
        workflows=("replace", "accumulate", "mix"),
    ),
    "scaled": recursion.Case(
        {"normal_mixture": _PLANE, "n_test": N_TEST},
        {"bandwidth": "scaled"},
        {"normal_mixture": {**_PLANE, "covariances": [0.3, 0.3]}, "n_test": N_TEST},
        workflows=("replace",),
    ),
    # The twin draws every generation.
    "skipped": recursion.Case(
        {"normal_mixture": _PLANE, "n_test": N_TEST},
        {"bandwidth": 0.4, "observed": [1]},
        {"normal_mixture": {**_PLANE, "covariances": [0.3, 0.3]}, "n_test": N_TEST},
        workflows=("replace",),
    ),
    "rows": recursion.Case({"rows": "points.csv", "n_test": 5}, {"bandwidth": 0.3}, workflows=("replace", "mix")),
}
N_RAW = 600


def write_tables(folder):
    """Write the data files named by the truths."""
    points = np.random.default_rng(5).gamma(2.0, size=(30, 2))
    np.savetxt(folder / "points.csv", points, delimiter=",")


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of generations 0..T for one replicate, float64 (T + 1, 3): the mean and the variance of the last
    coordinate of the points of the fit, and the negative log density at held-out points; NaN at generation 0.
    """
    found = chain(truth, model.bandwidth, schedule, n_generations, rng)
    tests = draw_truth(truth, truth.n_test, rng)
    rows = [[np.nan, np.nan, np.nan]]
    for fit in found[1:]:
        mean, variance = moments(fit)
        rows.append([mean[-1], variance[-1], nll(fit, tests)])
    return np.array(rows)


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 3)."""
    mean, variance = results.states["mean"][..., -1], results.states["variance"][..., -1]
    return np.stack([mean, variance, results.metrics["nll"]], axis=2)


def chain(truth, bandwidth, schedule, n_generations, rng):
    """Return the fits of generations 0..T: a list of (points, weight) groups and a factor of the covariance of the
    kernel; None at generation 0.

    Parameters
    ----------
    truth: a loaded truth of the family
    bandwidth: a number or a rule
    schedule: as `fastcollapse.config.workflows.Schedule`
    """

    def draw_real(_, n, rng):
        return draw_truth(truth, n, rng)

    def draw(fit, n, rng):
        if fit is None:
            return draw_truth(truth, n, rng)
        groups, factor = fit
        shares = np.array([weight for _, weight in groups])
        chosen = rng.choice(len(groups), n, p=shares / shares.sum())
        points = np.array([groups[g][0][rng.integers(len(groups[g][0]))] for g in chosen])
        return points.reshape(n, truth.dimension) + rng.standard_normal((n, truth.dimension)) @ factor.T

    def fit(groups):
        points = np.concatenate([points for points, _ in groups])
        return groups, kernel_factor(bandwidth, points)

    if schedule.is_plain:
        found = recursion.states(
            None, draw, lambda points: fit([(points, 1.0)]), schedule, n_generations, rng, draw_real=draw_real
        )
    else:
        found = recursion.staged_states(None, draw, fit, schedule, n_generations, rng, draw_real=draw_real)
    return found


def kernel_factor(bandwidth, points):
    """Return the lower factor of the covariance of the kernel, (d, d)."""
    n, d = points.shape
    if bandwidth == "scaled":
        return n ** (-1 / (d + 4)) * np.linalg.cholesky(np.atleast_2d(np.cov(points, rowvar=False)))
    h = {"scott": n ** (-1 / (d + 4)), "silverman": (n * (d + 2) / 4) ** (-1 / (d + 4))}.get(bandwidth, bandwidth)
    return h * np.eye(d)


def moments(fit):
    """Return mean and variance of each coordinate of the weighted points of a fit."""
    groups, _ = fit
    mean = sum(weight * points.mean(axis=0) for points, weight in groups)
    return mean, sum(weight * ((points - mean) ** 2).mean(axis=0) for points, weight in groups)


def log_density(fit, positions):
    """Return the log density of a fit at positions (M, d)."""
    groups, factor = fit
    parts = []
    for points, weight in groups:
        steps = np.linalg.solve(factor, (positions[:, None] - points).reshape(-1, len(factor)).T)
        exponents = -0.5 * (steps**2).sum(axis=0).reshape(len(positions), len(points))
        with np.errstate(divide="ignore"):
            parts.append(logsumexp(exponents, axis=1) + np.log(weight / len(points)))
    norm = 0.5 * len(factor) * math.log(2 * math.pi) + np.log(np.diag(factor)).sum()
    return logsumexp(parts, axis=0) - norm


def nll(fit, tests):
    """Return the mean negative log density at the held-out points."""
    return -log_density(fit, tests).mean()


def draw_truth(truth, n, rng):
    """Draw a sample of n real points."""
    if truth.rows.size:
        return truth.rows[rng.integers(len(truth.rows), size=n)]
    if truth.weights.size:
        assert not truth.random_centres
        which = rng.choice(len(truth.weights), n, p=truth.weights)
        steps = rng.standard_normal((n, truth.dimension))
        factors = np.linalg.cholesky(truth.covariances)
        return truth.means[which] + np.einsum("nij,nj->ni", factors[which], steps)
    assert truth.dimension == 2
    return circles(n, truth.noise, truth.even, rng)


def circles(n, noise, even, rng):
    """Draw two circles of radii 1 and 0.8, as in scikit-learn if `even`."""
    n_outer = n // 2
    if even:
        angles = [np.linspace(0, 2 * np.pi, size, endpoint=False) for size in (n_outer, n - n_outer)]
        radii = np.repeat([1.0, 0.8], [n_outer, n - n_outer])
        angles = np.concatenate(angles)
    else:
        angles, radii = rng.uniform(0, 2 * np.pi, n), rng.choice([1.0, 0.8], n)
    points = radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return points + noise * rng.standard_normal((n, 2))
