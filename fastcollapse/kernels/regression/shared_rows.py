"""Chains of kernel ridge regressions that share their rows, along the eigenvectors of their kernel matrix.

With K = U diag(k) U', penalty p = ridge times the number of samples, and a fitted function sum_i (U c)_i k(x, z_i), a
generation fitted to w times real labels and 1 - w times those of the function before is, for each eigenvalue,

    c <- (w (y + sigma e) + (1 - w) (k c + sigma0 e'))/(k + p),  e, e' standard normal,

where y are the given labels along U, which also take the place of k c in generation 1. So one decomposition serves all
weights, ridges and generations. If each fit is added to the function before, and starts from the given labels,

    c <- c + (- w k c + w sigma e + (1 - w) sigma0 e')/(k + p).

The noise is drawn for the rows, so that no number depends on the signs or the order of the eigenvectors.

References
----------
Setting: Garg, Bhattacharya, Sur, arXiv:2509.22341. Recursion: derived.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.linalg.lapack import gemm, syevd

# Functions whose values are held at once.
_TILE = 256


class Chains(NamedTuple):
    """P chains, and the law of their labels.

    Attributes
    ----------
    weights, penalties : float64 (P), weight of the real labels, and ridge times the number of samples.
    real_noise, synthetic_noise : standard deviations of the noise of labels.
    fixed : whether all generations have the same real labels.
    from_previous : whether each fit is added to the function before.
    """

    weights: np.ndarray
    penalties: np.ndarray
    real_noise: float
    synthetic_noise: float
    fixed: bool
    from_previous: bool


class SharedRows(NamedTuple):
    """Rows of R replicates along the eigenvectors of their kernel matrix.

    Attributes
    ----------
    values : float64 (R, n), eigenvalues k, ascending; 0 where they are rounding errors.
    vectors : float64 (R, n, n), eigenvectors as rows.
    given : float64 (R, C, n), given labels along the eigenvectors.
    basis : float64 (R, n, m), functions of the eigenvectors at m held-out rows.
    spread : float64 (R, n), mean squares of these functions.
    """

    values: np.ndarray
    vectors: np.ndarray
    given: np.ndarray
    basis: np.ndarray
    spread: np.ndarray


@parallel_kernel
def diagonalize(gram, values):
    """Replace kernel matrices by their eigenvectors, as rows; NaN where it fails: ``(G,n,n)->(G,n)``, O(n^3) each.

    The upper triangles of `gram` are read. Eigenvalues ascend; they are 0 where they are rounding errors.
    """
    n = gram.shape[1]
    for g in prange(gram.shape[0]):
        matrix, own = gram[g], values[g]
        for i in range(n):
            for j in range(i):
                matrix[i, j] = matrix[j, i]
        if syevd(matrix, own) != 0:
            own[:] = math.nan
        least = own[n - 1] * np.finfo(np.float64).eps * n
        for i in range(n):
            if own[i] <= least:
                own[i] = 0.0


@kernel
def _inverse(value):
    """Return 1/value, or 0 for 0: the fit of minimum norm."""
    return 0.0 if value == 0.0 else 1.0 / value


@parallel_kernel
def solve_along(values, vectors, penalties, out):
    """Replace labels by coefficients, for each penalty: ``(G,n),(G,n,n),(L)->(G,L,C,n)``, 4 L C n^2 operations each."""
    n_matrices, n_ridges, n_labels, n = out.shape
    for task in prange(n_matrices * n_ridges):
        g, j = task // n_ridges, task % n_ridges
        along = np.empty((n_labels, n))
        gemm(1.0, out[g, j], False, vectors[g], True, 0.0, along)
        for i in range(n_labels):
            for k in range(n):
                along[i, k] *= _inverse(values[g, k] + penalties[j])
        gemm(1.0, along, False, vectors[g], False, 0.0, out[g, j])


@parallel_kernel
def turn(rows, matrices, transposed, out):
    """Multiply rows by a matrix, or its transpose: ``(R,C,n),(R,n,m)->(R,C,m)``, 2 C n m operations each."""
    for r in prange(rows.shape[0]):
        gemm(1.0, rows[r], False, matrices[r], transposed, 0.0, out[r])


@parallel_kernel
def refit_shared(shared, chains, noise, is_first, along):
    """Refit all chains to new labels: ``(2,R,C,n)->(R,P,C,n)``, O(P C n) each.

    Parameters
    ----------
    shared : `SharedRows`.
    chains : `Chains`.
    noise : float64 (2, R, C, n), standard normal noise of real and of synthetic labels, along the eigenvectors.
    is_first : whether this is generation 1.
    along : float64 (R, P, C, n), the coefficients c; updated.
    """
    values, given, weights = shared.values, shared.given, chains.weights
    for task in prange(along.shape[0] * along.shape[1]):
        r, p = task // along.shape[1], task % along.shape[1]
        real, synthetic = weights[p], 1.0 - weights[p]
        for o in range(along.shape[2]):
            c, y = along[r, p, o], given[r, o]
            for k in range(c.shape[0]):
                label = real * chains.real_noise * noise[0, r, o, k]
                label += synthetic * chains.synthetic_noise * noise[1, r, o, k]
                fitted = values[r, k] * c[k]
                over = _inverse(values[r, k] + chains.penalties[p])
                if chains.from_previous:
                    c[k] += over * (label - real * fitted)
                else:
                    c[k] = over * (label + real * y[k] + synthetic * (y[k] if is_first else fitted))


@kernel
def _write_errors(along, basis, targets, work, out):
    """Write mean squared errors of chains; `targets` has no rows where they are 0: ``(P,C,n),(n,m),(C,m)->(P)``."""
    n_chains, n_outputs, n = along.shape
    m = basis.shape[1]
    values = work[: n_chains * n_outputs]
    gemm(1.0, along.reshape(n_chains * n_outputs, n), False, basis, False, 0.0, values)
    for p in range(n_chains):
        total = 0.0
        for o in range(n_outputs):
            row = values[p * n_outputs + o]
            for i in range(m):
                gap = row[i] - (targets[o, i] if targets.shape[0] else 0.0)
                total += gap * gap
        out[p] = total / (n_outputs * m)


@parallel_kernel
def errors_of_chains(along, basis, targets, n_threads, out):
    """Write mean squared errors at the held-out rows: ``(R,P,C,n),(R,n,m),(C,m)->(R,P)``, 2 P C n m operations each.

    `targets` has no rows (0, m) if functions are differences to them.
    """
    n_replicates, n_chains, n_outputs, _ = along.shape
    step = max(1, _TILE // n_outputs)
    n_tiles = (n_chains + step - 1) // step
    for thread in prange(n_threads):
        work = np.empty((min(step, n_chains) * n_outputs, basis.shape[2]))
        for task in range(thread, n_replicates * n_tiles, n_threads):
            r, first = task // n_tiles, task % n_tiles * step
            last = min(n_chains, first + step)
            _write_errors(along[r, first:last], basis[r], targets, work, out[r, first:last])


@kernel
def _moments(value, penalty, weight, generation, chains):
    """Return the mean of c over the given label, and the variance of c, in a generation from 1 on."""
    over = _inverse(value + penalty)
    kept, synthetic = value * over, 1.0 - weight
    # 1 - x is the part of a fit that is left of the one before.
    x = weight * kept if chains.from_previous else (penalty + weight * value) * over
    if x == 0.0:
        once, twice = generation, generation
    elif x >= 1.0:
        once, twice = 1.0, 1.0
    else:
        decay = math.log1p(-x)
        once = -math.expm1(generation * decay) / x
        twice = -math.expm1(2.0 * generation * decay) / (x * (2.0 - x))
    noise = (weight * chains.real_noise) ** 2 * (once * once if chains.fixed else twice)
    noise += (synthetic * chains.synthetic_noise) ** 2 * twice
    mean = 0.0
    if not chains.from_previous:
        mean = over * (weight * once + synthetic**generation * kept ** (generation - 1.0))
    return mean, over * over * noise


@parallel_kernel
def expected_errors(shared, chains, targets, generation, n_threads, out):
    """Write the expectation of `errors_of_chains` given the rows: ``(C,m)->(R,P)``, as many operations.

    Parameters
    ----------
    shared, chains, targets : as above.
    generation : number of the generation, at least 1, float64.
    n_threads : number of threads.
    out : float64 (R, P).
    """
    n_replicates, n_outputs, n = shared.given.shape
    n_chains = chains.weights.shape[0]
    step = max(1, _TILE // n_outputs)
    n_tiles = (n_chains + step - 1) // step
    for thread in prange(n_threads):
        n_held = min(step, n_chains)
        means, work = np.empty((n_held, n_outputs, n)), np.empty((n_held * n_outputs, shared.basis.shape[2]))
        spreads = np.empty(n_held)
        for task in range(thread, n_replicates * n_tiles, n_threads):
            r, first = task // n_tiles, task % n_tiles * step
            last = min(n_chains, first + step)
            for p in range(first, last):
                total = 0.0
                for k in range(n):
                    mean, variance = _moments(
                        shared.values[r, k], chains.penalties[p], chains.weights[p], generation, chains
                    )
                    total += variance * shared.spread[r, k]
                    for o in range(n_outputs):
                        means[p - first, o, k] = mean * shared.given[r, o, k]
                spreads[p - first] = total
            own = out[r, first:last]
            if chains.from_previous:
                own[:] = 0.0
            else:
                _write_errors(means[: last - first], shared.basis[r], targets, work, own)
            for p in range(last - first):
                own[p] += spreads[p]
