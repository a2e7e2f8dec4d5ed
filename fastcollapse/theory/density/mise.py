"""Mean integrated squared error of refitted kernel density estimates, for every schedule.

A fit to points x_1..x_n is the density (1/n) sum_i Normal(x_i, h^2 1). All expectations of products of characteristic
functions follow one scalar recursion at each frequency.

Notation
--------
bandwidth : h of each fit, [T] or one number, 1e-6 to 1e6.
n_synthetic : [T], at least 0; points drawn from the previous fit, by generation 1 from the truth.
n_real : [T] or scalar, at least 0; real points of a generation, constant if `real` is "fixed".
keep : [T] or scalar, 0 or 1; whether the pool of the previous generation is kept; 0 if `real` is "fixed".
n_train : [T] or scalar, at least 0; size of the subsample that is fitted, 0 for all points.
replacement : whether the subsample is drawn with replacement.
real : "none", "fresh" (drawn anew in each generation) or "fixed" (drawn once).
real_share : [T] or scalar, 0 to 1; probability that a point is real in place of synthetic, without other real points
    and without a pool.
weights : [k], of the components of a normal mixture, the truth.
means : [k, d], or [k] in one dimension.
covariances : [k, d, d], or variances of multiples of the identity, [k] or one for all components.
shape : "circles", "moons" or "blobs", the truth.
noise : standard deviation of the noise of circles and moons, 0.01 to 10.
placement : "even" (as the published code places real points) or "iid".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import real as real_number
from fastcollapse.theory.density.chain import Chain
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.density.normal_mixture import NormalMixture
from fastcollapse.theory.density.shapes import Shape


def kde_mise(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
    replacement: bool = False,
    real: str = "none",
    real_share: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the mean integrated squared error of the states 0..T of any schedule, against a normal mixture.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, n_train, replacement, real, real_share : see `Notation` of the module.
    weights, means, covariances : see `Notation` of the module.

    Returns
    -------
    float64 [T+1], which starts at 0, the truth; the error of the quadrature is below 1e-12 of the integral of the
    squared densities.

    Raises
    ------
    InputError
        if an argument is outside its range, if a generation has no point, or if covariances are not multiples of
        the identity in more than 3 dimensions.

    References
    ----------
    Derived; checked against the raw chain in tests/verification/test_density.py and against the closed form of
    workflow replace in tests/theory/density/test_mise.py.

    Examples
    --------
    >>> kde_mise(0.4, [50] * 3).round(6), kde_mise(0.4, [50] * 3, keep=1).round(6)
    (array([0.      , 0.009988, 0.017946, 0.025381]), array([0.      , 0.009988, 0.011238, 0.01183 ]))
    """
    chain = Chain.of(bandwidth, n_synthetic, n_real, keep, n_train, replacement, real, real_share)
    return _mise(chain, chain.mixture_table(NormalMixture.of(weights, means, covariances)))


def kde_mmd_square(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    width: float = 0.5,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
    replacement: bool = False,
    real: str = "none",
    real_share: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the expected squared maximum mean discrepancy of the states 0..T of any schedule from a normal mixture.

    Its kernel is exp(-|x-y|^2/(2 width^2)). It is the mean integrated squared error with another weight of frequencies.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, n_train, replacement, real, real_share : see `Notation` of the module.
    width : of the kernel, 1e-3 to 1e3.
    weights, means, covariances : see `Notation` of the module.

    Returns
    -------
    float64 [T+1], which starts at 0, the truth; the error of the quadrature is below 1e-12.

    References
    ----------
    Derived; checked in tests/verification/test_density.py. Used with width 0.5 by arXiv:2602.16065.

    Examples
    --------
    >>> kde_mmd_square(0.5, [50] * 3, keep=1).round(6)
    array([0.      , 0.007906, 0.010472, 0.012114])
    """
    chain = Chain.of(bandwidth, n_synthetic, n_real, keep, n_train, replacement, real, real_share)
    table = chain.mixture_table(NormalMixture.of(weights, means, covariances))
    return _mise(chain, table.weighted(real_number("width", width, 1e-3, 1e3)))


def kde_mise_shape(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    shape: str,
    noise: float = 0.05,
    placement: str = "even",
    replacement: bool = False,
    real: str = "none",
) -> NDArray[np.float64]:
    """Return the mean integrated squared error of the states 0..T of any schedule, against a published shape.

    With even placement the real points are independent, and not identically distributed: equally spaced angles, or
    equal numbers for the centres of blobs. The centres are averaged over.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, n_train, replacement, real : see `Notation` of the module.
    shape, noise, placement : see `Notation` of the module.

    Returns
    -------
    float64 [T+1], which starts at 0, the truth; the error of the quadrature is below 1e-11 of the integral of the
    squared densities.

    Raises
    ------
    InputError
        if an argument is outside its range, or if a generation has no point.

    References
    ----------
    Derived; checked against the raw chain in tests/verification/test_density.py. Shapes: code of arXiv:2410.16713.

    Examples
    --------
    >>> kde_mise_shape(0.5, [100] * 3, keep=1, shape="circles", placement="iid").round(6)
    array([0.      , 0.341018, 0.358398, 0.366814])
    """
    chain = Chain.of(bandwidth, n_synthetic, n_real, keep, n_train, replacement, real)
    return _mise(chain, chain.shape_table(Shape.of(shape, noise, placement)))


def _mise(chain: Chain, table: FrequencyTable) -> NDArray[np.float64]:
    """Return the errors of the states 0..T."""
    fits = chain.integrals(table)
    return np.append(0.0, fits.square - 2 * fits.overlap + table.square)
