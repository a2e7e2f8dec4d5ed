"""Metrics of Poisson laws against their definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.poisson.metrics import METRICS
from fastcollapse.models.poisson.model import PoissonTruth

RATES = st.floats(0, 1e15)


@given(st.lists(RATES, min_size=1, max_size=5), st.floats(1e-300, 1e15))
@settings(deadline=None)
def test_metrics__equal_their_definitions(rates, truth):
    got = compute_metrics(METRICS, ModelBlock({"rate": np.array([rates])}), PoissonTruth(rate=truth), METRICS)
    assert list(got) == list(METRICS)
    np.testing.assert_array_equal(got["rate"], [rates])
    np.testing.assert_array_equal(got["alive"], [[float(rate > 0) for rate in rates]])
    np.testing.assert_array_equal(got["squared_error"], [[(rate - truth) * (rate - truth) for rate in rates]])


def test_alive__is_1_for_the_smallest_positive_rate():
    got = compute_metrics(METRICS, ModelBlock({"rate": np.array([[5e-324, 0.0]])}), PoissonTruth(rate=1.0), METRICS)
    np.testing.assert_array_equal(got["alive"], [[1.0, 0.0]])
