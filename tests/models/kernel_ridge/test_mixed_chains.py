"""Chains on mixed labels: the chain of the run as a special case, dense solves of the same variates, and refusals."""

import re

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_REAL, PURPOSE_SYNTHETIC
from fastcollapse.models.kernel_ridge.generators import stream_key
from fastcollapse.models.kernel_ridge.mixed_chains import MixedChain
from fastcollapse.models.kernel_ridge.model import KernelRidge
from fastcollapse.simulation.schedules import schedule_of
from tests.naive import kernel_ridge as naive

GRID = {"weight": [0.0, 0.4], "ridge": [0.05, 0.2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def experiment(folder, model=(), truth=(), workflow=(), **run):
    mapping = {
        "model": {
            "family": "kernel_ridge",
            "kernel": "rbf",
            "scale": 0.5,
            "sigma": 0.5,
            "sigma0": 0.8,
            "ridge": 0.05,
            "designs": "dependent",
            "mixed_labels": GRID,
            **dict(model),
        },
        "truth": {"images": "inputs.npy", "labels": "labels.csv", "n_test": 8, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": 12, **dict(workflow)},
        "run": {"n_generations": 4, "n_replicates": 3, "seed": 2, **run},
    }
    sections = {name: {k: v for k, v in s.items() if v is not None} for name, s in mapping.items()}
    return Experiment.from_mapping(sections, base=folder)


@pytest.mark.parametrize("start", ["zero", "previous"])
@pytest.mark.parametrize("designs", ["dependent", "independent"])
@pytest.mark.parametrize("target", ["number", "one_vs_rest"])
def test_weight_0__is_the_chain_of_the_run(folder, designs, start, target):
    truth = {"target": target, "labels": "classes.idx"}
    results = simulate(experiment(folder, {"designs": designs, "start": start}, truth))
    mixed, own = results.metrics["mixed_error"], results.metrics["generator_error"]
    np.testing.assert_allclose(mixed[:, :, 0, 0], own, rtol=1e-9)
    # Negative controls: another weight, and another ridge.
    assert not np.isclose(mixed[:, 1:, 1, 0], own[:, 1:], rtol=1e-3).any()
    assert not np.isclose(mixed[:, 1:, 0, 1], own[:, 1:], rtol=1e-3).any()


def variates(chain, purpose, generation, first=0):
    """Return the standard normal noise of the labels of a generation, float64 (R, C, 12)."""
    return chain._noise((3, 12), stream_key(2, first, generation, purpose))


@pytest.mark.parametrize("start", ["zero", "previous"])
@pytest.mark.parametrize("law", ["fresh", "fixed", "new rows"])
def test_errors__equal_dense_solves_of_the_same_variates(folder, law, start):
    """Every generation solves the full system for the labels of the rows."""
    designs = "independent" if law == "new rows" else "dependent"
    made = experiment(folder, {"designs": designs, "start": start, "real_labels": "fixed" if law == "fixed" else None})
    truth, model = made.truth.load(folder), made.model
    chain = KernelRidge(truth, model, schedule_of(made, None))._chain
    got = simulate(made).metrics["mixed_error"]
    assert isinstance(chain, MixedChain) == (law == "new rows")
    for r, (i, w), (j, ridge) in ((0, (0, 0.0), (1, 0.2)), (1, (1, 0.4), (0, 0.05)), (2, (1, 0.4), (1, 0.2))):
        state = None
        for t in range(1, 5):
            place = stream_key(2, 0, 0 if designs == "dependent" else t, PURPOSE_SYNTHETIC)
            rows = chain.draw(3, 12, place)[r]
            x, given = truth.rows[rows], truth.targets[:, rows]
            real = variates(chain, PURPOSE_FIXED_REAL, 0) if law == "fixed" else variates(chain, PURPOSE_REAL, t)
            labels = w * (given + 0.5 * real[r]) + (1 - w) * (
                naive.evaluate_at(truth, model, state, x, given) + 0.8 * variates(chain, PURPOSE_SYNTHETIC, t)[r]
            )
            state = naive.refit(truth, model, state, np.column_stack([x, rows, labels.T]), ridge)
            gap = naive.evaluate_held_out(truth, model, state) - truth.test_targets
            assert got[r, t, i, j] == pytest.approx((gap**2).mean(), rel=1e-8)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
def test_grid__has_common_random_numbers(folder, designs):
    both, one = (
        simulate(experiment(folder, {"designs": designs, "mixed_labels": mixed})).metrics["mixed_error"]
        for mixed in ({"weight": [0.3, 0.7], "ridge": [0.1, 0.4]}, {"weight": 0.7, "ridge": 0.1})
    )
    np.testing.assert_allclose(both[:, :, 1, :1], one[:, :, 0], rtol=1e-9)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
@pytest.mark.parametrize("start", ["zero", "previous"])
def test_chain_of_run__has_same_bits_beside_mixed_labels(folder, designs, start):
    model = {"designs": designs, "start": start}
    alone, beside = (simulate(experiment(folder, {**model, **m})) for m in ({"mixed_labels": None}, {}))
    for name, values in alone.metrics.items():
        np.testing.assert_array_equal(values, beside.metrics[name])
    assert "mixed_error" not in alone.metrics


def test_results__are_over_weight_and_ridge(folder):
    dataset = simulate(experiment(folder)).to_xarray()
    for values in (dataset.mixed_error, dataset.mixed_expected):
        assert values.dims == ("replicate", "generation", "weight", "ridge")
        assert values.sel(weight=0.4, ridge=0.2).shape == (3, 5)
        assert (values.sel(generation=0) == 0).all()
    assert dataset.generator_expected.dims == ("replicate", "generation")


def test_expectation__is_computed_where_it_is_recorded(folder, monkeypatch):
    alone = simulate(experiment(folder, record=["mixed_error"])).metrics
    assert set(alone) == {"mixed_error"}
    np.testing.assert_array_equal(alone["mixed_error"], simulate(experiment(folder)).metrics["mixed_error"])
    monkeypatch.setattr("fastcollapse.models.kernel_ridge.shared_rows.expected_errors", None)
    simulate(experiment(folder, record=["mixed_error"]))


REFUSED = [
    ({"mixed_labels": {"weight": 1.2}}, "model.mixed_labels.weight must be at most 1, got 1.2"),
    ({"mixed_labels": {"weight": []}}, "model.mixed_labels.weight must be a list of at least 1, got []"),
    ({"mixed_labels": {"ridge": 0.1}}, "model.mixed_labels.weight is required"),
    ({"mixed_labels": {"weight": 0.5, "ridge": -1}}, "model.mixed_labels.ridge must be at least 0, got -1"),
    ({"mixed_labels": {"weigth": 0.5}}, "model.mixed_labels.weigth is not a known key"),
    ({"mixed_labels": 0.5}, "model.mixed_labels must be a table"),
    ({"mixed_labels": None, "real_labels": "fixed"}, "model.real_labels must be absent without model.mixed_labels"),
    ({"real_labels": "new"}, "model.real_labels must be one of fresh, fixed, got 'new'"),
    (
        {"real_labels": "fixed", "designs": None},
        "model.real_labels must be 'fresh' unless model.designs is 'dependent', got 'fixed'",
    ),
    ({"downstream": {"n_samples": 9, "ridge": 0.1}}, "model.downstream must be absent with model.mixed_labels, got "),
]


@pytest.mark.parametrize(("model", "message"), REFUSED)
def test_bad_input__is_refused_with_its_key(folder, model, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        simulate(experiment(folder, model))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
def test_other_workflow__is_refused(folder, designs):
    made = experiment(folder, {"designs": designs}, workflow={"name": "accumulate", "keep_real": True})
    with pytest.raises(InputError, match=r"^workflow\.name must be 'replace' with model\.mixed_labels$"):
        simulate(made)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
def test_singular_rows__need_a_ridge(tmp_path, designs):
    np.save(tmp_path / "x.npy", np.repeat(np.random.default_rng(5).random((15, 4)), 4, axis=0))
    np.save(tmp_path / "y.npy", np.repeat(np.arange(15.0), 4))
    truth = {"images": "x.npy", "labels": "y.npy", "n_test": 10}
    model, flow = {"designs": designs, "mixed_labels": {"weight": 0.5, "ridge": [0.0, 0.1]}}, {"n_samples": 40}
    message = r"^model\.mixed_labels\.ridge must be larger than 0 for 40 samples with this kernel: the Gram matrix of"
    with pytest.raises(InputError, match=message):
        simulate(experiment(tmp_path, model, truth, flow))
    grid = {"weight": 0.5, "ridge": [0.01, 0.1]}
    assert np.isfinite(
        simulate(experiment(tmp_path, {**model, "mixed_labels": grid}, truth, flow)).metrics["mixed_error"]
    ).all()


def test_no_ridge__interpolates_labels(folder):
    """A kernel matrix that is far from singular needs no ridge."""
    model = {"kernel": "laplacian", "sigma": 0.0, "sigma0": 0.0, "mixed_labels": {"weight": [0.0, 0.5], "ridge": 0.0}}
    got = simulate(experiment(folder, model)).metrics["mixed_error"][..., 0]
    np.testing.assert_allclose(got[:, 2:], np.broadcast_to(got[:, 1:2, :1], got[:, 2:].shape), rtol=1e-9)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
def test_grid__that_does_not_fit_is_refused(folder, designs):
    many = {"weight": [0.5] * 1000, "ridge": {"start": 0.1, "stop": 1.0, "n": 1000}}
    message = r"model\.mixed_labels must keep the points of all replicates at most"
    with pytest.raises(InputError, match=message):
        simulate(experiment(folder, {"mixed_labels": many, "designs": designs}, n_replicates=400))


@pytest.mark.parametrize("model", [{}, {"designs": "independent", "start": "previous"}])
def test_memory__limit_changes_no_bit(folder, monkeypatch, model):
    expected = simulate(experiment(folder, model)).metrics
    # One replicate at a time.
    monkeypatch.setattr("fastcollapse.models.kernel_ridge.fit._BATCH_BYTES", 1)
    found = simulate(experiment(folder, model)).metrics
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("designs", ["dependent", "independent"])
@pytest.mark.parametrize("start", ["zero", "previous"])
def test_extended_run__equals_a_run_of_its_length(folder, tmp_path, designs, start):
    """Sums of functions get more rows in a longer run."""
    given = {"designs": designs, "start": start}, (), {"n_samples": 4}
    simulate(experiment(folder, *given, n_generations=2), tmp_path / "run.h5")
    longer = experiment(folder, *given, n_generations=5)
    extended = simulate(longer, tmp_path / "run.h5", resume=True)
    for name, values in simulate(longer).metrics.items():
        np.testing.assert_array_equal(extended.metrics[name], values)
