"""Chains on mixed labels: their law, the chain of the run as a special case, and refusals."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InfiniteMomentWarning, InputError
from fastcollapse.simulation.schedules import schedule_of
from tests.naive import ridge as twin

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")

# Fewer than 40 p-values and 40 controls: 1e-6 each.
P_LIMIT = 1e-6


def experiment(model=(), truth=(), n_samples=12, n_generations=4, n_replicates=4, **run):
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "dependent",
            "sigma": 0.5,
            "sigma0": 0.8,
            "mixed_labels": {"weight": [0.0, 0.4], "ridge": [0.0, 0.2]},
            **dict(model),
        },
        "truth": {"dimension": 5, "beta": 1.0, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": n_samples},
        "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 2, **run},
    }
    return Experiment.from_mapping({name: {k: v for k, v in s.items() if v is not None} for name, s in mapping.items()})


@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("n_samples", [12, 3])
@pytest.mark.parametrize("designs", ["dependent", "independent"])
@pytest.mark.parametrize("design", ["gaussian", "rademacher"])
def test_weight_0__is_the_chain_of_the_run(ridge, n_samples, designs, design):
    """The chain of the run has the same noise, except least squares of new normal rows, which has a law of its own."""
    sampler = "exact" if design == "gaussian" else "raw"
    model = {"designs": designs, "ridge": ridge, "sampler": sampler}
    results = simulate(experiment(model, {"design": design}, n_samples))
    mixed, own = results.metrics["mixed_error"][:, :, 0, int(ridge > 0)], results.metrics["generator_error"]
    is_drawn_otherwise = designs == "independent" and ridge == 0 and n_samples == 12 and sampler == "exact"
    assert np.allclose(mixed, own, rtol=1e-9) != is_drawn_otherwise
    # Negative control: another weight.
    assert not np.isclose(results.metrics["mixed_error"][:, 1:, 1, int(ridge > 0)], own[:, 1:]).any()


LAWS = {
    "fresh": ({}, {"sigma": 0.5}),
    "fixed": ({"real_labels": "fixed"}, {"real_labels": "fresh"}),
    "ridge": ({"mixed_labels": {"weight": 0.4, "ridge": 0.5}}, {"mixed_labels": {"weight": 0.4, "ridge": 0.3}}),
    "new rows": ({"designs": "independent"}, {"mixed_labels": {"weight": 0.3}}),
}


@pytest.mark.parametrize("n_samples", [12, 4])
@pytest.mark.parametrize("name", LAWS)
def test_law__equals_raw_rows(name, n_samples):
    model = {"mixed_labels": {"weight": 0.6, "ridge": 0.0}, "sigma": 0.8, "sigma0": 0.5, **LAWS[name][0]}
    made = experiment(model, {"dimension": 7}, n_samples, 5, 4000)
    truth, n_raw = load_truth(made.truth, None), 1500
    schedule, rng = schedule_of(made, truth.total), np.random.default_rng(3)
    weight, ridge = made.model.mixed_labels.weights()[-1], made.model.mixed_labels.ridges()[-1]
    chains = np.array([twin.mixed_chain(truth, made.model, schedule, weight, ridge, 5, rng) for _ in range(n_raw)])
    expected = ((chains - truth.weights) ** 2) @ truth.spectrum
    got, wrong = (
        simulate(e).metrics["mixed_error"][:, :, 0, 0]
        for e in (made, experiment({**model, **LAWS[name][1]}, {"dimension": 7}, n_samples, 5, 4000))
    )
    for t in (1, 5):
        assert stats.ks_2samp(got[:, t], expected[:, t], method="asymp").pvalue > P_LIMIT
    # Negative control: one key has another value.
    assert stats.ks_2samp(wrong[:, 5], expected[:, 5], method="asymp").pvalue < P_LIMIT


def test_grid__has_common_random_numbers():
    both = simulate(experiment({"mixed_labels": {"weight": [0.3, 0.7], "ridge": [0.1, 0.4]}})).metrics["mixed_error"]
    one = simulate(experiment({"mixed_labels": {"weight": 0.7, "ridge": 0.1}})).metrics["mixed_error"]
    np.testing.assert_allclose(both[:, :, 1, :1], one[:, :, 0], rtol=1e-12)


def test_chain_of_run__has_same_bits_beside_mixed_labels():
    alone, beside = (simulate(experiment(model)) for model in ({"mixed_labels": None}, {}))
    np.testing.assert_array_equal(alone.metrics["generator_error"], beside.metrics["generator_error"])
    assert "mixed_error" not in alone.metrics


def test_results__are_over_weight_and_ridge():
    dataset = simulate(experiment()).to_xarray()
    assert dataset.mixed_error.dims == ("replicate", "generation", "weight", "ridge")
    assert dataset.mixed_error.sel(weight=0.4, ridge=0.2).shape == (4, 5)
    assert (dataset.mixed_error.sel(generation=0) == 0).all()


REFUSED = [
    ({"mixed_labels": {"weight": 1.2}}, r"model\.mixed_labels\.weight must be at most 1, got 1.2"),
    ({"mixed_labels": {"weight": [0.5, -0.1]}}, r"model\.mixed_labels\.weight\[1\] must be at least 0, got -0.1"),
    ({"mixed_labels": {"weight": []}}, r"model\.mixed_labels\.weight must be a list of at least 1, got \[\]"),
    ({"mixed_labels": {"ridge": 0.1}}, r"model\.mixed_labels\.weight is required"),
    ({"mixed_labels": {"weight": 0.5, "ridge": -1}}, r"model\.mixed_labels\.ridge must be at least 0, got -1"),
    ({"mixed_labels": {"weigth": 0.5}}, r"model\.mixed_labels\.weigth is not a known key"),
    ({"mixed_labels": 0.5}, r"model\.mixed_labels must be .*, got 0.5"),
    ({"mixed_labels": None, "real_labels": "fixed"}, r"model\.real_labels must be absent without model\.mixed_labels"),
    ({"real_labels": "new"}, r"model\.real_labels must be one of fresh, fixed, got 'new'"),
    (
        {"real_labels": "fixed", "designs": "independent"},
        r"model\.real_labels must be 'fresh' unless model\.designs is 'dependent', got 'fixed'",
    ),
    ({"downstream": {"n_samples": 9, "ridge": 0.1}}, r"model\.downstream must be absent with model\.mixed_labels"),
    ({"follow": "overlaps"}, r"model\.follow must be 'weights' with model\.mixed_labels, got 'overlaps'"),
]


@pytest.mark.parametrize(("model", "message"), REFUSED)
def test_bad_input__is_refused_with_its_key(model, message):
    with pytest.raises(InputError, match=message):
        simulate(experiment(model))


def test_other_workflow__is_refused():
    made = experiment().with_values({"workflow.name": "accumulate", "workflow.keep_real": True})
    with pytest.raises(InputError, match=r"workflow\.name must be 'replace' with model\.mixed_labels"):
        simulate(made)


def test_grid__that_does_not_fit_is_refused():
    many = {"mixed_labels": {"weight": [0.5] * 10_000, "ridge": {"start": 0.1, "stop": 1.0, "n": 10_000}}}
    with pytest.raises(InputError, match=r"model\.mixed_labels must keep the points of all replicates at most"):
        simulate(experiment(many, n_replicates=100))


def test_infinite_moments__are_known():
    with pytest.warns(InfiniteMomentWarning, match="infinite mean of mixed_error"):
        simulate(experiment({"ridge": 0.1}, n_samples=5))
