"""Stable means: scales in units of the truth, many points, and refused values."""

import re

import numpy as np
import pytest

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Replace
from fastcollapse.errors import InputError
from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.stable_mean.metrics import METRICS
from fastcollapse.models.stable_mean.model import MODEL, StableMeanTruth
from fastcollapse.theory.counterexamples.stable_mean import stable_quantile
from tests.models._block_runs import run


def model(n_generations=2, n_samples=10, **truth):
    return MODEL(StableMeanTruth(**truth), None, Replace(n_samples=n_samples).schedule(n_generations, None))


def test_error__is_in_units_of_the_scale():
    [first, second] = [run(model(alpha=1.5, scale=scale), 50, 2)["error"] for scale in (1.0, 4.0)]
    np.testing.assert_array_equal(second, 4 * first)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.0])
def test_first_fit__to_many_points(alpha):
    error = np.abs(run(model(1, 10**15, alpha=alpha), 20_000, 1)["error"][:, 0])
    below = (error < 1e15 ** (1 / alpha - 1) * stable_quantile(alpha, 0.5)).sum()
    # One comparison each, of 5 standard errors.
    assert abs(below - 10_000) < 5 * np.sqrt(5000)


def test_metrics__equal_the_state():
    errors = np.array([[0.0, -3.0]])
    got = compute_metrics(METRICS, ModelBlock({"error": errors}), StableMeanTruth(alpha=1.0), METRICS)
    np.testing.assert_array_equal(got["error"], errors)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "truth.alpha is required"),
        ({"alpha": 0}, "truth.alpha must be above 0, got 0"),
        ({"alpha": 2.5}, "truth.alpha must be at most 2, got 2.5"),
        ({"alpha": 1.0, "scale": 0.0}, "truth.scale must be above 0, got 0.0"),
    ],
)
def test_truth__invalid_values_give_a_one_line_error(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        build(StableMeanTruth, values)


def test_alpha__so_small_that_errors_overflow_is_refused():
    message = "truth.alpha must be at least 0.071 for 20 points, so that errors are finite numbers, got 0.05"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        model(alpha=0.05)
    with pytest.raises(InputError, match=r"truth.alpha must be at least 0.106 for 20 points"):
        model(alpha=0.1, scale=1e99)
    assert np.isfinite(run(model(alpha=0.072), 10_000, 2)["error"]).all()
