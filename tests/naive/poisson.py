"""The definition of the Poisson family: draw every count, keep pools of raw counts, refit their mean.

Nothing here is quick; `fastcollapse.models.poisson` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion


def chain(rate, schedule, n_generations, rng, *, estimator="mle", data=None):
    """Return the rates of generations 0..T, float64 (T + 1).

    Parameters
    ----------
    rate: the truth
    schedule: as `fastcollapse.workflows.Schedule`
    estimator: "mle", the mean of the counts, is the only one
    data: (N) counts of a truth that is a data set, or None for a law
    """
    assert estimator == "mle"

    def draw(rate, n_counts, rng):
        return rng.poisson(rate, n_counts)

    return np.array(recursion.states(rate, draw, np.mean, schedule, n_generations, rng, data), dtype=float)
