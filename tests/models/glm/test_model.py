"""Generalised linear models: labels drawn in law, chains that end at separated labels, truths, and invalid input."""

import math
import sys

import numpy as np
import pytest
from scipy import stats

from fastcollapse import simulate
from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, Mix, Replace
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.kernels.regression.newton_glm import LOGISTIC, POISSON, new_workspace, rows_of
from fastcollapse.models.glm.kernels import add_labels
from fastcollapse.models.glm.metrics import METRICS
from fastcollapse.models.glm.model import MODEL
from fastcollapse.models.glm.parameters import GlmParameters
from fastcollapse.models.glm.setting import is_separated, setting_of
from fastcollapse.models.glm.truth import GlmTruth
from fastcollapse.simulation.experiment import Experiment
from tests._goodness_of_fit import chi_square_p
from tests.naive import glm as naive

P_LIMIT = 1e-6


def experiment(response="logistic", workflow=None, run=None, model=None, **truth):
    sections = {
        "model": {"family": "glm", "response": response, **(model or {})},
        "truth": truth,
        "workflow": workflow or {"name": "replace", "n_samples": truth.get("rows", 10)},
        "run": {"n_generations": 20, "n_replicates": 40, "seed": 3, "record": ["metrics", "trajectory"], **(run or {})},
    }
    return Experiment.from_mapping(sections)


@pytest.mark.parametrize("passes", [1, 3, 200])
@pytest.mark.parametrize("response", [LOGISTIC, POISSON])
def test_add_labels__has_the_law_of_sums_of_labels(one_blas_thread, response, passes):
    """The design is the identity, so that X'y is the sum of the labels of each row."""
    coefficients = np.array([-1.2, 0.0, 0.9])
    rows, stream = rows_of(np.eye(3), response), np.empty(STREAM_WORDS, np.uint64)
    work, words = new_workspace(*rows.blocks.shape), np.empty(rows.blocks.shape[2], np.uint64)
    sums = np.zeros((4000, 3))
    for i in range(4000):
        open_stream(np.uint64(1), np.uint64(i), np.uint64(1), np.uint64(0), np.uint64(1), stream)
        assert add_labels(*rows, coefficients, passes, stream, work, words, sums[i])
    for j in range(3):
        mean = 1 / (1 + np.exp(-coefficients)) if response == LOGISTIC else np.exp(coefficients)
        for shift, is_law in ((0.0, True), (0.05, False)):
            p = mean[j] + shift
            law = stats.binom(passes, p) if response == LOGISTIC else stats.poisson(passes * p)
            support = np.arange(int(law.ppf(1 - 1e-12)) + 2)
            counts = np.bincount(sums[:, j].astype(int), minlength=len(support))[: len(support)]
            if is_law:
                assert chi_square_p(counts, law.pmf(support)) > P_LIMIT
            elif passes == 200:
                assert chi_square_p(counts, law.pmf(support)) < P_LIMIT


def test_chain__ends_at_the_first_separated_labels():
    results = simulate(experiment(rows=12, dimension=2, norm=2.0))
    separated, coefficients = results.metrics["separated"], results.states["coefficients"]
    assert 0.5 < separated[:, -1].mean() <= 1
    assert (np.diff(separated, axis=1) >= 0).all()
    ended = separated[:, 1:] > 0
    np.testing.assert_array_equal(coefficients[:, 1:][ended], coefficients[:, :-1][ended])
    assert np.isfinite(coefficients).all()
    for name in ("squared_error", "information_error"):
        assert (np.isinf(results.metrics[name][:, 1:]) == ended).all()


def test_chain__of_all_labels_never_ends_after_a_finite_fit():
    """A pool with labels that nothing separates stays such a pool."""
    workflow = {"name": "accumulate", "n_samples": 12, "keep_real": True}
    separated = simulate(experiment(rows=12, dimension=2, norm=2.0, workflow=workflow)).metrics["separated"]
    assert 0 < separated[:, 1].mean() < 1
    assert (separated[:, 1:] == separated[:, 1:2]).all()


