"""Predictors on real and synthetic rows together: options that go together, laws, and refusals."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InfiniteMomentWarning, InputError
from fastcollapse.models.ridge.downstream_parameters import MixedDownstreamParameters
from fastcollapse.simulation.schedules import schedule_of
from tests.naive import ridge as twin

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# Fewer than 60 p-values.
P_LIMIT = 1e-6


def experiment(down=(), model=(), truth=(), **run):
    down = {"n_samples": 9, "ridge": [0.0, 0.1], **dict(down)}
    mapping = {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.5, "sigma0": 0.8, "downstream": down},
        "truth": {"dimension": 5, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": 2, "n_replicates": 4, "seed": 2, **run},
    }
    mapping["model"] |= dict(model)
    return Experiment.from_mapping(mapping)


LAWS = {
    "a vector": ({"delta": [0.5, -1.0, 0.2, 0.0, 0.4]}, {}, {"beta": 1.0}, 0),
    "a vector, rotated": ({"delta": [2.0, -1.0]}, {}, {"dimension": 2, "covariance": [[2.0, 0.9], [0.9, 1.0]]}, 0),
    "a variance": ({"delta": 0.3}, {}, {"beta": 0.5}, 0),
    "a generation": ({}, {}, {"beta": 1.0}, 2),
    "a generation of isotropic inputs": ({}, {}, {}, 2),
    "overlaps": ({}, {"follow": "overlaps"}, {}, 2),
    "overlaps in one dimension": ({}, {"follow": "overlaps"}, {"dimension": 1}, 2),
    "the same inputs": ({"delta": "generator"}, {"designs": "dependent", "ridge": 0.2}, {"beta": 1.0}, 2),
    "raw rows": ({}, {"sampler": "raw"}, {"design": "student", "degrees": 6.0}, 2),
    "fine-tuned": ({"start": "generation"}, {}, {"beta": 1.0}, 2),
    "fine-tuned with a vector": ({"start": 2, "delta": [0.5, -1.0, 0.2, 0.0, 0.4]}, {}, {"beta": 1.0}, 2),
    "fine-tuned overlaps": ({"start": "generation"}, {"follow": "overlaps"}, {}, 2),
    "few rows": ({"n_samples": 3}, {}, {"beta": 1.0}, 2),
}


@pytest.mark.parametrize("name", LAWS)
def test_predictor__has_law_of_raw_rows(name):
    down, model, truth, generation = LAWS[name]
    made = experiment({"ridge": 0.1, "synthetic_share": [0.0, 0.6], **down}, model, truth, n_replicates=3000)
    got = simulate(made).metrics["test_error"][:, generation, 0, :, 0]
    loaded, rng = load_truth(made.truth, None), np.random.default_rng(3)
    schedule, n = schedule_of(made, loaded.total), made.model.downstream.n_samples
    delta, twin_model = made.model.downstream.delta, made.model
    if isinstance(delta, tuple) and loaded.rotation is not None:
        # The twin works in the basis of the eigenvectors.
        turned = {**down, "synthetic_share": 0.6, "delta": list(loaded.rotation.T @ np.array(delta))}
        twin_model = experiment(turned, model, truth).model
    expected = np.empty((1500, 2))
    for row in expected:
        w = twin.chain(loaded, twin_model, schedule, generation, rng)[-1]
        for share, n_synthetic in enumerate((0, round(0.6 * n))):
            drawn = rng.standard_normal(loaded.dimension)
            v = twin.predictor(loaded, twin_model, w, n, 0.1, n_synthetic, drawn, rng)
            row[share] = ((v - loaded.weights) ** 2) @ loaded.spectrum
    for share in range(2):
        assert stats.ks_2samp(got[:, share], expected[:, share], method="asymp").pvalue > P_LIMIT
    # Negative control: real rows alone against a share of synthetic ones, whose noise is larger too.
    assert stats.ks_2samp(got[:, 0], expected[:, 1], method="asymp").pvalue < P_LIMIT


@pytest.mark.parametrize("sampler", ["exact", "raw"])
def test_all_synthetic_rows__have_law_of_a_run_without_the_key(sampler):
    model = {"sampler": sampler, "sigma0": 0.5}
    got, expected = (
        simulate(experiment(down, model, {"beta": 1.0}, n_replicates=4000)).metrics["test_error"][:, 2]
        for down in ({"synthetic_share": [0.0, 1.0]}, {})
    )
    for ridge in (0, 1):
        assert stats.ks_2samp(got[:, 0, 1, ridge], expected[:, 0, ridge], method="asymp").pvalue > P_LIMIT
        assert stats.ks_2samp(got[:, 0, 0, ridge], expected[:, 0, ridge], method="asymp").pvalue < P_LIMIT


def test_results__have_an_axis_of_shares():
    results = simulate(experiment({"synthetic_share": [0.0, 0.25, 1.0], "n_samples": [4, 9, 2]}))
    assert results.variables["test_error"].dims == ("downstream_samples", "synthetic_share", "ridge")
    assert results.metrics["test_error"].shape == (4, 3, 3, 3, 2)
    np.testing.assert_array_equal(results.coordinates["synthetic_share"].values, [0.0, 0.25, 1.0])
    parts = [results.metrics[f"test_{part}"] for part in ("bias", "variance", "synthetic", "cross")]
    np.testing.assert_allclose(sum(parts), results.metrics["test_error"], atol=1e-12)
    # Without synthetic rows there is nothing of them in the error.
    np.testing.assert_array_equal(results.metrics["test_synthetic"][:, :, :, 0], 0.0)


def test_metrics__of_fine_tuning_include_those_of_synthetic_labels():
    names = set(simulate(experiment({"synthetic_share": 0.5, "start": "generation"})).metrics)
    assert {"test_synthetic", "test_cross"} <= names
    assert not names & {"test_norm", "test_alignment"}
    assert "test_cross" not in simulate(experiment()).metrics


def test_given_delta__trains_generation_0_alone():
    results = simulate(experiment({"synthetic_share": 0.5, "delta": 0.2}))
    error = results.metrics["test_error"]
    assert np.isfinite(error[:, 0]).all()
    assert np.isnan(error[:, 1:]).all()
    tuned = simulate(experiment({"synthetic_share": 0.5, "delta": 0.2, "start": "generation"}))
    assert np.isfinite(tuned.metrics["test_error"]).all()


def test_variance__is_that_of_one_vector_for_all_sizes_shares_and_generations():
    """Without noise, and with endless synthetic rows alone, the error is |delta|^2 of the replicate."""
    down = {"synthetic_share": [0.5, 1.0], "delta": 0.2, "start": "generation", "n_samples": [50, 20_000], "ridge": 0.0}
    error = simulate(experiment(down, {"sigma": 0.0, "sigma0": 0.0})).metrics["test_error"][..., 0]
    size = error[:, 0, 0, 1]
    np.testing.assert_allclose(error[:, :, :, 1], np.broadcast_to(size[:, None, None], error.shape[:3]), rtol=1e-9)
    np.testing.assert_allclose(error[:, :, 1, 0], np.tile(size[:, None] / 4, 3), rtol=0.1)
    assert np.ptp(size) > 0.1 * size.mean()


def test_numbers_of_rows__are_rounded():
    down = MixedDownstreamParameters(n_samples=[1, 2, 75, 200], ridge=0.0, synthetic_share=[0.0, 0.25, 0.5, 1.0])
    expected = [[0, 0, 0, 1], [0, 0, 1, 2], [0, 19, 38, 75], [0, 50, 100, 200]]
    np.testing.assert_array_equal(down.synthetic_sizes(), expected)


def test_infinite_moments__are_announced_without_noise_too():
    """Real and synthetic labels contradict each other like noise."""
    quiet = {"sigma": 0.0, "sigma0": 0.0}
    with pytest.warns(InfiniteMomentWarning, match="the fit to 6 samples without a ridge of 5 inputs"):
        simulate(experiment({"n_samples": 6, "synthetic_share": 0.5, "delta": 0.2}, quiet))


def refused(down, model=()):
    with pytest.raises(InputError) as caught:
        simulate(experiment(down, model))
    return str(caught.value)


REFUSED = [
    ({"synthetic_share": 1.5}, r"model.downstream.synthetic_share must be at most 1, got 1.5"),
    ({"synthetic_share": [0.5, -0.1]}, r"model.downstream.synthetic_share[1] must be at least 0, got -0.1"),
    ({"synthetic_share": float("nan")}, r"model.downstream.synthetic_share must be"),
    ({"synthetic_share": []}, r"model.downstream.synthetic_share must be a list of at least 1, got []"),
    ({"synthetic_share": "half"}, r"model.downstream.synthetic_share must be"),
    ({"delta": 0.5}, r"model.downstream.delta must be absent without synthetic_share, got 0.5"),
    ({"delta": "generator"}, r"model.downstream.delta must be absent without synthetic_share, got 'generator'"),
    ({"delta": [1, 2]}, r"model.downstream.delta must be absent without synthetic_share, got [1.0, 2.0]"),
    ({"synthetic_share": 0.5, "delta": -0.1}, r"model.downstream.delta must be at least 0, got -0.1"),
    ({"synthetic_share": 0.5, "delta": float("nan")}, r"model.downstream.delta must be"),
    ({"synthetic_share": 0.5, "delta": [0.1, float("nan")]}, r"model.downstream.delta[1] must be"),
    ({"synthetic_share": 0.5, "delta": [0.1, 0.2]}, r"model.downstream.delta must have 5 entries, one an input, got 2"),
    ({"synthetic_share": 0.5, "delta": []}, r"model.downstream.delta must be a list of at least 1, got []"),
    (
        {"synthetic_share": 0.5, "delta": "truth"},
        r"model.downstream.delta must be 'generator', a variance from 0, or a list of numbers, got 'truth'",
    ),
    (
        {"synthetic_share": 0.5, "delta": 0.2, "generations": [1]},
        r"model.downstream.generations must be absent where delta is not 'generator', got [1]",
    ),
]


@pytest.mark.parametrize(("down", "message"), REFUSED)
def test_bad_input__is_refused_with_its_key(down, message):
    assert message in refused(down)


def test_kernel_ridge__has_no_synthetic_share():
    model = {"family": "kernel_ridge", "kernel": "rbf", "sigma": 0.5, "downstream": {"n_samples": 9, "ridge": 0.1}}
    model["downstream"]["synthetic_share"] = 0.5
    with pytest.raises(InputError, match=r"model\.downstream\.synthetic_share is not a known key"):
        Experiment.from_mapping(
            {
                "model": model,
                "truth": {},
                "workflow": {"name": "replace", "n_samples": 12},
                "run": {"n_generations": 2, "n_replicates": 4, "seed": 2},
            }
        )


def test_too_many_raw_rows__are_refused():
    found = refused({"synthetic_share": 0.5, "n_samples": 10**9}, {"sampler": "raw"})
    assert found.startswith("model.downstream.n_samples must keep")


def test_bad_input__no_generator_without_generations():
    with pytest.raises(InputError, match=r"run\.n_generations must be at least 1, got 0"):
        experiment({"synthetic_share": 0.5, "delta": "generator"}, n_generations=0)
