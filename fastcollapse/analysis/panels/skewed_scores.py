"""Scores of skewed positive quantities: a variance, a squared error, a deviation."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import Curve
from fastcollapse.analysis.panels.scores import curve_of

# The largest skewness of the mean over replicates that has a score: that of 32 squares of normal variates. Beyond it a
# score has no meaning. The expected variance of an unbiased chain stays 1, for example, while the mean over replicates
# falls to 0, because it lacks the rare large values.
MOST_SKEWED = 0.5


class SkewedLaw(NamedTuple):
    """The law of a positive quantity, float64 [B] each.

    Parameters
    ----------
    expected : expectation.
    spread : second moment over the square of the expectation.
    skewness : of the quantity.
    """

    expected: np.ndarray
    spread: np.ndarray
    skewness: np.ndarray

    def at(self, generations: np.ndarray) -> "SkewedLaw":
        """Return the law at some generations."""
        return SkewedLaw(*(values[generations] for values in self))


def skewness(spread: np.ndarray) -> np.ndarray:
    """Return the skewness of a log-normal variate whose second moment is `spread` times the square of its mean.

    A chi-square, the law of the variance after one fit, is less skewed than a log-normal variate of its moments.
    """
    above = np.maximum(spread - 1, 0)
    with np.errstate(over="ignore"):
        return (above + 3) * np.sqrt(above)


def skewness_of_squares(freedom: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Return the skewness of a chi-square times an independent log-normal variate, its spread being `mixing`."""
    with np.errstate(invalid="ignore", over="ignore"):
        second = mixing * (1 + 2 / freedom)
        third = mixing**3 * (1 + 2 / freedom) * (1 + 4 / freedom)
        ratio = (third - 3 * second + 2) / (second - 1) ** 1.5
    return np.where(np.isnan(ratio), np.inf, ratio)


def skewed_curve(generations: np.ndarray, values: np.ndarray, law: SkewedLaw) -> Curve:
    """Return the curve of a skewed quantity, scored by the smaller of two scores.

    Student's score is too large if replicates lack the rare large values: their mean and their deviation are then too
    small. The score with the deviation of theory is too large if they have one large value too many. The smaller of the
    two was beyond 4 in none of 5,000,000 correct runs.

    Parameters
    ----------
    generations : int64[B].
    values : float64 (R, B).
    law : the law of the quantity in these generations.
    """
    n = values.shape[0]
    is_scored = law.skewness <= MOST_SKEWED * math.sqrt(n)
    rule = skewness_rule(MOST_SKEWED, law.skewness, is_scored, n)
    curve = curve_of(generations, values, None, None, law.expected, is_scored, rule)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (curve.mean - law.expected) / (law.expected * np.sqrt((law.spread - 1) / n))
        z = np.where(np.abs(z) < np.abs(curve.z), z, curve.z)
    # Without a score, values and expectation may both have underflowed to 0; that is no agreement.
    z = np.where(is_scored | (generations == 0), z, np.nan)
    theory_error = law.expected * np.sqrt(np.maximum(law.spread - 1, 0) / n)
    return dataclasses.replace(curve, z=z, theory_error=theory_error)


def skewness_rule(most: float, skewness: np.ndarray, is_scored: np.ndarray, n_replicates: int) -> str:
    """Return the rule that a score needs a mean over replicates whose skewness is at most `most`.

    Examples
    --------
    >>> skewness_rule(0.5, np.array([1.0, 20.0, 30.0]), np.array([True, False, False]), 100)
    'a score needs a mean over replicates of skewness at most 0.5, here 2 or more'
    """
    beyond = skewness[~is_scored & ~np.isnan(skewness)] / math.sqrt(n_replicates)
    here = f", here {beyond.min():.2g} or more" if np.isfinite(beyond).any() else ""
    return f"a score needs a mean over replicates of skewness at most {most:g}{here or ', here it is infinite'}"
