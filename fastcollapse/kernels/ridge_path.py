"""Ridge regression of one sample at many ridges: one tridiagonalisation, O(d) a ridge, one back transformation.

A sample of T rows X and labels X w + e enters as what an orthogonal transformation of its rows leaves: a `factor` A
(d, k) with X^T X = A A^T, and `z` (k) with X^T e = A z. With S = A A^T / T the fit is (S + ridge)^-1 (S w + A z / T).
Its error against w0 has three parts: the bias ((S + ridge)^-1 S - 1) w0, the noise (S + ridge)^-1 A z / T and, of gap =
w - w0, the synthetic (S + ridge)^-1 S gap. Coordinates are those in which the covariance of a row is diagonal.

Where A is square and lower-triangular, (S + ridge) e = S gap + A z / T - ridge w0 gives the error itself, so nothing
cancels as the ridge goes to 0, and at 0 a triangular solve is enough. Elsewhere the system is that of A^T A, k x k, and
its limit at ridge 0 is the minimum-norm fit.

A tridiagonal matrix holds small eigenvalues to the rounding of large ones. A ridge that does not lift all of them above
1e-6 of the largest is solved by a Cholesky factorisation of its own, which keeps the relative accuracy of a graded
matrix (J. Demmel and K. Veselic, SIAM J. Matrix Anal. Appl. 13(4), 1992).
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse._jit import kernel
from fastcollapse.kernels.linalg import gemm, gemv, lauum, ormtr, potrf, potrs, syrk, sytrd, trsm, work_length
from fastcollapse.kernels.tridiagonal import (
    factor_shifted,
    is_above,
    multiply_tridiagonal,
    row_bound,
    solve_factored,
)
from fastcollapse.rng import STREAM_WORDS

# The columns of what is written. An error is an excess test error, a squared Sigma-norm.
ERROR, BIAS, VARIANCE, SYNTHETIC, SQUARED_NORM, OVERLAP = range(6)
N_COLUMNS = 6
# Relative to the norm. The error of a solution is about 1e-16 over it.
_LEAST_EIGENVALUE = 1e-6
_TILE = 16


class RegressionTruth(NamedTuple):
    """What is to be learnt: `spectrum` float64 (d), the variances of the coordinates, and `w0` (d)."""

    spectrum: np.ndarray
    w0: np.ndarray


class PathRoom(NamedTuple):
    """Room for one thread: samples of d coordinates and factors of up to k columns, L ridges, r = 1 or 3 right-hand
    sides.

    factor: float64 (d k), and z (k), for the sample; gram (k k); work, see `work_length`; tridiagonal (3, k); bases
    (3 k); sides (5, k); ratios, inverses (k L); columns (k r L); weights (d r L); choices (3, L); sums (6, L); for
    drawing, words uint64 (d) and streams uint64 (2, STREAM_WORDS)
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
    weights: np.ndarray
    choices: np.ndarray
    sums: np.ndarray
    words: np.ndarray
    streams: np.ndarray


@kernel
def new_path_room(d, k, n_ridges, parts):
    """Return room for d coordinates, factors of at most k columns and so many ridges; `parts`: of the error too."""
    n_columns = 3 * n_ridges if parts else n_ridges
    return PathRoom(
        np.empty(d * k),
        np.empty(k),
        np.empty(k * k),
        np.empty(work_length(k, max(n_columns, 3))),
        np.empty((3, k)),
        np.empty(3 * k),
        np.empty((5, k)),
        np.empty(k * n_ridges),
        np.empty(k * n_ridges),
        np.empty(k * n_columns),
        np.empty(d * n_columns),
        np.empty((3, n_ridges)),
        np.empty((N_COLUMNS, n_ridges)),
        np.empty(max(d, k), np.uint64),
        np.empty((2, STREAM_WORDS), np.uint64),
    )


