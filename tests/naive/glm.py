"""Naive twin of the glm family: draws every label, keeps pools of raw labels, and refits by Newton's method.

This code is slow; `fastcollapse.models.glm.model` must have exactly this law.
"""

import numpy as np
from scipy.optimize import linprog

from tests.naive import recursion

SMALL = {"rows": 6, "dimension": 1, "coefficients": [0.8], "intercept": 0.2}
# Cases of the conformance test. Many of the small logistic samples are separable.
CASES = {
    "logistic": recursion.Case(SMALL, {"response": "logistic"}, other={**SMALL, "coefficients": [2.5]}),
    "poisson": recursion.Case(
        {"rows": 12, "dimension": 2, "norm": 0.7}, {"response": "poisson"}, other={"rows": 12, "dimension": 2}
    ),
    "gaussian": recursion.Case(
        {"rows": 4, "dimension": 1, "intercept": 0.5}, {"response": "gaussian"}, other={"rows": 4, "dimension": 1}
    ),
}
N_RAW = 600
# Beyond this linear predictor a linear program decides whether the likelihood has a maximum.
_FAR = 12.0


def raw(truth, model, schedule, n_generations, rng):
    """Return coefficients, and whether the labels are separated, of generations 0..T for one replicate."""
    return np.array(chain(truth.design, truth.coefficients, model.response, schedule, n_generations, rng))


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, p + 1)."""
    return np.concatenate([results.states["coefficients"], results.metrics["separated"][..., None]], axis=2)


def chain(design, coefficients, response, schedule, n_generations, rng):
    """Return the states of generations 0..T, a list of float64 (p + 1): coefficients, and 1 if separated.

    After the first fit without a maximum of the likelihood the chain stays at the coefficients before it.

    Parameters
    ----------
    design: float64 (n, p), the rows that every batch has once or several times
    coefficients: float64 (p), the truth
    schedule: as `fastcollapse.config.schedule.Schedule`
    """
    last = [np.append(coefficients, 0.0)]

    def draw(state, n_labels, rng):
        rows = np.tile(design, (n_labels // len(design), 1))
        eta = rows @ state[:-1]
        if response == "logistic":
            labels = rng.random(n_labels) < 1 / (1 + np.exp(-eta))
        elif response == "poisson":
            labels = rng.poisson(np.exp(eta))
        else:
            labels = eta + rng.standard_normal(n_labels)
        return np.column_stack([rows, labels])

    def refit(samples):
        if last[0][-1] == 0:
            found = fit(samples[:, :-1], samples[:, -1], response)
            last[0] = np.append(last[0][:-1], 1.0) if found is None else np.append(found, 0.0)
        return last[0]

    return recursion.states(last[0], draw, refit, schedule, n_generations, rng)


def fit(rows, labels, response):
    """Return the coefficients of maximum likelihood, float64 (p); None if there is no maximum."""
    if response == "gaussian":
        return np.linalg.lstsq(rows, labels, rcond=None)[0]
    coefficients = np.zeros(rows.shape[1])
    for _ in range(200):
        eta = rows @ coefficients
        if np.abs(eta).max() > _FAR and is_separated(rows, labels, response):
            return None
        mean = 1 / (1 + np.exp(-eta)) if response == "logistic" else np.exp(eta)
        weight = mean * (1 - mean) if response == "logistic" else mean
        step = np.linalg.solve(rows.T @ (weight[:, None] * rows), rows.T @ (labels - mean))
        if np.abs(rows @ step).max() < 1e-9:
            return coefficients + step
        now = loss(rows, labels, coefficients, response)
        while loss(rows, labels, coefficients + step, response) > now + 1e-12 * (1 + abs(now)):
            step /= 2
        coefficients = coefficients + step
    raise AssertionError("Newton's method has not converged")


def loss(rows, labels, coefficients, response):
    """Return minus the log-likelihood, up to a constant."""
    eta = rows @ coefficients
    with np.errstate(over="ignore"):
        return (np.logaddexp(0, eta) if response == "logistic" else np.exp(eta)).sum() - labels @ eta


def is_separated(rows, labels, response):
    """Whether the likelihood of labels has no maximum: a linear program (Albert and Anderson, Biometrika 71, 1984)."""
    if response == "logistic":
        signed = np.where(labels > 0, 1.0, -1.0)[:, None] * rows
        bounds = {"A_ub": np.vstack([-signed, signed]), "b_ub": np.repeat([0.0, 1.0], len(rows))}
    else:
        signed, empty = -rows, rows[labels == 0]
        bounds = {"A_ub": np.vstack([empty, -empty]), "b_ub": np.repeat([0.0, 1.0], len(empty))}
        full = rows[labels > 0]
        bounds |= {"A_eq": full, "b_eq": np.zeros(len(full))} if len(full) else {}
    found = linprog(-signed.sum(axis=0), **bounds, bounds=(None, None))
    return found.status == 0 and -found.fun > 1e-7
