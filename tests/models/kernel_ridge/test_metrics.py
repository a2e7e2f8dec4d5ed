"""Metrics of kernel ridge regressions: available metrics, and their computation by the model."""

import pytest

from fastcollapse.models.kernel_ridge.metrics import METRICS, available
from fastcollapse.models.kernel_ridge.model import KernelRidge


def parameters(**more):
    return KernelRidge.PARAMETERS(kernel="rbf", sigma=0.1, **more)


def test_metrics__are_computed_by_the_model():
    assert [metric.function for metric in METRICS.values()] == [None] * len(METRICS)


@pytest.mark.parametrize("axis", ["ridge", "exponent"])
def test_available__contains_downstream_metrics_with_a_predictor(axis):
    assert set(available(parameters())) == {"generator_error", "generator_accuracy", "generator_shown"}
    found = available(parameters(downstream={"n_samples": 5, axis: 0.1}))
    assert METRICS.keys() - found.keys() == {"mixed_error", "mixed_expected", "generator_expected"}
    assert found["test_error"].variable.dims == ("downstream_samples", axis)
    assert found["generator_shown"].variable.dims == ("shown",)


def test_available__contains_expectations_where_rows_are_shared():
    mixed = {"mixed_labels": {"weight": 0.5}}
    assert set(available(parameters(**mixed))) - set(available(parameters())) == {"mixed_error"}
    found = available(parameters(designs="dependent", **mixed))
    assert METRICS.keys() - found.keys() == {"test_error", "test_accuracy"}
    assert found["mixed_expected"].variable.dims == found["mixed_error"].variable.dims == ("weight", "ridge")
    assert "mixed_expected" not in available(parameters(designs="dependent"))
    assert "generator_expected" in available(parameters(start="previous"))
