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
    assert found.keys() == METRICS.keys()
    assert found["test_error"].variable.dims == ("downstream_samples", axis)
    assert found["generator_shown"].variable.dims == ("shown",)
