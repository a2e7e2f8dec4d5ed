"""The map of a Gaussian law in d dimensions before it is sampled.

A biased deviation, an exponential weight e^(b x) and a Gaussian weight around a centre give Gaussian laws. With the law
mean + L y, y standard normal, the law after the map is y ~ N(shift, K K^T), K lower-triangular.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.triangular import add_squares, clear_upper, factor_upper
from fastcollapse.kernels.linalg.triangular_updates import invert_lower


class MultivariateSource(NamedTuple):
    """The truth, and the map of a law; parameters of a map that are not in use leave the law as it is.

    Attributes
    ----------
    mean : float64 (D), of the truth.
    factor : float64 (d, d), its lower Cholesky factor.
    log_scale : log of the factor of the deviation; 0 leaves the law as it is.
    tilt : float64 (d), b of the weight e^(b x), or (0).
    centre : float64 (d), of the Gaussian weight, less the mean of the truth, or (0).
    width : width of the Gaussian weight.
    first : the first generation whose points are drawn from the law after the map, 1 or 2.
    """

    mean: np.ndarray
    factor: np.ndarray
    log_scale: float
    tilt: np.ndarray
    centre: np.ndarray
    width: float
    first: int = 1


@kernel
def has_map(source):
    """Whether the map of a `MultivariateSource` changes a law."""
    return source.log_scale != 0.0 or source.tilt.shape[0] > 0 or source.centre.shape[0] > 0


@kernel
def _pull(mean, unit, log_diagonal, centre, width, rows, matrix, lower, shift, factor):
    """Write shift and K of a Gaussian weight: P = I + L^T L / width^2, K K^T = P^-1, shift = P^-1 L^T gap / width^2.

    More than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    d = log_diagonal.shape[0]
    # In reversed order of the coordinates, so that the upper factor of P is the reversed lower M of P = M^T M.
    for j in range(d):
        scale = math.exp(log_diagonal[j]) / width
        for i in range(d):
            rows[i, d - 1 - j] = unit[i, j] * scale if i >= j else 0.0
    clear_upper(1.0, matrix)
    add_squares(rows, d, matrix)
    factor_upper(matrix)
    for i in range(d):
        for j in range(i + 1):
            lower[i, j] = matrix[d - 1 - i, d - 1 - j]
    invert_lower(lower, factor)
    pulled = lower[0]
    for j in range(d):
        pulled[j] = 0.0
        for i in range(j, d):
            pulled[j] += rows[i, d - 1 - j] * (centre[i] - mean[i]) / width
    for j in range(d):
        shift[j] = 0.0
    for i in range(d):
        total = 0.0
        for j in range(i, d):
            total += factor[j, i] * pulled[j]
        # row i of K^T times the pull, times column i of K
        for k in range(i, d):
            shift[k] += factor[k, i] * total


@kernel
def map_law(mean, unit, log_diagonal, source, rows, matrix, lower, shift, factor):
    """Write shift and K of the law after a map, in coordinates of the law before it: ``->(d),(d,d)``, O(d^3).

    More than eight arguments, because a tuple of arrays made in the loop would count references.

    Parameters
    ----------
    mean : float64 (d or more), less the mean of the truth.
    unit, log_diagonal : U and l of the factor U diag(exp l).
    source : `MultivariateSource`.
    rows, matrix, lower : float64 (d, d), work space.
    """
    d = log_diagonal.shape[0]
    if source.centre.shape[0] > 0:
        _pull(mean, unit, log_diagonal, source.centre, source.width, rows, matrix, lower, shift, factor)
        return
    for i in range(d):
        shift[i] = 0.0
        for j in range(i):
            factor[i, j] = 0.0
        factor[i, i] = math.exp(source.log_scale)
    if source.tilt.shape[0] > 0:
        for j in range(d):
            total = 0.0
            for i in range(j, d):
                total += unit[i, j] * source.tilt[i]
            shift[j] = math.exp(log_diagonal[j]) * total
