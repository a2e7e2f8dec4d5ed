"""Maximum likelihood of a generalised linear model with its canonical link, by Newton's method, from sums of labels.

With the canonical link the likelihood of labels y of rows X depends on X'y alone, and on how often each row occurs: k
times. It has no maximum if a direction separates the labels. Then Newton's steps tend to this direction, and
`_is_separated` proves it from X'y.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.lapack import gemv, potrf, potrs
from fastcollapse.kernels.random.vector_exp import exponentials

LOGISTIC, POISSON = 0, 1
# A fit is singular where nearly all labels have no variance left: its maximum is beyond the range of float64.
FITTED, SEPARATED, SINGULAR, FAILED = 0, 1, 2, 3
# Rows of a block: a power of 2 from the first to the second. A product sums this many rows side by side.
_LANES, _ROWS_OF_BLOCK = 8, 512
# A step that changes no linear predictor by more leaves an error of about a tenth of its square. One that is more than
# half as long as the step before, and changes none by more than the second, is rounding.
_LAST_STEP, _SHORT_STEP = 1e-5, 1e-3
# A step that changes no predictor by more than 1 changes weights by at most a factor e, so that the likelihood rises.
# A longer one is halved until the likelihood rises by this share of its slope, or until it is as short.
_SAFE_STEP, _RISE = 1.0, 1e-4
_MOST_STEPS = 1000
# A search for a separating direction pays where a predictor is this large, and steps are still this long.
_FAR, _LONG_STEP = 12.0, 0.1
# Labels on the wrong side count as on the boundary below the first share of the sum of distances of one label a row,
# because the direction has not converged, or below the second of all labels: rounding. A sample has at most 1e15
# labels, so that one label is above both.
_WRONG_SIDE, _ROUNDING = 1e-9, 1e-15


class Rows(NamedTuple):
    """The rows of a model.

    Attributes
    ----------
    blocks : float64 (b, p, m), the rows in blocks, transposed; the last block is padded with rows of 0.
    n_rows : number of rows n.
    response : LOGISTIC or POISSON.
    """

    blocks: np.ndarray
    n_rows: int
    response: int


class Workspace(NamedTuple):
    """Work space of one thread: of a block, m rows; of all rows, b m; and of p coefficients."""

    predictors: np.ndarray
    changes: np.ndarray
    means: np.ndarray
    weights: np.ndarray
    bits: np.ndarray
    scaled: np.ndarray
    lanes: np.ndarray
    information: np.ndarray
    gradient: np.ndarray
    step: np.ndarray
    column: np.ndarray
    start: np.ndarray


def rows_of(design: np.ndarray, response: int) -> Rows:
    """Return the rows of a design, float64 (n, p), in blocks."""
    n, p = design.shape
    m = int(np.clip(2 ** math.ceil(math.log2(n)), _LANES, _ROWS_OF_BLOCK))
    blocks = np.zeros((-(-n // m), m, p))
    blocks.reshape(-1, p)[:n] = design
    return Rows(np.ascontiguousarray(blocks.transpose(0, 2, 1)), n, response)


@kernel
def new_workspace(n_blocks, p, m):
    """Return the work space of one thread."""
    return Workspace(
        np.zeros((n_blocks, m)), np.zeros((n_blocks, m)), np.empty(m), np.empty(m), np.empty(m, np.int64),
        np.empty(m), np.empty(m // _LANES), np.empty((p, p)), np.empty(p), np.empty(p), np.empty((p, 1)),
        np.empty(p),
    )  # fmt: skip


@kernel
def write_means(response, predictors, bits, means, weights):
    """Write means and variances of labels, and -|predictor| to `weights` in between: ``(m)->(m),(m)``."""
    m = predictors.shape[0]
    if response == POISSON:
        exponentials(predictors, bits, means)
        for i in range(m):
            weights[i] = means[i]
        return
    for i in range(m):
        weights[i] = -abs(predictors[i])
    exponentials(weights, bits, means)
    for i in range(m):
        large = 1.0 / (1.0 + means[i])
        small = means[i] * large
        weights[i] = small * large
        means[i] = small if predictors[i] < 0.0 else large


@kernel
def _product(left, right, lanes):
    """Return the product of two vectors, whose length is 8 times a power of 2: ``(m),(m)->()``.

    The sums are folded, so that LLVM vectorises them. For few columns it takes half the time of BLAS.
    """
    h = lanes.shape[0]
    a0, a1, a2, a3 = left[:h], left[h : 2 * h], left[2 * h : 3 * h], left[3 * h : 4 * h]
    a4, a5, a6, a7 = left[4 * h : 5 * h], left[5 * h : 6 * h], left[6 * h : 7 * h], left[7 * h : 8 * h]
    b0, b1, b2, b3 = right[:h], right[h : 2 * h], right[2 * h : 3 * h], right[3 * h : 4 * h]
    b4, b5, b6, b7 = right[4 * h : 5 * h], right[5 * h : 6 * h], right[6 * h : 7 * h], right[7 * h : 8 * h]
    for i in range(h):
        low = (a0[i] * b0[i] + a1[i] * b1[i]) + (a2[i] * b2[i] + a3[i] * b3[i])
        high = (a4[i] * b4[i] + a5[i] * b5[i]) + (a6[i] * b6[i] + a7[i] * b7[i])
        lanes[i] = low + high
    h //= 2
    while h > 0:
        for i in range(h):
            lanes[i] += lanes[i + h]
        h //= 2
    return lanes[0]


@kernel
def _add_information(block, work):
    """Add X'WX of a block to the lower triangle of `work.information`, W the variances in `work.weights`."""
    for j in range(block.shape[0]):
        row = block[j]
        for i in range(row.shape[0]):
            work.scaled[i] = row[i] * work.weights[i]
        for k in range(j + 1):
            work.information[j, k] += _product(work.scaled, block[k], work.lanes)


