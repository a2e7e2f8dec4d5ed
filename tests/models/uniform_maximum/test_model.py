"""Uniform maxima: metrics against their definitions, accumulated data, and many points."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.uniform_maximum.metrics import METRICS
from fastcollapse.models.uniform_maximum.model import MODEL, UniformMaximumTruth
from tests.models._block_runs import run


def test_metrics__equal_their_definitions():
    theta = np.array([[0.5, 2.0, 3.0]])
    truth = UniformMaximumTruth(theta=3.0)
    got = compute_metrics(METRICS, ModelBlock({"log_ratio": np.log(theta / 3)}), truth, METRICS)
    np.testing.assert_allclose(got["theta"], theta)
    np.testing.assert_allclose(got["log_ratio"], np.log(theta / 3))
    # Half the integral of the difference of the densities.
    np.testing.assert_allclose(got["total_variation"], (theta * (1 / theta - 1 / 3) + (3 - theta) / 3) / 2, atol=1e-15)
    np.testing.assert_allclose(got["squared_error"], (theta / 3 - 1) ** 2, atol=1e-15)


def test_accumulate__keeps_the_first_fit():
    log_ratio = run(MODEL(UniformMaximumTruth(), None, Accumulate(3, keep_real=True).schedule(20, None)), 50, 20)
    assert (log_ratio["log_ratio"] == log_ratio["log_ratio"][:, :1]).all()
    dropped = run(MODEL(UniformMaximumTruth(), None, Accumulate(3, keep_real=False).schedule(20, None)), 50, 20)
    # The real data are dropped at generation 2, and never again.
    assert (np.diff(dropped["log_ratio"])[:, 0] < 0).all()
    assert (np.diff(dropped["log_ratio"])[:, 1:] == 0).all()


def test_replace__log_is_a_gamma_variate_for_many_points():
    # One comparison: minus the logarithm times n is a sum of exponential variates.
    found = run(MODEL(UniformMaximumTruth(), None, Replace(10**15).schedule(5, None)), 20_000, 5)["log_ratio"][:, -1]
    assert stats.kstest(-found * 1e15, stats.gamma(5).cdf).pvalue > 1e-6
    assert stats.kstest(-found * 1.05e15, stats.gamma(5).cdf).pvalue < 1e-6


def test_truth__invalid_values_give_a_one_line_error():
    with pytest.raises(InputError, match=r"^truth.theta must be above 0, got 0$"):
        build(UniformMaximumTruth, {"theta": 0})
