"""Panels of runs with weights, windows, discounts and real shares, of every family that serves them."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.panels.gaussian import PANELS
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.weighted_fits import (
    ErrorOf,
    batch_weights,
    ratio_to_first_panel,
    smallest_part,
    staged_moments,
)
from fastcollapse.analysis.report import summary
from fastcollapse.config.workflows import Accumulate, Mix, Replace
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.mixing.pathways import pathway_factors
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.mixing.weighted_fit import best_weight, weighted_errors
from fastcollapse.theory.workflow_factors import risk_factor

AT = np.array([0, 1, 2, 5, 12])
# Fewer than 500 scores in this file, those of one run depend on each other: beyond 5 in one of 3,000 right files.
Z_LIMIT = 5.0
MODELS = {
    "discrete": ({"family": "discrete"}, {"probabilities": [0.25, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05, 0.05]}),
    "gaussian": ({"family": "gaussian", "estimator": "mle"}, {"sigma": 2.0}),
    "unbiased": ({"family": "gaussian", "estimator": "unbiased"}, {"sigma": 2.0}),
    "plane": (
        {"family": "gaussian", "estimator": "mle"},
        {"dimension": 2, "covariance": [[2.0, 0.5], [0.5, 1.0]]},
    ),
    "ridge": ({"family": "ridge", "designs": "independent", "sigma": 0.5, "sigma0": 0.3}, {"dimension": 4}),
    "same rows": ({"family": "ridge", "designs": "dependent", "sigma": 0.5}, {"dimension": 4, "beta": 1.0}),
}
WORKFLOWS = {
    "fresh": {"name": "mix", "n_samples": 30, "n_real": 20, "real": "fresh", "weight": 0.4},
    "optimal": {"name": "mix", "n_samples": 30, "n_real": 20, "real": "fresh", "weight": "optimal"},
    "fixed": {"name": "mix", "n_samples": 30, "n_real": 20, "real": "fixed", "weight": 0.4},
    "share": {"name": "mix", "n_samples": 30, "real_share": {"start": 1.0, "power": -0.5}, "real": "fresh"},
    "window": {"name": "accumulate", "n_samples": 30, "keep_real": False, "window": 3},
    "window and real": {"name": "accumulate", "n_samples": 30, "keep_real": True, "window": 3},
    "discount": {"name": "accumulate", "n_samples": 30, "keep_real": True, "discount": 0.6},
    "weight and pool": {"name": "accumulate", "n_samples": 30, "keep_real": True, "weight": 0.4},
    "weight and discount": {"name": "accumulate", "n_samples": 30, "keep_real": True, "weight": 0.4, "discount": 0.6},
}


def experiment(model, workflow, n_replicates=1500, **sections):
    parameters, truth = MODELS[model]
    mapping = {
        "model": parameters,
        "truth": truth,
        "workflow": workflow,
        "run": {"n_generations": 12, "n_replicates": n_replicates, "seed": 5},
        **sections,
    }
    return Experiment.from_mapping(mapping)


def run(model, workflow, *arguments, **sections):
    """Return the results of a run; skip where the family does not serve the workflow."""
    try:
        return simulate(experiment(model, workflow, *arguments, **sections))
    except InputError as error:
        pytest.skip(str(error))


def exact(panels):
    return {panel.heading: panel for panel in panels if np.isfinite(panel.curve.expected[1:]).all()}


PANELS_WITH_THEORY = {
    "discrete": ["heterozygosity", "ratio_to_first"],
    "gaussian": ["variance", "mean_error", "ratio_to_first"],
    "unbiased": ["variance", "mean_error", "ratio_to_first"],
    "plane": ["variance", "mean_error", "ratio_to_first"],
    "ridge": ["generator_error", "ratio_to_first"],
    "same rows": ["generator_error", "ratio_to_first"],
}


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("model", MODELS)
def test_staged_panels__agree_with_exact_theory(model, workflow):
    results = run(model, WORKFLOWS[workflow])
    family = results.experiment.family
    for panel in panels_of(results, AT, PANELS_WITH_THEORY[model]):
        z = panel.curve.z
        if family == "ridge" and WORKFLOWS[workflow]["name"] == "accumulate":
            # The fit to rows of several generations, each with inputs of its own, has no simple error.
            assert np.isnan(panel.curve.expected[-1])
            assert np.isnan(z[-1])
            continue
        assert np.isfinite(panel.curve.expected).all()
        assert np.isfinite(z[1:]).all(), panel.curve.rule
        assert np.abs(z).max() < Z_LIMIT
        # Negative control: the variance of unbiased Gaussians is 1 in every workflow, so another one is the control.
        if panel.title.startswith(("Squared error", "Error", "Excess")):
            error = panel.curve.sd[-1] / np.sqrt(results.n_replicates)
            assert abs(panel.curve.mean[-1] - 1.5 * panel.curve.expected[-1]) > Z_LIMIT * error


@pytest.mark.parametrize("model", ["discrete", "gaussian", "unbiased", "same rows"])
def test_error_over_real__is_the_best_weight(model):
    results = run(model, {**WORKFLOWS["optimal"], "n_samples": 2000, "n_real": 2000})
    [panel] = panels_of(results, AT, ["error_over_real"])
    np.testing.assert_array_equal(panel.curve.at, AT[1:])
    assert np.nanmax(np.abs(panel.curve.z)) < Z_LIMIT
    golden = best_weight(1.0, 1.0)[0]
    assert abs(panel.curve.expected[-1] - golden) < 1e-3
    [line] = panel.lines
    assert abs(line.values[-1] - golden) < 1e-4


@pytest.mark.parametrize("real", ["fresh", "fixed"])
@pytest.mark.parametrize("weight", [{}, {"weight": 0.4}], ids=["pooled", "weight"])
def test_error_over_real__has_the_noise_of_synthetic_labels(weight, real):
    results = run("ridge", {"name": "mix", "n_samples": 3000, "n_real": 2000, "real": real, **weight})
    [panel] = panels_of(results, AT, ["error_over_real"])
    np.testing.assert_allclose(panel.lines[0].values, panel.curve.mean, rtol=0.1)
    # Negative control: with the same noise of real and synthetic labels the first error is 0.4.
    assert panel.curve.mean[0] < 0.3


@pytest.mark.parametrize(("n_samples", "n_real"), [(18, 1), (1, 18)])
@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_generator_error__of_a_part_with_few_rows_is_not_known(sigma, n_samples, n_real):
    # The other part is closer to the dimension and has enough rows.
    mix = {"name": "mix", "n_samples": n_samples, "n_real": n_real, "real": "fresh", "weight": 0.4}
    results = simulate(experiment("ridge", mix, 20).with_values({"model.sigma": sigma, "truth.dimension": 10}))
    [panel] = panels_of(results, AT, ["generator_error"])
    assert np.isnan(panel.curve.expected[1:]).all()
    assert not panel.lines


def test_error_over_real__needs_real_data():
    results = run("gaussian", {"name": "replace", "n_samples": 30}, 2)
    with pytest.raises(InputError, match=r"workflow.n_real must be real data whose error has .*, got 0"):
        panels_of(results, AT, ["error_over_real"])
    results = run("ridge", {**WORKFLOWS["fresh"], "n_real": 5}, 2)
    with pytest.raises(InputError, match=r"workflow.n_real must be real data whose error has .*, got 5"):
        panels_of(results, AT, ["error_over_real"])


def test_ratio_to_first__needs_an_error():
    results = run("gaussian", {"name": "replace", "n_samples": 30}, 2)
    none = ErrorOf(None, lambda results: np.zeros(13), None)
    with pytest.raises(InputError, match=r"the error of the first fit must be above 0 .*, got 0"):
        ratio_to_first_panel(none, results, AT, {})


def test_ratio_to_first__has_the_factor_of_large_samples():
    for workflow, expected in (
        ({"name": "replace", "n_samples": 30}, risk_factor("replace", AT[1:])),
        ({"name": "accumulate", "n_samples": 30, "keep_real": True}, risk_factor("accumulate", AT[1:])),
    ):
        [panel] = panels_of(run("gaussian", workflow), AT, ["ratio_to_first"])
        np.testing.assert_allclose(panel.lines[0].values, expected, rtol=1e-12)
        assert np.abs(panel.curve.z).max() < Z_LIMIT


@pytest.mark.parametrize("model", ["discrete", "gaussian"])
def test_summary__of_a_staged_run_has_scores_only_with_theory(model):
    results = run(model, WORKFLOWS["fresh"], 200)
    assert "weight" in summary(results, 1.0)
    compared = compare(results)
    text = str(compared)
    assert compared.agrees
    assert "generations compared" in text


def test_summary__says_why_least_squares_on_a_weighted_pool_has_no_theory():
    text = summary(run("ridge", WORKFLOWS["weight and pool"], 20), 1.0)
    assert "the fit to synthetic rows of several generations beside real rows has no simple expectation" in text
    assert "several generations" not in summary(run("ridge", WORKFLOWS["fresh"], 20), 1.0)


SCHEDULES = {
    "replace": Replace(n_samples=9),
    "accumulate": Accumulate(n_samples=9, keep_real=True),
    "drop": Accumulate(n_samples=9, keep_real=False),
    "mix": Mix(n_samples=9, n_real=7, real="fresh"),
    "mix of fixed data": Mix(n_samples=9, n_real=7, real="fixed"),
    "window": Accumulate(n_samples=9, keep_real=True, window=2),
    "growing window": Accumulate(n_samples={"start": 3, "step": 2}, keep_real=False, window=2),
    "discount": Accumulate(n_samples=9, keep_real=True, discount=0.6),
    "weight": Mix(n_samples=9, n_real=7, real="fresh", weight=0.3),
    "weight without real data": Mix(n_samples=9, n_real=[7, 0, 7, 0, 7, 0], real="fresh", weight=0.3),
    "weight of fixed data": Mix(n_samples=9, n_real=7, real="fixed", weight=0.3),
    "weight and window": Accumulate(n_samples=9, keep_real=True, window=2, weight=0.3),
    "weight and discount": Accumulate(n_samples=9, keep_real=True, discount=0.6, weight=0.3),
    "share": Mix(n_samples=9, real_share={"start": 1.0, "power": -1.0}, real="fresh"),
}


@pytest.mark.parametrize("total", [None, 40])
@pytest.mark.parametrize("workflow", SCHEDULES.values(), ids=SCHEDULES)
def test_batch_weights__give_the_errors_of_the_recursion(workflow, total):
    schedule = workflow.schedule(6, total)
    if schedule.start_with_data:
        pytest.skip("the recursion over batches has no data at the start")
    got = pathway_factors(*batch_weights(schedule, total or 0), "mle")
    expected = expected_staged(
        schedule.n_synthetic,
        schedule.n_real,
        schedule.keep,
        estimator="mle",
        weight=schedule.weight,
        real_share=schedule.real_share,
        window=schedule.window,
        discount=schedule.discount,
        real="fixed" if schedule.real == "fixed" else "fresh",
        real_is_truth=schedule.real == "fixed" and int(schedule.n_real[0]) == total,
    )[1][1:]
    if schedule.real_share is not None:  # the number of real tokens is random, which matters for small samples
        got = pathway_factors(*batch_weights(schedule))
        expected = weighted_errors(0.0, 0.0, np.full(6, 1 / 9), (1 - schedule.real_share) ** 2)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_batch_weights__of_data_at_the_start():
    schedule = Accumulate(n_samples=10, keep_real=True).schedule(3, 30)
    weights, noise, source = batch_weights(schedule, 30)
    np.testing.assert_allclose(weights[:, 0], [30 / 40, 30 / 50, 30 / 60])
    assert noise[0] == 0.0
    np.testing.assert_array_equal(source, [0, 0, 0, 0, 0, 1, 2])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


def test_smallest_part__is_the_smallest_fit():
    for workflow, expected in (
        (Mix(n_samples=30, n_real=20, real="fresh", weight=0.4), 20),
        (Mix(n_samples=30, n_real=[20, 0, 9], real="fresh", weight=0.4), 9),
        (Accumulate(n_samples=30, keep_real=True, window=3), 30),
        (Accumulate(n_samples=30, keep_real=False, discount=0.6), 30),
        (Mix(n_samples=1, n_real=1, real="fresh", weight=0.4), 2),
    ):
        assert smallest_part(workflow.schedule(3, None)) == expected


def test_panels__of_a_sampled_run_have_no_theory_of_weights():
    results = run("gaussian", {"name": "replace", "n_samples": 30}, 50, sampling={"bias": 0.9})
    variance, error = staged_moments(results, "mle")
    assert np.isnan(variance[1:]).all()
    assert np.isnan(error[1:]).all()
    panel = PANELS.staged["ratio_to_first"](results, AT, {})
    assert np.isnan(panel.curve.expected).all()
    assert panel.lines == ()
