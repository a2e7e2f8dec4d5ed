"""Stable variates: their law against SciPy and closed forms, and extreme words."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.stable import stable
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.theory.counterexamples.stable_mean import stable_quantile

# 9 tests of goodness of fit, 1e-6 each: 1e-5 in all.
P_LIMIT = 1e-6


@kernel
def fill(alpha, seed, out):
    stream = np.empty(STREAM_WORDS, np.uint64)
    open_stream(seed, 0, 0, 0, 1, stream)
    for i in range(out.shape[0]):
        out[i] = stable(alpha, stream)


def variates(alpha, size=100_000):
    out = np.empty(size)
    fill(float(alpha), np.uint64(3), out)
    return out


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9, 1.0, 1.3, 1.8, 2.0])
def test_stable__has_the_quantiles_of_its_law(alpha):
    found = variates(alpha)
    assert stats.binomtest(int((found > 0).sum()), len(found)).pvalue > P_LIMIT
    cells = np.linspace(0.01, 0.99, 50)
    counts = np.diff(np.searchsorted(np.sort(np.abs(found)), stable_quantile(alpha, cells)))
    probability = np.full(49, 0.02)
    expected = len(found) * probability
    assert stats.chi2.sf(((counts - expected) ** 2 / (expected * (1 - 0.02))).sum(), 49) > P_LIMIT
    wrong = np.diff(np.searchsorted(np.sort(1.2 * np.abs(found)), stable_quantile(alpha, cells)))
    if alpha > 0.2:  # the law of the logarithm is too wide to show the factor
        assert stats.chi2.sf(((wrong - expected) ** 2 / (expected * (1 - 0.02))).sum(), 49) < P_LIMIT


def test_stable__of_known_laws():
    assert stats.kstest(variates(1), stats.cauchy.cdf).pvalue > P_LIMIT
    assert stats.kstest(variates(2) / math.sqrt(2), stats.norm.cdf).pvalue > P_LIMIT
    assert stats.kstest(variates(2), stats.norm.cdf).pvalue < P_LIMIT


def test_stable__has_its_characteristic_function():
    # 12 z-scores, limit 5.
    k = np.array([0.1, 0.5, 1.0, 2.0])
    for alpha in (0.4, 1.0, 1.7):
        cosines = np.cos(k * variates(alpha)[:, None])
        z = (cosines.mean(axis=0) - np.exp(-(k**alpha))) / (cosines.std(axis=0) / math.sqrt(len(cosines)))
        assert np.abs(z).max() < 5
        wrong = (cosines.mean(axis=0) - np.exp(-((1.05 * k) ** alpha))) / (
            cosines.std(axis=0) / math.sqrt(len(cosines))
        )
        assert np.abs(wrong).max() > 5


def test_stable__is_finite():
    assert np.isfinite(variates(0.1, 10**6)).all()
