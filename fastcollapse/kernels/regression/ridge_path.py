"""Ridge regression of one sample at many ridges: one tridiagonalisation, O(d) a ridge, one back transformation.

A sample of T rows X with labels X w + e enters in a reduced form: a `factor` A (d, k) with X^T X = A A^T, and `z` (k)
with X^T e = A z. With S = A A^T / T the fit is (S + ridge)^-1 (S w + A z / T). Its error against w0 has three parts:
the bias ((S + ridge)^-1 S - 1) w0, the noise (S + ridge)^-1 A z / T and, of gap = w - w0, the synthetic part
(S + ridge)^-1 S gap. Coordinates are those in which the covariance of a row is diagonal.

Where A is square and lower-triangular, (S + ridge) e = S gap + A z / T - ridge w0 is solved for the error itself. So
nothing cancels as the ridge goes to 0, and at 0 a triangular solve is enough. Elsewhere the system is that of A^T A,
k x k, and its limit at ridge 0 is the minimum-norm fit.

A tridiagonal matrix holds small eigenvalues to the rounding of large ones. A ridge that does not lift all of them above
1e-6 of the largest has a Cholesky factorisation of its own, which keeps the relative accuracy of a graded matrix
(J. Demmel and K. Veselic, SIAM J. Matrix Anal. Appl. 13(4), 1992).
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.linalg.lapack import gemm, gemv, ormtr, potrf, potrs, sytrd, trsm, work_length
from fastcollapse.kernels.linalg.tridiagonal import factor_shifted, is_above, row_bound, solve_factored
from fastcollapse.kernels.random.streams import STREAM_WORDS
from fastcollapse.kernels.regression.ridge_systems import (
    choose,
    is_lower,
    reverse_rows,
    set_bases,
    set_columns,
    set_gram,
    set_reversed_gram,
)

# The columns of the results. An error is an excess test error, a squared Sigma-norm.
ERROR, BIAS, VARIANCE, SYNTHETIC, SQUARED_NORM, OVERLAP = range(6)
N_COLUMNS = 6
# Relative to the norm of the system; the relative error of a solution is about 1e-16 over this.
_LEAST_EIGENVALUE = 1e-6


class RegressionTruth(NamedTuple):
    """The true regression: `spectrum` float64 (d), the variances of the input coordinates, and weights `w0` (d)."""

    spectrum: np.ndarray
    w0: np.ndarray


class PathWorkspace(NamedTuple):
    """Work arrays of one thread: d coordinates, factors of up to k columns, L ridges, r = 3 or 0 error parts.

    Attributes
    ----------
    factor, z : float64 (d k) and (k), the sample.
    gram : float64 (k k).
    work : float64, see `lapack.work_length`.
    tridiagonal : float64 (3, k).
    bases : float64 (3 k).
    sides : float64 (5, k).
    ratios, inverses : float64 (k L).
    columns, part_columns : float64 (k L) and (k r L), solutions.
    weights, part_weights : float64 (d L) and (d r L), solutions in d coordinates.
    choices : float64 (3, L).
    sums : float64 (6, L).
    words : uint64 (max(d, k)), for drawing.
    streams : uint64 (2, STREAM_WORDS), for drawing.
    """

    factor: np.ndarray
    z: np.ndarray
    gram: np.ndarray
    work: np.ndarray
    tridiagonal: np.ndarray
    bases: np.ndarray
    sides: np.ndarray
    ratios: np.ndarray
    inverses: np.ndarray
    columns: np.ndarray
    part_columns: np.ndarray
    weights: np.ndarray
    part_weights: np.ndarray
    choices: np.ndarray
    sums: np.ndarray
    words: np.ndarray
    streams: np.ndarray


@kernel
def new_path_workspace(d, k, n_ridges, parts):
    """Return the work arrays of one thread for d coordinates, factors of at most k columns and `n_ridges` ridges.

    `parts` says whether the parts of the error are written too.
    """
    n_parts = 3 * n_ridges if parts else 0
    return PathWorkspace(
        np.empty(d * k),
        np.empty(k),
        np.empty(k * k),
        np.empty(work_length(k, max(n_parts, n_ridges, 3))),
        np.empty((3, k)),
        np.empty(3 * k),
        np.empty((5, k)),
        np.empty(k * n_ridges),
        np.empty(k * n_ridges),
        np.empty(k * n_ridges),
        np.empty(k * n_parts),
        np.empty(d * n_ridges),
        np.empty(d * n_parts),
        np.empty((3, n_ridges)),
        np.empty((N_COLUMNS, n_ridges)),
        np.empty(max(d, k), np.uint64),
        np.empty((2, STREAM_WORDS), np.uint64),
    )


@kernel
def _solve_alone(factor, z, truth, gap, n_samples, ridge, square, workspace, bases):
    """Solve at one ridge without the tridiagonal matrix, for the three error parts: ``...->(k,3)``, O(d k^2).

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    k = factor.shape[1]
    product = workspace.sides[0, :k]
    if square and ridge == 0.0:
        copy_vector(z, product)
        trsm(factor, True, product.reshape(k, 1))
        for i in range(k):
            bases[i, 0], bases[i, 1], bases[i, 2] = 0.0, product[i], gap[i]
        return
    set_bases(factor, z, truth, gap, n_samples, square, product, bases)
    if square:
        other = workspace.sides[1, :k]
        gemv(1.0 / n_samples, factor, True, gap, 0.0, other)
        gemv(1.0, factor, False, other, 0.0, product)
        for i in range(k):
            bases[i, 0] *= -ridge
            bases[i, 2] = product[i]
    gram = workspace.gram[: k * k].reshape(k, k)
    set_gram(factor, n_samples, square, gram)
    for i in range(k):
        gram[i, i] += ridge
    if potrf(gram) != 0:
        bases[:, :] = math.nan
    else:
        potrs(gram, bases)


