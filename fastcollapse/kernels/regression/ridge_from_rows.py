"""Reduction of a design of any law, and of its labels, to the factor and the noise that `ridge_path` reads."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.linalg.lapack import gemv, gesdd, potrf, potrs, syrk, trsm
from fastcollapse.kernels.regression.ridge_systems import is_lower, set_gram

# The least share of a row that the ones before it may leave unexplained; its relative error is 1e-16 over this.
_LEAST_SHARE = 1e-7


@kernel
def _is_factored(gram, squares):
    """Replace a Gram matrix by its Cholesky factor; return whether no row is nearly in the span of others."""
    m = gram.shape[0]
    for i in range(m):
        squares[i] = gram[i, i]
    if potrf(gram) != 0:
        return False
    for i in range(m):
        if not gram[i, i] * gram[i, i] > _LEAST_SHARE * squares[i]:
            return False
    return True


@kernel
def _reduce_by_singular_values(rows, labels, factors, out):
    """Reduce rows of any rank: A = V diag(s), z = U^T e, without singular values that are 0 up to rounding.

    Rows that are not finite give NaN.
    """
    n_samples, d = rows.shape
    m = min(n_samples, d)
    left, values, right = np.empty((n_samples, m)), np.empty(m), np.empty((m, d))
    if gesdd(rows, left, values, right) != 0:
        factors[:d] = math.nan
        out[:, 0] = math.nan
        return 1
    rank = 0
    least = values[0] * np.finfo(np.float64).eps * max(n_samples, d)
    while rank < m and values[rank] > least:
        rank += 1
    factor = factors[: d * rank].reshape(d, rank)
    for i in range(d):
        for j in range(rank):
            factor[i, j] = right[j, i] * values[j]
    for one in range(labels.shape[0]):
        for j in range(rank):
            total = 0.0
            for i in range(n_samples):
                total += left[i, j] * labels[one, i]
            out[one, j] = total
    return rank


@kernel
def reduce_rows(rows, labels, workspace, out):
    """Reduce a design and vectors of labels: ``(T,d),(v,T)->(d,k),(v,k)``, O(T d min(T, d)).

    The factor A is that of X^T X, lower-triangular, where T >= d, and X^T where T < d. Where the rank of X is not full,
    or nearly so, it comes from the singular values, and k may be less than both, even 0. Labels y become z, where
    A z = X^T y.

    Parameters
    ----------
    rows : float64 (T, d), overwritten.
    labels : float64 (v, T); those of noise have its deviation.
    workspace : `PathWorkspace` for d coordinates and at least min(d, T) columns; its `factor` is written.
    out : float64 (v, min(d, T) or more), which may be `workspace.z` as one row.

    Returns
    -------
    The number of columns k.
    """
    n_samples, d = rows.shape
    m = min(n_samples, d)
    tall = n_samples >= d
    gram = workspace.gram[: m * m].reshape(m, m)
    syrk(1.0, rows, tall, 0.0, gram)
    if not _is_factored(gram, workspace.sides[0]):
        return _reduce_by_singular_values(rows, labels, workspace.factor, out)
    factor = workspace.factor[: d * m].reshape(d, m)
    for one in range(labels.shape[0]):
        z = out[one, :m]
        if tall:
            gemv(1.0, rows, True, labels[one], 0.0, z)
            trsm(gram, False, z.reshape(m, 1))
        else:
            copy_vector(labels[one], z)
    for i in range(d):
        if tall:
            copy_vector(gram[i, : i + 1], factor[i, : i + 1])
            factor[i, i + 1 :] = 0.0
        else:
            for j in range(m):
                factor[i, j] = rows[j, i]
    return m


@kernel
def set_gap_of_labels(factor, labels, workspace, gap):
    """Write the least weights with given labels, A^T gap = labels: ``(d,k),(k)->(d)``, O(d k^2), or O(d^2) if square.

    `workspace` is a `PathWorkspace`, whose `gram` and `sides` are overwritten.
    """
    k = factor.shape[1]
    if k == 0:
        gap[:] = 0.0
        return
    if is_lower(factor):
        copy_vector(labels, gap)
        trsm(factor, True, gap.reshape(k, 1))
        return
    gram, solution = workspace.gram[: k * k].reshape(k, k), workspace.sides[0, :k]
    set_gram(factor, 1, False, gram)
    if potrf(gram) != 0:
        gap[:] = math.nan
        return
    gap[:] = 0.0
    # The second pass removes the rounding of the normal equations.
    for _ in range(2):
        copy_vector(labels, solution)
        gemv(-1.0, factor, True, gap, 1.0, solution)
        potrs(gram, solution.reshape(k, 1))
        gemv(1.0, factor, False, solution, 1.0, gap)
