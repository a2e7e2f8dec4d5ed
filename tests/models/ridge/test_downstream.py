"""Downstream predictors: selected generations, streams, and errors for labels of the truth."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.models.ridge.downstream import Predictor
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import RidgeTruth

PLAN = {"n_samples": [5, 30], "ridge": [0.0, 0.5], "generations": [0, 3]}


def predictor(**more):
    truth = RidgeTruth(dimension=6, w0="random").load(None)
    parameters = RidgeParameters(designs="independent", sigma=0.5, downstream={**PLAN, **more})
    return truth, Predictor(truth, parameters, 4, ("metrics",))


def test_train__gives_nan_for_other_generations():
    truth, trained = predictor()
    weights = np.tile(truth.weights, (2, 4, 1)) + np.linspace(0, 1, 4)[:, None]
    found = trained.train(weights, 1, 7, 0)
    assert found.shape == (2, 4, 2, 2, 6)
    assert np.isnan(found[:, [0, 1, 3]]).all()
    assert np.isfinite(found[:, 2]).all()
    # The streams of a generation do not depend on the block.
    np.testing.assert_array_equal(trained.train(weights[:, 2:3], 3, 7, 0), found[:, 2:3])
    np.testing.assert_array_equal(trained.train(weights[1:], 1, 7, 1)[:, 2], found[1:, 2])


def test_train__on_the_truth_has_no_synthetic_error():
    truth, trained = predictor(n_samples=2000, ridge=0.0)
    found = trained.train(np.tile(truth.weights, (200, 1, 1)), 0, 7, 0)[:, 0, 0, 0]
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-20)
    np.testing.assert_allclose(found[:, 3], 0, atol=1e-20)
    # sigma^2 d / (T - d - 1), within 4 standard errors of 200 chi-squares of 6 degrees.
    expected = 0.25 * 6 / (2000 - 7)
    assert abs(found[:, 0].mean() / expected - 1) < 4 * np.sqrt(2 / 6 / 200)


def test_predictor__rejects_generations_beyond_the_run():
    with pytest.raises(
        InputError, match=r"^model.downstream.generations must be at most run.n_generations = 4, got 5$"
    ):
        predictor(generations=[5])
