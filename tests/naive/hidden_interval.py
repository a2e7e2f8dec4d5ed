"""Naive twin of the hidden_interval family: draws every point, keeps pools of points, and compares likelihoods.

The likelihood is that of `fastcollapse.models.hidden_interval.model`, maximised over all a and mu that can be the
maximum. This code is slow; the model must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test. A truth has no keys, so that the wrong run has another sample size.
CASES = {"uniform": recursion.Case({}, other_sizes={"n_samples": 4})}
N_RAW = 800
# Minus the logarithm of the width of the hidden interval at a = 1/4.
_NARROW = 1e4


def raw(truth, model, schedule, n_generations, rng):
    """Return a of generations 0..T for one replicate, float64 (T + 1, 1)."""
    return np.array([a for a, _ in recursion.states((0.0, 2.0), draw, fit, schedule, n_generations, rng)])[:, None]


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 1)."""
    return results.states["total_variation"][:, :, None]


def log_width(a):
    return -np.log(39.0) if a < 0.25 else -_NARROW


def draw(state, n_points, rng):
    """Return points of the law with parameters a, mu."""
    a, mu = state
    width = np.exp(log_width(a))
    # The four parts, in the order of the definition.
    low, high = np.array([0, 0, 2, mu]), np.array([1, 1 - 2 * a, 3, mu + width])
    part = rng.choice(4, n_points, p=[0.5, 0.5 * (1 - a), 0.25 * a, 0.25 * a])
    return rng.uniform(low[part], high[part])


def log_likelihood(a, mu, points):
    """Return the log-likelihood of points, as a sum of logarithms of the density."""
    in_part = [
        (points <= 1, 0.0),
        (points <= 1 - 2 * a, np.log(1 - a) - np.log(1 - 2 * a)),
        (points >= 2, np.log(a / 2)),
        ((points >= mu) & (points <= mu + np.exp(log_width(a))), np.log(a / 2) - log_width(a)),
    ]
    logs = np.array([np.where(inside, value, -np.inf) for inside, value in in_part])
    return (np.logaddexp.reduce(logs, axis=0) - np.log(2)).sum()


def fit(points):
    """Return a and mu of the maximum likelihood.

    The upper end 1 - 2a is a point or 1/2, and the interval starts at a point outside of [0, 1] where there is one.
    """
    ends = np.unique(np.minimum((1 - points[points <= 1]) / 2, 0.25))
    starts = np.append(points[points >= 2], 2.0)
    found = [(log_likelihood(a, mu, points), a, mu) for a in {*ends, 0.25} for mu in starts]
    _, a, mu = max(found)
    return a, mu
