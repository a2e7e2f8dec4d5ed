"""Heterozygosity of discrete distributions beside its exact expectation, and the error of the probabilities by it."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.count_classes import classes_of
from fastcollapse.analysis.panels.panel import Curve, Panel
from fastcollapse.analysis.panels.schedules import cached_by_results, schedule_of
from fastcollapse.analysis.panels.scores import EVENTS, curve_of, effective_replicates
from fastcollapse.analysis.panels.weighted_fits import (
    ErrorOf,
    error_over_real_panel,
    ratio_to_first_panel,
    staged_moments,
)
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity

# The fewest degrees of freedom, of all replicates together, for a score of heterozygosity. With m equal symbols it has
# about the law of a chi-square of m - 1 degrees, which is skewed: few replicates may underestimate their deviation.
_DEGREES = 100
# The fewest effective replicates for a score if the symbols are few. Of correct runs of two symbols over 100
# generations, 4 of 10,000 with 110 replicates, 1 of 16,000 with 250 and 0 of 16,500 with 400 to 4,000 had a score
# beyond 5; by the rule of degrees alone 3 of 10,000, 1 of 16,000 and 0. Without a rule it is 1 of 800 for 50.
_EFFECTIVE = 100


def heterozygosity_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the probability that two random tokens differ."""
    curve = heterozygosity(results, generations)
    title = "Probability that two tokens differ"
    return Panel(title, r"heterozygosity $1 - \sum p^2$", "H", curve)


def heterozygosity(results: RecordedRun, generations: np.ndarray) -> Curve:
    """Return the heterozygosity beside its exact expectation, which every workflow without maps has.

    Parameters
    ----------
    generations : int64[B], 0 to the last one of the results.
    """
    values = results.metrics["heterozygosity"][:, generations]
    expected = _expected(results)[generations]
    n_positive = (values > 0).sum(axis=0)
    n_effective = effective_replicates(values)
    is_normal = (values.shape[0] * expected >= _DEGREES * (1 - expected)) | (n_effective >= _EFFECTIVE)
    is_scored = ((n_positive == values.shape[0]) | (n_positive >= EVENTS)) & is_normal
    here = f"{n_effective[~is_scored].max(initial=0):.0f}"
    rule = f"a score needs {_EFFECTIVE} effective replicates, (sum of H)² / sum of H², here at most {here}"
    return curve_of(generations, values, None, None, expected, is_scored, rule)


def _true_heterozygosity(results: RecordedRun) -> float:
    p, copies = classes_of(results)
    return max(0.0, 1 - float(copies @ p**2))


@cached_by_results
def _expected(results: RecordedRun) -> np.ndarray:
    """Return the expected heterozygosity of all generations, float64[T + 1]."""
    schedule = schedule_of(results)
    total = results.truth.total or 0
    if not schedule.is_plain:
        return _true_heterozygosity(results) * staged_moments(results, "mle")[0]
    return expected_heterozygosity(
        _true_heterozygosity(results),
        schedule.n_synthetic,
        schedule.n_real,
        schedule.keep,
        schedule.n_train,
        replacement=schedule.replacement,
        real=schedule.real,
        start_total=total if schedule.start_with_data else 0,
        real_is_truth=schedule.real == "fixed" and int(schedule.n_real[0]) == total,
    )


def _error_curve(results: RecordedRun, generations: np.ndarray, factor: float = 1.0) -> Curve:
    """Return |p_t - p_0|^2 over the heterozygosity of p_0, times a factor, by the heterozygosity that is lost.

    Both have the same expectation.
    """
    curve, start = heterozygosity(results, generations), _true_heterozygosity(results)
    mean, smallest, largest, expected = (
        factor * (1 - values / start) for values in (curve.mean, curve.largest, curve.smallest, curve.expected)
    )
    sd = factor * curve.sd / start
    return dataclasses.replace(
        curve, mean=mean, sd=sd, smallest=smallest, largest=largest, expected=expected, z=-curve.z
    )


def _expected_error(results: RecordedRun) -> np.ndarray:
    """Return the expected error of all generations, float64[T + 1]."""
    return 1 - _expected(results) / _true_heterozygosity(results)


def _real_error(results: RecordedRun, n_real: int) -> float:
    """Return the error of n real tokens alone; counts that are the truth itself have none."""
    is_truth = schedule_of(results).real == "fixed" and n_real == results.real_size
    return 0.0 if is_truth else 1 / n_real


_ERROR = ErrorOf(_error_curve, _expected_error, _real_error)
ratio_to_first = functools.partial(ratio_to_first_panel, _ERROR)
error_over_real = functools.partial(error_over_real_panel, _ERROR)
