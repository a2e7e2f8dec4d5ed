"""Bandwidth of a kernel density estimate where each point is real with a given probability, in the stationary state.

Each of the n points of a generation is real with probability lam, and otherwise a draw from the previous fit.

Notation
--------
lam : share of real points, 1e-6 to 1; any shape.
d : number of dimensions, 1 to 100.
n : points of a generation, 1 to 10**12.
h : bandwidth, 1e-6 to 1e6.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, real, reals, require
from fastcollapse.theory.density.normal_mixture import NormalMixture
from fastcollapse.theory.quadrature import polylog_ratio

_LEAST_SHARE, _MOST_DIMENSIONS, _LARGEST_N = 1e-6, 100, 10**12


def kde_mixing_bandwidth(lam: ArrayLike, n: int, d: int, R: float | None = None) -> NDArray[np.float64]:
    """Return the bandwidth of the least mean integrated squared error, for many points.

    It is (d (4 pi)^(-d/2) L lam^2/(n R))^(1/(d+4)), where L = Li_{d/2}(q)/q and q = (1-lam)^2: the noise of the
    synthetic points is amplified. For N(0, 1) it is Silverman's rule with n/(lam^2 L) points.

    Parameters
    ----------
    R : integral of the squared Laplacian of the true density, above 0; None for that of N(0, 1).
    lam, n, d : see `Notation` of the module.

    Returns
    -------
    float64, shape of `lam`, asymptotic in n: 6e-4 off at n = 1e10 and d = 1, more for smaller n.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_mixing_bandwidth([0.1, 0.5, 1.0], 1000, 1).round(4)
    array([0.1321, 0.2099, 0.2661])
    """
    share, ratio, dimension = _amplified(lam, d)
    size = integer("n", n, 1, _LARGEST_N)
    flat = (4 * math.pi) ** (-dimension / 2)
    rough = flat * dimension * (dimension + 2) / 4 if R is None else real("R", R, 0, 1e100)
    require(rough > 0, "R", "above 0", R)
    return np.asarray((dimension * flat * ratio * share**2 / (size * rough)) ** (1 / (dimension + 4)))


def kde_mixing_ratio(lam: ArrayLike, d: int) -> NDArray[np.float64]:
    """Return the least mean integrated squared error over that of the real points alone, for many points.

    Both have their own best bandwidth. The ratio is lam^((4-2d)/(d+4)) L^(4/(d+4)): in one dimension the synthetic
    points gain at most 11 %, and in more they never help.

    Parameters
    ----------
    lam, d : see `Notation` of the module.

    Returns
    -------
    float64, shape of `lam`, asymptotic in n.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_mixing_ratio([0.1, 0.427093, 1.0], 1).round(4), kde_mixing_ratio(0.1, 2).round(3)
    (array([0.9632, 0.8882, 1.    ]), np.float64(1.614))
    """
    share, ratio, dimension = _amplified(lam, d)
    power = 1 / (dimension + 4)
    return np.asarray(share ** ((4 - 2 * dimension) * power) * ratio ** (4 * power))


def kde_mixing_mise(
    h: ArrayLike,
    lam: float,
    n: int,
    *,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
) -> NDArray[np.float64]:
    """Return the mean integrated squared error of the stationary state, against a normal mixture.

    Parameters
    ----------
    lam, n : see `Notation` of the module; lam is one number.
    h : bandwidths, any shape, 1e-6 to 1e6.
    weights : [k], of the components of the mixture.
    means : [k, d], or [k] in one dimension.
    covariances : [k, d, d], or variances of multiples of the identity, [k] or one for all components.

    Returns
    -------
    float64, shape of `h`; the error of the quadrature is below 1e-12 of the integral of the squared densities.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_mixing_mise([0.147522, 0.3], 0.1, 1000).round(6)
    array([0.006107, 0.014854])
    """
    bandwidths, share = reals("h", h, 1e-6, 1e6), real("lam", lam, _LEAST_SHARE, 1)
    size, mixture = integer("n", n, 1, _LARGEST_N), NormalMixture.of(weights, means, covariances)
    errors = [_stationary(mixture, value, share, size) for value in bandwidths.ravel().tolist()]
    return np.array(errors).reshape(bandwidths.shape)


def _stationary(mixture: NormalMixture, h: float, lam: float, n: int) -> float:
    """Return the error of the stationary state for one bandwidth."""
    table = mixture.table(h, h, min(float(n), 1 / lam) + 1)
    kernel, truth = np.exp(-((h * table.radius) ** 2) / 2), table.gram[0, 0]
    mean = lam * kernel / (lam - (1 - lam) * np.expm1(-((h * table.radius) ** 2) / 2))
    # Two points of the data are independent given the fit: A = K^2 [1/n + (1-1/n) ((1-lam)^2 A + known)].
    known = (2 * lam * (1 - lam) * mean + lam**2) * truth
    square = kernel**2 * (1 / n + (1 - 1 / n) * known) / (1 - kernel**2 * (1 - 1 / n) * (1 - lam) ** 2)
    return table.integral(square - 2 * mean * truth) + table.square


def _amplified(lam: ArrayLike, d: int) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return the shares, L = Li_{d/2}(q)/q with q = (1-lam)^2, and the number of dimensions."""
    share, dimension = reals("lam", lam, _LEAST_SHARE, 1), integer("d", d, 1, _MOST_DIMENSIONS)
    ratios = [polylog_ratio(dimension / 2, value * (2 - value)) for value in share.ravel().tolist()]
    return share, np.array(ratios).reshape(share.shape), dimension