@kernel
def _put(bases, ridge, columns, part_columns):
    """Write the solutions at one ridge, (k, 3), over those of the tridiagonal matrix, (k, L) and (k, r*L)."""
    n_ridges = columns.shape[1]
    for i in range(bases.shape[0]):
        columns[i, ridge] = bases[i, 0] + bases[i, 1] + bases[i, 2]
        if part_columns.shape[1] > 0:
            for part in range(3):
                part_columns[i, part * n_ridges + ridge] = bases[i, part]


@kernel
def _solve_all(factor, z, truth, gap, n_samples, ridges, square, workspace, columns, part_columns):
    """Solve at every ridge, for the whole and for the parts: ``...->(k,L),(k,r*L)``; writes `workspace.choices`.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.
    """
    k, n_ridges = columns.shape
    gram, bases = workspace.gram[: k * k].reshape(k, k), workspace.bases[: 3 * k].reshape(k, 3)
    diagonal, off_diagonal, tau = (
        workspace.tridiagonal[0, :k],
        workspace.tridiagonal[1, :k],
        workspace.tridiagonal[2, :k],
    )
    ratios = workspace.ratios[: k * n_ridges].reshape(k, n_ridges)
    inverses = workspace.inverses[: k * n_ridges].reshape(k, n_ridges)

    if square:
        set_reversed_gram(factor, n_samples, gram)
    else:
        set_gram(factor, n_samples, square, gram)
    sytrd(gram, workspace.work, diagonal, off_diagonal, tau)
    bound = row_bound(diagonal, off_diagonal)
    choose(ridges, bound, square, workspace.choices)
    set_bases(factor, z, truth, gap, n_samples, square, workspace.sides[0, :k], bases)
    if square:
        reverse_rows(bases)
    ormtr(gram, tau, True, workspace.work, bases)
    set_columns(bases, diagonal, off_diagonal, workspace.choices, square, workspace.sides, columns, part_columns)
    factor_shifted(diagonal, off_diagonal, ridges, ratios, inverses)
    # The whole separately: BLAS rounds by the number of columns, and the error must not depend on `parts`.
    for solution in (columns, part_columns):
        if solution.shape[1] > 0:
            solve_factored(ratios, inverses, solution)
            ormtr(gram, tau, False, workspace.work, solution)
            if square:
                reverse_rows(solution)

    least = _LEAST_EIGENVALUE * bound
    for j in range(n_ridges):
        known = square and ridges[j] == 0.0
        if known or (ridges[j] < least and not is_above(diagonal, off_diagonal, least - ridges[j])):
            _solve_alone(factor, z, truth, gap, n_samples, ridges[j], square, workspace, bases)
            _put(bases, j, columns, part_columns)


