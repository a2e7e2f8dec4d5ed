"""Points some generations later, by genealogies, against a twin that draws every generation.

Sixteen Kolmogorov-Smirnov tests, each with limit 1e-5, and three z-scores below 4.
"""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.density.genealogies import draw_descendants
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import run_key

P_LIMIT = 1e-5
N_REPLICATES = 6000
# Sizes and bandwidths of the generations before the one that is drawn, and its number of points.
CASES = {
    "constant": ([5] * 2, [2.0] * 2, 5),
    "growing": ([3, 4, 6, 8], [0.2, 0.9, 0.5, 1.1], 12),
    "bottleneck": ([6, 2, 1, 4], [0.5, 0.4, 0.8, 0.6], 5),
    "single": ([1, 1, 1], [0.5, 0.1, 0.7], 1),
}


def starts(n, d, n_replicates=N_REPLICATES):
    return np.broadcast_to(np.random.default_rng(1).normal(size=(1, n, d)) * 2, (n_replicates, n, d)).copy()


def drawn(points, sizes, h, n, n_threads=2, first=0):
    out = np.full((len(points), n + 2, points.shape[2]), np.nan)
    span = span_of(run_key(3, first), 1, 0, n_threads)
    draw_descendants(points, np.array(sizes), np.square(np.array(h, float)), n, 9, span, normal_table(), out)
    assert np.isnan(out[:, n:]).all()
    return out[:, :n]


def twin(points, sizes, h, n, seed=5):
    """Draw every generation."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(points))[:, None]
    for size, own, width in zip(sizes, [*sizes[1:], n], h, strict=True):
        parents = rng.integers(size, size=(len(points), own))
        points = points[rows, parents] + width * rng.standard_normal((len(points), own, points.shape[2]))
    return points


def p_values(got, expected):
    """Return p-values of the last point, the mean, the variance within, and the least distance of two points."""

    def columns(points):
        gaps = np.linalg.norm(points[:, :, None] - points[:, None], axis=3) + 1e9 * np.eye(points.shape[1])
        return [points[:, -1, -1], points[:, :, 0].mean(1), points.var(axis=1).mean(1), gaps.min(axis=(1, 2))]

    pairs = zip(columns(got), columns(expected), strict=True)
    return np.array([stats.ks_2samp(mine, other).pvalue for mine, other in pairs])


@pytest.mark.parametrize("case", CASES)
def test_draw_descendants__has_the_law_of_the_chain(case):
    sizes, h, n = CASES[case]
    points = starts(sizes[0], 2)
    got = drawn(points, sizes, h, n)
    assert p_values(got, twin(points, sizes, h, n)).min() > P_LIMIT
    # Negative control: one generation more.
    assert p_values(got, twin(points, [*sizes, n], [*h, h[-1]], n)).min() < P_LIMIT
    if n > 1:
        # Negative control: independent branches, which have the same law of each point.
        rng = np.random.default_rng(7)
        alone = rng.permuted(twin(points, sizes, h, n), axis=0)
        alone[..., 1] = rng.permuted(alone[..., 1], axis=0)
        assert p_values(got, alone)[0] > P_LIMIT
        assert p_values(got, alone)[1:].min() < P_LIMIT


def test_draw_descendants__coalesce_as_in_wright_and_fisher():
    """Two points have the same ancestor l generations back with probability 1 - (1 - 1/n)^l."""
    n, n_replicates = 8, 4000
    points = np.broadcast_to(np.arange(float(n))[None, :, None], (n_replicates, n, 1)).copy()
    for n_steps in (1, 3, 8):
        got = drawn(points, [n] * n_steps, [0.0] * n_steps, n)[..., 0]
        assert set(np.unique(got)) == set(range(n))
        same = (got[:, :, None] == got[:, None]).sum(axis=(1, 2)) - n
        share, error = same.mean() / (n * (n - 1)), same.std() / (n * (n - 1)) / np.sqrt(n_replicates)
        assert abs(share - (1 - (1 - 1 / n) ** n_steps)) < 4 * error
        assert abs(share - (1 - (1 - 1 / n) ** (n_steps + 1))) > 4 * error


def test_draw_descendants__has_the_bits_of_the_replicate():
    sizes, h, n = CASES["growing"]
    points = starts(3, 2, 7)
    expected = drawn(points, sizes, h, n, 1)
    np.testing.assert_array_equal(drawn(points, sizes, h, n, 3), expected)
    np.testing.assert_array_equal(drawn(points[4:], sizes, h, n, 2, first=4), expected[4:])
