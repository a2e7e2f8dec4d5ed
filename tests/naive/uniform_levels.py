"""Naive twin of the uniform_levels family: draws every point, keeps pools of points, and refits all levels.

This code is slow; `fastcollapse.models.uniform_levels.model` must have exactly this law.
"""

import numpy as np

from tests.naive import recursion

# Cases of the conformance test. A truth has no keys, so that the wrong run has another sample size.
CASES = {
    "level 2": recursion.Case({}, {"collapse_level": 2}, other_sizes={"n_samples": 6}),
    "level 1": recursion.Case({}, other_sizes={"n_samples": 6}),
}
N_RAW = 1500


def raw(truth, model, schedule, n_generations, rng):
    """Return distance and level of generations 0..T for one replicate, float64 (T + 1, 2)."""
    last = model.collapse_level
    points_of = {"top": 0}

    def fit(points):
        # The floor of a point is its level; a point at the upper end has probability 0.
        levels = np.floor(points).astype(int)
        points_of["top"] = levels.max()
        if levels.max() >= last:
            return None
        greatest = [(points[levels == j] - j).max(initial=-np.inf) for j in range(levels.max() + 1)]
        return [min(0.25, (1 - offset) / 2) for offset in greatest]

    def draw(alphas, n_points, rng):
        return np.array([draw_g(last + 1, rng) if alphas is None else draw_h(alphas, rng) for _ in range(n_points)])

    def draw_real(truth, n_points, rng):
        return rng.random(n_points)

    tops = [0]

    def fit_and_note(points):
        found = fit(points)
        tops.append(points_of["top"])
        return found

    found = recursion.states([], draw, fit_and_note, schedule, n_generations, rng, draw_real=draw_real)
    return np.column_stack([[distance(alphas, last + 1) for alphas in found], tops])


def columns(results):
    """Return the same columns as `raw`, from simulated results, float64 (R, T + 1, 2)."""
    return np.stack([results.states["total_variation"], results.states["level"]], axis=2)


def draw_h(alphas, rng):
    """Return one point of h; the parameters of further levels are 0."""
    for level, alpha in enumerate(alphas):
        if rng.random() >= alpha:
            return level + (1 - 2 * alpha) * rng.random()
    return len(alphas) + rng.random()


def draw_g(last, rng):
    """Return one point of g with J = `last`; the narrow interval is in the middle of its level."""
    return last - 0.5 if rng.random() < 0.5 else last * rng.random()


def distance(alphas, last):
    """Return the total variation distance of the fit to U[0, 1], as half the integral of the difference."""
    if alphas is None:
        return (abs(0.5 / last - 1) + (last - 1) * 0.5 / last + 0.5) / 2
    if not alphas:
        return 0.0
    a = alphas[0]
    return ((1 - 2 * a) * abs((1 - a) / (1 - 2 * a) - 1) + 2 * a + a) / 2
