"""Bounds of the mean negative log density (NLL) of refitted kernel density estimates on real points, in nats.

Notation
--------
bandwidth : h of each fit, [T] or one number, 1e-6 to 1e6.
n_synthetic : [T], at least 0; points drawn from the previous fit, by generation 1 from the truth.
n_real : [T] or scalar, at least 0; real points of a generation, constant if `real` is "fixed".
keep : [T] or scalar, 0 or 1; whether the pool of the previous generation is kept; 0 if `real` is "fixed".
real : "none", "fresh" (drawn anew in each generation) or "fixed" (drawn once).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, reals, require
from fastcollapse.theory.arguments import real as real_number
from fastcollapse.theory.density.chain import Chain
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.density.moments import kde_second_moment
from fastcollapse.theory.density.normal_mixture import NormalMixture
from fastcollapse.theory.density.shapes import Shape

_LARGEST_N = 10**15


def kde_nll_bounds(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    *,
    weights: ArrayLike = 1.0,
    means: ArrayLike = 0.0,
    covariances: ArrayLike = 1.0,
    real: str = "none",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bounds of the expected NLL of the states 0..T of any schedule, against a normal mixture.

    Upper bound: the average of the normal NLLs about the points of a fit, (d/2) ln(2 pi h^2) + d (V + s)/(2 h^2) with
    the second moment s of `kde_second_moment`. Lower bound: that of the mean density q. It is the integral of -f ln q
    for workflow replace and one normal component of covariance sigma^2 1, and otherwise minus the logarithm of the
    integral of f q. Subsamples change neither.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, real : see `Notation` of the module.
    weights : [k], of the components of the mixture.
    means : [k, d], or [k] in one dimension.
    covariances : [k, d, d], or variances of multiples of the identity, [k] or one for all components.

    Returns
    -------
    lower, upper : float64 [T+1], bounds for every schedule by Jensen's inequality.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> lower, upper = kde_nll_bounds(0.5, [10] * 2)
    >>> lower.round(4), upper.round(4)
    (array([1.4189, 1.4305, 1.455 ]), array([1.4189, 4.2258, 4.7258]))
    """
    chain = Chain.of(bandwidth, n_synthetic, n_real, keep, 0, False, real)
    mixture = NormalMixture.of(weights, means, covariances)
    lower, upper = _bounds(chain, chain.mixture_table(mixture), mixture.variance, mixture.variance, mixture.dimension)
    schedule = chain.schedule
    is_replace = not (schedule.keep[1:].any() or schedule.n_fresh.any() or schedule.n_fixed)
    if is_replace and mixture.is_isotropic and len(mixture.weights) == 1:
        total = mixture.variance + np.append(0.0, np.cumsum(chain.bandwidth**2))
        lower = mixture.dimension / 2 * (np.log(2 * math.pi * total) + mixture.variance / total)
    return lower, upper


