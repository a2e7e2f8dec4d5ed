"""Subsamples of a pool of single points, uniform and exact, in time linear in the subsample whatever the pool."""

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import uniform_below


@kernel
def choose_first(pool, n_points, n_chosen, stream):
    """Bring a uniform subset of the first `n_points` >= `n_chosen` entries to the front of `pool`: Fisher and Yates,
    stopped early.

    The order of the others changes with it: a pool has no order.
    """
    for i in range(n_chosen):
        j = i + uniform_below(n_points - i, stream)
        pool[i], pool[j] = pool[j], pool[i]


@kernel
def copy_chosen(pool, n_points, replacement, stream, out):
    """Write a subsample of the first `n_points` entries to `out`: ``(K)->(n)``, with or without replacement."""
    n_chosen = out.shape[0]
    if replacement:
        for i in range(n_chosen):
            out[i] = pool[uniform_below(n_points, stream)]
        return
    choose_first(pool, n_points, n_chosen, stream)
    for i in range(n_chosen):
        out[i] = pool[i]


@kernel
def mean_and_squares(points):
    """Return the mean and the sum of squares about it: two passes, in order, with the correction of what the mean
    rounds.
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