@kernel
def _is_lower(factor):
    """Return whether a factor is square and lower-triangular."""
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
def _reverse_rows(out):
    """Reverse the order of the rows: ``(n,m)->(n,m)``."""
    n = out.shape[0]
    for i in range(n // 2):
        first, last = out[i], out[n - 1 - i]
        for j in range(out.shape[1]):
            first[j], last[j] = last[j], first[j]


@kernel
def _set_reversed_gram(factor, n_samples, out):
    """Write A A^T / T, A lower-triangular, with rows and columns in reverse order: ``(d,d),()->(d,d)``.

    In this order it is M^T M, M lower-triangular, which `lauum` gives at a third of the cost of `syrk`.
    """
    d = factor.shape[0]
    scale = 1.0 / math.sqrt(n_samples)
    # Tiles, because one side of a transposition is read or written down a column.
    for top in range(0, d, _TILE):
        for left in range(0, top + 1, _TILE):
            for i in range(top, min(top + _TILE, d)):
                row = factor[i]
                for j in range(left, min(left + _TILE, i + 1)):
                    out[d - 1 - j, d - 1 - i] = scale * row[j]
    lauum(out)


@kernel
def _set_bases(factor, z, truth, gap, n_samples, square, room, bases):
    """Write what the right-hand sides are made of: w0, A z / T and gap, or A^T w0 / T, z / T and A^T gap / T:
    ``...->(k,3)``.
    """
    k = factor.shape[1]
    scale, product = 1.0 / n_samples, room.sides[0, :k]
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
def _choose(ridges, bound, square, choices):
    """Write, for each ridge, the weights of S w0 and of w0 in the right-hand side, and 1.0 where the solution is the
    fit and not its error: where the ridge is large, because the fit is then small.
    """
    for k in range(ridges.shape[0]):
        fit = not square or ridges[k] >= bound
        choices[0, k] = 1.0 if square and fit else 0.0
        choices[1, k] = 0.0 if fit else -ridges[k]
        choices[2, k] = 1.0 if fit else 0.0


@kernel
def _set_columns(bases, diagonal, off_diagonal, choices, square, parts, sides, columns):
    """Write the right-hand sides in the coordinates of the tridiagonal matrix: ``(k,3)->(k,r*L)``."""
    k, n_ridges = bases.shape[0], choices.shape[1]
    bias, noise, synthetic, product, plain = sides[0, :k], sides[1, :k], sides[2, :k], sides[3, :k], sides[4, :k]
    for i in range(k):
        bias[i] = 0.0 if square else bases[i, 0]
        noise[i], synthetic[i], product[i], plain[i] = bases[i, 1], bases[i, 2], bases[i, 2], bases[i, 0]
    if square:
        multiply_tridiagonal(diagonal, off_diagonal, product, synthetic)
        multiply_tridiagonal(diagonal, off_diagonal, plain, product)
    of_product, of_plain = choices[0], choices[1]
    for i in range(k):
        row, constant = columns[i], bias[i] if parts else bias[i] + noise[i] + synthetic[i]
        for j in range(n_ridges):
            row[j] = constant + of_product[j] * product[i] + of_plain[j] * plain[i]
        if parts:
            row[n_ridges : 2 * n_ridges] = noise[i]
            row[2 * n_ridges :] = synthetic[i]


@kernel
def _set_gram(factor, n_samples, square, gram):
    """Write A A^T / T, or A^T A / T, which of the two is to be solved: ``(d,k)->(k,k)``."""
    syrk(1.0 / n_samples, factor, not square, 0.0, gram)


@kernel
def _solve_alone(factor, z, truth, gap, n_samples, ridge, square, room, bases):
    """Solve at one ridge without the tridiagonal matrix, for bias, noise and synthetic part: ``...->(k,3)``."""
    k = factor.shape[1]
    product = room.sides[0, :k]
    if square and ridge == 0.0:
        product[:] = z
        trsm(factor, True, product.reshape(k, 1))
        for i in range(k):
            bases[i, 0], bases[i, 1], bases[i, 2] = 0.0, product[i], gap[i]
        return
    _set_bases(factor, z, truth, gap, n_samples, square, room, bases)
    if square:
        other = room.sides[1, :k]
        gemv(1.0 / n_samples, factor, True, gap, 0.0, other)
        gemv(1.0, factor, False, other, 0.0, product)
        for i in range(k):
            bases[i, 0] *= -ridge
            bases[i, 2] = product[i]
    gram = room.gram[: k * k].reshape(k, k)
    _set_gram(factor, n_samples, square, gram)
    for i in range(k):
        gram[i, i] += ridge
    if potrf(gram) != 0:
        bases[:, :] = math.nan
    else:
        potrs(gram, bases)


@kernel
def _put(bases, parts, ridge, n_ridges, columns):
    """Write the solutions at one ridge, (k, 3), over those of the tridiagonal matrix, (k, r*L)."""
    for i in range(bases.shape[0]):
        if parts:
            for part in range(3):
                columns[i, part * n_ridges + ridge] = bases[i, part]
        else:
            columns[i, ridge] = bases[i, 0] + bases[i, 1] + bases[i, 2]


@kernel
def _sum_up(weights, truth, choices, parts, sums):
    """Write the sums over coordinates: ``(d,r*L),...->(6,L)``."""
    n_ridges = choices.shape[1]
    fits = choices[2]
    error, norm, overlap = sums[ERROR], sums[SQUARED_NORM], sums[OVERLAP]
    bias, variance, synthetic = sums[BIAS], sums[VARIANCE], sums[SYNTHETIC]
    for column in range(N_COLUMNS):
        sums[column, :] = 0.0
    for i in range(weights.shape[0]):
        variance_i, w0 = truth.spectrum[i], truth.w0[i]
        row = weights[i, :n_ridges]
        if parts:
            second, third = weights[i, n_ridges : 2 * n_ridges], weights[i, 2 * n_ridges :]
            for k in range(n_ridges):
                gap = row[k] - fits[k] * w0
                bias[k] += variance_i * gap * gap
            for k in range(n_ridges):
                variance[k] += variance_i * second[k] * second[k]
            for k in range(n_ridges):
                synthetic[k] += variance_i * third[k] * third[k]
            for k in range(n_ridges):
                row[k] += second[k] + third[k]
        for k in range(n_ridges):
            gap = row[k] - fits[k] * w0
            error[k] += variance_i * gap * gap
        for k in range(n_ridges):
            fit = row[k] + (1.0 - fits[k]) * w0
            norm[k] += fit * fit
            overlap[k] += fit * w0


@kernel
def _solve_all(factor, z, truth, gap, n_samples, ridges, square, parts, room, columns):
    """Solve at every ridge, for the sum or for the three parts: ``...->(k,r*L)``; writes `room.choices`."""
    k, n_ridges = factor.shape[1], ridges.shape[0]
    gram, bases = room.gram[: k * k].reshape(k, k), room.bases[: 3 * k].reshape(k, 3)
    diagonal, off_diagonal, tau = room.tridiagonal[0, :k], room.tridiagonal[1, :k], room.tridiagonal[2, :k]
    ratios = room.ratios[: k * n_ridges].reshape(k, n_ridges)
    inverses = room.inverses[: k * n_ridges].reshape(k, n_ridges)

    if square:
        _set_reversed_gram(factor, n_samples, gram)
    else:
        _set_gram(factor, n_samples, square, gram)
    sytrd(gram, room.work, diagonal, off_diagonal, tau)
    bound = row_bound(diagonal, off_diagonal)
    _choose(ridges, bound, square, room.choices)
    _set_bases(factor, z, truth, gap, n_samples, square, room, bases)
    if square:
        _reverse_rows(bases)
    ormtr(gram, tau, True, room.work, bases)
    _set_columns(bases, diagonal, off_diagonal, room.choices, square, parts, room.sides, columns)
    factor_shifted(diagonal, off_diagonal, ridges, ratios, inverses)
    solve_factored(ratios, inverses, columns)
    ormtr(gram, tau, False, room.work, columns)
    if square:
        _reverse_rows(columns)

    least = _LEAST_EIGENVALUE * bound
    for j in range(n_ridges):
        known = square and ridges[j] == 0.0
        if known or (ridges[j] < least and not is_above(diagonal, off_diagonal, least - ridges[j])):
            _solve_alone(factor, z, truth, gap, n_samples, ridges[j], square, room, bases)
            _put(bases, parts, j, n_ridges, columns)


@kernel
def solve_path(factor, z, truth, gap, n_samples, ridges, parts, room, out):
    """Fit one sample at every ridge and write what the fits are worth: ``(d,k),(k),(d),(d),(),(L)->(L,6)``.

    4 k^3 / 3 operations for the tridiagonal matrix, d k^2 or less before it and 4 k^2 r L after it.

    Parameters
    ----------
    factor: the sample's A, of full column rank; square ones had better be lower-triangular; k may be 0
    z: its noise, times the label noise
    truth: RegressionTruth
    gap: the weights that made the labels, less w0
    n_samples: T
    ridges: at least 0
    parts: whether the parts of the error are written too, at three right-hand sides for one
    room: `new_path_room` of at least this size; its `factor` and `z` may be those given
    out: ERROR, BIAS, VARIANCE, SYNTHETIC, SQUARED_NORM, OVERLAP of each ridge; NaN where there is no solution
    """
    d, k = factor.shape
    n_ridges = ridges.shape[0]
    n_columns = 3 * n_ridges if parts else n_ridges
    square = _is_lower(factor)
    columns = room.columns[: k * n_columns].reshape(k, n_columns)
    if k > 0:
        _solve_all(factor, z, truth, gap, n_samples, ridges, square, parts, room, columns)
    else:
        room.choices[2, :] = 1.0
    weights = columns
    if not square:
        weights = room.weights[: d * n_columns].reshape(d, n_columns)
        weights[:, :] = 0.0
        if k > 0:
            gemm(1.0, factor, False, columns, False, 0.0, weights)
    _sum_up(weights, truth, room.choices, parts, room.sums)
    for j in range(n_ridges):
        for column in range(N_COLUMNS):
            if parts or column == ERROR or column >= SQUARED_NORM:
                out[j, column] = room.sums[column, j]
