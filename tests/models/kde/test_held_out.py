"""The order of held-out points."""

import numpy as np

from fastcollapse.kernels.density.exponents import LANES
from fastcollapse.models.kde.held_out import in_boxes


def test_in_boxes__keeps_the_points_and_has_small_blocks():
    points = np.random.default_rng(0).normal(size=(3, 500, 2))
    found = in_boxes(points)
    for mine, other in zip(found, points, strict=True):
        np.testing.assert_array_equal(mine[np.lexsort(mine.T)], other[np.lexsort(other.T)])
    blocks = [found[:, low : low + LANES] for low in range(0, 500, LANES)]
    assert (
        max(np.ptp(block, axis=1).prod(axis=1).mean() for block in blocks) < 0.5 * np.ptp(points, axis=1).prod(1).mean()
    )
    # A replicate does not depend on the others; few points stay in their order.
    np.testing.assert_array_equal(in_boxes(points[1:2]), found[1:2])
    np.testing.assert_array_equal(in_boxes(points[:, :LANES]), points[:, :LANES])
