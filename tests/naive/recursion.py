"""Recursion of the naive twins with raw samples: draw, pool, subsample, fit."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Case:
    """A truth that the conformance test runs a family from, under every workflow.

    Parameters
    ----------
    truth, model: the sections of an experiment; `model` without the family
    other: a truth that a statistical test must tell apart from it; None: the law is not tested
    sizes: sizes of the workflow that are not the usual ones
    other_sizes: in place of `other`, sizes that a statistical test must tell apart, for a truth without keys
    workflows: names of those that serve it; None: all of the family
    optimal: whether the best weights of a mix are finite
    lacks: capabilities of the family that do not serve it
    """

    truth: dict
    model: dict = field(default_factory=dict)
    other: dict | None = None
    sizes: dict = field(default_factory=dict)
    workflows: tuple[str, ...] | None = None
    other_sizes: dict = field(default_factory=dict)
    optimal: bool = True
    lacks: frozenset[str] = frozenset()


def states(truth, draw, fit, schedule, n_generations, rng, data=None, draw_real=None, total=None):
    """Return the states of generations 0..T of one replicate, a list; state 0 is the truth.

    Parameters
    ----------
    truth: a state
    draw: (state, number of samples, rng) -> array of samples along axis 0
    fit: array of samples -> state
    schedule: as `fastcollapse.config.schedule.Schedule`, at least `n_generations` long
    data: the samples of a truth that is a data set, or None for a law
    draw_real: as `draw`, for real data that is not drawn like the samples of a state
    total: size of `data` in the unit of the sizes; by default its length
    """
    draw_real = draw_real or draw
    fixed = _fixed_real(truth, draw_real, schedule, rng, data, total)
    pool = data if schedule.start_with_data else None
    found = [truth]
    for t in range(n_generations):
        batch = [_source(t, schedule, draw, draw_real)(found[-1], schedule.n_synthetic[t], rng)]
        if schedule.real == "fixed":
            batch.append(fixed)
        elif schedule.n_real[t] > 0:
            batch.append(draw_real(truth, schedule.n_real[t], rng))
        if schedule.keep[t] and pool is not None:
            batch.append(pool)
        pool = np.concatenate(batch)
        training = pool
        if schedule.n_train[t] > 0:
            chosen = rng.choice(len(pool), schedule.n_train[t], replace=schedule.replacement)
            training = pool[chosen]
        found.append(fit(training))
    return found


def staged_states(truth, draw, fit, schedule, n_generations, rng, data=None, draw_real=None):
    """Return the states of generations 0..T of one replicate, a list, with weights, shares, windows and discounts.

    Parameters
    ----------
    truth, schedule, n_generations, data: as in `states`
    draw: (state, number of samples, rng) -> array of samples, drawn after the maps of `schedule.sampling`
    fit: list of (samples, weight) -> state; the points of a group have equal weights, the weights sum to 1
    draw_real: as `draw`, for real data, without maps
    """
    draw_real = draw_real or draw
    fixed = _fixed_real(truth, draw_real, schedule, rng, data)
    pool = [data] if schedule.start_with_data else []
    found = [truth]
    for t in range(n_generations):
        n = schedule.n_synthetic[t]
        if schedule.real_share is not None:
            n_real = rng.binomial(n, schedule.real_share[t])
            samples = np.concatenate([draw(found[-1], n - n_real, rng), draw_real(truth, n_real, rng)])
            found.append(fit([(samples, 1.0)]))
            continue
        pool = pool if schedule.keep[t] else []
        if n > 0:
            pool.append(_source(t, schedule, draw, draw_real)(found[-1], n, rng))
        if schedule.window:
            pool = pool[-schedule.window :]
        real = None
        if schedule.n_real[t] > 0:
            real = fixed if schedule.real == "fixed" else draw_real(truth, schedule.n_real[t], rng)
        if schedule.discount:
            groups = [(batch, len(batch) * schedule.discount ** (len(pool) - 1 - i)) for i, batch in enumerate(pool)]
        else:
            groups = [(np.concatenate(pool), sum(map(len, pool)))] if pool else []
        found.append(fit(_with_real(groups, real, None if schedule.weight is None else schedule.weight[t])))
    return found


def _fixed_real(truth, draw_real, schedule, rng, data, total=None):
    """Return the real samples that are drawn once, the data themselves if they are as many; None without them."""
    if schedule.real != "fixed":
        return None
    n_real = schedule.n_real[0]
    if data is not None and n_real == (len(data) if total is None else total):
        return data
    return draw_real(truth, n_real, rng)


def _source(t, schedule, draw, draw_real):
    """Return what draws the batch of a generation: without its map where it is the real data of a law."""
    return draw_real if t == 0 and schedule.first_is_real and schedule.sampling is not None else draw


def _with_real(groups, real, weight):
    """Return the groups and the real samples, whose weight is `weight`, or if None by their number; they sum to 1."""
    total = sum(size for _, size in groups)
    if real is None:
        return [(samples, size / total) for samples, size in groups]
    if weight is None and len(groups) == 1:
        return [(np.concatenate([real, groups[0][0]]), 1.0)]
    share = 1.0 if not groups else len(real) / (len(real) + total) if weight is None else weight
    return [(real, share), *((samples, (1 - share) * size / total) for samples, size in groups)]
