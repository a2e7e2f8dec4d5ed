"""Kernel ridge runs: fits against scikit-learn and dense solves, singular matrices, memory and invalid input."""

import re

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fastcollapse import simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_DESIGN, PURPOSE_SYNTHETIC
from fastcollapse.models.kernel_ridge.downstream import Predictor
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.generators import fold, stream_key
from fastcollapse.models.kernel_ridge.model import KernelRidge
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.spectrum import estimate_spectrum
from fastcollapse.models.kernel_ridge.truth import KernelRidgeTruth
from fastcollapse.simulation.experiment import Experiment
from tests.naive import kernel_ridge as naive

KERNELS = [
    {"kernel": "rbf"},
    {"kernel": "polynomial", "degree": 2, "offset": 0.5},
    {"kernel": "linear"},
    {"kernel": "laplacian"},
    {"kernel": "matern", "nu": 0.5},
    {"kernel": "matern"},
    {"kernel": "matern", "nu": 2.5},
]
RIDGES = np.geomspace(1e-6, 1.0, 6)
MANY = {"name": "replace", "n_samples": 8000}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def truth_of(folder, **values):
    section = KernelRidgeTruth(**{"images": "inputs.npy", "labels": "labels.csv", "n_test": 8, **values})
    return load_truth(section, folder)


def experiment_of(folder, model=None, truth=None, workflow=None, **run):
    return Experiment.from_mapping(
        {
            "model": {"family": "kernel_ridge", "kernel": "rbf", "scale": 0.5, "sigma": 0.5, "ridge": 0.05}
            | (model or {}),
            "truth": {"images": "inputs.npy", "labels": "labels.csv", "n_test": 8} | (truth or {}),
            "workflow": workflow or {"name": "replace", "n_samples": 12},
            "run": {"n_generations": 2, "n_replicates": 2, "seed": 1} | run,
        },
        base=folder,
    )


def digits(n):
    truth = load_truth(KernelRidgeTruth(n_test=9000))
    return truth, np.arange(n)[None]


