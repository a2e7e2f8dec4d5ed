"""Metrics of symmetric mixtures against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.mixture.metrics import METRICS
from fastcollapse.models.mixture.model import MixtureTruth

SIZES = st.floats(1e-3, 1e3)


@given(SIZES, SIZES, SIZES, SIZES)
@settings(deadline=None)
def test_metrics__equal_their_definitions(mu, sigma, mu_0, sigma_0):
    states = {"mu": np.array([[mu]]), "log_sigma": np.log([[sigma]])}
    got = compute_metrics(METRICS, ModelBlock(states), MixtureTruth(mu=mu_0, sigma=sigma_0), METRICS)
    assert list(got) == list(METRICS)
    expected = [mu, np.log(sigma), (mu - mu_0) ** 2, (sigma - sigma_0) ** 2]
    np.testing.assert_allclose([value.item() for value in got.values()], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("log_sigma", [-1e7, -800.0, 300.0])
def test_metrics__are_finite_for_extreme_states(log_sigma):
    states = {"mu": np.array([[0.0]]), "log_sigma": np.array([[log_sigma]])}
    got = compute_metrics(METRICS, ModelBlock(states), MixtureTruth(mu=1.0, sigma=1.0), METRICS)
    assert all(np.isfinite(value).all() for value in got.values())
    assert got["log_sigma"].item() == log_sigma