def kde_nll_bounds_shape(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    *,
    shape: str,
    noise: float = 0.05,
    placement: str = "even",
    real: str = "none",
    n_test: int = 500,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bounds of the expected NLL of the states 0..T of any schedule, against a published shape.

    They are those of `kde_nll_bounds`. The test points are a sample of the shape, placed as all real points are.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, real : see `Notation` of the module.
    shape : "circles", "moons" or "blobs".
    noise : standard deviation of the noise of circles and moons, 0.01 to 10.
    placement : "even" (as the published code places real points) or "iid".
    n_test : number of test points, 1 to 10**7; it matters only where they are placed evenly.

    Returns
    -------
    lower, upper : float64 [T+1], bounds for every schedule by Jensen's inequality.

    References
    ----------
    Derived; checked in tests/verification/test_density.py. Shapes: code of arXiv:2410.16713.

    Examples
    --------
    >>> lower, upper = kde_nll_bounds_shape(0.5, [10] * 2, shape="circles")
    >>> lower.round(4), upper.round(4)
    (array([0.6642, 1.9446, 2.2044]), array([1.9524, 3.7516, 4.7516]))
    """
    chain, truth = Chain.of(bandwidth, n_synthetic, n_real, keep, 0, False, real), Shape.of(shape, noise, placement)
    size = integer("n_test", n_test, 1, 10**7)
    table = chain.shape_table(truth, size)
    # The largest second moment of a real batch gives an upper bound, and so does the mean that is farthest from that of
    # the test points: the mean of a fit is an average of those of the batches.
    sizes = chain.real_sizes() or {size}
    points = max(truth.moments(n)[0] for n in sizes)
    apart = max(-2 * truth.mean_product(n, size) for n in sizes)
    return _bounds(chain, table, truth.moments(size)[0], points, 2, table.mean(size), apart)


def kde_accumulate_nll_bound(nll: float, N: ArrayLike) -> NDArray[np.float64]:
    """Return an upper bound of the NLL of later fits to a growing pool, for one bandwidth and every data set.

    NLL_t <= NLL_s + ln(N_t/N_s) for s < t, because the later density is at least N_s/N_t of the earlier one. The pool
    keeps all points, and the fit is to the whole pool.

    Parameters
    ----------
    nll : NLL of the fit to the first N[0] points, in nats.
    N : [T], sizes of the pool, which do not decrease, 1 to 10**15.

    Returns
    -------
    float64 [T], a bound of each run, not only of the expectation.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_accumulate_nll_bound(2.0, [10, 20, 100]).round(4)
    array([2.    , 2.6931, 4.3026])
    """
    sizes, first = integers("N", N, 1, _LARGEST_N), real_number("nll", nll, -1e300, 1e300)
    require(sizes.ndim == 1 and sizes.size > 0, "N", "a vector with at least one entry", N)
    require(np.diff(sizes) >= 0, "N", "sizes that do not decrease", N)
    return np.asarray(first + np.log(sizes / sizes[0]))


def kde_mix_nll_bound(nll: ArrayLike, n_real: int, N: int) -> NDArray[np.float64]:
    """Return an upper bound of the NLL of a fit to real and synthetic points, for every data set.

    NLL <= NLL of the real points alone, with the same bandwidth, + ln(N/n_real).

    Parameters
    ----------
    nll : NLL of a fit to the real points alone, any shape, in nats.
    n_real : number of real points, at least 1.
    N : number of all points, at least n_real.

    Returns
    -------
    float64, shape of `nll`, a bound of each run, not only of the expectation.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_mix_nll_bound(2.0, 10, 50).round(4)
    np.float64(3.6094)
    """
    alone, size = reals("nll", nll, -1e300, 1e300), integer("n_real", n_real, 1, _LARGEST_N)
    total = integer("N", N, 1, _LARGEST_N)
    require(size <= total, "n_real", "at most N", n_real)
    return np.asarray(alone + math.log(total / size))


def _bounds(
    chain: Chain,
    table: FrequencyTable,
    variance: float,
    points: float,
    dimension: int,
    target: NDArray[np.float64] | None = None,
    apart: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds by the integral of f q and by the second moments of test points and of real points.

    `apart` is minus twice the product of the gaps of their means from that of the truth.
    """
    lower = -np.log(np.append(table.square, chain.integrals(table, target).overlap))
    schedule = chain.schedule
    real, n_real = ("fixed", schedule.n_fixed) if schedule.n_fixed else ("fresh", schedule.n_fresh)
    sizes = schedule.n_synthetic, n_real, schedule.keep
    second = kde_second_moment(chain.bandwidth, *sizes, V=points, real=real)[1:]
    h = chain.bandwidth**2
    upper = dimension / 2 * (np.log(2 * math.pi * h) + (variance + second + apart) / h)
    # No law of these moments has a larger entropy than the normal one.
    return lower, np.append(dimension / 2 * math.log(2 * math.pi * math.e * variance), upper)
