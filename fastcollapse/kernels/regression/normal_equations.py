"""Regression samples gathered as rows or as sums of squares, and the fit to them.

A pool holds its first rows as they are, up to d of them. With one more it becomes X^T X and X^T y. So a fit of minimum
norm works on the rows, where the sums would square the condition number of a singular problem.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_matrix, copy_vector
from fastcollapse.kernels.linalg.lapack import gemv, potrf, potrs, syevd, syrk

# Eigenvalues below this share (times n) of the largest are taken as 0.
_LEAST = 8.0 * 2.220446049250313e-16


class Equations(NamedTuple):
    """Work arrays of one thread for regressions of d inputs.

    Attributes
    ----------
    matrix : float64 (d, d).
    diagonal, values, vector, solution : float64 (d).
    """

    matrix: np.ndarray
    diagonal: np.ndarray
    values: np.ndarray
    vector: np.ndarray
    solution: np.ndarray


@kernel
def new_equations(d):
    """Return the work arrays of one thread for regressions of d inputs."""
    return Equations(np.zeros((d, d)), np.empty(d), np.empty(d), np.empty(d), np.empty(d))


@kernel
def gather(gram, sums, held, rows, labels, workspace):
    """Add samples to a pool: ``(d,d),(d),(),(m,d),(m)->(d,d),(d),()``, O(m d^2) beyond d rows.

    Parameters
    ----------
    gram, sums : the first `held` rows and labels or, if `held` is d + 1, X^T X (lower triangle) and X^T y; updated.
    held : 0 to d + 1.
    rows, labels : float64 (m, d) and (m).
    workspace : `Equations`.

    Returns
    -------
    The new `held`.
    """
    d, m = sums.shape[0], rows.shape[0]
    if held + m <= d:
        copy_matrix(rows, gram[held : held + m])
        copy_vector(labels, sums[held : held + m])
        return held + m
    if held <= d:
        if held > 0:
            syrk(1.0, gram[:held], True, 0.0, workspace.matrix)
            gemv(1.0, gram[:held], True, sums[:held], 0.0, workspace.vector)
            copy_matrix(workspace.matrix, gram)
            copy_vector(workspace.vector, sums)
        else:
            gram[:] = 0.0
            sums[:] = 0.0
    syrk(1.0, rows, True, 1.0, gram)
    gemv(1.0, rows, True, labels, 1.0, sums)
    return d + 1


@kernel
def factor(matrix, diagonal, values):
    """Factor a symmetric matrix in place for `solve`: ``(n,n)``, O(n^3 / 3).

    Parameters
    ----------
    matrix : float64 (n, n); its lower triangle is read.
    diagonal : float64 (n), overwritten.
    values : float64 (n), receives the eigenvalues where the result is False.

    Returns
    -------
    Whether the matrix is well away from singular, and Cholesky's factor was written. Otherwise these are eigenvectors.
    """
    n = matrix.shape[0]
    for i in range(n):
        diagonal[i] = matrix[i, i]
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    if potrf(matrix) == 0:
        # A pivot that is 0 in exact arithmetic is rounding, over the least pivot before it. If all pivots are above the
        # root of the rounding, none of them is 0.
        regular, least = True, math.sqrt(n * _LEAST)
        for i in range(n):
            # `not`, so that NaN is refused too.
            if not matrix[i, i] * matrix[i, i] > least * diagonal[i]:
                regular = False
        if regular:
            return True
    for i in range(n):
        matrix[i, i] = diagonal[i]
        for j in range(i):
            matrix[i, j] = matrix[j, i]
    syevd(matrix, values)
    return False


@kernel
def solve(regular, matrix, values, x, workspace):
    """Replace `x` by the solution with what `factor` left, of minimum norm if singular: ``(n)->(n)``, O(n^2)."""
    n = x.shape[0]
    if regular:
        potrs(matrix, x.reshape((n, 1)))
        return
    least = n * _LEAST * values[n - 1]
    gemv(1.0, matrix, False, x, 0.0, workspace[:n])
    for i in range(n):
        workspace[i] = workspace[i] / values[i] if values[i] > least else 0.0
    gemv(1.0, matrix, True, workspace[:n], 0.0, x)


@kernel
def fit_rows(rows, labels, penalty, workspace, out):
    """Fit to m <= d rows, with minimum norm: ``(m,d),(m),()->(d)``, O(m^2 d); `penalty` is ridge times samples."""
    m = rows.shape[0]
    # A corner of the matrix would have gaps between its rows, and these routines take contiguous arrays.
    matrix = workspace.matrix.reshape(-1)[: m * m].reshape((m, m))
    syrk(1.0, rows, False, 0.0, matrix)
    for i in range(m):
        matrix[i, i] += penalty
    x = workspace.solution[:m]
    copy_vector(labels, x)
    regular = factor(matrix, workspace.diagonal[:m], workspace.values[:m])
    solve(regular, matrix, workspace.values[:m], x, workspace.vector)
    gemv(1.0, rows, True, x, 0.0, out)


@kernel
def fit_sums(gram, sums, penalty, workspace, out):
    """Fit to X^T X (its lower triangle) and X^T y: ``(d,d),(d),()->(d)``, O(d^3 / 3); `penalty` as in `fit_rows`."""
    d = out.shape[0]
    for i in range(d):
        copy_vector(gram[i, : i + 1], workspace.matrix[i, : i + 1])
        workspace.matrix[i, i] += penalty
    copy_vector(sums, out)
    regular = factor(workspace.matrix, workspace.diagonal, workspace.values)
    solve(regular, workspace.matrix, workspace.values, out, workspace.vector)
