"""The error of another estimator than maximum likelihood, beside batches from models of maximum likelihood."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import reals, require
from fastcollapse.theory.mixing.pathways import pathway_factors


def other_estimator_factors(
    weights: ArrayLike, variance: float, noise: ArrayLike = 1.0, source: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the factors of an estimator that is fitted to batches drawn from models of maximum likelihood.

    For large samples an estimator of v times the variance is that of maximum likelihood plus independent noise of v - 1
    times its variance. The noise of a batch is in each fit to it, and in no model that draws a batch, so that

        factor_t = E D_t^2 + (v - 1) sum_s a_(t,s)^2 noise_s

    with D_t of `pathway_factors`. For the median of Gaussian data v = pi/2: under workflow accumulate the factor falls
    from pi/2 to pi^2/6, and under workflow replace it is t - 1 + pi/2.

    Parameters
    ----------
    weights, noise, source : as of `pathway_factors`, for large samples.
    variance : v, at least 1.

    Returns
    -------
    float64 [T], in units of the maximum likelihood.

    References
    ----------
    The experiment: Dey, Donoho, arXiv:2410.22812. The formula: derived; checked in tests/verification/test_glm.py.

    Examples
    --------
    >>> other_estimator_factors(np.eye(3), np.pi / 2).round(4)
    array([1.5708, 2.5708, 3.5708])
    """
    require(np.ndim(variance) == 0, "variance", "a number", variance)
    v = float(reals("variance", variance, 1, 1e300))
    factors = pathway_factors(weights, noise, source)
    a = np.asarray(weights, np.float64)
    return factors + (v - 1) * (a**2 * np.broadcast_to(np.asarray(noise, np.float64), a.shape[1])).sum(axis=1)
