"""Panels of Poisson models: simulated values and the exact law."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.poisson import PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.scores import share_of
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.discrete.survival import poisson_survival

GENERATIONS = np.array([0, 1, 5, 20])
# About 60 scores in this file, far fewer independent ones: beyond 5 in one of 30,000 right files.
Z_LIMIT = 5.0


def run(rate, workflow, n_replicates=4000):
    mapping = {
        "model": {"family": "poisson"},
        "truth": {"rate": rate},
        "workflow": {"n_samples": 10, **workflow},
        "run": {"n_generations": 20, "n_replicates": n_replicates, "seed": 3},
    }
    return simulate(Experiment.from_mapping(mapping))


@pytest.fixture(scope="module")
def replaced():
    return run(0.5, {"name": "replace"})


def test_alive__agrees_with_exact_law(replaced):
    [panel] = panels_of(replaced, GENERATIONS, ["alive"])
    expected = poisson_survival(5, GENERATIONS)
    np.testing.assert_allclose(panel.curve.expected, expected)
    np.testing.assert_array_equal(panel.curve.mean, (replaced.metrics["rate"] > 0).mean(axis=0)[GENERATIONS])
    assert np.abs(panel.curve.z).max() < Z_LIMIT
    wrong = share_of(
        GENERATIONS, replaced.metrics["alive"][:, GENERATIONS] > 0, None, poisson_survival(5, GENERATIONS + 1)
    )
    assert np.nanmax(np.abs(wrong.z)) > Z_LIMIT


@pytest.mark.parametrize(
    "workflow",
    [
        {"name": "replace"},
        {"name": "accumulate", "keep_real": True},
        {"name": "accumulate_subsample", "keep_real": True, "replacement": True},
        {"name": "mix", "n_real": 5, "real": "fresh"},
        {"name": "mix", "n_real": 5, "real": "fixed"},
    ],
    ids=str,
)
def test_rate__keeps_its_mean_in_every_workflow(workflow):
    results = run(0.5, workflow)
    rate, paths, alive = panels_of(results, GENERATIONS, ["rate", "rate_paths", "alive"])
    np.testing.assert_array_equal(rate.curve.expected, 0.5)
    assert np.abs(rate.curve.z).max() < Z_LIMIT
    np.testing.assert_array_equal(paths.paths, results.metrics["rate"][:, GENERATIONS])
    if workflow["name"] != "replace":
        assert np.isnan(alive.curve.expected).all()
        assert "workflow replace" in PANELS.why_no_bounds(results)
    # Negative control: a rate that is 10 % larger is rejected.
    last = (rate.curve.mean - 0.55)[1] / (rate.curve.sd[1] / np.sqrt(4000))
    assert abs(last) > Z_LIMIT


def test_rate__few_survivors_have_no_score():
    [panel] = panels_of(run(0.1, {"name": "replace"}, 50), GENERATIONS, ["rate"])
    assert np.isnan(panel.curve.z[1:]).all()


def test_panels__defaults(replaced):
    assert [panel.heading for panel in panels_of(replaced, GENERATIONS)] == ["alive", "rate"]
    assert set(PANELS.default) <= set(PANELS.panels)


def test_share__of_a_certain_event_or_of_few_equal_ones_is_no_score():
    at, exact = np.arange(4), np.array([1.0, 1 - 1e-16, 1 - 1e-13, 0.5])
    events = np.ones((4, 4), dtype=bool)
    events[:2, 3] = False  # the share is 1/2, as its probability: a score only where it agrees would be none
    curve = share_of(at, events, None, exact)
    assert not curve.is_compared.any()
    np.testing.assert_array_equal(curve.is_unscored, [False, False, False, True])
