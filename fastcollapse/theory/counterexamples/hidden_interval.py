"""The first fits of the hidden interval, for many samples.

n a_1 tends to y/2, where y is the place of the maximum of y/4 - ln(2) N(y) and N is a Poisson process of rate 1.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import reals


def hidden_interval_transform(s: ArrayLike) -> NDArray[np.float64]:
    """Return E exp(-s y/4), the Laplace transform of the place y of the maximum, for the first fit a_1 = y/(2n).

    It is (1 - 2^-x_0)/(1 + s/4 - 2^-x_s), where x_s is the positive root of 2^-x = 1 + s/4 - x/4.

    Parameters
    ----------
    s : at least 0.

    Returns
    -------
    float64, exact for many samples.

    References
    ----------
    Derived from the ladder epochs of a walk with exponential steps; checked in
    tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> hidden_interval_transform([0, 1]).round(6)
    array([1.      , 0.758888])
    """
    argument = reals("s", s, 0, 1e6)
    return (1 - _power_of_root(np.zeros(()))) / (1 + argument / 4 - _power_of_root(argument))


def hidden_interval_collapse() -> float:
    """Return the probability that the second fit has collapsed, one of the n points of the first fit being in [2, 3].

    It is E[1 - (1 - a_1/2)^n], which tends to 1 - E exp(-y/4).

    Returns
    -------
    float, exact for many samples, in workflow accumulate.

    References
    ----------
    Derived for the construction of Theorem 5.1 of arXiv:2505.19046; checked in
    tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> round(hidden_interval_collapse(), 12)
    0.241112023464
    """
    return float(1 - hidden_interval_transform(1.0))


def _power_of_root(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 2^-x at the positive root x of 2^-x = 1 + s/4 - x/4, by Newton's method from above the root."""
    x = 4 + s
    for _ in range(50):
        power = np.exp2(-x)
        x = x - (power - 1 - s / 4 + x / 4) / (0.25 - math.log(2) * power)
    return np.exp2(-x)
