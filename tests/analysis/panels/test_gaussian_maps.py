"""Panels of Gaussian runs with a map: exact expectations with scores, population paths without."""

import functools

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.gaussian_maps import MAP_PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.gaussian.sampling_bias import bias_accumulate_power_law
from fastcollapse.theory.gaussian.verifier import verifier_path

LAST = 12
AT = np.array([1, 3, LAST])
WORKFLOWS = {
    "replace": {"name": "replace", "n_samples": 20},
    "accumulate": {"name": "accumulate", "n_samples": 20, "keep_real": True},
    "subsample": {"name": "accumulate_subsample", "n_samples": 20, "keep_real": False, "replacement": True},
    "fresh": {"name": "mix", "n_samples": 20, "n_real": 5, "real": "fresh"},
    "fixed": {"name": "mix", "n_samples": 20, "n_real": 5, "real": "fixed"},
}
# Less than 120 scores in this file, each beyond 5 once in 1.7e6.
Z_LIMIT = 5.0


@functools.cache
def run(workflow, estimator="mle", record=("metrics", "trajectory"), **sampling):
    mapping = {
        "model": {"family": "gaussian", "estimator": estimator},
        "truth": {"mean": 0.5, "sigma": 2.0},
        "workflow": WORKFLOWS[workflow],
        "run": {"n_generations": LAST, "n_replicates": 4000, "seed": 7, "record": list(record)},
    }
    if sampling.get("verifier"):
        sampling["verifier"] = dict(sampling["verifier"])
    return simulate(Experiment.from_mapping(mapping | ({"sampling": sampling} if sampling else {})))


def by_heading(results):
    return {panel.heading: panel for panel in panels_of(results, AT)}


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("sampling", [{"bias": 0.9}, {"truncate": 2.0}], ids=["bias", "truncate"])
def test_panels__of_maps_that_keep_the_mean_are_exact(workflow, sampling):
    panels = by_heading(run(workflow, **sampling))
    for heading in ("variance", "mean error", "mean"):
        curve = panels[heading].curve
        assert np.isfinite(curve.z).all(), heading
        assert np.abs(curve.z).max() < Z_LIMIT, heading
    # Negative control: the expectation of a run without the map, whose variance is larger.
    plain = {panel.heading: panel for panel in panels_of(run(workflow), AT)}["variance"].curve.expected
    error = panels["variance"].curve.sd / np.sqrt(4000)
    assert ((plain - panels["variance"].curve.mean) / error)[-1] > Z_LIMIT


@pytest.mark.parametrize(
    "sampling", [{"bias": 0.5}, {"tilt": 1.0}, {"truncate": 1.0}], ids=["bias", "tilt", "truncate"]
)
@pytest.mark.parametrize(("keep_real", "n_generations"), [(True, 1), (False, 2)])
def test_panels__of_a_short_run_that_accumulates_know_that_the_first_sample_is_real(keep_real, n_generations, sampling):
    # Such a run keeps no pool, but it is no replacement. Less than 30 scores.
    mapping = {
        "model": {"family": "gaussian", "estimator": "unbiased"},
        "truth": {"sigma": 2.0},
        "workflow": {"name": "accumulate", "n_samples": 20, "keep_real": keep_real},
        "run": {"n_generations": n_generations, "n_replicates": 2000, "seed": 4, "record": ["metrics", "trajectory"]},
        "sampling": sampling,
    }
    for panel in panels_of(simulate(Experiment.from_mapping(mapping)), np.arange(n_generations + 1)):
        assert not (np.abs(panel.curve.z) > Z_LIMIT).any(), panel.heading


@pytest.mark.parametrize("sampling", [{"bias": 0.5}, {"tilt": 1.0}], ids=["bias", "tilt"])
def test_panels__of_one_generation_of_replacement_have_scores(sampling):
    mapping = {
        "model": {"family": "gaussian", "estimator": "unbiased"},
        "truth": {"sigma": 2.0},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 1, "n_replicates": 2000, "seed": 4},
        "sampling": sampling,
    }
    panels = {panel.heading: panel for panel in panels_of(simulate(Experiment.from_mapping(mapping)), np.array([1]))}
    for heading in ("variance", "ln sigma"):
        assert np.abs(panels[heading].curve.z[0]) < Z_LIMIT, heading


@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize("sampling", [{"bias": 0.9}, {"tilt": 0.05}], ids=["bias", "tilt"])
def test_panels__of_replacement_have_the_log_deviation_and_the_tilted_mean(estimator, sampling):
    panels = by_heading(run("replace", estimator, **sampling))
    for heading in ("ln sigma", "variance", "mean"):
        curve = panels[heading].curve
        assert np.isfinite(curve.z).all(), heading
        assert np.abs(curve.z).max() < Z_LIMIT, heading
    other = by_heading(run("replace", estimator, **({"tilt": 0.05} if "bias" in sampling else {"bias": 0.9})))
    for heading in ("ln sigma", "mean"):
        curve, wrong = panels[heading].curve, other[heading].curve.expected
        assert np.abs((curve.mean - wrong) / curve.sd)[-1] * np.sqrt(4000) > Z_LIMIT


def test_panels__of_a_tilt_beside_old_samples_have_no_theory():
    panels = by_heading(run("accumulate", tilt=0.01))
    assert all(np.isnan(panel.curve.expected).all() and not panel.lines for panel in panels.values())


def test_panels__of_a_verifier_have_its_path_without_a_score():
    panels = by_heading(run("replace", verifier=(("centre", 2.0), ("tau", 3.0))))
    mean, variance = verifier_path(2.0, 3.0, AT, 0.5, 2.0)
    expected = {
        "variance": variance / 4,
        "mean": mean,
        "mean error": (mean - 0.5) ** 2 / 4,
        "ln sigma": np.log(variance / 4) / 2,
    }
    for heading, path in expected.items():
        panel = panels[heading]
        assert np.isnan(panel.curve.z).all()
        assert panel.lines[0].kind == "asymptotic"
        np.testing.assert_allclose(panel.lines[0].values, path, rtol=1e-12)
    assert panels["mean"].lines[1].values.tolist() == [2.0] * 3
    # The path is near the means of fits to 20 points, and that of another verifier is not.
    np.testing.assert_allclose(panels["mean"].curve.mean, mean, atol=0.15)
    assert abs(panels["mean"].curve.mean[-1] - verifier_path(2.0, 1.0, LAST, 0.5, 2.0)[0]) > 0.2


def test_variance__under_accumulation_tends_to_a_power_law():
    [line] = by_heading(run("accumulate", bias=0.9))["variance"].lines
    C, power = bias_accumulate_power_law(0.9, 20)
    assert (line.kind, line.label) == ("limit", "theory: power law")
    np.testing.assert_allclose(line.values, C * AT**-power, rtol=1e-12)
    assert not by_heading(run("replace", bias=0.9))["variance"].lines
    assert not by_heading(run("accumulate", "unbiased", bias=0.9))["variance"].lines


def test_mean__needs_the_trajectory():
    results = run("replace", record=("metrics",), bias=0.9)
    assert "mean" not in by_heading(results)
    with pytest.raises(InputError, match=r"run.record must have trajectory for the panel map_mean"):
        panels_of(results, AT, ["map_mean"])


def test_panels__of_maps_are_none_of_plain_runs():
    plain = run("replace")
    assert all(maker(plain, AT, {}) == () for maker in MAP_PANELS.values())
    with pytest.raises(InputError, match=r"recipe.panels must be of log_sigma"):
        panels_of(plain, AT, ["map_variance"])
