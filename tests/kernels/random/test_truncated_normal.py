"""The law of truncated normal variates."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.kernels.random.truncated_normal import truncated_normal
from fastcollapse.kernels.random.ziggurat import normal_table

# 12 goodness-of-fit tests, 1e-6 each.
P_LIMIT = 1e-6


@kernel
def fill(cut, normals, stream, out):
    for i in range(out.shape[0]):
        out[i] = truncated_normal(cut, normals, stream)


def variates(cut, n=200_000):
    stream, out = np.empty(STREAM_WORDS, np.uint64), np.empty(n)
    open_stream(np.uint64(1), np.uint64(0), np.uint64(1), np.uint64(0), np.uint64(1), stream)
    fill(cut, normal_table(), stream, out)
    return out


@pytest.mark.parametrize("cut", [1e-3, 0.5, 1.2, 1.3, 2.0, 6.0])
def test_truncated_normal__law(cut):
    got = variates(cut)
    assert np.abs(got).max() <= cut
    assert stats.kstest(got, stats.truncnorm(-cut, cut).cdf).pvalue > P_LIMIT
    # Negative control: another cut, or for a far one another law.
    wrong = stats.truncnorm(-1.1 * cut, 1.1 * cut) if cut < 3 else stats.norm(scale=1.03)
    assert stats.kstest(got, wrong.cdf).pvalue < P_LIMIT


def test_truncated_normal__without_cut_is_normal():
    assert stats.kstest(variates(np.inf), "norm").pvalue > P_LIMIT