def test_metrics__equal_plain_definitions():
    run = {"record": ["metrics", "excess_risk", "trajectory"], "n_generations": 3, "n_replicates": 4}
    run["record"] = ["squared_error", "information_error", "separated", "excess_risk", "trajectory"]
    for response in GlmParameters.RESPONSES:
        made = experiment(response, rows=40, dimension=2, run=run)
        results, truth = simulate(made), made.truth.load()
        design, true = truth.design, truth.coefficients
        eta_0 = design @ true
        mean = {"logistic": 1 / (1 + np.exp(-eta_0)), "poisson": np.exp(eta_0), "gaussian": eta_0}[response]
        weights = {"logistic": mean * (1 - mean), "poisson": mean, "gaussian": np.ones(40)}[response]
        found = results.states["coefficients"]
        assert set(METRICS) == set(results.metrics)
        for r, t in np.ndindex(4, 4):
            gap = found[r, t] - true
            eta = design @ found[r, t]
            got = {name: values[r, t] for name, values in results.metrics.items()}
            np.testing.assert_allclose(got["squared_error"], gap @ gap, atol=1e-30)
            np.testing.assert_allclose(got["information_error"], weights @ (eta - eta_0) ** 2, rtol=1e-9, atol=1e-28)
            laws = {
                "logistic": lambda eta: stats.bernoulli(1 / (1 + np.exp(-eta))),
                "poisson": lambda eta: stats.poisson(np.exp(eta)),
            }
            if response == "gaussian":
                risk = 0.5 * (eta - eta_0) ** 2
            else:
                support = np.arange(2 if response == "logistic" else 150)[:, None]
                old, new = (laws[response](predictor) for predictor in (eta_0, eta))
                risk = (old.pmf(support) * (old.logpmf(support) - new.logpmf(support))).sum(axis=0)
            np.testing.assert_allclose(got["excess_risk"], risk.mean(), rtol=1e-6, atol=1e-14)


def test_truth__of_labels_is_their_fit(tmp_path):
    rng = np.random.default_rng(1)
    inputs = 100 + 20 * rng.standard_normal((80, 3))
    labels = 50 + inputs @ [1.0, 0.5, 0.0] + 30 * rng.standard_normal(80)
    np.savetxt(tmp_path / "x.csv", inputs, delimiter=",")
    np.save(tmp_path / "y.npy", labels)
    truth = GlmTruth(inputs_file="x.csv", labels_file="y.npy", columns=2, above=200.0)
    loaded = truth.load(tmp_path)
    assert set(loaded.inputs) == set(truth.files) == {"x.csv", "y.npy"}
    scaled = (inputs[:, :2] - inputs[:, :2].mean(axis=0)) / inputs[:, :2].std(axis=0)
    np.testing.assert_allclose(loaded.design, np.column_stack([np.ones(80), scaled]), atol=1e-12)
    expected = naive.fit(loaded.design, (labels > 200).astype(float), "logistic")
    np.testing.assert_allclose(setting_of(loaded, "logistic").truth, expected, rtol=1e-9)
    plain = GlmTruth(inputs_file="x.csv", labels_file="y.npy", standardise=False, has_intercept=False).load(tmp_path)
    np.testing.assert_array_equal(plain.design, inputs)
    expected = np.linalg.lstsq(inputs, labels, rcond=None)[0]
    np.testing.assert_allclose(setting_of(plain, "gaussian").truth, expected)


def test_truth__of_counts_is_their_fit(tmp_path):
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((60, 2))
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", rng.poisson(np.exp(3 + inputs @ [0.5, -0.5])))
    loaded = GlmTruth(inputs_file="x.npy", labels_file="y.npy").load(tmp_path)
    expected = naive.fit(loaded.design, loaded.labels, "poisson")
    np.testing.assert_allclose(setting_of(loaded, "poisson").truth, expected, rtol=1e-9)


@pytest.mark.parametrize(("response", "expected"), [("poisson", math.log(3)), ("gaussian", 3.0)])
def test_truth__of_equal_labels_that_have_a_fit(tmp_path, response, expected):
    found = setting_of(write(tmp_path, X, np.full(8, 3)).load(tmp_path), response).truth
    np.testing.assert_allclose(found, [expected, 0, 0], atol=1e-9)


def test_is_separated__equals_the_other_linear_program():
    rng, seen = np.random.default_rng(3), set()
    for _ in range(60):
        design = np.column_stack([np.ones(10), rng.integers(-1, 2, 10)]).astype(float)
        for response in ("logistic", "poisson"):
            labels = rng.integers(0, 2, 10).astype(float)
            expected = naive.is_separated(design, labels, response)
            assert is_separated(design, labels, response) == expected
            seen.add(expected)
    assert seen == {True, False}


def test_truth__of_a_data_set_needs_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError, match=r"scikit-learn must be installed \(pip install scikit-learn\)"):
        GlmTruth(data="diabetes").load()


def test_truth__of_data_sets():
    pytest.importorskip("sklearn")
    loaded = GlmTruth(data="breast_cancer", columns=10).load()
    assert loaded.design.shape == (569, 11)
    assert np.isfinite(setting_of(loaded, "logistic").truth).all()
    with pytest.raises(InputError, match="that no linear function of the inputs separates"):
        setting_of(GlmTruth(data="breast_cancer").load(), "logistic")
    loaded = GlmTruth(data="diabetes", above=100.0).load()
    assert set(loaded.labels) == {0.0, 1.0}
    assert list(loaded.inputs) == ["scikit-learn: diabetes"]


