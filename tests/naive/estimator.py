"""Naive twin of the estimator family: draws every point and fits a normal law by its moments.

This code is slow; `fastcollapse.models.estimator.model` with the estimator `Normal` must have exactly this law.
"""

import numpy as np

from fastcollapse.models.estimator.examples import Normal
from tests.naive import recursion
from tests.naive.kde import draw_truth

# The estimator of all cases: a results file names it, but a replay must be given it.
MODEL = Normal
_LINE = {"weights": [0.3, 0.7], "means": [-2.0, 1.0], "covariances": [0.5, 1.5]}
_PLANE = {"weights": [1.0], "means": [[0.0, 3.0]], "covariances": [[[1.0, 0.6], [0.6, 1.0]]]}
N_TEST = 20
_FACTORY = {"factory": "fastcollapse.models.estimator.examples:Normal"}
# Cases of the conformance test.
CASES = {
    "line": recursion.Case(
        {"normal_mixture": _LINE, "n_test": N_TEST},
        _FACTORY,
        {"normal_mixture": {**_LINE, "covariances": [9.0, 9.0]}, "n_test": N_TEST},
    ),
    "unbiased in the plane": recursion.Case(
        {"normal_mixture": _PLANE, "n_test": N_TEST},
        {**_FACTORY, "parameters": {"unbiased": True}},
        {"normal_mixture": {**_PLANE, "covariances": [5.0]}, "n_test": N_TEST},
        workflows=("replace", "accumulate_subsample"),
    ),
}
N_RAW = 250


def raw(truth, model, schedule, n_generations, rng):
    """Return columns of generations 0..T for one replicate, float64 (T + 1, 3): the mean and the variance of the last
    coordinate of the points of the fit, and the negative log density at held-out points; NaN at generation 0.
    """
    unbiased = bool((model.parameters or {}).get("unbiased"))
    tests = draw_truth(truth, truth.n_test, rng)

    def draw(state, n, rng):
        return draw_truth(truth, n, rng) if state is None else rng.multivariate_normal(*state[:2], size=n)

    def fit(groups):
        mean = sum(weight * points.mean(axis=0) for points, weight in groups)
        gaps = [(points - mean, weight) for points, weight in groups]
        covariance = sum(weight * gap.T @ gap / len(gap) for gap, weight in gaps)
        n = sum(len(points) for points, _ in groups)
        return mean, covariance * (n / (n - 1) if unbiased else 1), covariance

    def draw_real(_, n, rng):
        return draw_truth(truth, n, rng)

    if schedule.is_plain:
        found = recursion.states(
            None, draw, lambda points: fit([(points, 1.0)]), schedule, n_generations, rng, draw_real=draw_real
        )
    else:
        found = recursion.staged_states(None, draw, fit, schedule, n_generations, rng, draw_real=draw_real)
    rows = [[np.nan, np.nan, np.nan]]
    for mean, covariance, of_points in found[1:]:
        gap = tests - mean
        exponents = (gap @ np.linalg.inv(covariance) * gap).sum(axis=1)
        nll = 0.5 * (exponents.mean() + np.log(np.linalg.det(2 * np.pi * covariance)))
        rows.append([mean[-1], of_points[-1, -1], nll])
    return np.array(rows)


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 3)."""
    mean, covariance = results.metrics["mean"][..., -1], results.metrics["covariance"][..., -1, -1]
    return np.stack([mean, covariance, results.metrics["nll"]], axis=2)