@kernel
def _rise(response, work, n_rows, share):
    """Return by how much sum_i b(x_i w), b' the mean of a label, rises along a share of the step: O(n)."""
    total, left = 0.0, n_rows
    for b in range(work.changes.shape[0]):
        for i in range(min(left, work.changes.shape[1])):
            old = work.predictors[b, i]
            new = old + share * work.changes[b, i]
            if response == POISSON:
                total += math.exp(new) - math.exp(old)
            else:
                total += max(new, 0.0) - max(old, 0.0)
                total += math.log1p(math.exp(-abs(new))) - math.log1p(math.exp(-abs(old)))
        left -= work.changes.shape[1]
    return total


@kernel
def _share_of_step(response, work, n_rows, sums, trials, longest):
    """Return the share of the step, whose longest change of a predictor is given, that raises the likelihood."""
    share, along, slope = 1.0, 0.0, 0.0
    for j in range(sums.shape[0]):
        along += sums[j] * work.step[j]
        slope += work.gradient[j] * work.step[j]
    while share * longest > _SAFE_STEP:
        rise = share * along - trials * _rise(response, work, n_rows, share)
        if rise >= _RISE * share * slope:
            break
        share *= 0.5
    return share


@kernel
def _is_separated(changes, step, n_rows, response, sums, trials):
    """Whether the likelihood rises for ever along `step`: O(n).

    Along a direction d minus the log-likelihood rises at last with the slope sum_i k max(0, x_i d) - sums d for the
    logistic model, and with -sums d for the Poisson model if no x_i d is above 0. The slope is never negative. It is 0
    if and only if d separates the labels. In the Poisson model sums d above 0 shows an x_i d above 0 of a large count.
    """
    positive, total, left = 0.0, 0.0, n_rows
    for b in range(changes.shape[0]):
        for i in range(min(left, changes.shape[1])):
            total += abs(changes[b, i])
            positive += max(changes[b, i], 0.0)
        left -= changes.shape[1]
    along, size = 0.0, 0.0
    for j in range(sums.shape[0]):
        along += sums[j] * step[j]
        size += abs(sums[j] * step[j])
    limit = _WRONG_SIDE * total + _ROUNDING * (trials * total + size)
    if response == POISSON:
        return positive <= _WRONG_SIDE * total and abs(along) <= limit
    return trials * positive - along <= limit


@kernel
def _climb(blocks, n_rows, response, sums, trials, work, coefficients):
    """Maximise the likelihood from `coefficients` on; see `fit`."""
    n_blocks, p = blocks.shape[0], blocks.shape[1]
    for b in range(n_blocks):
        gemv(1.0, blocks[b], True, coefficients, 0.0, work.predictors[b])
    farthest = 0.0
    for b in range(n_blocks):
        for i in range(blocks.shape[2]):
            farthest = max(farthest, abs(work.predictors[b, i]))
    before = math.inf
    for _ in range(_MOST_STEPS):
        for j in range(p):
            work.gradient[j] = sums[j]
        work.information[:, :] = 0.0
        for b in range(n_blocks):
            write_means(response, work.predictors[b], work.bits, work.means, work.weights)
            gemv(-trials, blocks[b], False, work.means, 1.0, work.gradient)
            _add_information(blocks[b], work)
        if potrf(work.information) != 0:
            return SINGULAR if farthest > _FAR else FAILED
        for j in range(p):
            work.column[j, 0] = work.gradient[j] / trials
        potrs(work.information, work.column)
        longest = 0.0
        for j in range(p):
            work.step[j] = work.column[j, 0]
        for b in range(n_blocks):
            gemv(1.0, blocks[b], True, work.step, 0.0, work.changes[b])
            for i in range(work.changes.shape[1]):
                longest = max(longest, abs(work.changes[b, i]))
        if not longest < math.inf:
            return FAILED
        share = _share_of_step(response, work, n_rows, sums, trials, longest)
        farthest = 0.0
        for j in range(p):
            coefficients[j] += share * work.step[j]
        for b in range(n_blocks):
            for i in range(work.changes.shape[1]):
                work.predictors[b, i] += share * work.changes[b, i]
                farthest = max(farthest, abs(work.predictors[b, i]))
        if longest <= _LAST_STEP or before < 2.0 * longest <= 2.0 * _SHORT_STEP:
            return FITTED
        before = longest
        is_far = farthest > _FAR and longest > _LONG_STEP
        if is_far and _is_separated(work.changes, work.step, n_rows, response, sums, trials):
            return SEPARATED
    return FAILED


@kernel
def fit(blocks, n_rows, response, sums, trials, work, coefficients):
    """Maximise the likelihood from `coefficients` on: ``(b,p,m),(p)->(p)``, O(n p^2) a step; return the status.

    Far from the maximum few rows may have variance, so that the information is singular. Then it starts again at 0.

    Parameters
    ----------
    blocks, n_rows, response : see `Rows`.
    sums : float64 (p), X'y over all labels.
    trials : number of labels of each row, k.
    work : `Workspace`.
    coefficients : float64 (p), the start; replaced by the maximum if the status is FITTED, otherwise kept.
    """
    work.start[:] = coefficients
    status = FAILED
    for attempt in range(2):
        if status >= SINGULAR:
            for j in range(coefficients.shape[0]):
                coefficients[j] = work.start[j] if attempt == 0 else 0.0
            status = _climb(blocks, n_rows, response, sums, trials, work, coefficients)
    if status != FITTED:
        coefficients[:] = work.start
    return status
