"""Naive twin of the symmetric mixture family (1/2) N(mu, sigma^2) + (1/2) N(-mu, sigma^2).

Draws every point, keeps pools of raw points, and refits mu >= 0 and sigma jointly. This code is slow;
`fastcollapse.models.mixture.model` must have exactly this law.
"""

import math

import numpy as np
from scipy.optimize import brentq

from tests.naive import recursion

# Cases of the conformance test.
_TRUTH, _OTHER = {"mu": 2.5, "sigma": 1.0}, {"mu": 2.0, "sigma": 1.2}
CASES = {name: recursion.Case(_TRUTH, {"estimator": name}, _OTHER) for name in ("approximate", "joint_ml")}
N_RAW = 500
_ETA = 2
# Steps of the EM iteration before a direct search for its limit.
_EM_STEPS = 300


def raw(truth, model, schedule, n_generations, rng):
    """Return mu and ln sigma of generations 0..T for one replicate, float64 (T + 1, 2)."""
    mu, sigma = chain(truth.mu, truth.sigma, schedule, n_generations, rng, estimator=model.estimator)
    return np.column_stack([mu, np.log(sigma)])


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2)."""
    return np.stack([results.states["mu"], results.states["log_sigma"]], axis=2)


def chain(mu, sigma, schedule, n_generations, rng, *, estimator, data=None):
    """Return mu and sigma of generations 0..T, float64 (T + 1) each.

    Parameters
    ----------
    mu, sigma: the truth
    schedule: as `fastcollapse.config.schedule.Schedule`
    estimator: "approximate" or "joint_ml"
    data: (N) points of a truth that is a data set, or None for a law
    """

    def draw(state, n_points, rng):
        mean, deviation = state
        return rng.choice([-1, 1], n_points) * mean + deviation * rng.standard_normal(n_points)

    fit = {"approximate": fit_approximate, "joint_ml": fit_joint_ml}[estimator]
    found = recursion.states((mu, sigma), draw, fit, schedule, n_generations, rng, data)
    mus, sigmas = zip(*found, strict=True)
    return np.array(mus), np.array(sigmas)


def fit_approximate(points):
    """Return mu and sigma of Algorithm 1 of arXiv:2412.17646, as in its authors' code (eta = 2)."""
    n, size = len(points), np.abs(points)
    m1, m2 = size.mean(), (size**2).mean()
    # m2 - m1^2 without cancellation, which matters if sigma is far below mu.
    spread = ((size - m1) ** 2).mean()
    kappa = math.exp((_ETA - 1) * ((n - 1) / 2 + 4 * _ETA) / (_ETA * (n - 1) * (n + 4 * _ETA - 1))) - 1
    excess = spread - kappa * m1**2
    a = 50 if excess <= 0 else 2 * (1 + kappa) * m2 / excess
    if m2 <= 2 * a / (a - 2) * m1**2:
        variance = a * m2 * spread / (a * m1**2 + 2 * m2)
    else:
        variance = m2
    return math.sqrt(max(0.0, m2 - variance)), math.sqrt(variance)


def fit_joint_ml(points):
    """Return mu and sigma of the joint maximum likelihood: the limit of EM from the start mean |x|."""
    size = np.abs(points)
    m1 = size.mean()
    spread = ((size - m1) ** 2).mean()

    def variance(t):
        # m2 - t^2, in a form that is accurate if sigma is far below mu.
        return spread + (m1 - t) * (m1 + t)

    def step(t):
        return (size * np.tanh(t * size / variance(t))).mean()

    if spread == 0:
        return m1, 0.0
    t = m1
    for _ in range(_EM_STEPS):
        last, t = t, step(t)
        if last - t <= 1e-14 * m1:
            return t, math.sqrt(variance(t))
    # EM never passes a root, and converges slowly to 0 or to a nearly double root; so the roots are searched from
    # above.
    grid = t * np.linspace(1, 0, 200, endpoint=False)
    below = next((i for i, x in enumerate(grid) if step(x) >= x), None)
    if below is None:
        return 0.0, math.sqrt(variance(0.0))
    root = grid[0] if below == 0 else brentq(lambda x: step(x) - x, grid[below], grid[below - 1], xtol=1e-14 * m1)
    return root, math.sqrt(variance(root))
