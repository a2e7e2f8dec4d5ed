"""Naive twin of the stable_mean family: draws every point of a stable law and refits its location as their mean.

This code is slow; `fastcollapse.models.stable_mean.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test.
CASES = {
    "heavy": recursion.Case({"alpha": 0.7, "scale": 2.0}, other={"alpha": 0.7, "scale": 6.0}),
    "Cauchy": recursion.Case({"alpha": 1.0}, other={"alpha": 1.0, "scale": 2.0}),
    "mean": recursion.Case({"alpha": 1.5}, other={"alpha": 1.5, "scale": 2.0}),
}
N_RAW = 1500


def raw(truth, model, schedule, n_generations, rng):
    """Return the location errors of generations 0..T for one replicate, float64 (T + 1, 1)."""

    def draw(location, n_points, rng):
        return location + truth.scale * variates(truth.alpha, n_points, rng)

    return np.array(recursion.states(0.0, draw, np.mean, schedule, n_generations, rng))[:, None]


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 1)."""
    return results.states["error"][:, :, None]


def variates(alpha, size, rng):
    """Return symmetric stable variates as a Gaussian with a random variance, or as a Cauchy variate.

    A positive stable variate (Kanter, Ann. Probab. 3, 1975) times a Gaussian is another way than that of the kernel.
    """
    if alpha == 1:
        return rng.standard_cauchy(size)
    a = alpha / 2
    angle, waiting = np.pi * rng.random(size), rng.exponential(size=size)
    positive = np.sin(a * angle) / np.sin(angle) ** (1 / a) * (np.sin((1 - a) * angle) / waiting) ** (1 / a - 1)
    return np.sqrt(2 * positive) * rng.standard_normal(size)
