"""Events of replicates: a vanishing variance, lost tails, lost modes, invented data."""

from typing import Any

import numpy as np

from fastcollapse.models.roles import SymbolModes
from fastcollapse.simulation.profile.evidence import (
    CannotSay,
    Evidence,
    Outcome,
    event,
    known_generations,
    limit_of,
    measure,
)
from fastcollapse.simulation.profile.statistics import mean_of


def variance(evidence: Evidence) -> Outcome:
    """Return whether the variance has fallen to a small share of its start, how fast it falls, and its limit."""
    reading, values = measure(evidence)
    outcome = event(evidence, values, values <= evidence.thresholds.variance, reading.words)
    limit, notes = limit_of(evidence.run, reading), [outcome.note]
    known = known_generations(values)
    half = int(known[known <= evidence.run.last // 2][-1])
    if (values[:, -1] > 0).all() and half >= 1:
        rate = mean_of(np.log(values[:, -1] / values[:, half]) / (evidence.run.last - half))
        error = "" if np.isnan(rate.error) else f" +- {rate.error:.2g}"
        notes.append(f"its log changes by {rate.value:.4g}{error} a generation in the last half")
    elif not (values[:, -1] > 0).all():
        notes.append(f"exactly 0 in {(values[:, -1] <= 0).sum():,} of {len(values):,} replicates")
    notes += [f"theorem: {limit.words}"] if limit is not None else []
    holds = "not yet" if outcome.holds == "no" and limit is not None and limit.reached else outcome.holds
    return outcome._replace(holds=holds, note="; ".join(notes))


def tails(evidence: Evidence) -> Outcome:
    """Return whether a share of the tails is lost."""
    reading, values = measure(evidence)
    return event(evidence, values, values >= evidence.thresholds.tails, reading.words)


def invented(evidence: Evidence) -> Outcome:
    """Return whether there is mass where the truth has none."""
    reading, values = measure(evidence)
    return event(evidence, values, values >= evidence.thresholds.invented, reading.words)


def modes(evidence: Evidence) -> Outcome:
    """Return whether a mode is lost."""
    if isinstance(evidence.role, SymbolModes):
        values, words = _lost_symbols(evidence.run, evidence.thresholds.modes)
    else:
        reading, values = measure(evidence)
        words = reading.words
    if (values[:, 0] > 0).any():
        raise CannotSay(f"the truth has fewer modes already: {words}")
    return event(evidence, values, values > 0, words)


def _lost_symbols(run: Any, share: float) -> tuple[np.ndarray, str]:
    """Return the share of the modes that a generation has lost, float64 (R, T+1), and the modes in words."""
    if run.engine == "spectrum":
        raise CannotSay("extinction times of symbols need model.engine = 'symbols'")
    if run.forgotten is None:
        raise CannotSay("extinction times of symbols are known at the end of the run")
    p = np.asarray(run.truth.probabilities)
    modes = np.flatnonzero(p >= share * p.max())
    extinct = np.asarray(run.forgotten[:, modes])
    lost = np.zeros((run.n_replicates, run.last + 1))
    rows, columns = np.nonzero(extinct > 0)
    np.add.at(lost, (rows, extinct[rows, columns]), 1.0)
    words = f"share of the {len(modes):,} symbols with p >= {share:g} max p that have been absent"
    return np.cumsum(lost, axis=1) / len(modes), words
