"""Samples of a regression gathered as rows, or as sums of squares once they span everything, and the fit to them.

A pool holds its first rows as they are, up to d of them; one more, and it becomes X^T X and X^T y. So a fit of minimum
norm works on the rows, where the sums would square the condition of a singular problem."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.lapack import gemv, potrf, potrs, syevd, syrk

# An eigenvalue that is this much (times n) smaller than the largest is 0.
_LEAST = 8.0 * 2.220446049250313e-16


class Equations(NamedTuple):
    """Room for one thread: `matrix` (d, d), and `diagonal`, `values`, `vector`, `solution` (d)."""

    matrix: np.ndarray
    diagonal: np.ndarray
    values: np.ndarray
    vector: np.ndarray
    solution: np.ndarray


@kernel
def new_equations(d):
    """Return room for regressions of d inputs."""
    return Equations(np.zeros((d, d)), np.empty(d), np.empty(d), np.empty(d), np.empty(d))


@kernel
def gather(gram, sums, held, rows, labels, workspace):
    """Add samples to a pool and return what it then holds: ``(d,d),(d),(),(m,d),(m)``.

    Parameters
    ----------
    gram, sums: the first `held` rows and labels, or, if `held` is d + 1, the lower triangle of X^T X, and X^T y
    held: 0 to d + 1
    workspace: `Equations` to work in
    """
    d, m = sums.shape[0], rows.shape[0]
    if held + m <= d:
        gram[held : held + m] = rows
        sums[held : held + m] = labels
        return held + m
    if held <= d:
        if held > 0:
            syrk(1.0, gram[:held], True, 0.0, workspace.matrix)
            gemv(1.0, gram[:held], True, sums[:held], 0.0, workspace.vector)
            gram[:] = workspace.matrix
            sums[:] = workspace.vector
        else:
            gram[:] = 0.0
            sums[:] = 0.0
    syrk(1.0, rows, True, 1.0, gram)
    gemv(1.0, rows, True, labels, 1.0, sums)
    return d + 1


@kernel
def factor(matrix, diagonal, values):
    """Factor a symmetric matrix for `solve`, in place, and return whether it is well away from singular: ``(n,n)``.

    Its lower triangle is read. `values` (n) gets the eigenvalues of a matrix that is not, `diagonal` (n) is room.
    """
    n = matrix.shape[0]
    for i in range(n):
        diagonal[i] = matrix[i, i]
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    if potrf(matrix) == 0:
        # What should be a pivot of 0 is the rounding of what it is left of, over the least pivot before it: if none is
        # below the root of that rounding, none should be 0.
        regular, least = True, math.sqrt(n * _LEAST)
        for i in range(n):
            # `not` so that a number that is none is refused too.
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
    """Replace `x` by the solution, of minimum norm if the matrix is singular, from what `factor` left: ``(n)->(n)``."""
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
    """Fit to rows that are fewer than d or as many, of minimum norm: ``(m,d),(m),()->(d)``; `penalty` is ridge times
    samples.
    """
    m = rows.shape[0]
    # A corner of the room has gaps between its rows, which LAPACK is not told of.
    matrix = workspace.matrix.reshape(-1)[: m * m].reshape((m, m))
    syrk(1.0, rows, False, 0.0, matrix)
    for i in range(m):
        matrix[i, i] += penalty
    x = workspace.solution[:m]
    x[:] = labels
    regular = factor(matrix, workspace.diagonal[:m], workspace.values[:m])
    solve(regular, matrix, workspace.values[:m], x, workspace.vector)
    gemv(1.0, rows, True, x, 0.0, out)


@kernel
def fit_sums(gram, sums, penalty, workspace, out):
    """Fit to X^T X (its lower triangle) and X^T y: ``(d,d),(d),()->(d)``; `penalty` is ridge times samples."""
    d = out.shape[0]
    for i in range(d):
        workspace.matrix[i, : i + 1] = gram[i, : i + 1]
        workspace.matrix[i, i] += penalty
    out[:] = sums
    regular = factor(workspace.matrix, workspace.diagonal, workspace.values)
    solve(regular, workspace.matrix, workspace.values, out, workspace.vector)
