"""Normal vectors, Wishart factors and factored covariances, for refits of a Gaussian law in d dimensions.

The Cholesky factor of the covariance is carried as U diag(exp l), U unit lower-triangular, so that no l underflows. Its
product from the right by a lower-triangular K is l_j + ln K_jj and U C, C_ij = exp(l_i - l_j) K_ij / K_jj. This does
not overflow, because later l fall faster.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.triangular import (
    add_gram,
    add_square,
    clear_upper,
    factor_upper,
    multiply_unit,
    transpose,
)
from fastcollapse.kernels.random.streams import fill_words
from fastcollapse.kernels.random.vector_exp import exponentials
from fastcollapse.kernels.random.ziggurat import accept_or_redraw, chi_square, inside, place


@kernel
def fill_normals(normals, words, streams, out):
    """Fill `out` with standard normal variates: ``->(n)``, 3 ns each; `words` uint64 (n or more) is work space."""
    n = out.shape[0]
    fill_words(streams[0], words[:n])
    for k in range(n):
        layer, t = place(words[k], normals)
        if not inside(layer, t, normals):
            t = accept_or_redraw(layer, t, normals, streams[1])
        out[k] = t


@kernel
def bartlett_factor(degrees, normals, words, streams, out):
    """Write a lower-trapezoidal B with B B^T ~ Wishart(I, degrees): ``->(d,k)``, O(d k), k at least min(d, degrees).

    Columns from `degrees` < k on are 0.

    References
    ----------
    M. S. Bartlett, Proc. R. Soc. Edinburgh 53, 260 (1933).
    """
    d, k = out.shape
    n_columns = min(np.int64(degrees), k)
    for i in range(d):
        fill_normals(normals, words, streams, out[i, : min(i, n_columns)])
        for j in range(min(i, n_columns), k):
            out[i, j] = 0.0
        if i < n_columns:
            out[i, i] = math.sqrt(chi_square(np.float64(degrees - i), normals, streams[0]))


@kernel
def spread_points(factor, points):
    """Write d + 1 points of mean 0 with the inner products of H B: ``(d,d)->(d+1,d)``, O(d^2).

    H are the columns of Helmert's matrix that are orthogonal to 1. With B B^T ~ Wishart(I, D), D >= d, the points have
    the law of d + 1 normal points in D dimensions less their mean, in coordinates of their span. The products of those
    are H W H^T, W ~ Wishart_d(I, D).
    """
    d = points.shape[1]
    for j in range(d):
        below = 0.0
        for i in range(d, 0, -1):
            mine = factor[i - 1, j] / math.sqrt(i * (i + 1.0))
            points[i, j] = below - i * mine
            below += mine
        points[0, j] = below


@kernel
def pool_factor(factor, z, weight, held, upper, matrix):
    """Replace a Bartlett factor B by the lower-triangular K with K K^T = held I + B B^T + weight z z^T: O(d^3 / 3).

    `upper` and `matrix`, (d, d) each, are work space.
    """
    transpose(factor, upper)
    clear_upper(held, matrix)
    add_gram(upper, matrix)
    add_square(weight, z, matrix)
    factor_upper(matrix)
    for i in range(factor.shape[0]):
        for k in range(i + 1):
            factor[i, k] = matrix[k, i]


@kernel
def move_mean(unit, log_diagonal, z, scale, mean):
    """Add `scale` U diag(exp l) z to the first d entries of `mean`: ``(d,d),(d),(d),()->(d)``, O(d^2)."""
    d = z.shape[0]
    for j in range(d):
        weight = scale * math.exp(log_diagonal[j]) * z[j]
        mean[j] += weight
        for i in range(j + 1, d):
            mean[i] += weight * unit[i, j]


@kernel
def multiply_on(unit, log_diagonal, factor, divisor, bits, rows):
    """Multiply U diag(exp l) from the right by `factor` / sqrt(divisor), in place: ``(d,d),(d),(d,d),()``, O(d^3 / 6).

    `factor` becomes C. `bits` int64 (d) and `rows` float64 (3, d) are work space.
    """
    d = log_diagonal.shape[0]
    gaps, scales, inverse = rows[0], rows[1], rows[2]
    for i in range(d):
        for j in range(i):
            gaps[j] = log_diagonal[i] - log_diagonal[j]
        exponentials(gaps[:i], bits, scales)
        inverse[i] = 1.0 / factor[i, i]
        target = factor[i]
        for j in range(i):
            target[j] *= scales[j] * inverse[j]
    for j in range(d):
        log_diagonal[j] += math.log(factor[j, j]) - 0.5 * math.log(divisor)
    multiply_unit(unit, factor, gaps, unit)


@kernel
def take_factor(upper, divisor, unit, log_diagonal):
    """Set U diag(exp l) to the transpose of an upper-triangular factor over sqrt(divisor): ``(d,d),()->(d,d),(d)``.

    A row of the factor that is 0 gives an l of -inf.
    """
    for i in range(upper.shape[0]):
        log_diagonal[i] = math.log(upper[i, i]) - 0.5 * math.log(divisor)
        unit[i, i] = 1.0
        for j in range(i):
            unit[i, j] = upper[j, i] / upper[j, j] if upper[j, j] != 0.0 else 0.0


@kernel
def write_factor(unit, log_diagonal, bits, scales, out):
    """Write U diag(exp l): ``(d,d),(d)->(d,d)``, O(d^2); entries that underflow are 0."""
    d = log_diagonal.shape[0]
    exponentials(log_diagonal, bits, scales)
    for i in range(d):
        target, source = out[i], unit[i]
        for j in range(i):
            target[j] = source[j] * scales[j]
        target[i] = scales[i]
        for j in range(i + 1, d):
            target[j] = 0.0
