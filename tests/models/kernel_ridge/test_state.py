"""States of kernel regressions: sums of functions on the rows of all generations, and chains of such sums."""

import re

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC
from fastcollapse.models.kernel_ridge.generators import stream_key
from fastcollapse.models.kernel_ridge.model import KernelRidge
from fastcollapse.models.kernel_ridge.state import EMPTY, KernelState
from fastcollapse.simulation.schedules import schedule_of
from tests.models.kernel_ridge.test_mixed_chains import experiment
from tests.naive import kernel_ridge as naive

PREVIOUS = {"start": "previous", "designs": None, "mixed_labels": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def test_add__unites_rows():
    none = np.empty((2, 0), np.int64), np.empty((2, 1, 0))
    state = KernelState(np.full((2, 5), EMPTY), np.zeros((2, 1, 5)), none, changes=np.zeros((2, 1, 1)))
    state.add(slice(0, 2), np.array([[4, 2], [7, 1]]), np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.ones((2, 1, 1)))
    state.add(slice(1, 2), np.array([[9, 7, 0]]), np.array([[[5.0, 6.0, 7.0]]]), np.full((1, 1, 1), 2.0))
    assert state.rows.tolist() == [[2, 4, -1, -1, -1], [0, 1, 7, 9, -1]]
    assert state.coefficients.tolist() == [[[2, 1, 0, 0, 0]], [[7, 4, 9, 5, 0]]]
    assert state.changes.ravel().tolist() == [1, 3]


@pytest.mark.parametrize("workflow", [{}, {"name": "mix", "n_real": 5, "real": "fresh"}])
def test_functions__are_sums_of_fits(folder, workflow):
    """The recorded coefficients give the recorded errors, on the rows of all generations."""
    made = experiment(folder, PREVIOUS, workflow=workflow, record=["metrics", "trajectory"], n_generations=6)
    results = simulate(made)
    truth, found = made.truth.load(folder), results.states["coefficients"]
    for r in range(3):
        for t in range(7):
            state = truth.rows, found[r, t].T
            gap = naive.evaluate_held_out(truth, made.model, state) - truth.test_targets
            assert results.metrics["generator_error"][r, t] == pytest.approx((gap**2).mean(), rel=1e-8, abs=1e-20)
    sizes = np.count_nonzero(found[:, :, 0], axis=2)
    assert (np.diff(sizes, axis=1) >= 0).all()
    assert (sizes[:, 1] == 12 if not workflow else sizes[:, 1] >= 12).all()
    assert sizes[:, -1].max() <= len(truth.rows)


def test_expectation__is_that_of_the_noise_of_each_fit(folder):
    """Given the rows of a fit its mean square is that of the noise, by a dense solve."""
    made = experiment(folder, PREVIOUS)
    truth, model = made.truth.load(folder), made.model
    chain = KernelRidge(truth, model, schedule_of(made, None))._chain
    got, expected = simulate(made).metrics["generator_expected"], np.zeros(3)
    assert (got[:, 0] == 0).all()
    for t in range(1, 5):
        for r, rows in enumerate(chain.draw(3, 12, stream_key(2, 0, t, PURPOSE_SYNTHETIC))):
            x = truth.rows[rows]
            solve = np.linalg.inv(naive.kernel(truth, model, x, x) + 12 * 0.05 * np.eye(12))
            fit = naive.kernel(truth, model, truth.test_rows, x) @ solve
            expected[r] += 0.8**2 * (fit**2).sum() / len(fit)
        np.testing.assert_allclose(got[:, t], expected, rtol=1e-9)
    # Real rows have no simple expectation.
    mixed = simulate(experiment(folder, PREVIOUS, workflow={"name": "mix", "n_real": 5, "real": "fixed"}))
    assert np.isnan(mixed.metrics["generator_expected"][:, 1:]).all()


def test_error__of_new_rows_grows_by_the_same_amount(folder):
    """Each fit adds the noise of its labels: the mean error of generation t is t times that of generation 1."""
    made = experiment(folder, PREVIOUS, n_generations=5, n_replicates=4000)
    errors = simulate(made).metrics["generator_error"][:, 1:]
    t = np.arange(1, 6)

    def scores(values):
        gaps = values - values[:, :1]
        return gaps[:, 1:].mean(axis=0) / gaps[:, 1:].std(axis=0) * 4000**0.5

    # Four z-scores: beyond 5 in one of 400,000 right runs.
    assert np.abs(scores(errors / t)).max() < 5
    # Negative control: growth with the square root.
    assert np.abs(scores(errors / t**0.5)).max() > 5


def test_accumulation__is_refused(folder):
    for workflow in (
        {"name": "accumulate", "keep_real": True},
        {"name": "accumulate_subsample", "keep_real": True, "n_train": 9, "replacement": False},
    ):
        message = "workflow.name must be 'replace' or 'mix' where model.start is 'previous'"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            simulate(experiment(folder, PREVIOUS, workflow=workflow))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"start": "last"}, "model.start must be one of zero, previous, got 'last'"),
        ({"designs": "same"}, "model.designs must be one of independent, dependent, got 'same'"),
    ],
)
def test_unknown_choice__is_refused(folder, key, message):
    with pytest.raises(InputError, match=re.escape(message)):
        simulate(experiment(folder, {**PREVIOUS, **key}))