def test_coefficients__equal_those_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    made = experiment(rows=500, dimension=3).truth.load()
    labels = (rng.random(500) < 1 / (1 + np.exp(-made.design @ made.coefficients))).astype(float)
    peer = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
    peer.fit(made.design[:, 1:], labels)
    found = naive.fit(made.design, labels, "logistic")
    np.testing.assert_allclose(found, [*peer.intercept_, *peer.coef_[0]], atol=1e-8)


def test_limit__median_adds_noise_to_the_model_it_does_not_train():
    """Fits of the median share the chain of the mean: the errors differ, and the next batch does not see it."""
    common = {"rows": 1, "dimension": 0, "run": {"n_replicates": 4000, "n_generations": 3}, "response": "gaussian"}
    found = {}
    for estimator in ("mle", "median"):
        made = experiment(**common, model={"sampler": "limit", "estimator": estimator})
        found[estimator] = simulate(made).states["coefficients"][..., 0]
    variances = {name: values[:, 1:].var(axis=0) for name, values in found.items()}
    np.testing.assert_allclose(variances["mle"], [1, 2, 3], rtol=0.12)
    np.testing.assert_allclose(variances["median"], np.pi / 2 + np.arange(3), rtol=0.12)


def write(folder, inputs, labels):
    np.save(folder / "x.npy", np.asarray(inputs, float))
    np.save(folder / "y.npy", np.asarray(labels, float))
    return GlmTruth(inputs_file="x.npy", labels_file="y.npy", standardise=False)


X = np.random.default_rng(0).standard_normal((8, 2))
Y = [0, 1, 1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("inputs", "labels", "response", "message"),
    [
        (np.where(np.arange(16).reshape(8, 2) == 3, np.nan, X), Y, "logistic", "truth.inputs_file must be .* finite"),
        (X, [math.nan, *Y[1:]], "logistic", "truth.labels_file must be .* finite"),
        (X, Y[:5], "logistic", r"truth.labels_file must have one label for each of 8 rows, got 5 in 'y.npy'"),
        (X[:, 0], Y, "logistic", "truth.inputs_file must have a row of numbers for each label, got 8"),
        (X[:, [0, 1, 0]], Y, "logistic", "must have 4 linearly independent columns, with the intercept, got 8 rows of"),
        (np.ones((8, 1)), Y, "logistic", "must have 2 linearly independent columns, .* got 8 rows of rank 1"),
        (X[:2], Y[:2], "logistic", "must have 3 linearly independent columns, .* got 2 rows of rank 2"),
        (X, np.ones(8), "logistic", "must not be all equal, got 8 times 1"),
        (X, [2, *Y[1:]], "logistic", "must be 0 or 1 for a logistic response; .* got 2 in row 1"),
        (X, X[:, 0] > 0, "logistic", "must be such that no linear function of the inputs separates"),
        (X, [-1, *Y[1:]], "poisson", "must be counts, whole numbers from 0, .* got -1 in row 1"),
        (X, [0.5, *Y[1:]], "poisson", "must be counts, whole numbers from 0, .* got 0.5 in row 1"),
        (X, np.where(X[:, 0] == X[:, 0].max(), 5, 0), "poisson", "must be such that no linear function"),
        (X * [1, 1e-10], X[:, 1] > 0, "logistic", "must be such that no linear function"),
        (X * [1, 1e50], X[:, 1] > 0, "logistic", "must be such that no linear function"),
        (X, np.zeros(8), "poisson", "must not be all equal, got 8 times 0"),
        (X, np.where(X[:, 0] > 0, 1e20, 3), "poisson", "^the labels of the truth must give rates of at most 1e15"),
    ],
)
def test_labels_of_the_user__are_checked(tmp_path, inputs, labels, response, message):
    truth = write(tmp_path, inputs, labels)
    with pytest.raises(InputError, match=message) as error:
        setting_of(truth.load(tmp_path), response)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({}, "rows is required: a whole number"),
        ({"rows": 5}, "dimension is required"),
        ({"rows": 5, "dimension": 2, "coefficients": [1.0]}, "coefficients must have 2 entries, one an input, got 1"),
        ({"rows": 5, "dimension": 2, "coefficients": "large"}, "coefficients must be one of constant, random"),
        ({"rows": 5, "dimension": 0, "has_intercept": False}, "has_intercept must be true without inputs"),
        ({"rows": 5, "dimension": 1, "has_intercept": False, "intercept": 1.0}, "intercept must be 0 without an"),
        ({"rows": 5, "dimension": 1, "columns": 1}, "columns must be absent without rows of the user"),
        ({"inputs_file": "x.csv"}, "labels_file is required where truth.inputs_file is given"),
        ({"labels_file": "x.csv"}, "inputs_file is required where truth.labels_file is given"),
        ({"inputs_file": "x", "labels_file": "y", "data": "diabetes"}, "data must be absent with truth.inputs_file"),
        ({"data": "diabetes", "rows": 5}, "rows must be absent for rows of the user, got 5"),
        ({"data": "diabetes", "norm": 2.0}, "norm must be absent for rows of the user, got 2"),
        ({"data": "diabetes", "intercept": 1.0}, "intercept must be absent for rows of the user, got 1"),
        ({"data": "diabetes", "coefficients": [1.0]}, r"coefficients must be absent for rows of the user, got \[1"),
    ],
)
def test_truth__keys_are_checked(truth, message):
    with pytest.raises(InputError, match=message):
        build(GlmTruth, truth)


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (Replace(n_samples=15), "workflow.n_samples must be a multiple of the 10 rows, .* got 15 at generation 1"),
        (Replace(n_samples=(10, 25)), "got 25 at generation 2"),
        (Mix(n_samples=10, n_real=5, real="fresh"), "workflow.n_real must be a multiple of the 10 rows"),
    ],
)
def test_samples__are_multiples_of_the_rows(workflow, message):
    truth = GlmTruth(rows=10, dimension=1).load()
    with pytest.raises(InputError, match=message):
        MODEL(truth, GlmParameters(response="logistic"), workflow.schedule(2, None))


