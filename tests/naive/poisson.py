"""Naive twin of the Poisson family: draws every count, keeps pools of raw counts, and refits their mean.

This code is slow; `fastcollapse.models.poisson.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test.
CASES = {"rate": recursion.Case({"rate": 0.7}, other={"rate": 0.9})}
N_RAW = 1500


def raw(truth, model, schedule, n_generations, rng):
    """Return the rates of generations 0..T for one replicate, float64 (T + 1, 1)."""
    return chain(truth.rate, schedule, n_generations, rng)[:, None]


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 1)."""
    return results.states["rate"][:, :, None]


def chain(rate, schedule, n_generations, rng, *, estimator="mle", data=None):
    """Return the rates of generations 0..T, float64 (T + 1).

    Parameters
    ----------
    rate: the truth
    schedule: as `fastcollapse.config.schedule.Schedule`
    estimator: "mle", the mean of the counts, is the only one
    data: (N) counts of a truth that is a data set, or None for a law
    """
    assert estimator == "mle"

    def draw(rate, n_counts, rng):
        return rng.poisson(rate, n_counts)

    return np.array(recursion.states(rate, draw, np.mean, schedule, n_generations, rng, data), dtype=float)
