"""Uniform subsamples of a pool of points, exact, in time linear in the size of the subsample."""

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import uniform_below


@kernel
def choose_first(pool, n_points, n_chosen, stream):
    """Move a uniform subset of the first `n_points` entries of `pool` to its front: ``(K)->(K)``, O(n_chosen).

    Fisher-Yates, stopped after `n_chosen` <= `n_points` steps. The order of the other entries changes: a pool has no
    order.
    """
    for i in range(n_chosen):
        j = i + uniform_below(n_points - i, stream)
        pool[i], pool[j] = pool[j], pool[i]


@kernel
def copy_chosen(pool, n_points, replacement, stream, out):
    """Write a subsample of the first `n_points` entries to `out`, with or without replacement: ``(K)->(n)``, O(n).

    Without replacement it permutes `pool`, see `choose_first`.
    """
    n_chosen = out.shape[0]
    if replacement:
        for i in range(n_chosen):
            out[i] = pool[uniform_below(n_points, stream)]
        return
    choose_first(pool, n_points, n_chosen, stream)
    for i in range(n_chosen):
        out[i] = pool[i]


@kernel
def longest(sizes, first, n_generations):
    """Return the largest of the sizes of the generations from `first` on, at least 1: ``(T)->()``."""
    most = 1
    for t in range(first - 1, first - 1 + n_generations):
        most = max(most, sizes[t])
    return most


@kernel
def mean_and_squares(points):
    """Return the mean and the sum of squares about it: ``(n)->(),()``, O(n).

    Two passes, in order. The rounding error of the mean is corrected.
    """
    n = points.shape[0]
    total = 0.0
    for i in range(n):
        total += points[i]
    mean = total / n
    squares, rest = 0.0, 0.0
    for i in range(n):
        gap = points[i] - mean
        squares += gap * gap
        rest += gap
    return mean + rest / n, squares - rest * rest / n
