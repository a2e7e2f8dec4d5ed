"""Metrics of kernel ridge regressions: numbers that are read off states."""

import numpy as np
import pytest

from fastcollapse.models.base import StateBlock
from fastcollapse.models.kernel_ridge.metrics import METRICS, available, metrics_of
from fastcollapse.models.kernel_ridge.model import KernelRidge

RNG = np.random.default_rng(1)
STATES = {
    "generator": RNG.random((2, 3, 2)),
    "shown": RNG.random((2, 3, 5)),
    "predictor": RNG.random((2, 3, 4, 6, 2)),
}


def parameters(**more):
    return KernelRidge.PARAMETERS(kernel="rbf", sigma=0.1, **more)


def test_metrics__are_those_of_the_states():
    found = metrics_of(StateBlock(STATES), None)
    assert found.keys() == METRICS.keys()
    np.testing.assert_array_equal(found["generator_error"], STATES["generator"][..., 0])
    np.testing.assert_array_equal(found["generator_accuracy"], STATES["generator"][..., 1])
    np.testing.assert_array_equal(found["generator_shown"], STATES["shown"])
    np.testing.assert_array_equal(found["test_error"], STATES["predictor"][..., 0])
    np.testing.assert_array_equal(found["test_accuracy"], STATES["predictor"][..., 1])
    alone = {name: values for name, values in STATES.items() if name != "predictor"}
    assert set(metrics_of(StateBlock(alone), None)) == {"generator_error", "generator_accuracy", "generator_shown"}
    assert set(metrics_of(StateBlock(STATES), None, ["test_error"])) == {"test_error"}


@pytest.mark.parametrize("axis", ["ridge", "exponent"])
def test_metrics__downstream_are_there_where_a_predictor_is(axis):
    assert set(available(parameters())) == {"generator_error", "generator_accuracy", "generator_shown"}
    found = available(parameters(downstream={"n_samples": 5, axis: 0.1}))
    assert found.keys() == METRICS.keys()
    assert found["test_error"].dims == ("downstream_samples", axis)
    assert found["generator_shown"].dims == ("shown",)
