"""Generations that share their rows: dense solves of the same variates, saved states, and refusals."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC
from fastcollapse.models.kernel_ridge.generators import stream_key
from fastcollapse.models.kernel_ridge.model import KernelRidge
from fastcollapse.models.kernel_ridge.shared_rows import SharedState
from fastcollapse.simulation.schedules import schedule_of
from tests.models.kernel_ridge.test_mixed_chains import experiment
from tests.naive import kernel_ridge as naive

ALONE = {"mixed_labels": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def test_functions__have_the_same_rows_in_all_generations(folder):
    results = simulate(experiment(folder, ALONE, record=["metrics", "trajectory"]))
    found = results.states["coefficients"][:, 1:, 0] != 0
    assert (found.sum(axis=2) == 12).all()
    assert (found == found[:, :1]).all()
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("start", ["zero", "previous"])
def test_chain__equals_dense_solves_of_the_same_variates(folder, start):
    made = experiment(folder, {**ALONE, "start": start}, record=["metrics", "trajectory"])
    truth, model = made.truth.load(folder), made.model
    chain = KernelRidge(truth, model, schedule_of(made, None))._chain
    results, rows = simulate(made), chain.draw(3, 12, stream_key(2, 0, 0, PURPOSE_SYNTHETIC))
    for r in range(3):
        x, given, state = truth.rows[rows[r]], truth.targets[:, rows[r]], None
        for t in range(1, 5):
            noise = chain._noise((3, 12), stream_key(2, 0, t, PURPOSE_SYNTHETIC))[r]
            labels = naive.evaluate_at(truth, model, state, x, given) + 0.8 * noise
            state = naive.refit(truth, model, state, np.column_stack([x, rows[r], labels.T]), 0.05)
            gap = naive.evaluate_held_out(truth, model, state) - truth.test_targets
            assert results.metrics["generator_error"][r, t] == pytest.approx((gap**2).mean(), rel=1e-8)
            total = state[1].reshape(-1, 12, 1).sum(axis=0)[:, 0]
            np.testing.assert_allclose(results.states["coefficients"][r, t, 0, rows[r]], total, rtol=1e-7, atol=1e-8)


def test_rows__differ_from_those_of_the_predictor(folder):
    """The rows of generations and those of a predictor of as many samples are drawn independently."""
    model = {**ALONE, "downstream": {"n_samples": 12, "ridge": 0.05}, "sigma": 0.0, "sigma0": 0.0}
    metrics = simulate(experiment(folder, model)).metrics
    assert not np.isclose(metrics["test_error"][:, 0, 0, 0], metrics["generator_error"][:, 1]).any()


def test_saved_state__is_the_number_of_the_generation(folder):
    """It gives the same bits on a machine whose eigenvectors have other signs, up to the rounding of sums."""
    made = experiment(folder, {"real_labels": "fixed"})
    model = KernelRidge(made.truth.load(folder), made.model, schedule_of(made, None))
    state = model.initial(3, 2)
    model.advance(state, 1, 2, 2)
    assert {name: values.tolist() for name, values in state.arrays().items()} == {"generation": [2]}
    again = model.restore(state.arrays(), 3, 2)
    assert isinstance(again, SharedState)
    for name in ("along", "along_mixed", "rows", "coefficients", "fixed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(state, name))
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match="generation of a state must be a generation of the run"):
            model.restore({"generation": np.array([wrong])}, 3, 2)


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (
            {"name": "accumulate", "keep_real": True},
            r"^workflow\.name must be 'replace' where model\.designs is 'dependent'$",
        ),
        ({"name": "mix", "n_real": 3, "real": "fresh"}, r"^workflow\.name must be 'replace' where model\.designs is"),
        (
            {"n_samples": [12, 12, 13, 12]},
            r"^workflow\.n_samples must be one number where model\.designs is 'dependent'$",
        ),
    ],
)
def test_workflow__that_is_not_served_is_refused(folder, workflow, message):
    with pytest.raises(InputError, match=message):
        simulate(experiment(folder, ALONE, workflow=workflow))


def test_singular_rows__need_a_ridge(tmp_path):
    np.save(tmp_path / "x.npy", np.repeat(np.random.default_rng(5).random((15, 4)), 4, axis=0))
    np.save(tmp_path / "y.npy", np.repeat(np.arange(15.0), 4))
    truth = {"images": "x.npy", "labels": "y.npy", "n_test": 10}
    with pytest.raises(InputError, match=r"^model\.ridge must be larger than 0 for 40 samples with this kernel"):
        simulate(experiment(tmp_path, {**ALONE, "ridge": 0.0}, truth, {"n_samples": 40}))
