"""Panels of estimators of the user: moments and likelihood, none with theory."""

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.estimator import PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.models.estimator.examples import Normal


@pytest.fixture(params=[{"name": "replace"}, {"name": "accumulate", "keep_real": False, "window": 2}], ids=str)
def results(request):
    return simulate(
        Experiment.from_mapping(
            {
                "model": {"family": "estimator"},
                "truth": {"shape": "moons", "n_test": 10},
                "workflow": {"n_samples": 30, **request.param},
                "run": {"n_generations": 8, "n_replicates": 5, "seed": 2},
            }
        ),
        model=Normal,
        metrics={"own": lambda state: state.generation},
    )


def test_panels__show_moments_and_likelihood(results):
    generations = np.arange(1, 9)
    panels = panels_of(results, generations)
    titles = [panel.title for panel in panels]
    assert titles == [
        *["Covariance of the points"] * 3,
        "Negative log density of held-out points",
        *["Mean of the points"] * 2,
        "own, a metric of the user",
    ]
    covariance = results.metrics["covariance"][:, 1:]
    np.testing.assert_allclose(panels[1].curve.mean, covariance[:, :, 1, 1].mean(axis=0))
    np.testing.assert_allclose(panels[2].curve.mean, covariance[:, :, 1, 0].mean(axis=0))
    np.testing.assert_allclose(panels[4].curve.mean, results.metrics["mean"][:, 1:, 0].mean(axis=0))
    assert panels_of(results, generations, ["within_variance", "centre"])
    assert draw([results]).axes


def test_panels__have_no_theory_and_say_so(results):
    assert not any(np.isfinite(panel.curve.z).any() for panel in panels_of(results, np.arange(1, 9)))
    assert PANELS.why_no_bounds(results) == "the estimator is the user's, and no theory of it is known"
