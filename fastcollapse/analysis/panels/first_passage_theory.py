"""Theory of the mean first-passage time of a run."""

import math
import warnings
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.panels.schedules import replace_only_size
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.absorbing_chain import absorption, binomial_rows, count_logits
from fastcollapse.theory.discrete.absorption import mean_total_collapse

# The condition whose mean time is known.
_TOTAL_COLLAPSE = "support_size == 1"
# Samples of the exact chain of two symbols: a larger one takes a second and more.
_MAX_N = 500


class Expected(NamedTuple):
    """Theory of the mean first-passage time; `is_exact` is false for a formula that is asymptotic in n."""

    mean: float
    is_exact: bool


def expected_time(results: RecordedRun) -> Expected | None:
    """Return theory of the mean first-passage time; None where none is known.

    It is known for "support_size == 1" under workflow replace with a constant sample size.
    """
    experiment = results.experiment
    if experiment.family != "discrete" or experiment.run.stop != _TOTAL_COLLAPSE or experiment.sampling is not None:
        return None
    n, truth = replace_only_size(results), results.truth
    if n is None or n < 2 or not isinstance(truth, CategoricalDistribution):
        return None
    positive = truth.probabilities[truth.probabilities > 0]
    if len(positive) == 2 and n <= _MAX_N:
        rows = binomial_rows(n, count_logits(n))[1:-1]
        later = absorption(rows[:, 1:-1], rows[:, 0] + rows[:, -1], np.ones((n - 1, 1)))[:, 0]
        first = binomial_rows(n, np.array([math.log(positive[0] / positive[1])]))[0]
        return Expected(1.0 + float(first[1:-1] @ later), True)
    if len(positive) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Expected(mean_total_collapse(positive, n), False)
