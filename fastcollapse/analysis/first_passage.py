"""Table of the first-passage times of a run, beside theory where it is known."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.panels.first_passage_theory import Expected, expected_time
from fastcollapse.analysis.panels.text import counted, table
from fastcollapse.simulation.recorded_run import RecordedRun

# Replicates that a score needs: a mean of fewer times is not nearly normal, because the law of a time is skewed.
_N_SCORED = 100
# What the times are, before the condition.
TITLE = "First generation with"
_QUANTILES = (0.05, 0.25, 0.75, 0.95)


class MeanTime(NamedTuple):
    """The mean first-passage time beside theory.

    Attributes
    ----------
    mean, error : mean over replicates, which all have met the condition, and its standard error; NaN otherwise.
    expected : theory of the mean; None where none is known.
    z : score against exact theory, NaN without one.
    reason : why there is no score; "" if there is one, or no theory.
    """

    mean: float
    error: float
    expected: Expected | None
    z: float
    reason: str


def mean_time(results: RecordedRun) -> MeanTime | None:
    """Return the mean first-passage time of a run beside theory; None without a stop condition, or before its end."""
    times = results.first_passage
    if times is None:
        return None
    expected = expected_time(results)
    if (times < 0).any():  # the mean of those that have met it is too small
        reason = "not every replicate has met it" if expected is not None else ""
        return MeanTime(math.nan, math.nan, expected, math.nan, reason)
    mean = float(times.mean())
    error = float(times.std(ddof=1) / math.sqrt(len(times))) if len(times) > 1 else math.nan
    reason = ""
    if expected is not None and not expected.is_exact:
        reason = "the theory is asymptotic in n_samples"
    elif expected is not None and len(times) < _N_SCORED:
        reason = f"a score needs {_N_SCORED} replicates"
    elif expected is not None and not error > 0:
        reason = "a score needs replicates that are not all equal"
    z = (mean - expected.mean) / error if expected is not None and not reason else math.nan
    return MeanTime(mean, error, expected, z, reason)


def first_passage_table(results: RecordedRun) -> str:
    """Return the mean, its standard error, the quantiles and the theory of the first-passage times; "" without them."""
    times, found = results.first_passage, mean_time(results)
    if times is None or found is None:
        return ""
    n_met = int((times >= 0).sum())
    heading = f"{TITLE} {results.experiment.run.stop}"
    n_left = len(times) - n_met
    left = f"{counted(n_left, 'replicate')} of {len(times):,} not within {results.last:,} generations"
    if not n_met:
        return f"{heading}: {left}"
    header = ["replicates", "mean", "+- SE", "median", *(f"{100 * q:g} %" for q in _QUANTILES)]
    quantiles = np.quantile(np.where(times < 0, np.inf, times), (0.5, *_QUANTILES), method="inverted_cdf")
    row = [f"{n_met:,}", *("-" if math.isnan(value) else f"{value:.2f}" for value in (found.mean, found.error))]
    row += [f"{value:,.0f}" if np.isfinite(value) else "not met" for value in quantiles]
    notes = [left] if n_left else []
    if found.expected is not None:
        header.append("exact" if found.expected.is_exact else "theory")
        row.append(f"{found.expected.mean:.2f}")
        if found.reason:
            notes.append(f"no score: {found.reason}")
        else:
            header.append("z")
            row.append(f"{found.z:+.1f}")
    return "\n".join([heading, table(header, [row]), *(f"  {note}" for note in notes)])
