"""Metrics of linear regressions: definitions and extreme states."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.models.base import ModelBlock
from fastcollapse.models.ridge.downstream_parameters import MixedDownstreamParameters
from fastcollapse.models.ridge.metrics import BESIDE, DOWNSTREAM, METRICS, PARTS, available, metrics_of

FEW = settings(deadline=None, max_examples=40)


def truth_of(spectrum, weights):
    weights = np.asarray(weights, dtype=float)
    return SimpleNamespace(spectrum=np.asarray(spectrum, float), weights=weights, norm=np.linalg.norm(weights))


@FEW
@given(st.integers(0, 10**6), st.integers(1, 7))
def test_metrics__equal_their_definitions(seed, d):
    rng = np.random.default_rng(seed)
    truth, inside = truth_of(rng.uniform(0.1, 3, d), rng.standard_normal(d)), rng.standard_normal((2, 3, d))
    got = metrics_of(ModelBlock({"inside": inside}), truth)
    assert set(got) == set(METRICS) - set(BESIDE)
    for r, b in np.ndindex(2, 3):
        w = inside[r, b]
        gap = w - truth.weights
        np.testing.assert_allclose(got["generator_error"][r, b], gap @ np.diag(truth.spectrum) @ gap)
        np.testing.assert_allclose(got["generator_norm"][r, b], np.linalg.norm(w))
        cosine = w @ truth.weights / (np.linalg.norm(w) * np.linalg.norm(truth.weights))
        np.testing.assert_allclose(got["generator_alignment"][r, b], cosine, atol=1e-12)


@FEW
@given(st.integers(0, 10**6), st.integers(1, 7), st.floats(0.1, 10))
def test_overlaps__give_the_same_metrics_as_weights(seed, d, variance):
    rng = np.random.default_rng(seed)
    truth, inside = truth_of(np.full(d, variance), rng.standard_normal(d)), rng.standard_normal((2, 3, d))
    expected = metrics_of(ModelBlock({"inside": inside}), truth)
    overlaps = {
        "overlap": inside @ truth.weights,
        "squared_norm": (inside**2).sum(-1),
        "squared_gap": ((inside - truth.weights) ** 2).sum(-1),
    }
    got = metrics_of(ModelBlock(overlaps), truth)
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-9, atol=1e-12)


def test_error__is_0_for_the_truth_and_accurate_near_it():
    truth = truth_of([2.0, 1.0], [1.0, 2.0])
    inside = np.array([[[1.0, 2.0], [1.0 + 2**-40, 2.0]]])
    error = metrics_of(ModelBlock({"inside": inside}), truth, ["generator_error"])["generator_error"]
    np.testing.assert_array_equal(error, [[0.0, 2 * 2.0**-80]])
    overlaps = {
        "overlap": np.full((1, 1), 5.0),
        "squared_norm": np.full((1, 1), 5.0),
        "squared_gap": np.full((1, 1), 1e-30),
    }
    assert metrics_of(ModelBlock(overlaps), truth)["generator_error"] == 2e-30


def test_alignment__is_a_cosine_for_tiny_weights():
    truth = truth_of([1.0, 1.0], [3e-90, 4e-90])
    inside = np.array([[[3e-80, 4e-80], [-3e-70, -4e-70], [0.0, 0.0], [3e120, 4e120], [4.0, -3.0]]])
    got = metrics_of(ModelBlock({"inside": inside}), truth)
    np.testing.assert_allclose(got["generator_alignment"], [[1.0, -1.0, 0.0, 1.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(got["generator_norm"], [[5e-80, 5e-70, 0.0, 5e120, 5.0]])
    # Rounding must not give a cosine above 1.
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((1, 1000, 3))
    for w in weights[0, :50]:
        along = metrics_of(ModelBlock({"inside": w[None, None] * 3}), truth_of([1.0] * 3, w))["generator_alignment"]
        assert along <= 1


def test_predictor__metrics_are_its_columns():
    truth, rng = truth_of([1.0, 2.0], [3.0, 4.0]), np.random.default_rng(2)
    predictor = rng.uniform(1, 2, (2, 3, 4, 5, 6))
    got = metrics_of(ModelBlock({"inside": rng.standard_normal((2, 3, 2)), "predictor": predictor}), truth)
    assert set(got) == set(METRICS) - {"mixed_error"}
    for i, name in enumerate(("test_error", "test_bias", "test_variance", "test_synthetic")):
        np.testing.assert_array_equal(got[name], predictor[..., i])
    np.testing.assert_array_equal(got["test_norm"], np.sqrt(predictor[..., 4]))
    expected = predictor[..., 5] / (5 * np.sqrt(predictor[..., 4]))
    np.testing.assert_allclose(got["test_alignment"], expected)
    # All metrics are NaN for generations without a predictor.
    predictor[:, 1] = np.nan
    got = metrics_of(ModelBlock({"inside": np.zeros((2, 3, 2)), "predictor": predictor}), truth)
    for name in DOWNSTREAM:
        assert np.isnan(got[name][:, 1]).all(), name
        assert not np.isnan(got[name][:, [0, 2]]).any()
    assert set(PARTS) < set(DOWNSTREAM)


def test_metrics__contain_only_the_given_names():
    block = ModelBlock({"inside": np.ones((1, 1, 2))})
    assert list(metrics_of(block, truth_of([1.0, 1.0], [1.0, 1.0]), ["generator_norm"])) == ["generator_norm"]


@pytest.mark.parametrize("axis", ["ridge", "exponent"])
def test_available__has_the_axes_of_the_predictor(axis):
    assert set(available(SimpleNamespace(downstream=None, mixed_labels=None))) == set(METRICS) - set(BESIDE)
    down = MixedDownstreamParameters(n_samples=9, **{axis: 0.1})
    found = available(SimpleNamespace(downstream=down, mixed_labels=None))
    assert set(found) == set(METRICS) - {"mixed_error", "test_cross"}
    assert "mixed_error" in available(SimpleNamespace(downstream=None, mixed_labels="any"))
    assert found["test_error"].variable.dims == ("downstream_samples", axis)
    assert found["generator_error"].variable.dims == ()
    shared = MixedDownstreamParameters(n_samples=9, synthetic_share=0.5, **{axis: 0.1})
    found = available(SimpleNamespace(downstream=shared, mixed_labels=None))
    assert set(found) == set(METRICS) - {"mixed_error"}
    assert found["test_cross"].variable.dims == ("downstream_samples", "synthetic_share", axis)
