"""Panels of mixtures: simulated values and the bound of Theorem 4."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.mixture import PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.scores import share_of
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.gaussian.mixture import tail_theorem4

GENERATIONS = np.array([0, 1, 10, 20, 40])


def run(estimator, workflow=(), n_replicates=2000, text="", mu=1.0):
    mapping = {
        "model": {"family": "mixture", "estimator": estimator},
        "truth": {"mu": mu, "sigma": 1.0},
        "workflow": {"name": "replace", "n_samples": 10, **dict(workflow)},
        "run": {"n_generations": 40, "n_replicates": n_replicates, "seed": 11},
    }
    return simulate(Experiment.from_mapping(mapping, text=text))


# Pr(sigma_k > 0.1) of the raw chain, 40,000 and 20,000 runs (k = 10, 20, 40).
REFERENCE = {"approximate": [0.866, 0.392, 0.041], "joint_ml": [0.882, 0.440, 0.057]}


@pytest.mark.parametrize("estimator", REFERENCE)
def test_tail__is_below_theorem_4_and_matches_raw_chain(estimator):
    results = run(estimator)
    [panel] = panels_of(results, GENERATIONS, ["tail"])
    upper = tail_theorem4(1.0, 0.1, 10, GENERATIONS)
    np.testing.assert_array_equal(panel.curve.upper, upper)
    np.testing.assert_array_equal(panel.lines[0].values, upper)
    assert panel.lines[0].kind == "published"
    np.testing.assert_array_equal(panel.curve.z, 0)
    expected = np.array(REFERENCE[estimator])
    error = np.sqrt(expected * (1 - expected) * (1 / 2000 + 1 / 20000))
    # 6 comparisons, and rounding of the references: |z| < 4.5; the value of the other estimator at k = 20 is rejected.
    assert np.abs((panel.curve.mean[2:] - expected) / error).max() < 4.5
    [other] = set(REFERENCE) - {estimator}
    assert abs((panel.curve.mean[3] - REFERENCE[other][1]) / error[1]) > 3


def test_tail__false_bound_is_rejected():
    text = '[recipe]\ntitle = "a tail"\neps = 0.2\n'
    results = run("joint_ml", text=text)
    [panel] = panels_of(results, np.array([0, 40]), ["tail"])
    assert panel.title == "Deviation above 0.2, $n$ = 10"
    np.testing.assert_allclose(panel.curve.mean[1], (results.metrics["log_sigma"][:, 40] > np.log(0.2)).mean())
    above = results.metrics["log_sigma"][:, [10]] > np.log(0.1)
    wrong = share_of(np.array([10]), above, (np.zeros(1), np.array([0.5])), None)
    assert wrong.z[0] > 5


def test_paths_and_scatter__equal_metrics():
    results = run("approximate", n_replicates=100, mu=2.0)
    mu, sigma, log_sigma, table = panels_of(results, GENERATIONS, ["mu_paths", "sigma_paths", "log_sigma", "scatter"])
    np.testing.assert_array_equal(mu.paths, results.metrics["mu"][:, GENERATIONS])
    np.testing.assert_allclose(sigma.paths, np.exp(results.metrics["log_sigma"][:, GENERATIONS]))
    np.testing.assert_allclose(log_sigma.curve.mean, results.metrics["log_sigma"][:, GENERATIONS].mean(axis=0))
    np.testing.assert_allclose(table.curve.mean, sigma.paths.mean(axis=0))
    points = PANELS.scatter(results)
    np.testing.assert_array_equal(points.x, mu.paths[:, 1])
    np.testing.assert_array_equal(points.y, sigma.paths[:, 1])
    assert points.truth == (2.0, 1.0)
    assert np.isnan(mu.curve.z).all()


def test_tail__other_workflows_have_no_bound():
    results = run("joint_ml", {"name": "accumulate", "keep_real": True}, n_replicates=5)
    [panel] = panels_of(results, GENERATIONS, ["tail"])
    assert panel.curve.upper is None
    assert panel.lines == ()
    assert "workflow replace" in PANELS.why_no_bounds(results)


def test_panels__defaults():
    results = run("joint_ml", n_replicates=5)
    assert [panel.heading for panel in panels_of(results, GENERATIONS)] == ["ln sigma", "above"]
    assert set(PANELS.default) <= set(PANELS.panels)