@pytest.mark.parametrize("keys", KERNELS, ids=lambda keys: " ".join(map(str, keys.values())))
def test_fit__equals_a_dense_solve(folder, keys):
    truth = truth_of(folder)
    model = KernelRidgeParameters(sigma=0.1, scale=0.7, **keys)
    fitter = Fitter(model.law(truth.rows, truth.unit), Table(truth.rows, "float64"), "float64")
    numbers = np.array([[3, 1, 8, 20, 33, 5, 30, 11], [0, 2, 4, 6, 8, 10, 12, 14]])
    labels = truth.targets[:, numbers].swapaxes(0, 1)
    ridges = np.geomspace(1e-4, 1.0, 5)
    path, _ = fitter.fit_path(numbers, labels, ridges)
    for g, rows in enumerate(truth.rows[numbers]):
        gram = naive.kernel(truth, model, rows, rows)
        for k, ridge in enumerate(ridges):
            expected = np.linalg.solve(gram + 8 * ridge * np.eye(8), labels[g].T).T
            np.testing.assert_allclose(path[g, k], expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
            one, _ = fitter.fit(numbers[g : g + 1], labels[g : g + 1], np.full((1, 8), 8 * ridge))
            np.testing.assert_allclose(one[0], expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    found = fitter.values(numbers, path[:, 2], Table(truth.test_rows, "float64"))
    expected = path[1, 2] @ naive.kernel(truth, model, truth.rows[numbers[1]], truth.test_rows)
    np.testing.assert_allclose(found[1], expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("keys", "peer"),
    [
        ({"kernel": "rbf", "scale": 5.0}, {"kernel": "rbf", "gamma": 1 / 50}),
        ({"kernel": "polynomial", "scale": 10.0}, {"kernel": "poly", "gamma": 0.01, "degree": 3, "coef0": 1}),
        ({"kernel": "laplacian", "scale": 50.0}, {"kernel": "laplacian", "gamma": 1 / 50}),
        ({"kernel": "linear", "scale": 1.0}, {"kernel": "linear"}),
    ],
    ids=lambda keys: keys["kernel"],
)
def test_fit__equals_scikit_learn(keys, peer):
    sklearn = pytest.importorskip("sklearn.kernel_ridge")
    truth, numbers = digits(400)
    model = KernelRidgeParameters(sigma=0.1, **keys)
    fitter = Fitter(model.law(truth.rows, truth.unit), Table(truth.rows, "float64"), "float64")
    labels = truth.targets[:, numbers].swapaxes(0, 1)
    path, _ = fitter.fit_path(numbers, labels, RIDGES)
    with threadpool_limits(1, "blas"):
        got = fitter.values(numbers, path[:, :, 0], Table(truth.test_rows[:300], "float64"))[0]
        for k, ridge in enumerate(RIDGES):
            fitted = sklearn.KernelRidge(alpha=400 * ridge, **peer).fit(truth.rows[:400] / 255, truth.targets[0, :400])
            expected = fitted.predict(truth.test_rows[:300] / 255)
            assert np.abs(got[k] - expected).max() <= 1e-8 * np.abs(expected).max()


def test_generation_0__predictor_is_fitted_to_the_given_labels(folder):
    """A predictor of generation 0 equals a dense solve on the same rows and noise."""
    results = simulate(
        experiment_of(folder, {"sigma": 0.0, "downstream": {"n_samples": 20, "ridge": [1e-3, 0.1, 2.0]}})
    )
    truth = truth_of(folder)
    model = results.experiment.model
    chain = KernelRidge(truth, model, results.experiment.workflow.schedule(2, None))._chain
    rows = chain.draw(2, 20, stream_key(1, 0, 0, PURPOSE_DESIGN), 0)
    for r in range(2):
        state = truth.rows[rows[r]], None
        for k, ridge in enumerate([1e-3, 0.1, 2.0]):
            sample = np.column_stack([state[0], rows[r], truth.targets[:, rows[r]].T])
            outputs = naive.evaluate(truth, model, naive.fit(truth, model, sample, ridge), truth.test_rows)
            expected = ((outputs - truth.test_targets) ** 2).mean()
            assert results.metrics["test_error"][r, 0, 0, k] == pytest.approx(expected, rel=1e-8)
    np.testing.assert_array_equal(results.metrics["generator_error"][:, 0], 0.0)
    np.testing.assert_array_equal(results.metrics["generator_accuracy"][:, 0], 1.0)


@pytest.mark.parametrize("target", ["number", "one_vs_rest"])
def test_tuned_predictor__adds_a_fit_to_its_errors(folder, target):
    """The error of a fine-tuned generation equals that of a dense solve for what its labels lack."""
    ridges, n = [1e-3, 0.1, 2.0], 20
    given = {"target": target, **({"labels": "classes.idx"} if target == "one_vs_rest" else {})}
    model = {"sigma": 0.0, "sigma0": 0.5, "downstream": {"n_samples": n, "ridge": ridges, "start": 2}}
    results = simulate(experiment_of(folder, model, given, record=["metrics", "trajectory"]))
    truth, model = truth_of(folder, **given), results.experiment.model
    chain = KernelRidge(truth, model, results.experiment.workflow.schedule(2, None))._chain
    rows = chain.draw(2, n, stream_key(1, 0, 0, PURPOSE_DESIGN), 0)
    for r in range(2):
        state = truth.rows, results.states["coefficients"][r, 2].T
        x = truth.rows[rows[r]]
        lacking = truth.targets[:, rows[r]] - naive.evaluate(truth, model, state, x)
        for k, ridge in enumerate(ridges):
            change = naive.fit(truth, model, np.column_stack([x, rows[r], lacking.T]), ridge)
            outputs = sum(naive.evaluate(truth, model, one, truth.test_rows) for one in (state, change))
            expected = ((outputs - truth.test_targets) ** 2).mean()
            assert results.metrics["test_error"][r, 2, 0, k] == pytest.approx(expected, rel=1e-8)
            assert expected != results.metrics["generator_error"][r, 2]
    assert np.isnan(results.metrics["test_error"][:, :2]).all()


def test_predictor__is_nan_for_other_generations(folder):
    model = {"downstream": {"n_samples": [5, 9], "ridge": 0.1, "generations": [1]}}
    found = simulate(experiment_of(folder, model)).metrics["test_error"]
    assert np.isfinite(found[:, 1]).all()
    assert np.isnan(found[:, [0, 2]]).all()


def test_fold__averages_labels_of_repeated_rows():
    rows, counts, means = fold(np.array([4, 2, 4, 9]), np.array([[1.0, 5.0, 3.0, 7.0], [0.0, 1.0, 4.0, 2.0]]))
    assert rows.tolist() == [2, 4, 9]
    assert counts.tolist() == [1, 2, 1]
    assert means.tolist() == [[5, 2, 7], [1, 2, 2]]


def test_spectrum__sums_to_the_trace_and_the_power_to_the_square(folder):
    truth = truth_of(folder, n_test=20)
    model = KernelRidgeParameters(kernel="rbf", sigma=0.1)
    law = model.law(truth.rows, truth.unit)
    spectrum, power = estimate_spectrum(law, Table(truth.test_rows, "float64"), truth.test_targets, 30)
    gram = naive.kernel(truth, model, truth.test_rows, truth.test_rows) / 20
    np.testing.assert_allclose(spectrum, np.linalg.eigvalsh(gram)[::-1], atol=1e-14)
    assert power.sum() == pytest.approx((truth.test_targets**2).mean())
    # With three inputs a linear kernel has three eigenvalues; one entry holds the power of all others.
    law = KernelRidgeParameters(kernel="linear", sigma=0.1).law(truth.rows, truth.unit)
    spectrum, power = estimate_spectrum(law, Table(truth.test_rows, "float64"), truth.test_targets, 30)
    assert (spectrum > 0).tolist() == [True] * 3 + [False] * 17
    assert (power > 0).tolist() == [True] * 4 + [False] * 16
    assert power.sum() == pytest.approx((truth.test_targets**2).mean())


def test_scale__is_the_median_distance(folder):
    truth = truth_of(folder)
    gaps = truth.rows[:, None] - truth.rows[None]
    upper = np.triu_indices(len(truth.rows), 1)
    for name, distances in (
        ("rbf", np.sqrt((gaps**2).sum(axis=2))[upper]),
        ("laplacian", np.abs(gaps).sum(axis=2)[upper]),
        ("linear", np.sqrt((truth.rows**2).sum(axis=1))),
    ):
        law = KernelRidgeParameters(kernel=name, sigma=0.1).law(truth.rows, truth.unit)
        assert law.scale == pytest.approx(np.sqrt(np.median(distances**2)), rel=0.02)


def test_draw__gives_new_distinct_rows_in_each_generation(folder):
    truth, model = truth_of(folder), experiment_of(folder).model
    schedule = experiment_of(folder).workflow.schedule(2, None)
    chain = KernelRidge(truth, model, schedule)._chain
    first, second = (chain.draw(3, 12, stream_key(1, 0, t, PURPOSE_SYNTHETIC)) for t in (1, 2))
    assert not np.array_equal(first, second)
    assert all(len(set(rows)) == 12 for rows in first.tolist())


@pytest.mark.parametrize("workflow", ["replace", "accumulate"])
def test_duplicate_rows__need_a_ridge(tmp_path, workflow):
    rng = np.random.default_rng(5)
    rows = np.repeat(rng.random((15, 4)), 4, axis=0)
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "y.npy", np.repeat(rng.random(15), 4))
    flow = {"name": workflow, "n_samples": 40} | ({"keep_real": True} if workflow == "accumulate" else {})
    files = {"images": "x.npy", "labels": "y.npy", "n_test": 10}
    for ridge in (1e-6, 1e-3):
        down = {"n_samples": 40, "ridge": [ridge, 1.0]}
        run = experiment_of(tmp_path, {"ridge": ridge, "sigma": 0.0, "downstream": down}, files, flow)
        found = simulate(run).metrics["generator_error"]
        assert (found < 0.1).all()
    message = "model.ridge must be larger than 0 for .* singular up to rounding .* reciprocal condition number"
    with pytest.raises(InputError, match=message):
        simulate(experiment_of(tmp_path, {"ridge": 0.0}, files, flow))
    run = experiment_of(tmp_path, {"ridge": 1e-3, "downstream": {"n_samples": 40, "ridge": [0.0, 1e-3]}}, files, flow)
    with pytest.raises(
        InputError, match=r"model\.downstream\.ridge must be larger than 0 for 40 samples with this kernel"
    ):
        simulate(run)


def test_float32__is_close_to_float64(tmp_path):
    rng = np.random.default_rng(2)
    np.save(tmp_path / "x.npy", rng.random((60, 5)))
    np.save(tmp_path / "y.npy", rng.random(60))
    files = {"images": "x.npy", "labels": "y.npy", "n_test": 20}
    model = {"ridge": 1e-3, "downstream": {"n_samples": 20, "ridge": [1e-3, 0.1]}}
    exact, single = (
        simulate(experiment_of(tmp_path, model | {"precision": precision}, files)).metrics
        for precision in ("float64", "float32")
    )
    for name, values in exact.items():
        np.testing.assert_allclose(single[name], values, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(single["test_error"], exact["test_error"])


def test_coefficients__are_0_except_for_the_sampled_rows(folder):
    results = simulate(experiment_of(folder, record=["metrics", "trajectory"]))
    found = results.states["coefficients"]
    assert found.shape == (2, 3, 1, 34)
    assert (np.count_nonzero(found, axis=3)[:, 1:] == 12).all()
    assert results.coordinates["row"].values.shape == (34,)
    assert results.coordinates["pixels"].values.shape == (3 * len(results.coordinates["shown"].values),)


def test_memory__limit_changes_no_bit(folder, tmp_path, monkeypatch):
    model = {"downstream": {"n_samples": [9, 20], "ridge": [1e-3, 0.1]}}
    # The memory of this process depends on other tests.
    monkeypatch.setattr("fastcollapse.simulation.memory_budget.resident", lambda: 500_000_000)
    experiment = experiment_of(folder, model, n_replicates=5)
    expected = simulate(experiment).metrics
    for name, limit in (("some", "3GB"), ("one", None)):
        if limit is None:
            # One replicate at a time.
            monkeypatch.setattr("fastcollapse.models.kernel_ridge.fit._BATCH_BYTES", 1)
        found = simulate(experiment, tmp_path / f"{name}.h5", memory_limit=limit).metrics
        for metric, values in expected.items():
            np.testing.assert_array_equal(found[metric], values)
    large = experiment_of(folder, truth={"images": None, "labels": None, "n_test": 2000}, workflow=MANY)
    with pytest.raises(InputError, match=r"^memory_limit must be at least 1,[\d,]+ MB for this run, got 900 MB"):
        simulate(large, tmp_path / "large.h5", memory_limit="900MB")


def test_memory__too_small_for_a_fit_is_rejected(folder, monkeypatch):
    monkeypatch.setattr("fastcollapse.models.kernel_ridge.fit.physical_bytes", lambda: 200_000)
    message = (
        r"workflow\.n_samples must fit into the 0\.0 GB of this machine, got 30, whose Gram matrix and workspace take"
    )
    simulate(experiment_of(folder))
    monkeypatch.setattr("fastcollapse.models.kernel_ridge.fit.physical_bytes", lambda: 2_000)
    with pytest.raises(InputError, match=message):
        simulate(experiment_of(folder, workflow={"name": "replace", "n_samples": 30}))


WRONG = [
    (
        {"model": {"kernel": "gauss"}},
        "model.kernel must be one of rbf, polynomial, linear, laplacian, matern, got 'gauss'",
    ),
    ({"model": {"kernel": "rbf", "degree": 2}}, "model.degree must be left out where model.kernel is not 'polynomial'"),
    ({"model": {"kernel": "rbf", "nu": 0.5}}, "model.nu must be left out where model.kernel is not 'matern', got 0.5"),
    ({"model": {"kernel": "matern", "nu": 2.0}}, "model.nu must be 0.5, 1.5 or 2.5, got 2.0"),
    ({"model": {"scale": 0}}, "model.scale must be above 0, got 0"),
    ({"model": {"scale": "mean"}}, "model.scale must be number above 0 or 'median', got 'mean'"),
    ({"model": {"ridge": -1e-3}}, "model.ridge must be at least 0, got -0.001"),
    ({"truth": {"labels": "inputs.npy"}}, "truth.labels must have one number a row, got 42 x 3 in 'inputs.npy'"),
    ({"truth": {"images": "labels.csv", "labels": "inputs.npy"}}, "truth.labels must have one number a row"),
    ({"truth": {"images": "classes.idx"}}, "truth.images must have a row of numbers for each input, got 42 numbers"),
    (
        {"truth": {"labels": "data/t10k-labels-idx1-ubyte.gz"}},
        "truth.labels must have as many labels as truth.images has",
    ),
    ({"truth": {"n_test": 42}}, "truth.n_test must be at most 41, to leave a row of 42, got 42"),
    ({"truth": {"images": None}}, "truth.images is required where truth.labels is given: file of a row each"),
    (
        {"workflow": {"name": "replace", "n_samples": 35}},
        "workflow.n_samples must be at most the 34 rows that are not held",
    ),
    (
        {"workflow": {"name": "mix", "n_samples": 3, "n_real": 40, "real": "fresh"}},
        "workflow.n_real must be at most the 34 rows that are not held out, got 40",
    ),
    (
        {"model": {"downstream": {"n_samples": [3, 50], "ridge": 1}}},
        "model.downstream.n_samples must be at most the 34 rows that are not held out, got 50",
    ),
    (
        {"model": {"downstream": {"n_samples": 3, "ridge": 1, "generations": [3]}}},
        "model.downstream.generations must be",
    ),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_wrong_input__gives_a_one_line_error(folder, changes, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        simulate(experiment_of(folder, **changes))
    assert "\n" not in str(caught.value)


def test_one_vs_rest__rejects_too_many_labels(folder, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(1).random((300, 2)))
    np.save(tmp_path / "y.npy", np.arange(300.0))
    with pytest.raises(
        InputError, match=r"truth\.target must with 'one_vs_rest' have 2 to 100 different labels, got 300"
    ):
        load_truth(KernelRidgeTruth(images="x.npy", labels="y.npy", n_test=9, target="one_vs_rest"), tmp_path)
    truth = truth_of(folder, labels="classes.idx", target="one_vs_rest")
    assert truth.targets.shape == (3, 34)
    assert (truth.targets.sum(axis=0) == -1).all()
    np.testing.assert_array_equal(truth.decide(truth.test_targets), truth.test_classes)


def test_scale__rejects_the_median_of_equal_rows(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((9, 2)))
    np.save(tmp_path / "y.npy", np.arange(9.0))
    files = {"images": "x.npy", "labels": "y.npy", "n_test": 3}
    with pytest.raises(InputError, match=r"model\.scale must be a number where most rows are equal"):
        simulate(experiment_of(tmp_path, {"scale": "median"}, files, {"name": "replace", "n_samples": 5}))


def test_coordinates__contain_the_axes_of_the_predictor(folder):
    model = experiment_of(folder, {"downstream": {"n_samples": [5, 9], "exponent": [0.5, 1.0]}}).model
    schedule = experiment_of(folder).workflow.schedule(2, None)
    predictor = KernelRidge(truth_of(folder), model, schedule)._downstream
    assert isinstance(predictor, Predictor)
    axes = model.downstream.coordinates()
    assert axes["downstream_samples"].values.tolist() == [5, 9]
    assert axes["exponent"].values.tolist() == [0.5, 1.0]
