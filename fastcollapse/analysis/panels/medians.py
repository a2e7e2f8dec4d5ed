"""Curves of quantities whose mean or variance is infinite: medians and quartiles over replicates."""

import numpy as np

from fastcollapse.analysis.panels.panel import Curve
from fastcollapse.analysis.panels.scores import EVENTS, replicates_rule


def median_curve(at: np.ndarray, values: np.ndarray, exact: np.ndarray) -> Curve:
    """Return medians and quartiles over replicates beside the exact median.

    Parameters
    ----------
    at : int64[B] or float64[B], the points of the axis.
    values : float64 (R, B).
    exact : float64[B], NaN where it is not known.

    Returns
    -------
    Curve : with medians as means, quartiles as smallest and largest, no deviation, and the binomial score of the number
        of replicates above the exact median.

    Examples
    --------
    >>> curve = median_curve(np.array([1]), np.arange(100.0)[:, None], np.array([44.5]))
    >>> curve.mean, curve.smallest, curve.largest, curve.z
    (array([49.5]), array([24.75]), array([74.25]), array([1.]))
    """
    n = values.shape[0]
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    above = (values > exact).sum(axis=0) + 0.5 * (values == exact).sum(axis=0)
    z = (above - n / 2) / np.sqrt(n / 4)
    z[np.isnan(exact) | (n < 2 * EVENTS)] = np.nan
    # All replicates are equal, such as those of the truth.
    constant = np.ptp(values, axis=0) == 0
    z[constant] = np.where(np.isclose(median, exact, rtol=1e-12), 0.0, np.nan)[constant]
    rule = replicates_rule(2 * EVENTS, n)
    return Curve(at, median, np.full(median.shape, np.nan), low, high, None, None, exact, z, rule)
