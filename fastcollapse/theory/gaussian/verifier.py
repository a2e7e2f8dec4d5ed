"""A refitted Gaussian under a verifier, a tilt or a filter of its samples.

Notation
--------
t : number of fits, any shape, at least 0.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, gammainc

from fastcollapse.theory.arguments import integers, real, reals, require
from fastcollapse.theory.gaussian.workflows import gaussian_replace_factor


def verifier_path(
    v: float, tau: float, t: ArrayLike, mu0: float = 0.0, sigma0: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the population path of a Gaussian whose points x are kept with probability exp(-(x-v)^2/(2 tau^2)).

    A fit has 1/s2' = 1/s2 + 1/tau^2 and mu' = s2' (mu/s2 + v/tau^2). The variance falls as tau^2/t, and the mean tends
    to v, the centre of the verifier's knowledge.

    Parameters
    ----------
    v : centre of the verifier, any number.
    tau : its width, above 0, at most 1e150.
    t : number of fits, any shape, at least 0.
    mu0, sigma0 : mean and deviation of the truth, the latter above 0; in several dimensions those of one principal
        axis.

    Returns
    -------
    mean, variance : float64, shape of `t`, asymptotic in the number of points.

    References
    ----------
    arXiv:2510.16657 for the convergence to the centre; the path is derived. Checked by simulation in
    tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> mean, variance = verifier_path(2, 3, [0, 9])
    >>> mean, variance
    (array([0., 1.]), array([1. , 0.5]))
    """
    centre, width = real("v", v, -1e300, 1e300), real("tau", tau, 0, 1e150)
    start, deviation = real("mu0", mu0, -1e300, 1e300), real("sigma0", sigma0, 0, 1e150)
    require(width > 0, "tau", "above 0", tau)
    require(deviation > 0, "sigma0", "above 0", sigma0)
    # Weight of the truth in the mean, and variance over that of the truth.
    kept = 1 / (1 + integers("t", t, 0) * (deviation / width) ** 2)
    return np.asarray(centre + (start - centre) * kept), np.asarray(deviation**2 * kept)


def tilted_mean(
    b: float, n: ArrayLike, t: ArrayLike, estimator: str, mu0: float = 0.0, sigma0: float = 1.0
) -> NDArray[np.float64]:
    """Return the expected mean of a Gaussian whose points x are drawn with weight e^(b x), under replacement.

    The tilt adds b sigma^2 to the mean and leaves the deviation as it is, so that E mu_t = mu_0 + b sum_{s<t} E
    sigma_s^2.

    Parameters
    ----------
    b : the tilt, any number up to 1e300.
    n : points per generation, at least 2: one number, or a vector with entry s-1 for fit s.
    t : number of fits, any shape, 0 to 10**6.
    estimator : "unbiased" (divisor n-1) or "mle" (divisor n).
    mu0, sigma0 : mean and deviation of the truth.

    Returns
    -------
    float64, shape of `t`, exact.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> tilted_mean(0.5, 10, [0, 1, 3], "mle").round(4)
    array([0.   , 0.5  , 1.355])
    """
    tilt, start = real("b", b, -1e300, 1e300), real("mu0", mu0, -1e300, 1e300)
    deviation, index = real("sigma0", sigma0, 0, 1e150), integers("t", t, 0, 10**6)
    variances = gaussian_replace_factor(n, np.arange(int(index.max(initial=0))), estimator) * deviation**2
    return np.asarray(start + tilt * np.append(0.0, np.cumsum(variances))[index])


def truncated_variance_factor(c: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of the normal points within c deviations of the mean, over that of all points.

    It is 1 - 2 c phi(c)/(2 Phi(c)-1). A Gaussian that is refitted to the points that such a filter keeps has the
    expected variances and errors of the mean of the sampling bias lam^2 of this value, in every workflow.

    Parameters
    ----------
    c : the largest distance from the mean, in deviations, any shape, above 0.

    Returns
    -------
    float64, shape of `c`, exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_verifier.py and by simulation in
    tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> truncated_variance_factor([1, 2, 3]).round(12)
    array([0.29112509, 0.7737413 , 0.97333692])
    """
    distance = reals("c", c, 0, np.inf)
    require(distance > 0, "c", "above 0", c)
    # The mean of x^2 below c^2: a ratio of incomplete Gamma functions, without cancellation for small c.
    square = np.minimum(distance, 1e4) ** 2 / 2
    inside = erf(np.minimum(distance, 1e4) / math.sqrt(2))
    ratio = np.divide(gammainc(1.5, square), inside, out=np.zeros_like(square), where=inside > 0)
    return np.asarray(np.where(distance < 1e-4, np.minimum(distance, 1e-4) ** 2 / 3, ratio), dtype=np.float64)
