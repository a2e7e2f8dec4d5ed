"""Panels of the counterexamples: simulated values beside their exact law, with negative controls."""

import dataclasses

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels import exponential_mean, hidden_interval, stable_mean, uniform_levels, uniform_maximum
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.counterexamples import (
    exponential_mean_square,
    hidden_interval_collapse,
    stable_mean_factor,
    stable_mean_limit,
    uniform_levels_not_collapsed,
    uniform_maximum_moments,
)

GENERATIONS = np.array([0, 1, 2, 5, 20])
# About 100 scores in this file, beyond 5 in one of 20,000 right files.
Z_LIMIT = 5.0
MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (exponential_mean, hidden_interval, stable_mean, uniform_levels, uniform_maximum)
}
REPLACE = {"name": "replace", "n_samples": 20}
ACCUMULATE = {"name": "accumulate", "n_samples": 20, "keep_real": True}
DROPPED = {"name": "accumulate", "n_samples": 20, "keep_real": False}
SUBSAMPLE = {"name": "accumulate_subsample", "n_samples": 20, "keep_real": True, "replacement": False}
FRESH = {"name": "mix", "n_samples": 20, "n_real": 5, "real": "fresh"}


def run(family, workflow, truth=None, n_replicates=4000, **model):
    sections = {
        "model": {"family": family, **model},
        "truth": truth or {},
        "workflow": workflow,
        "run": {"n_generations": 20, "n_replicates": n_replicates, "seed": 3},
    }
    return simulate(Experiment.from_mapping(sections))


def largest(panel):
    """Return the largest |z| of a panel, which has a score at every generation."""
    assert np.isfinite(panel.curve.z).all()
    return np.abs(panel.curve.z).max()


@pytest.mark.parametrize("workflow", [REPLACE, ACCUMULATE, DROPPED, FRESH, {**FRESH, "real": "fixed"}], ids=str)
@pytest.mark.parametrize("alpha", [0.7, 1.5])
def test_stable_mean__agrees_under_every_schedule(alpha, workflow):
    results = run("stable_mean", workflow, {"alpha": alpha, "scale": 2.0})
    [panel] = panels_of(results, GENERATIONS)
    assert largest(panel) < Z_LIMIT
    assert panel.median
    wrong = stable_mean.median_curve(
        GENERATIONS, np.abs(results.metrics["error"][:, GENERATIONS]), panel.curve.expected
    )
    assert np.abs(wrong.z).max() > Z_LIMIT


def test_stable_mean__shows_the_factor_and_its_limit():
    [panel] = panels_of(run("stable_mean", ACCUMULATE, {"alpha": 1.5}), GENERATIONS)
    np.testing.assert_allclose(panel.curve.expected, stable_mean_factor(1.5, GENERATIONS, "accumulate"))
    np.testing.assert_array_equal(panel.lines[0].values, stable_mean_limit(1.5))
    for workflow, alpha in ((ACCUMULATE, 1.0), (REPLACE, 1.5), (DROPPED, 1.5)):
        assert panels_of(run("stable_mean", workflow, {"alpha": alpha}, 40), GENERATIONS)[0].lines == ()
    [panel] = panels_of(run("stable_mean", SUBSAMPLE, {"alpha": 1.5}), GENERATIONS)
    assert np.isnan(panel.curve.expected).all()


@pytest.mark.parametrize("workflow", [REPLACE, ACCUMULATE, DROPPED], ids=str)
def test_uniform_maximum__agrees(workflow):
    results = run("uniform_maximum", workflow)
    for panel in panels_of(results, GENERATIONS):
        assert largest(panel) < Z_LIMIT
    n_fits = {REPLACE["name"]: GENERATIONS}.get(workflow["name"], np.minimum(GENERATIONS, 1 + (workflow is DROPPED)))
    squared, log_ratio = panels_of(results, GENERATIONS)
    np.testing.assert_allclose(squared.curve.expected, uniform_maximum_moments(20, n_fits, 2))
    np.testing.assert_allclose(log_ratio.curve.expected, -n_fits / 20)
    later = uniform_maximum._fits(results)[1][GENERATIONS] + 1
    wrong = (squared.curve.mean - uniform_maximum_moments(20, later, 2))[-1]
    assert abs(wrong / squared.curve.sd[-1] * np.sqrt(4000)) > Z_LIMIT


