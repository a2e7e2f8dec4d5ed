"""The order of held-out points, in which neighbours are evaluated side by side."""

import numpy as np

from fastcollapse.kernels.density.exponents import LANES


def in_boxes(points: np.ndarray) -> np.ndarray:
    """Return points of each replicate in an order that has near ones in the same block of LANES.

    The points are halved at the median of the coordinate of the largest range, again and again, as in a k-d tree.
    Metrics are means over them, so that the order is free.

    Parameters
    ----------
    points : float64 (R, M, d).

    Examples
    --------
    >>> points = np.array([[[float(i % 2)] for i in range(256)]])
    >>> in_boxes(points)[0, [0, 127, 128, 255], 0]
    array([0., 0., 1., 1.])
    """
    found = points.copy()
    halves = [(0, points.shape[1])]
    while halves:
        low, high = halves.pop()
        n_blocks = -(-(high - low) // LANES)
        if n_blocks < 2:
            continue
        part = found[:, low:high]
        widest = np.ptp(part, axis=1).argmax(axis=1)  # exact, so that no bit depends on the number of replicates
        keys = np.take_along_axis(part, widest[:, None, None], axis=2)[:, :, 0]
        order = np.argsort(keys, axis=1, kind="stable")
        found[:, low:high] = np.take_along_axis(part, order[:, :, None], axis=1)
        middle = low + n_blocks // 2 * LANES
        halves += [(low, middle), (middle, high)]
    return found
