"""Table of the first-passage times of a run, beside theory where it is known."""

import math

import numpy as np

from fastcollapse.analysis.panels.first_passage_theory import expected_time
from fastcollapse.analysis.panels.text import counted, table
from fastcollapse.simulation.recorded_run import RecordedRun

# Replicates that a score needs: a mean of fewer times is not nearly normal, because the law of a time is skewed.
_N_SCORED = 100
_QUANTILES = (0.05, 0.25, 0.75, 0.95)


def first_passage_table(results: RecordedRun) -> str:
    """Return the mean, its standard error, the quantiles and the theory of the first-passage times; "" without them."""
    times = results.first_passage
    if times is None:
        return ""
    met = times[times >= 0].astype(np.float64)
    heading = f"First generation with {results.experiment.run.stop}"
    n_left = len(times) - len(met)
    left = f"{counted(n_left, 'replicate')} of {len(times):,} not within {results.last:,} generations"
    if not len(met):
        return f"{heading}: {left}"
    error = float(met.std(ddof=1) / math.sqrt(len(met))) if len(met) > 1 else math.nan
    header = ["replicates", "mean", "+- SE", "median", *(f"{100 * q:g} %" for q in _QUANTILES)]
    quantiles = np.quantile(np.where(times < 0, np.inf, times), (0.5, *_QUANTILES), method="inverted_cdf")
    row = [f"{len(met):,}", f"{met.mean():.2f}", f"{error:.2f}" if len(met) > 1 else "-"]
    row += [f"{value:,.0f}" if np.isfinite(value) else "not met" for value in quantiles]
    if n_left:
        row[1:3] = ["-", "-"]  # the mean of those that have met it is too small
    notes = [left] if n_left else []
    expected = expected_time(results)
    if expected is not None:
        header.append("exact" if expected.is_exact else "theory")
        row.append(f"{expected.mean:.2f}")
        if n_left:
            notes.append("no score: not every replicate has met it")
        elif not expected.is_exact:
            notes.append("no score: the theory is asymptotic in n_samples")
        elif len(met) < _N_SCORED:
            notes.append(f"no score: a score needs {_N_SCORED} replicates")
        elif error > 0:
            header.append("z")
            row.append(f"{(met.mean() - expected.mean) / error:+.1f}")
    return "\n".join([heading, table(header, [row]), *(f"  {note}" for note in notes)])
