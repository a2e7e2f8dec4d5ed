"""Quantiles of extinction times, against the recursion, the expansion and simulation."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.collapse_constants import g
from fastcollapse.theory.discrete.extinction_time import (
    forgetting_cdf,
    forgetting_median_law,
    forgetting_quantile,
    forgetting_quantile_expansion,
)


def test_extinction_time__quantile_is_first_generation_of_recursion():
    values = g(20_000)
    c = np.array([0.1, 1, 2, 10, 100, 1000, 3000])
    for q in (0.05, 0.5, 0.6):
        expected = [np.argmax(values <= np.log(1 / q) / count) for count in c]
        assert forgetting_quantile(c, q).tolist() == expected
    k = forgetting_quantile(c, 0.5)
    assert (forgetting_cdf(c, k) >= 0.5).all()
    # Negative control: one generation earlier the median is not reached.
    assert (forgetting_cdf(c, k - 1) < 0.5).all()


def test_extinction_time__expansion_and_law():
    c = np.array([100, 10**4, 10**6, 10**9])
    got = forgetting_quantile(c, 0.5)
    assert got[0] == 286
    assert (got == np.ceil(forgetting_quantile_expansion(c, 0.5))).all()
    np.testing.assert_allclose(forgetting_median_law(c) / got, 1, atol=0.01)
    assert round(float(forgetting_median_law(1)), 3) == 2.885


def test_extinction_time__law_against_simulation():
    rng, n, c, replicates = np.random.default_rng(29), 10**7, 5, 40_000
    copies, z, off = np.full(replicates, c), [], []
    for k in range(1, 21):
        copies = rng.binomial(n, copies / n)
        expected, early = forgetting_cdf(c, [k, k - 1])
        error = np.sqrt(expected * (1 - expected) / replicates)
        z.append(abs((copies == 0).mean() - expected) / error)
        off.append(abs((copies == 0).mean() - early) / error)
    # 20 comparisons: |z| > 4.5 has probability 1.4e-4 in all.
    assert max(z) < 4.5 < max(off)


def test_extinction_time__refuses():
    with pytest.raises(InputError, match="q must be strictly between 0 and 1, got 1"):
        forgetting_quantile(10, 1.0)
    with pytest.raises(InputError, match="c must be strictly between 0 and inf, got 0"):
        forgetting_cdf(0, 1)
    with pytest.raises(InputError, match=r"c/ln\(1/q\) must be at most 1e15"):
        forgetting_quantile(1e16, 0.5)
