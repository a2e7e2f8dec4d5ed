"""Reduction of a design of any law to the factor and the noise that `ridge_path` reads."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.linalg.lapack import gemv, gesdd, potrf, syrk, trsm

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
def _reduce_by_singular_values(rows, noise, workspace):
    """Reduce rows of any rank: A = V diag(s), z = U^T e, without singular values that are 0 up to rounding.

    Rows that are not finite give NaN.
    """
    n_samples, d = rows.shape
    m = min(n_samples, d)
    left, values, right = np.empty((n_samples, m)), np.empty(m), np.empty((m, d))
    if gesdd(rows, left, values, right) != 0:
        workspace.factor[:d] = math.nan
        workspace.z[0] = math.nan
        return 1
    rank = 0
    least = values[0] * np.finfo(np.float64).eps * max(n_samples, d)
    while rank < m and values[rank] > least:
        rank += 1
    factor = workspace.factor[: d * rank].reshape(d, rank)
    for i in range(d):
        for j in range(rank):
            factor[i, j] = right[j, i] * values[j]
    for j in range(rank):
        total = 0.0
        for i in range(n_samples):
            total += left[i, j] * noise[i]
        workspace.z[j] = total
    return rank


@kernel
def reduce_rows(rows, noise, workspace):
    """Reduce a design and the noise of its labels to a factor and z: ``(T,d),(T)->(d,k),(k)``, O(T d min(T, d)).

    The factor is that of X^T X, lower-triangular, where T >= d, and X^T where T < d. Where the rank of X is not full,
    or nearly so, it comes from the singular values, and k may be less than both, even 0.

    Parameters
    ----------
    rows : float64 (T, d), overwritten.
    noise : float64 (T), with the deviation of the label noise.
    workspace : `PathWorkspace` for d coordinates and at least min(d, T) columns; its `factor` and `z` are written.

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
        return _reduce_by_singular_values(rows, noise, workspace)
    factor, z = workspace.factor[: d * m].reshape(d, m), workspace.z[:m]
    if tall:
        gemv(1.0, rows, True, noise, 0.0, z)
        trsm(gram, False, z.reshape(m, 1))
        for i in range(d):
            copy_vector(gram[i, : i + 1], factor[i, : i + 1])
            factor[i, i + 1 :] = 0.0
    else:
        copy_vector(noise, z)
        for i in range(d):
            for j in range(m):
                factor[i, j] = rows[j, i]
    return m
