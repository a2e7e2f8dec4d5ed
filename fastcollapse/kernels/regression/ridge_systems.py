"""Matrices and right-hand sides of the ridge systems of `ridge_path`.

`square` says that the factor A is lower-triangular. The system is then that of A A^T / T, whose solution is the error
of the fit where the ridge is small. Otherwise the system is that of A^T A / T.
"""

import math

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.linalg.lapack import gemv, lauum, syrk
from fastcollapse.kernels.linalg.tridiagonal import multiply_tridiagonal

_TILE = 16


@kernel
def is_lower(factor):
    """Whether a factor is square and lower-triangular."""
    d, k = factor.shape
    if d != k:
        return False
    n_others = 0
    for i in range(d):
        row = factor[i, i + 1 :]
        for j in range(row.shape[0]):
            n_others += row[j] != 0.0
    return n_others == 0


@kernel
def reverse_rows(out):
    """Reverse the order of the rows: ``(n,m)->(n,m)``."""
    n = out.shape[0]
    for i in range(n // 2):
        first, last = out[i], out[n - 1 - i]
        for j in range(out.shape[1]):
            first[j], last[j] = last[j], first[j]


@kernel
def set_reversed_gram(factor, n_samples, out):
    """Write A A^T / T, A lower-triangular, with rows and columns in reverse order: ``(d,d),()->(d,d)``, O(d^3 / 3).

    In this order it is M^T M, M lower-triangular, which `lauum` computes at a third of the cost of `syrk`.
    """
    d = factor.shape[0]
    scale = 1.0 / math.sqrt(n_samples)
    # In tiles, because a transposition reads or writes one side down a column.
    for top in range(0, d, _TILE):
        for left in range(0, top + 1, _TILE):
            for i in range(top, min(top + _TILE, d)):
                row = factor[i]
                for j in range(left, min(left + _TILE, i + 1)):
                    out[d - 1 - j, d - 1 - i] = scale * row[j]
    lauum(out)


@kernel
def set_bases(factor, z, truth, gap, n_samples, square, product, bases):
    """Write the parts of the right-hand sides: ``...->(k,3)``, O(d k); `product` (k) is work space.

    They are w0, A z / T and gap, or A^T w0 / T, z / T and A^T gap / T.
    """
    k, scale = factor.shape[1], 1.0 / n_samples
    for column in range(3):
        if square and column == 1:
            gemv(scale, factor, False, z, 0.0, product)
        elif not square and column != 1:
            gemv(scale, factor, True, truth.w0 if column == 0 else gap, 0.0, product)
        for i in range(k):
            if square and column != 1:
                bases[i, column] = truth.w0[i] if column == 0 else gap[i]
            elif not square and column == 1:
                bases[i, column] = scale * z[i]
            else:
                bases[i, column] = product[i]


@kernel
def choose(ridges, bound, square, choices):
    """Write the weights of S w0 and w0 in the right-hand sides, and 1.0 where the solution is the fit: ``(L)->(3,L)``.

    Elsewhere the solution is the error of the fit. It is the fit where the ridge is large, because the fit is then
    small.
    """
    for k in range(ridges.shape[0]):
        fit = not square or ridges[k] >= bound
        choices[0, k] = 1.0 if square and fit else 0.0
        choices[1, k] = 0.0 if fit else -ridges[k]
        choices[2, k] = 1.0 if fit else 0.0


@kernel
def set_columns(bases, diagonal, off_diagonal, choices, square, sides, columns, part_columns):
    """Write the right-hand sides in the coordinates of the tridiagonal matrix: ``(k,3),...->(k,L),(k,r*L)``, O(k L)."""
    k, n_ridges = columns.shape
    bias, noise, synthetic, product, plain = sides[0, :k], sides[1, :k], sides[2, :k], sides[3, :k], sides[4, :k]
    for i in range(k):
        bias[i] = 0.0 if square else bases[i, 0]
        noise[i], synthetic[i], product[i], plain[i] = bases[i, 1], bases[i, 2], bases[i, 2], bases[i, 0]
    if square:
        multiply_tridiagonal(diagonal, off_diagonal, product, synthetic)
        multiply_tridiagonal(diagonal, off_diagonal, plain, product)
    of_product, of_plain = choices[0], choices[1]
    for i in range(k):
        row = columns[i]
        for j in range(n_ridges):
            row[j] = bias[i] + of_product[j] * product[i] + of_plain[j] * plain[i]
        if part_columns.shape[1] > 0:
            copy_vector(row, part_columns[i, :n_ridges])
            part_columns[i, n_ridges : 2 * n_ridges] = noise[i]
            part_columns[i, 2 * n_ridges :] = synthetic[i]
        rest = noise[i] + synthetic[i]
        for j in range(n_ridges):
            row[j] += rest


@kernel
def set_gram(factor, n_samples, square, gram):
    """Write A A^T / T for a square system, else A^T A / T: ``(d,k)->(k,k)``, O(d k^2)."""
    syrk(1.0 / n_samples, factor, not square, 0.0, gram)
