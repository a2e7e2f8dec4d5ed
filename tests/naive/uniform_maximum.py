"""Naive twin of the uniform_maximum family: draws every point of U[0, theta] and refits theta as the largest.

This code is slow; `fastcollapse.models.uniform_maximum.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test.
CASES = {"theta": recursion.Case({"theta": 3.0}, other={"theta": 2.5})}
N_RAW = 1500


def raw(truth, model, schedule, n_generations, rng):
    """Return theta of generations 0..T for one replicate, float64 (T + 1, 1)."""

    def draw(theta, n_points, rng):
        return rng.uniform(0, theta, n_points)

    return np.array(recursion.states(truth.theta, draw, np.max, schedule, n_generations, rng))[:, None]


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 1)."""
    return results.metrics["theta"][:, :, None]
