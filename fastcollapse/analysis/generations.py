"""Generations that tables, comparisons and figures show."""

import numpy as np

from fastcollapse.simulation.recorded_run import RecordedRun


def round_generations(n_generations: int) -> np.ndarray:
    """Return all of up to 10 generations, otherwise 1, 2, 5, 10, ... and the last.

    Examples
    --------
    >>> round_generations(120)
    array([  1,   2,   5,  10,  20,  50, 100, 120])
    """
    if n_generations <= 10:
        return np.arange(1, n_generations + 1)
    series = [m * 10**e for e in range(8) for m in (1, 2, 5) if m * 10**e <= n_generations]
    return np.unique([*series, n_generations])


def log_spaced_generations(n_generations: int, n_points: int) -> np.ndarray:
    """Return at most `n_points` generations from 1 to the last, evenly spaced by their logarithm.

    Examples
    --------
    >>> log_spaced_generations(1000, 4)
    array([   1,   10,  100, 1000])
    """
    if n_generations < 1:
        return np.empty(0, np.int64)
    return np.unique(np.rint(np.geomspace(1, n_generations, n_points)).astype(np.int64))


def table_generations(results: RecordedRun) -> np.ndarray:
    """Return the generations of the recipe, otherwise 1, 2, 5, 10, ... and the last."""
    recipe = results.recipe
    if recipe is None or recipe.generations is None:
        return round_generations(results.last)
    requested = np.array(recipe.generations, dtype=np.int64)
    return requested[requested <= results.last]
