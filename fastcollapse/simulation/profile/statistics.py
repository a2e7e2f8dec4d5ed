"""Statistics over replicates: scores of means, standard errors of medians, and slopes with jackknife errors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtr

# Groups of the jackknife: more make the error hardly more precise.
_MOST_GROUPS = 100


class Estimate(NamedTuple):
    """A value and its standard error, NaN where one replicate has none.

    Parameters
    ----------
    value, error : the estimate and its standard error.
    z : value over error, as the normal score of equal tail probability; NaN without an error.
    """

    value: float
    error: float
    z: float


def scores(values: np.ndarray) -> np.ndarray:
    """Return the score of the hypothesis that means are 0.

    Student's t is turned into the normal score of equal tail probability.

    Parameters
    ----------
    values : float64 (R, B), independent over R.

    Returns
    -------
    float64 (B); NaN for one replicate, and where values are not finite or all are 0; infinite where all are equal.

    Examples
    --------
    >>> scores(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])).round(2)
    array([1.79,  nan])
    """
    n = values.shape[0]
    if n < 2:
        return np.full(values.shape[1], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return normal_scores(values.mean(axis=0) / (values.std(axis=0, ddof=1) / np.sqrt(n)), n - 1)


def normal_scores(ratio: np.ndarray, n_degrees: int) -> np.ndarray:
    """Return the normal scores with the tail probabilities of Student's t."""
    score = -ndtri(stdtr(n_degrees, -np.abs(ratio)))
    # The tail probability underflows for large ratios; their exact score does not matter.
    return np.sign(ratio) * np.where(np.isinf(score), np.abs(ratio), score)


def mean_of(values: np.ndarray) -> Estimate:
    """Return the mean of float64 (R)."""
    n = values.size
    error = float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return Estimate(float(values.mean()), error, float(scores(values[:, None])[0]))


def ratio_of_means(above: np.ndarray, below: np.ndarray) -> Estimate:
    """Return the ratio of the means of float64 (R) and (R), with its linearised error; `below` has a mean above 0."""
    ratio = float(above.mean() / below.mean())
    rest = mean_of((above - ratio * below) / below.mean())
    return Estimate(ratio, rest.error, np.nan)


def median_of(values: np.ndarray) -> Estimate:
    """Return the median of float64 (R); its error is half of the central 68 % interval of order statistics.

    Examples
    --------
    >>> median_of(np.arange(101.0))[:2]
    (50.0, 5.0)
    """
    n, middle = values.size, float(np.median(values))
    if n < 2:
        return Estimate(middle, np.nan, np.nan)
    half = np.sqrt(n) / 2
    low, high = int(max(0, round((n - 1) / 2 - half))), int(min(n - 1, round((n - 1) / 2 + half)))
    ordered = np.sort(values)
    return Estimate(middle, float(ordered[high] - ordered[low]) / 2, np.nan)


def power_law(values: np.ndarray, at: np.ndarray) -> Estimate:
    """Return the slope of the log of the mean over replicates against the log of `at`, by least squares.

    The error is that of the jackknife over replicates, so it holds however the values of a replicate depend on each
    other.

    Parameters
    ----------
    values : float64 (R, B), with means above 0.
    at : (B), positive, at least two different.

    Examples
    --------
    >>> round(power_law(np.outer([1.0, 3.0], [1.0, 4.0, 16.0]), np.array([1.0, 2.0, 4.0])).value, 6)
    2.0
    """
    return jackknife(values, lambda mean: slope(mean, at))


def jackknife(values: np.ndarray, statistic: Callable[[np.ndarray], float]) -> Estimate:
    """Return a statistic of the mean over replicates, with the error of the jackknife over groups of them.

    Parameters
    ----------
    values : float64 (R, ...).
    statistic : mean, float64 (...) -> number.
    """
    n = values.shape[0]
    whole = statistic(values.mean(axis=0))
    if n < 2:
        return Estimate(whole, np.nan, np.nan)
    groups = np.array_split(np.arange(n), min(n, _MOST_GROUPS))
    total = values.sum(axis=0)
    parts = np.array([statistic((total - values[rows].sum(axis=0)) / (n - rows.size)) for rows in groups])
    m = len(parts)
    error = float(np.sqrt((m - 1) / m * ((parts - parts.mean()) ** 2).sum()))
    with np.errstate(invalid="ignore", divide="ignore"):
        return Estimate(whole, error, float(normal_scores(np.array([whole]) / error, m - 1)[0]))


def slope(values: np.ndarray, at: np.ndarray) -> float:
    """Return the slope of log values against log places, float64 (B) each, by least squares."""
    x = np.log(at)
    x = x - x.mean()
    return float(x @ np.log(values) / (x @ x))
