"""Law of the error of a fit over that of the first fit, for many samples."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import reals, together


def error_ratio_quantile(q: ArrayLike, factor: ArrayLike) -> NDArray[np.float64]:
    """Return a quantile of |e_T|/|e_1|, the error of fit T over that of the first fit.

    For many samples e_T = e_1 + N with N normal and independent of e_1, so that e_T/e_1 = 1 + g C with a Cauchy variate
    C and g^2 = factor - 1. The mean of the ratio is infinite, and its median is the root of the factor.

    Parameters
    ----------
    q : probability, above 0 and below 1; broadcast against `factor`.
    factor : E e_T^2 over E e_1^2, at least 1: T for workflow replace, sum_{s<=T} 1/s^2 for accumulate.

    Returns
    -------
    float64, broadcast shape, asymptotic: its error is of the order 1/n.

    References
    ----------
    Derived, for any regular estimator of one number whose data all come from its own fits; checked in
    tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> error_ratio_quantile([0.25, 0.5, 0.75], np.pi**2 / 6).round(4)
    array([0.7102, 1.2825, 2.3163])
    """
    level, gain = together(q=reals("q", q, 0, 1, closed=False), factor=reals("factor", factor, 1, 1e300))
    # (2 m g)/(g^2 + 1 - m^2) = tan(pi q), with 1 + g^2 = factor.
    slope = np.sqrt(gain - 1) / np.tan(np.pi * level)
    return np.where(gain == 1, 1.0, np.sqrt(slope**2 + gain) - slope)
