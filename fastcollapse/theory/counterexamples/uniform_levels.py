"""The time until the uniform levels collapse in workflow accumulate, at their first point above level 0."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, reals

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
# Halves of the range of alpha, so that the integrand is smooth in each for up to 1e15 points a generation.
_N_PANELS = 80


def uniform_levels_not_collapsed(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that no point has reached level 1 after t generations of n synthetic points.

    The first fit to n real points has alpha = min(1/4, (1 - m)/2) for the greatest point m, and keeps it: the integral
    of (1 - alpha)^(n t) n m^(n-1) dm.

    Parameters
    ----------
    n : points of each generation, at least 1.
    t : synthetic generations, at least 0: fit t + 1 of a run that accumulates from n real points.

    Returns
    -------
    float64, shape of `t`, exact.

    References
    ----------
    Derived for the construction of Theorem 5.2 of arXiv:2505.19046; checked in
    tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> uniform_levels_not_collapsed(100, [1, 10, 40]).round(10)
    array([0.66740987, 0.16678265, 0.04762985])
    """
    size, times = integer("n", n, 1, 10**15), reals("t", t, 0, 1e12)
    edges = 0.25 * np.append(0.0, 2.0 ** np.arange(1 - _N_PANELS, 1))
    width = np.diff(edges) / 2
    alpha = ((edges[1:] + edges[:-1])[:, None] / 2 + width[:, None] * _NODES).ravel()
    weight = (width[:, None] * _WEIGHTS).ravel()
    density = 2 * size * np.exp((size - 1) * np.log1p(-2 * alpha))
    below = np.exp(size * times[..., None] * np.log1p(-alpha)) * density
    rest = np.exp(size * (times * np.log(0.75) - np.log(2)))
    return np.sum(weight * below, axis=-1) + rest


def uniform_levels_limit(t: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that no point has reached level 1 for many points a generation, 1/(1 + t/2).

    The mean time until then is infinite.

    Parameters
    ----------
    t : synthetic generations, at least 0.

    Returns
    -------
    float64, shape of `t`, exact for many points.

    References
    ----------
    Derived for the construction of Theorem 5.2 of arXiv:2505.19046; checked in
    tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> uniform_levels_limit([1, 10, 40]).round(4)
    array([0.6667, 0.1667, 0.0476])
    """
    return 1 / (1 + reals("t", t, 0, np.inf) / 2)