def test_parameters__median_needs_the_gaussian_limit():
    with pytest.raises(InputError, match=r"estimator must be 'mle' unless model\.response is 'gaussian'"):
        build(GlmParameters, {"response": "logistic", "estimator": "median"})
    truth = GlmTruth(rows=10, dimension=1, coefficients=(90.0,)).load()
    with pytest.raises(InputError, match="must give rates of at most 1e15, got the predictor"):
        setting_of(truth, "poisson")
    far = GlmTruth(rows=10, dimension=1, coefficients=(1e5,)).load()
    with pytest.raises(InputError, match=r"truth\.coefficients and truth\.norm must give labels that determine"):
        setting_of(far, "logistic")


def test_subsamples__are_refused():
    with pytest.raises(InputError, match="the glm family does not support a fit to a subsample of the pool"):
        experiment(
            rows=10,
            dimension=1,
            workflow={"name": "accumulate_subsample", "n_samples": 10, "keep_real": True, "replacement": False},
        )


def test_pool__keeps_sums_that_do_not_grow():
    model = MODEL(
        GlmTruth(rows=10, dimension=1).load(),
        GlmParameters(response="logistic"),
        Accumulate(n_samples=10, keep_real=True).schedule(50, None),
    )
    state = model.initial(3, 1)
    sizes = {name: values.size for name, values in state.arrays().items()}
    model.advance(state, 1, 50, 1)
    assert sizes == {name: values.size for name, values in state.arrays().items()}


@pytest.mark.parametrize("response", ["logistic", "poisson"])
def test_failed_fit__ends_in_missing_numbers(response):
    """Rates beyond 1e15, or coefficients that are no numbers: the run stops at NaN, and no draw sees it."""
    model = MODEL(
        GlmTruth(rows=10, dimension=1).load(),
        GlmParameters(response=response),
        Replace(n_samples=20).schedule(3, None),
    )
    state = model.initial(2, 1)
    state.chains.coefficients[0] = 90.0 if response == "poisson" else math.nan
    found = model.advance(state, 1, 3, 1).states["coefficients"]
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_rates__of_all_labels_of_a_row_are_limited():
    truth = GlmTruth(rows=10, dimension=1, intercept=30.0).load()
    with pytest.raises(InputError, match=r"workflow\.n_samples must give the labels of a row a sum of mean at most 1e"):
        MODEL(truth, GlmParameters(response="poisson"), Replace(n_samples=10**4).schedule(1, None))


@pytest.mark.parametrize(("norm", "n_samples"), [(1e10, 10), (1.0, 10**13)])
def test_coefficients__are_not_far_beyond_the_errors_of_fits(norm, n_samples):
    """Errors are differences of coefficients: those of 1e20 would all be 0."""
    MODEL(
        GlmTruth(rows=10, dimension=1, norm=norm).load(),
        GlmParameters(response="gaussian"),
        Replace(n_samples=n_samples).schedule(1, None),
    )
    far = GlmTruth(rows=10, dimension=1, norm=norm * 1e7).load()
    message = r"^truth\.coefficients and truth\.norm must be at most 1e\+12 times the deviation .* got .* times$"
    with pytest.raises(InputError, match=message):
        MODEL(far, GlmParameters(response="gaussian"), Replace(n_samples=n_samples).schedule(1, None))
