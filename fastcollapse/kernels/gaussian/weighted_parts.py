"""The shares of a real and a synthetic part in a fit of mean and covariance."""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel


class Estimator(NamedTuple):
    """How batches are fitted.

    Attributes
    ----------
    bias : 1 if the covariance of n points is divided by n - 1, 0 if it is divided by n.
    apart : whether each synthetic batch is a part: the fit is then the average of the unbiased fits to the parts. The
        squares of a pool are then the sum over batches of the count times the unbiased covariance.
    """

    bias: int
    apart: bool


@kernel
def part_shares(n_real, n_pool, weight, estimator):
    """Return (share, of_real, of_pool, of_gap) of a fit to a real and a synthetic part, one of them with points.

    The mean is that of the pool plus share times the gap, from the pool to the real mean. The covariance is of_real
    times the squares of the real part, plus of_pool times those of the pool, plus of_gap times the square of the gap.

    Parameters
    ----------
    n_real, n_pool : counts of the parts; that of a discounted pool is a fraction.
    weight : weight of the real part; below 0, all points have the same weight, or that of their discount.
    estimator : `Estimator`.
    """
    bias = np.float64(estimator.bias)
    real_divisor, divisor = n_real - bias, n_pool if estimator.apart else n_pool - bias
    if n_real == 0.0 or (weight == 0.0 and n_pool > 0.0):
        return 0.0, 0.0, 1.0 / divisor, 0.0
    if n_pool == 0.0 or weight == 1.0:
        return 1.0, 1.0 / real_divisor, 0.0, 0.0
    total = n_real + n_pool
    if weight < 0.0 and not estimator.apart:
        of_all = 1.0 / (total - bias)
        return n_real / total, of_all, of_all, n_real * (n_pool / total) * of_all
    if weight < 0.0:
        weight = n_real / total
    of_gap = 0.0 if estimator.bias else weight * (1.0 - weight)
    return weight, weight / real_divisor, (1.0 - weight) / divisor, of_gap
