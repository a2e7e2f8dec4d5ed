"""Increase of risk: catastrophic, any, and unbounded."""

import numpy as np

from fastcollapse.models.roles import Reading
from fastcollapse.simulation.profile.evidence import ONE_REPLICATE, CannotSay, Evidence, Outcome, limit_of, measured
from fastcollapse.simulation.profile.statistics import Estimate, mean_of, power_law, ratio_of_means, scores

# The fewest and the most generations of a fitted exponent.
_FEWEST_POINTS, _MOST_POINTS = 4, 16
# Number of values whose scores are computed at a time: large runs need no second copy of a metric.
_CHUNK_VALUES = 4_000_000


def _risk(evidence: Evidence) -> tuple[Reading, np.ndarray]:
    """Return the first recorded risk that is finite at the baseline, and its values from there on, (R, B)."""
    baseline, last = evidence.thresholds.baseline, evidence.run.last
    if baseline >= last:
        raise CannotSay(f"no generation is finished after generation {baseline}, the baseline")
    infinite = []
    try:
        for reading, values in measured(evidence):
            if np.isfinite(values[:, baseline]).all():
                return reading, values[:, baseline:]
            infinite.append(reading.words)
    except CannotSay:
        if not infinite:
            raise
    raise CannotSay(f"at generation {baseline} it is not finite: {', '.join(infinite)}")


def catastrophic(evidence: Evidence) -> Outcome:
    """Return whether the mean risk exceeds a large multiple of that of the baseline; the value is their ratio."""
    reading, values = _risk(evidence)
    start = float(values[:, 0].mean())
    if start <= 0:
        baseline = evidence.thresholds.baseline
        raise CannotSay(f"the mean risk at generation {baseline}, the baseline, must be above 0, got {start:g}")
    ratio = ratio_of_means(values[:, -1], values[:, 0])
    return _exceeding(evidence, values, evidence.thresholds.catastrophic, ratio, f"{reading.words} over that at")


def increase(evidence: Evidence) -> Outcome:
    """Return whether the mean risk exceeds that of the baseline; the value is their difference."""
    reading, values = _risk(evidence)
    difference = mean_of(values[:, -1] - values[:, 0])
    return _exceeding(evidence, values, 1.0, difference, f"{reading.words} minus that at")


def _exceeding(evidence: Evidence, values: np.ndarray, factor: float, value: Estimate, words: str) -> Outcome:
    """Return whether a mean risk, values float64 (R, B) from the baseline on, exceeds a multiple of its start."""
    _, thresholds, _ = evidence
    quantity = f"{words} generation {thresholds.baseline}"
    if values.shape[0] < 2:
        return Outcome("unknown", None, value, quantity, f"{ONE_REPLICATE}, so that nothing is said about the mean")
    # Replicates are paired: the start and the end of one replicate are not independent.
    step = max(1, _CHUNK_VALUES // len(values))
    parts = [values[:, i : i + step] for i in range(1, values.shape[1], step)]
    z = np.concatenate([scores(part - factor * values[:, :1]) for part in parts])
    infinite, n_known = np.isinf(values[:, 1:]), int((~np.isnan(values[:, 1:])).any(axis=0).sum())
    holds = (z >= thresholds.z) | (infinite.mean(axis=0) >= 0.5)
    note = f"z = {z[-1]:.1f} at the last generation, {n_known:,} generations compared"
    if infinite[:, -1].any():
        note = f"infinite in {infinite[:, -1].sum()} of {len(values)} replicates at the last generation"
    elif not holds.any() and not np.isnan(z).all():
        note = f"largest z = {np.nanmax(z):.1f} of {n_known:,} generations"
    if holds.any():
        return Outcome("yes", thresholds.baseline + 1 + int(np.argmax(holds)), value, quantity, note)
    return Outcome("no" if (z <= -thresholds.z).all() else "not shown", None, value, quantity, note)


def unbounded(evidence: Evidence) -> Outcome:
    """Return what theorems say about the growth of the mean risk, and its exponent so far."""
    reading, values = _risk(evidence)
    run, thresholds, _ = evidence
    generations = last_half(max(1, thresholds.baseline), run.last)
    known = np.flatnonzero(~np.isnan(values).all(axis=0)) + thresholds.baseline
    if not np.isin(generations, known).all():
        generations = known[known >= generations[0]]
    exponent, quantity, notes = None, "", []
    means = values[:, generations - thresholds.baseline]
    if generations.size < _FEWEST_POINTS:
        notes.append(f"an exponent needs {_FEWEST_POINTS} generations in the last half of the run")
    elif not (np.isfinite(means).all() and (means.mean(axis=0) > 0).all()):
        notes.append("an exponent needs means that are finite and above 0")
    else:
        exponent = power_law(means, generations.astype(np.float64))
        quantity = f"x of mean {reading.words} ~ t^x, t = {generations[0]:,} to {generations[-1]:,}"
        grows = "it grows significantly so far" if exponent.z >= thresholds.z else "no significant growth so far"
        notes.append(ONE_REPLICATE if run.n_replicates < 2 else grows)
    if reading.bound:
        return Outcome("no", None, exponent, quantity, "; ".join([f"never: {reading.bound}", *notes]))
    limit = limit_of(run, reading)
    if limit is None:
        notes.append("a finite run cannot prove it, and no theorem of this package covers the run")
        return Outcome("undecided", None, exponent, quantity, "; ".join(notes))
    notes.append(f"theorem: {limit.words}")
    return Outcome("yes" if limit.reached else "no", None, exponent, quantity, "; ".join(notes))


def last_half(first: int, last: int) -> np.ndarray:
    """Return at most 16 generations from the last half of a run, evenly spaced by their logarithm.

    Examples
    --------
    >>> last_half(1, 8)
    array([4, 5, 6, 7, 8])
    """
    start = min(max(first, last // 2), last)
    return np.unique(np.rint(np.geomspace(start, last, _MOST_POINTS)).astype(np.int64))
