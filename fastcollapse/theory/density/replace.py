"""Closed form and limit of the mean integrated squared error of workflow replace.

Notation
--------
h : bandwidth, 1e-6 to 1e6.
n : points of a generation, 1 to 10**12.
weights : [k], of the components of a normal mixture, the truth.
means : [k, d], or [k] in one dimension.
covariances : [k, d, d], or variances of multiples of the identity, [k] or one for all components.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, real
from fastcollapse.theory.density.normal_mixture import NormalMixture
from fastcollapse.theory.quadrature import polylog_ratio

_LARGEST_N = 10**12


def kde_mise_replace(
    h: float,
    n: int,
    t: ArrayLike,
    *,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
) -> NDArray[np.float64]:
    """Return the mean integrated squared error after t generations of `replace`, against a normal mixture.

    With r = 1-1/n it is (1/n) sum_{j=1..t} r^(j-1) (4 pi j h^2)^(-d/2) + r^t I(2 t h^2) - 2 I(t h^2) + I(0), where
    I(s) is the density at 0 of the difference of two points of the truth plus a normal vector of covariance s 1.

    Parameters
    ----------
    t : number of fits, any shape, 0 to 10**7.
    h, n, weights, means, covariances : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, exact. Cost O(max t).

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_mise_replace(0.4, 50, [1, 2, 10]).round(6)
    array([0.009988, 0.017946, 0.070649])
    """
    mixture, index = NormalMixture.of(weights, means, covariances), integers("t", t, 0, MAX_GENERATIONS)
    bandwidth, size = real("h", h, 1e-6, 1e6), integer("n", n, 1, _LARGEST_N)
    j = np.arange(1.0, index.max(initial=0) + 1)
    kept = np.power(1 - 1 / size, j - 1)
    noise = kept * (4 * math.pi * j * bandwidth**2) ** (-mixture.dimension / 2) / size
    total = np.append(0.0, np.cumsum(noise))[index]
    s = index * bandwidth**2
    truth = np.power(1 - 1 / size, index.astype(float)) * mixture.overlap(2.0 * s) - 2 * mixture.overlap(s)
    return np.asarray(total + (truth + mixture.overlap(0.0)))


def kde_mise_limit(
    h: float,
    n: int,
    *,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
) -> float:
    """Return the limit of `kde_mise_replace` for many fits: I(0) + (4 pi h^2)^(-d/2) Li_{d/2}(r)/(n r).

    The mean integrated squared error stays bounded while the negative log likelihood grows without bound.

    Parameters
    ----------
    h, n, weights, means, covariances : see `Notation` of the module.

    Returns
    -------
    float, exact.

    References
    ----------
    Derived; checked in tests/theory/density/test_replace.py.

    Examples
    --------
    >>> round(kde_mise_limit(0.4, 50), 6), round(kde_mise_limit(0.4, 50, means=[[0, 0]]), 6)
    (0.440614, 0.119285)
    """
    mixture, size = NormalMixture.of(weights, means, covariances), integer("n", n, 1, _LARGEST_N)
    scale = (4 * math.pi * real("h", h, 1e-6, 1e6) ** 2) ** (-mixture.dimension / 2)
    return float(mixture.overlap(0.0)) + scale * polylog_ratio(mixture.dimension / 2, 1 / size) / size
