"""Exponential means: metrics against their definitions, and the same law for every true mean."""

import numpy as np
import pytest

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate
from fastcollapse.errors import InputError
from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.exponential_mean.metrics import METRICS
from fastcollapse.models.exponential_mean.model import MODEL, ExponentialMeanTruth
from tests.models._block_runs import run


def test_metrics__equal_their_definitions():
    mean = np.array([[0.5, 3.0, 7.0]])
    truth = ExponentialMeanTruth(mean=3.0)
    got = compute_metrics(METRICS, ModelBlock({"log_ratio": np.log(mean / 3)}), truth, METRICS)
    np.testing.assert_allclose(got["log_ratio"], np.log(mean / 3))
    np.testing.assert_allclose(got["mean"], mean)
    np.testing.assert_allclose(got["squared_error"], (mean / 3 - 1) ** 2, atol=1e-15)
    np.testing.assert_allclose(got["theta_error"], (1 / mean - 1 / 3) / (1 / 3), atol=1e-15)


def test_metrics__a_collapsed_mean_has_an_infinite_theta():
    block = ModelBlock({"log_ratio": np.array([[-1e4]])})
    got = compute_metrics(METRICS, block, ExponentialMeanTruth(), METRICS)
    assert (got["mean"], got["squared_error"], got["theta_error"]) == (0, 1, np.inf)
    assert METRICS["theta_error"].variable.limits == (np.inf,)


def test_errors__do_not_depend_on_the_true_mean():
    schedule = Accumulate(n_samples=20, keep_real=True).schedule(30, None)
    first, second = (run(MODEL(ExponentialMeanTruth(mean=mean), None, schedule), 20, 30) for mean in (1.0, 10.0))
    np.testing.assert_array_equal(first["log_ratio"], second["log_ratio"])


def test_truth__invalid_values_give_a_one_line_error():
    with pytest.raises(InputError, match=r"^truth.mean must be above 0, got -1$"):
        build(ExponentialMeanTruth, {"mean": -1})