@kernel
def _sum_up(weights, part_weights, truth, choices, sums):
    """Write the sums over coordinates: ``(d,L),(d,r*L),...->(6,L)``, O(d L)."""
    d, n_ridges = weights.shape
    fits = choices[2]
    error, norm, overlap = sums[ERROR], sums[SQUARED_NORM], sums[OVERLAP]
    sums[:, :] = 0.0
    for i in range(d):
        variance, w0, row = truth.spectrum[i], truth.w0[i], weights[i]
        for k in range(n_ridges):
            gap = row[k] - fits[k] * w0
            error[k] += variance * gap * gap
        for k in range(n_ridges):
            fit = row[k] + (1.0 - fits[k]) * w0
            norm[k] += fit * fit
            overlap[k] += fit * w0
        for part in range(part_weights.shape[1] // n_ridges):
            total, row = sums[BIAS + part], part_weights[i, part * n_ridges : (part + 1) * n_ridges]
            shift = w0 if part == 0 else 0.0
            for k in range(n_ridges):
                gap = row[k] - fits[k] * shift
                total[k] += variance * gap * gap


@kernel
def _in_all_coordinates(factor, columns, weights):
    """Write A times the solutions: ``(d,k),(k,n)->(d,n)``; k may be 0."""
    if columns.size > 0:
        gemm(1.0, factor, False, columns, False, 0.0, weights)
    else:
        weights[:, :] = 0.0


@kernel
def solve_path(factor, z, truth, gap, n_samples, ridges, parts, workspace, out):
    """Fit one sample at every ridge and write the errors of the fits: ``(d,k),(k),(d),(d),(),(L)->(L,6)``.

    It has more than eight arguments, because a tuple of arrays made in the loop would count references.

    4 k^3 / 3 operations for the tridiagonal matrix, at most d k^2 before it and 4 k^2 (1 + r) L after it.

    Parameters
    ----------
    factor : float64 (d, k), the sample's A, of full column rank; k may be 0. Square factors should be lower-triangular.
    z : float64 (k), its noise, with the deviation of the label noise.
    truth : `RegressionTruth`.
    gap : float64 (d), the labelling weights less w0.
    n_samples : T.
    ridges : float64 (L), at least 0.
    parts : whether the parts of the error are written too.
    workspace : `PathWorkspace` of at least this size; its `factor` and `z` may be those given.
    out : float64 (L, 6), ERROR, BIAS, VARIANCE, SYNTHETIC, SQUARED_NORM, OVERLAP; NaN where there is no solution.
    """
    d, k = factor.shape
    n_ridges = ridges.shape[0]
    n_parts = 3 * n_ridges if parts else 0
    square = is_lower(factor)
    columns = workspace.columns[: k * n_ridges].reshape(k, n_ridges)
    part_columns = workspace.part_columns[: k * n_parts].reshape(k, n_parts)
    if k > 0:
        _solve_all(factor, z, truth, gap, n_samples, ridges, square, workspace, columns, part_columns)
    else:
        workspace.choices[2, :] = 1.0
    weights, part_weights = columns, part_columns
    if not square:
        weights = workspace.weights[: d * n_ridges].reshape(d, n_ridges)
        part_weights = workspace.part_weights[: d * n_parts].reshape(d, n_parts)
        _in_all_coordinates(factor, columns, weights)
        _in_all_coordinates(factor, part_columns, part_weights)
    _sum_up(weights, part_weights, truth, workspace.choices, workspace.sums)
    for j in range(n_ridges):
        for column in range(N_COLUMNS):
            if parts or column == ERROR or column >= SQUARED_NORM:
                out[j, column] = workspace.sums[column, j]
