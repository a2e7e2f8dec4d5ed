"""Maps of a normal law against densities, and the law of standard batches."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.gaussian.univariate_map import UnivariateSource, mapped, standard_batch
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.kernels.random.ziggurat import normal_table

# 14 goodness-of-fit tests, 1e-6 each.
P_LIMIT = 1e-6
TRUTH = (0.0, 1.0, 0.0)


def moments_by_density(mean, sigma, log_weight):
    """Return mean and deviation of the law of density N(mean, sigma^2) times a weight, on a grid."""
    x = mean + sigma * np.linspace(-40, 40, 400_001)
    logs = stats.norm(mean, sigma).logpdf(x) + log_weight(x)
    p = np.exp(logs - logs.max())
    p /= p.sum()
    centre = (p * x).sum()
    return centre, math.sqrt((p * (x - centre) ** 2).sum())


MAPS = [
    ({"tilt": 0.7}, lambda x: 0.7 * x),
    ({"tilt": -3.0}, lambda x: -3 * x),
    ({"centre": 0.5, "log_width": math.log(2)}, lambda x: -((x - 0.5) ** 2) / 8),
    ({"centre": -4.0, "log_width": math.log(0.3)}, lambda x: -((x + 4) ** 2) / (2 * 0.09)),
]


@pytest.mark.parametrize(("keys", "log_weight"), MAPS)
@pytest.mark.parametrize(("mean", "sigma"), [(0.3, 1.0), (-1.0, 0.4), (2.0, 1.7)])
def test_mapped__equals_weighted_density(keys, log_weight, mean, sigma):
    shift, log_sigma, _ = mapped(mean, math.log(sigma), UnivariateSource(*TRUTH, **keys), 1)
    expected = moments_by_density(mean, sigma, log_weight)
    np.testing.assert_allclose([mean + sigma * shift, math.exp(log_sigma)], expected, rtol=1e-9)


@pytest.mark.parametrize("log_sigma", [-2000.0, -1.0, 0.0, 300.0])
def test_mapped__without_a_map_is_the_identity(log_sigma):
    assert mapped(0.3, log_sigma, UnivariateSource(*TRUTH), 1) == (0.0, log_sigma, math.inf)
    source = UnivariateSource(*TRUTH, log_scale=-0.5, cut=2.0)
    assert mapped(0.3, log_sigma, source, 1) == (0.0, log_sigma - 0.5, 2.0)
    # The batch of generation 1 may be real data.
    assert mapped(0.3, log_sigma, source._replace(first=2), 1) == (0.0, log_sigma, math.inf)
    assert mapped(0.3, log_sigma, source._replace(first=2), 2) == (0.0, log_sigma - 0.5, 2.0)


def test_mapped__extreme_widths_neither_overflow_nor_underflow():
    narrow = UnivariateSource(*TRUTH, centre=2.0, log_width=-600.0)
    assert mapped(0.5, 200.0, narrow, 1) == (1.5 * math.exp(-200.0), -600.0, math.inf)
    shift, log_sigma, _ = mapped(0.5, -900.0, UnivariateSource(*TRUTH, centre=2.0, log_width=0.0), 1)
    assert (shift, log_sigma) == (0.0, -900.0)


def batches(n, cut, n_batches):
    stream, normals = np.empty(STREAM_WORDS, np.uint64), normal_table()
    open_stream(np.uint64(2), np.uint64(0), np.uint64(1), np.uint64(0), np.uint64(1), stream)
    return np.array([standard_batch(float(n), cut, normals, stream) for _ in range(n_batches)])


@pytest.mark.parametrize("n", [2, 3, 9])
@pytest.mark.parametrize("cut", [0.8, 2.0, math.inf])
def test_standard_batch__law(n, cut):
    got = batches(n, cut, 20_000)
    law = stats.truncnorm(-cut, cut) if cut < math.inf else stats.norm
    points = law.rvs(size=(20_000, n), random_state=3)
    assert (got[:, 0] == n).all()
    for mine, expected in ((got[:, 1], points.mean(axis=1)), (got[:, 2], n * points.var(axis=1))):
        assert stats.ks_2samp(mine, expected).pvalue > P_LIMIT
        assert stats.ks_2samp(mine, 1.3 * expected).pvalue < P_LIMIT


def test_standard_batch__of_few_points_has_no_squares():
    for cut in (1.5, math.inf):
        assert (batches(0, cut, 5) == 0).all()
        assert (batches(1, cut, 5)[:, 2] == 0).all()
        assert np.ptp(batches(1, cut, 5)[:, 1]) > 0