@pytest.mark.parametrize("workflow", [REPLACE, ACCUMULATE, DROPPED], ids=str)
def test_exponential_mean__agrees(workflow):
    squared, ratio = panels_of(run("exponential_mean", workflow, {"mean": 4.0}), GENERATIONS)
    # After 20 replacements the squared error is too skewed for a score.
    n_scored = 4 if workflow is REPLACE else 5
    np.testing.assert_array_equal(np.isfinite(squared.curve.z), np.arange(5) < n_scored)
    assert np.abs(squared.curve.z[:n_scored]).max() < Z_LIMIT
    wrong = (squared.curve.mean - 1.3 * squared.curve.expected)[1:n_scored]
    assert np.abs(wrong / squared.curve.sd[1:n_scored] * np.sqrt(4000)).max() > Z_LIMIT
    if workflow is not DROPPED:
        expected = exponential_mean_square(20, GENERATIONS, workflow["name"]) - 1
        np.testing.assert_allclose(squared.curve.expected, expected, atol=1e-15)
    # The medians are close to those of many points, and the first ratio is 1.
    median = ratio.asymptotic()
    assert ratio.curve.mean[1] == median[1] == 1
    is_close = np.isclose(ratio.curve.mean, median, rtol=0.06)
    assert is_close[1 : 3 if workflow is REPLACE else 5].all()
    assert ratio.median
    assert ratio.lines[0].label == "theory: median, many points"


def test_exponential_mean__mean_of_ratios_has_a_wide_law():
    results = run("exponential_mean", ACCUMULATE)
    [panel] = panels_of(results, GENERATIONS, ["mean_of_ratios"])
    [ratio] = panels_of(results, GENERATIONS, ["error_ratio"])
    # 80 means of 50 ratios, which have no expectation: they are above the median of a ratio.
    assert panel.curve.smallest[-1] > ratio.curve.mean[-1]
    error = np.abs(results.metrics["theta_error"])
    means = (error[:, 20] / error[:, 1]).reshape(80, 50).mean(axis=1)
    np.testing.assert_array_equal(panel.curve.mean[-1], np.median(means))
    [panel] = panels_of(run("exponential_mean", ACCUMULATE, None, 49), GENERATIONS, ["mean_of_ratios"])
    assert panel.title == "Means over 49 runs"


def test_exponential_mean__a_collapsed_mean_has_large_ratios():
    sections = {
        "model": {"family": "exponential_mean"},
        "workflow": {"name": "replace", "n_samples": 1},
        "run": {"n_generations": 3000, "n_replicates": 60, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(sections))
    assert np.isinf(results.metrics["theta_error"][:, -1]).any()
    for panel in panels_of(results, np.array([1, 3000]), list(exponential_mean.PANELS.panels)):
        assert np.isfinite(panel.curve.mean).all()


def test_hidden_interval__shows_the_limit_at_the_second_fit():
    workflow = {**ACCUMULATE, "n_samples": 10**6}
    [panel] = panels_of(run("hidden_interval", workflow), GENERATIONS)
    np.testing.assert_array_equal(panel.asymptotic(), [np.nan, np.nan, hidden_interval_collapse(), np.nan, np.nan])
    deviation = np.sqrt(panel.asymptotic()[2] * (1 - panel.asymptotic()[2]) / 4000)
    assert abs(panel.curve.mean[2] - panel.asymptotic()[2]) < Z_LIMIT * deviation
    assert abs(panel.curve.mean[2] - 1.2 * panel.asymptotic()[2]) > Z_LIMIT * deviation
    assert panels_of(run("hidden_interval", REPLACE, None, 40), GENERATIONS)[0].lines == ()
    [distance] = panels_of(run("hidden_interval", workflow), GENERATIONS, ["total_variation"])
    assert distance.curve.mean[0] == 0 < distance.curve.mean[-1] < 0.25


def test_uniform_levels__agrees():
    results = run("uniform_levels", ACCUMULATE)
    [panel] = panels_of(results, GENERATIONS)
    assert largest(panel) < Z_LIMIT
    np.testing.assert_array_equal(panel.curve.expected[:2], 0)
    np.testing.assert_allclose(panel.curve.expected[2:], 1 - uniform_levels_not_collapsed(20, GENERATIONS[2:] - 1))
    wrong = dataclasses.replace(panel.curve, expected=1 - uniform_levels_not_collapsed(20, GENERATIONS)).expected
    error = np.sqrt(wrong * (1 - wrong) / 4000)[2:]
    assert np.abs((panel.curve.mean - wrong)[2:] / error).max() > Z_LIMIT
    for other in (run("uniform_levels", REPLACE), run("uniform_levels", ACCUMULATE, collapse_level=2)):
        [panel] = panels_of(other, GENERATIONS)
        assert np.isnan(panel.curve.expected).all()
    [level] = panels_of(results, GENERATIONS, ["level"])
    np.testing.assert_array_equal(level.curve.mean, results.metrics["level"][:, GENERATIONS].mean(axis=0))


@pytest.mark.parametrize("family", MODULES)
def test_panels__of_every_workflow_can_be_drawn(family):
    panels = MODULES[family].PANELS
    truth = {"alpha": 1.2} if family == "stable_mean" else None
    workflows = [REPLACE, FRESH] + ([] if family in ("hidden_interval", "uniform_levels") else [SUBSAMPLE])
    for workflow in workflows:
        results = run(family, workflow, truth, 60)
        assert len(panels_of(results, GENERATIONS, list(panels.panels))) == len(panels.panels)
        assert panels.why_no_bounds(results)
    assert set(panels.default) <= set(panels.panels)
