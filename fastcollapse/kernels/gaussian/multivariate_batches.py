"""Batches of points in d dimensions: counts, means and squares, their sums, and the pool of a window.

The pool of a replicate has W + 1 places. Place 0 is the sum of the batches of this round, or of all without a window.
Place 1 + i holds batch i of this round, or the sum of the batches of the last round from i on.
"""

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.triangular import add_square
from fastcollapse.kernels.linalg.triangular_updates import change_coordinates


@kernel
def _copy(mean, squares, to_mean, to_squares):
    d = mean.shape[0]
    for i in range(d):
        to_mean[i] = mean[i]
        for k in range(i, d):
            to_squares[i, k] = squares[i, k]


@kernel
def add_parts(count, mean, squares, more, more_mean, more_squares, apart, gap):
    """Add a batch to a sum of batches, (count, mean, squares), and return the new count: O(d^2).

    Only upper triangles are read and written. With `apart`, squares of gaps between means are left out. `gap` is work
    space, (d).
    """
    total = count + more
    if more == 0.0:
        return total
    d = mean.shape[0]
    share = more / total
    for i in range(d):
        gap[i] = more_mean[i] - mean[i] if count > 0.0 else 0.0
        mean[i] = mean[i] + share * gap[i] if count > 0.0 else more_mean[i]
        for k in range(i, d):
            squares[i, k] = squares[i, k] + more_squares[i, k] if count > 0.0 else more_squares[i, k]
    if count > 0.0 and not apart:
        add_square(count * share, gap, squares)
    return total


@kernel
def add_to_pool(batch, kept, position, discount, apart, places, pool, gap):
    """Add a batch to the pool of a replicate, write the pool and return its count: O(d^2) on average.

    Parameters
    ----------
    batch : (count, mean, squares), float64, (d) and (d, d); with `apart`, its squares become the count times its
        unbiased covariance.
    kept : whether earlier batches stay in the pool.
    position : number of the generation within its round, 0..W-1.
    discount : weight of a batch relative to the next younger one.
    apart : as in `Estimator`.
    places : counts, means and squares of the places, float64 (W+1), (W+1,d), (W+1,d,d); updated.
    pool : mean and squares of the pool, written.
    gap : float64 (d), work space.
    """
    n, batch_mean, batch_squares = batch
    counts, means, squares = places
    d, window = batch_mean.shape[0], counts.shape[0] - 1
    if not kept:
        for i in range(window + 1):
            counts[i] = 0.0
    if apart and n > 0.0:
        for i in range(d):
            for k in range(i, d):
                batch_squares[i, k] *= n / (n - 1.0)
    counts[0] *= discount
    if discount != 1.0:
        for i in range(d):
            for k in range(i, d):
                squares[0, i, k] *= discount
    counts[0] = add_parts(counts[0], means[0], squares[0], n, batch_mean, batch_squares, apart, gap)
    _copy(means[0], squares[0], pool[0], pool[1])
    total = counts[0]
    if window == 0:
        return total
    counts[1 + position] = n
    _copy(batch_mean, batch_squares, means[1 + position], squares[1 + position])
    if position + 1 < window:
        older = 2 + position
        return add_parts(total, pool[0], pool[1], counts[older], means[older], squares[older], False, gap)
    for i in range(window - 1, 0, -1):
        counts[i] = add_parts(
            counts[i], means[i], squares[i], counts[i + 1], means[i + 1], squares[i + 1], False, gap
        )  # fmt: skip
    counts[0] = 0.0
    return total


@kernel
def move_batches(lower, origin, places, work, point):
    """Change the coordinates of all batches: a point x becomes origin + C x, C lower-triangular: O(W d^3).

    `work`, (d, d), and `point`, (d), are work space.
    """
    counts, means, squares = places
    d = origin.shape[0]
    for place in range(counts.shape[0]):
        if counts[place] == 0.0:
            continue
        change_coordinates(lower, squares[place], work)
        for i in range(d):
            point[i] = means[place, i]
        for i in range(d):
            total = origin[i]
            for j in range(i + 1):
                total += lower[i, j] * point[j]
            means[place, i] = total
