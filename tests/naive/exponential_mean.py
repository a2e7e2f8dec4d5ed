"""Naive twin of the exponential_mean family: draws every point of an exponential law and refits its mean.

This code is slow; `fastcollapse.models.exponential_mean.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test.
CASES = {"mean": recursion.Case({"mean": 3.0}, other={"mean": 4.0})}
N_RAW = 1500


def raw(truth, model, schedule, n_generations, rng):
    """Return the means of generations 0..T for one replicate, float64 (T + 1, 1)."""

    def draw(mean, n_points, rng):
        return rng.exponential(mean, n_points)

    return np.array(recursion.states(truth.mean, draw, np.mean, schedule, n_generations, rng))[:, None]


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 1)."""
    return results.metrics["mean"][:, :, None]
