"""Fits that start from earlier weights: chains, downstream predictors, universality, and refusals."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.simulation.schedules import schedule_of
from fastcollapse.theory.regression.fine_tuning import fine_tuned_error, nearest_chain_error
from tests._goodness_of_fit import z_scores
from tests.naive import ridge as twin

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# Fewer than 60 p-values and scores.
P_LIMIT, Z_LIMIT = 1e-6, 5.0


def experiment(model=(), truth=(), workflow=(), n_generations=3, n_replicates=4, **run):
    mapping = {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.5, "sigma0": 0.8, **dict(model)},
        "truth": {"dimension": 7, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": 12, **dict(workflow)},
        "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 2, **run},
    }
    return Experiment.from_mapping(mapping)


def tuned(n_samples=5, ridge=(0.0, 0.3), **keys):
    return {"n_samples": n_samples, "ridge": list(ridge), "start": "generation", **keys}


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("n_samples", [5, 20])
@pytest.mark.parametrize("sampler", ["exact", "raw"])
def test_tuned_predictor__has_law_of_raw_rows(beta, n_samples, sampler):
    model = {"downstream": tuned(n_samples, (0.1,)), "sampler": sampler}
    made = experiment(model, {"beta": beta}, n_generations=2, n_replicates=3000)
    got = simulate(made).metrics["test_error"][:, 2, 0, 0]
    truth, rng = load_truth(made.truth, None), np.random.default_rng(3)
    schedule = schedule_of(made, truth.total)
    expected, wrong = [], []
    for _ in range(1500):
        w = twin.chain(truth, made.model, schedule, 2, rng)[-1]
        x, y = twin.sample(truth, truth.weights, n_samples, 0.5, rng)
        for start, found in ((w, expected), (np.zeros(7), wrong)):
            found.append(((twin.fit_from(start, x, y, 0.1) - truth.weights) ** 2) @ truth.spectrum)
    assert stats.ks_2samp(got, expected, method="asymp").pvalue > P_LIMIT
    # Negative control: a fit from scratch.
    assert stats.ks_2samp(got, wrong, method="asymp").pvalue < P_LIMIT


def test_tuned_predictor__samplers_of_isotropic_inputs_agree():
    """Isotropic inputs have a kernel of their own, also where only overlaps are followed."""
    found = [
        simulate(experiment({"downstream": tuned(), **model}, truth, n_replicates=3000)).metrics["test_error"][:, 3, 0]
        for model, truth in (({}, {}), ({"follow": "overlaps"}, {}), ({}, {"beta": 1e-12}))
    ]
    for i in (0, 1):
        for other in found[1:]:
            assert stats.ks_2samp(found[0][:, i], other[:, i], method="asymp").pvalue > P_LIMIT
        assert stats.ks_2samp(found[0][:, i], 1.2 * other[:, i], method="asymp").pvalue < P_LIMIT


def test_tuned_predictor__of_the_truth_has_no_bias():
    results = simulate(experiment({"downstream": tuned()}))
    assert set(results.metrics) & {"test_synthetic", "test_norm", "test_alignment"} == set()
    np.testing.assert_array_equal(results.metrics["test_bias"][:, 0], 0.0)
    np.testing.assert_allclose(results.metrics["test_error"][:, 0], results.metrics["test_variance"][:, 0])
    assert (results.metrics["test_bias"][:, 1:, :, 1] > 0).all()


def test_tuned_predictor__of_a_numbered_generation_is_that_of_all():
    """A number names the generation whose model is the start; the bits are those of a run that tunes all."""
    every, one, first = (
        simulate(experiment({"downstream": tuned(start=start)})).metrics for start in ("generation", 2, 0)
    )
    for name in ("test_error", "test_bias", "test_variance"):
        np.testing.assert_array_equal(one[name][:, 2], every[name][:, 2])
        np.testing.assert_array_equal(first[name][:, 0], every[name][:, 0])
        assert np.isnan(one[name][:, [0, 1, 3]]).all()
    assert "test_synthetic" not in first


@pytest.mark.parametrize("design", ["gaussian", "rademacher", "uniform", "student"])
def test_tuned_predictor__is_universal_over_inputs(design):
    """The mean of the collapsed model, fine-tuned, is that of the deterministic equivalent up to O(1/d)."""
    d = 40
    law = {"dimension": d, "design": design, **({"degrees": 5.0} if design == "student" else {})}
    model = {"downstream": tuned(25, (0.2,), generations=[4]), "sampler": "raw"}
    results = simulate(experiment(model, law, {"n_samples": 120}, n_generations=4, n_replicates=600))
    error = results.metrics["test_error"][:, 4, 0, 0]
    start = results.metrics["generator_error"][:, 4].mean()
    expected = fine_tuned_error(np.ones(d), np.full(d, (start / d) ** 0.5), 25, 0.2, 0.5)
    assert abs(z_scores(error, expected, 2 * expected / d)) < Z_LIMIT
    wrong = fine_tuned_error(np.ones(d), np.full(d, (2 * start / d) ** 0.5), 25, 0.2, 0.5)
    assert abs(z_scores(error, wrong, 2 * wrong / d)) > Z_LIMIT


@pytest.mark.parametrize("designs", ["independent", "dependent"])
def test_chain__from_previous_weights_never_forgets(designs):
    model = {"start": "previous", "designs": designs, "sigma0": 0.3}
    truth = {"dimension": 14, "norm": 5.0}
    results = simulate(experiment(model, truth, {"n_samples": 6}, n_generations=5, n_replicates=4000))
    expected = nearest_chain_error(14, 6, np.arange(1, 6), 0.5, 0.3)
    error = results.metrics["generator_error"][:, 1:]
    assert np.abs(z_scores(error, expected)).max() < Z_LIMIT
    # Negative control: from scratch the signal is lost.
    other = simulate(experiment({**model, "start": "zero"}, truth, {"n_samples": 6}, n_generations=5, n_replicates=50))
    assert np.abs(z_scores(other.metrics["generator_error"][:, 1:], expected)).max() > Z_LIMIT


def test_chain__on_fresh_real_labels_tends_to_the_threshold():
    model = {"start": "previous", "mixed_labels": {"weight": [0.0, 0.5, 1.0]}}
    truth = {"dimension": 14, "norm": 5.0}
    results = simulate(experiment(model, truth, {"n_samples": 6}, n_generations=8, n_replicates=4000))
    for i, weight in enumerate((0.0, 0.5, 1.0)):
        expected = nearest_chain_error(14, 6, np.arange(1, 9), 0.5, 0.8, weight)
        error = results.metrics["mixed_error"][:, 1:, i, 0]
        assert np.abs(z_scores(error, expected)).max() < Z_LIMIT
        assert np.abs(z_scores(error, 1.2 * expected)).max() > Z_LIMIT


@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("designs", ["independent", "dependent"])
@pytest.mark.parametrize("sampler", ["exact", "raw"])
def test_chain__is_that_of_weight_0_on_mixed_labels(ridge, designs, sampler):
    model = {"start": "previous", "designs": designs, "ridge": ridge, "sampler": sampler}
    model["mixed_labels"] = {"weight": [0.0, 0.5], "ridge": ridge}
    metrics = simulate(experiment(model, {"beta": 1.0}, {"n_samples": 4})).metrics
    np.testing.assert_allclose(metrics["mixed_error"][:, :, 0, 0], metrics["generator_error"], rtol=1e-9)
    assert not np.isclose(metrics["mixed_error"][:, 1:, 1, 0], metrics["generator_error"][:, 1:]).any()


def test_least_squares__forgets_its_start():
    """With more rows than inputs and no ridge the start changes no bit."""
    zero, previous = (simulate(experiment({"start": start})).metrics for start in ("zero", "previous"))
    np.testing.assert_array_equal(zero["generator_error"], previous["generator_error"])


REFUSED = [
    ({"start": "last"}, {}, r"model\.start must be one of zero, previous, got 'last'"),
    (
        {"downstream": tuned(start="previous")},
        {},
        r"model\.downstream\.start must be 'zero', 'generation' or a whole number from 0, got 'previous'",
    ),
    ({"downstream": tuned(start=-1)}, {}, r"model\.downstream\.start must be at least 0, got -1"),
    ({"downstream": tuned(start=1.5)}, {}, r"model\.downstream\.start must be a whole number"),
    ({"downstream": tuned(start=True)}, {}, r"model\.downstream\.start must be a whole number, got True"),
    ({"downstream": tuned(start=4)}, {}, r"model\.downstream\.start must be at most run\.n_generations = 3, got 4"),
    (
        {"downstream": tuned(start=2, generations=[2])},
        {},
        r"model\.downstream\.generations must be absent where start is a number, got \[2\]",
    ),
    (
        {"start": "previous", "follow": "overlaps"},
        {},
        r"model\.follow must be 'weights' where model\.start is 'previous', got 'overlaps'",
    ),
    (
        {"start": "previous"},
        {"name": "accumulate", "keep_real": True},
        r"workflow\.name must be 'replace' or 'mix', without a weight, where model\.start is 'previous'",
    ),
    (
        {"start": "previous"},
        {"name": "mix", "n_real": 5, "real": "fresh", "weight": 0.5},
        r"workflow\.name must be 'replace' or 'mix', without a weight, where model\.start is 'previous'",
    ),
]


@pytest.mark.parametrize(("model", "workflow", "message"), REFUSED)
def test_bad_input__is_refused_with_its_key(model, workflow, message):
    with pytest.raises(InputError, match=message):
        simulate(experiment(model, {}, workflow))
