"""Estimates of one number: merged samples against plain definitions, and extreme values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.kernels.random.scalar_estimates import EXPONENTIAL, STABLE, UNIFORM, merge

VALUES, SIZES = st.floats(-30, 30), st.integers(1, 10**6)


@given(VALUES, SIZES, VALUES, SIZES)
@settings(deadline=None)
def test_merge__equals_the_estimate_from_both_samples(x, n, y, m):
    weights = np.array([n, m]) / (n + m)
    both = np.array([x, y])
    np.testing.assert_allclose(merge(STABLE, x, n, y, m), weights @ both, rtol=1e-9, atol=1e-12)
    expected = math.log(weights @ np.exp(both))
    np.testing.assert_allclose(merge(EXPONENTIAL, x, n, y, m), expected, rtol=1e-9, atol=1e-9)
    assert merge(UNIFORM, x, n, y, m) == max(x, y)


@pytest.mark.parametrize("law", [STABLE, EXPONENTIAL, UNIFORM])
def test_merge__an_empty_sample_changes_nothing(law):
    assert merge(law, 0.3, 5.0, 0.7, 0.0) == 0.3
    assert merge(law, 0.3, 0.0, 0.7, 5.0) == 0.7
    # Samples far apart, as real data beside a collapsed model.
    assert np.isfinite(merge(law, -5000.0, 1.0, 0.0, 1e15))
    assert np.isfinite(merge(law, 0.0, 1.0, -5000.0, 1e15))
