"""Means, sums of squares and covariances of points, and linear maps of points by Cholesky factors."""

import math

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange


@parallel_kernel
def add_moments(points, first, end, n_threads, mean, squares):
    """Add points first..end-1 to the means and the sums of squares about them: ``(R,N,d)->(R,d),(R,d)``.

    `mean` and `squares` are those of the first `first` points, as a pool has them (Chan et al., 1983). Two passes.
    """
    n = float(end - first)
    for thread in prange(n_threads):
        for replicate in range(thread, points.shape[0], n_threads):
            for k in range(points.shape[2]):
                total = 0.0
                for i in range(first, end):
                    total += points[replicate, i, k]
                centre = total / n
                spread, rest = 0.0, 0.0
                for i in range(first, end):
                    gap = points[replicate, i, k] - centre
                    spread += gap * gap
                    rest += gap
                centre += rest / n
                spread = max(0.0, spread - rest * rest / n)
                if first == 0:
                    mean[replicate, k], squares[replicate, k] = centre, spread
                else:
                    gap = centre - mean[replicate, k]
                    share = n / (first + n)
                    mean[replicate, k] += gap * share
                    squares[replicate, k] += spread + gap * gap * (first * share)


@parallel_kernel
def covariances(points, n, mean, n_threads, out):
    """Write the unbiased covariances of the first n points: ``(R,N,d),(R,d)->(R,d,d)``."""
    d = points.shape[2]
    for thread in prange(n_threads):
        for replicate in range(thread, points.shape[0], n_threads):
            for j in range(d):
                for k in range(j + 1):
                    total = 0.0
                    for i in range(n):
                        total += (points[replicate, i, j] - mean[replicate, j]) * (
                            points[replicate, i, k] - mean[replicate, k]
                        )
                    out[replicate, j, k] = total / (n - 1)
                    out[replicate, k, j] = total / (n - 1)


@kernel
def factorise(matrices, out):
    """Write the lower Cholesky factors: ``(Q,d,d)->(Q,d,d)``, O(d^3); NaN where not positive definite."""
    d = matrices.shape[1]
    for q in range(matrices.shape[0]):
        for j in range(d):
            for k in range(d):
                out[q, j, k] = 0.0
            for k in range(j + 1):
                total = matrices[q, j, k]
                for i in range(k):
                    total -= out[q, j, i] * out[q, k, i]
                if j == k:
                    out[q, j, j] = math.sqrt(total) if total > 0.0 else math.nan
                else:
                    out[q, j, k] = total / out[q, k, k]


@parallel_kernel
def whiten(points, first, end, factors, n_threads, out):
    """Write L^-1 x for points first..end-1: ``(P,N,d),(Q,d,d)->(R,N,d)``, O(R N d^2), where P and Q are R or 1."""
    for thread in prange(n_threads):
        for replicate in range(thread, out.shape[0], n_threads):
            own = points[min(replicate, points.shape[0] - 1)]
            factor = factors[min(replicate, factors.shape[0] - 1)]
            for i in range(end - first):
                for j in range(factor.shape[0]):
                    total = own[first + i, j]
                    for k in range(j):
                        total -= factor[j, k] * out[replicate, i, k]
                    out[replicate, i, j] = total / factor[j, j]
