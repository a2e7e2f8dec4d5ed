"""Estimators of the user: their numbers, seeds, processes and failures, and what a results file does not import."""

import functools
import multiprocessing
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.report import comparison_text, summary
from fastcollapse.cli.main import main
from fastcollapse.errors import InputWarning, UserCodeError
from fastcollapse.kernels.random.numpy_streams import numpy_stream
from fastcollapse.kernels.random.streams import PURPOSE_FIT, PURPOSE_SYNTHETIC
from fastcollapse.models.estimator.examples import Normal
from fastcollapse.models.estimator.factory import import_factory, name_of
from fastcollapse.models.estimator.processes import Processes
from fastcollapse.simulation.replay import replay

NORMAL = "fastcollapse.models.estimator.examples:Normal"
PLANE = {"normal_mixture": {"weights": [0.5, 0.5], "means": [[-2, 0], [2, 0]], "covariances": [1.0, 0.5]}, "n_test": 30}
LINE = {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}, "n_test": 30}
SEED = 11


def experiment(truth=PLANE, model=(), workflow=(), **run):
    sections = {
        "model": {"family": "estimator", **dict(model)},
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": 40, **dict(workflow)},
        "run": {"n_generations": 5, "n_replicates": 3, "seed": SEED, "record": ["metrics", "trajectory"], **run},
    }
    return Experiment.from_mapping(sections)


class Failing(Normal):
    """Fails in the fit of one replicate at one generation, which it knows by its points."""

    poisoned = None

    def fit(self, X, sample_weight=None):
        if Failing.poisoned is not None and np.array_equal(X, Failing.poisoned):
            raise ValueError("these points\nare not for me")
        return super().fit(X, sample_weight)


def assert_plain_loop(results, make, seeded):
    """Assert that a plain loop over generations with the same seeds gives the same points and scores."""
    for replicate in range(results.n_replicates):
        points = results.sample("points", replicate, 1)
        for t in range(1, results.last + 1):
            np.testing.assert_array_equal(results.sample("points", replicate, t), points)
            np.testing.assert_allclose(results.metrics["mean"][replicate, t], points.mean(axis=0), rtol=1e-12)
            np.testing.assert_allclose(
                results.metrics["covariance"][replicate, t], np.cov(points.T, bias=True), rtol=1e-10, atol=1e-14
            )
            streams = [
                numpy_stream(SEED, replicate, *names) for names in ((t, PURPOSE_FIT), (t + 1, PURPOSE_SYNTHETIC))
            ]
            points = seeded(make(), points, *streams)


def test_numbers__equal_a_plain_loop_with_the_same_seeds():
    def seeded(model, points, fit_stream, sample_stream):
        return model.fit(points).sample(40, rng=sample_stream)

    results = simulate(experiment(model={"parameters": {"unbiased": True}}), model=Normal)
    assert_plain_loop(results, lambda: Normal(unbiased=True), seeded)
    with pytest.raises(AssertionError):  # negative control
        assert_plain_loop(results, Normal, seeded)


def test_numbers__of_scikit_learn_equal_a_plain_loop():
    mixture = pytest.importorskip("sklearn.mixture")

    def seeded(model, points, fit_stream, sample_stream):
        model.set_params(random_state=int(fit_stream.integers(2**32))).fit(points)
        return model.set_params(random_state=int(sample_stream.integers(2**32))).sample(40)[0]

    results = simulate(experiment(model={"parameters": {"n_components": 2}}), model=mixture.GaussianMixture)
    assert_plain_loop(results, lambda: mixture.GaussianMixture(2), seeded)
    assert np.isfinite(results.metrics["nll"]).all()
    assert results.experiment.model.factory == "sklearn.mixture._gaussian_mixture:GaussianMixture"


def test_density_estimate_of_scikit_learn__takes_seed_and_weights():
    neighbors = pytest.importorskip("sklearn.neighbors")
    weighted = {"name": "mix", "n_real": 20, "real": "fresh", "weight": 0.25}
    made = experiment(model={"parameters": {"bandwidth": 0.3}}, workflow=weighted)
    results = simulate(made, model=neighbors.KernelDensity)
    points = results.sample("points", 1, 5)
    assert points.shape == (60, 2)
    shares = np.repeat([0.75 / 40, 0.25 / 20], [40, 20])
    np.testing.assert_allclose(results.metrics["mean"][1, 5], shares @ points, rtol=1e-12)
    native = simulate(
        Experiment.from_mapping({**made.to_mapping(), "model": {"family": "kde", "bandwidth": 0.3}}).with_values(
            {"run.n_replicates": 300}
        )
    )
    got = simulate(made.with_values({"run.n_replicates": 300}), model=neighbors.KernelDensity)
    np.testing.assert_array_equal(got.sample("points", 0, 1), native.sample("points", 0, 1))
    for name in ("nll", "within_variance"):
        assert stats.ks_2samp(got.metrics[name][:, 5], native.metrics[name][:, 5]).pvalue > 1e-4


class Sorted(Normal):
    """Returns its points in order, as mixtures of scikit-learn do by component."""

    def sample(self, n, rng):
        return np.sort(super().sample(n, rng), axis=0)


def test_real_share__does_not_depend_on_the_order_of_the_sample():
    """The largest points are not the ones that real points replace; without that, the mean falls by 0.4 at once."""
    workflow = {"name": "mix", "n_samples": 60, "real": "fresh", "real_share": 0.5}
    made = experiment(LINE, workflow=workflow, n_replicates=200, n_generations=4, record=["metrics"])
    got = simulate(made, model=Sorted).metrics["mean"][:, 1:, 0]
    expected = simulate(made, model=Normal).metrics["mean"][:, 1:, 0]
    np.testing.assert_array_equal(got[:, 0], expected[:, 0])
    errors = got.std(axis=0) / np.sqrt(200)
    assert (abs(got.mean(axis=0)) < 4 * errors).all()
    assert stats.ks_2samp(got[:, -1], expected[:, -1]).pvalue > 1e-4


def test_law__equals_that_of_the_gaussian_family():
    """One comparison each of the mean and the variance, and the negative control of the other estimator."""
    run = {"n_replicates": 400, "n_generations": 6, "record": ["metrics"]}
    workflow, recorded = {"n_samples": 5}, {"record": ["trajectory"]}
    own = simulate(experiment(LINE, workflow=workflow, **run), model=Normal)
    got = own.metrics["covariance"][:, 6, 0, 0]

    def native(estimator):
        sections = experiment(workflow=workflow, **run | recorded).with_values({"run.seed": 5}).to_mapping()
        model = {"family": "gaussian", "estimator": estimator}
        return simulate(Experiment.from_mapping({**sections, "model": model, "truth": {"sigma": 1.0}})).states

    def p_of(metrics):
        return stats.ks_2samp(np.log(got), 2 * metrics["log_sigma"][:, 6]).pvalue

    assert p_of(native("mle")) > 1e-4
    assert stats.ks_2samp(own.metrics["mean"][:, 6, 0], native("mle")["mean"][:, 6]).pvalue > 1e-4
    assert p_of(native("unbiased")) < 1e-6


def test_processes__change_no_number():
    made = experiment(n_replicates=5, workflow={"name": "accumulate", "keep_real": True})
    expected = simulate(made, model=Normal)
    got = simulate(made, model=Normal, threads=2)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values)


def test_processes__without_the_factory_are_refused_with_a_warning():
    with pytest.warns(InputWarning, match="run in one process, not in 2: .* it cannot be pickled"):
        simulate(experiment(), model=lambda: Normal(), threads=2)
    with pytest.warns(InputWarning, match="it is defined in the script or notebook itself"):
        Processes(Normal, "__main__").use(2)


def test_processes__are_not_started_by_a_process_of_a_pool(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.warns(InputWarning, match=r"not in 2: a process of multiprocessing\.Pool cannot start others"):
        got = simulate(experiment(), model=Normal, threads=2)
    np.testing.assert_array_equal(got.metrics["nll"], simulate(experiment(), model=Normal).metrics["nll"])


def test_failure__names_replicate_and_generation_and_can_be_resumed(tmp_path, monkeypatch):
    path, made = tmp_path / "out.h5", experiment(n_generations=8)
    expected = simulate(made, model=Failing)
    monkeypatch.setattr(Failing, "poisoned", expected.sample("points", 1, 6).copy())
    message = "^the estimator of replicate 1 at generation 6: fit failed: ValueError: these points are not for me$"
    with pytest.raises(UserCodeError, match=message):
        simulate(made, path, model=Failing, block=4)
    assert open_results(path).last == 5
    monkeypatch.setattr(Failing, "poisoned", None)
    got = simulate(made, path, model=Failing, resume=True)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values)


class Odd(Normal):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def score_samples(self, X):
        if self.kind == "score":
            raise KeyError("score")
        return np.full(len(X), np.nan) if self.kind == "no number" else super().score_samples(X)

    def sample(self, n, rng):
        drawn = super().sample(n, rng)
        return {"shape": drawn[1:], "nan": drawn * np.nan, "text": "no points"}.get(self.kind, drawn)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("shape", r"sample\(40\) must have shape \(40, 2\), got \(39, 2\)"),
        ("nan", r"sample\(40\) has values that are not finite"),
        ("text", "sample failed: ValueError: could not convert string to float: 'no points'"),
        ("score", "score_samples failed: KeyError: 'score'"),
        ("no number", "score_samples has values that are not numbers"),
    ],
)
def test_failure__of_a_sample_is_one_line(kind, message):
    with pytest.raises(UserCodeError, match=f"^the estimator of replicate 0 at generation 1: {message}$"):
        simulate(experiment(model={"parameters": {"kind": kind}}), model=Odd)


class Silent:
    def fit(self, X):
        return self

    def sample(self, n):
        return np.zeros((n, 2))


class Global(Silent):
    """Has a seed, and neither scores nor set_params."""

    random_state = None

    def sample(self, n):
        return np.random.default_rng(self.random_state).standard_normal((n, 2))


class Bounded(Normal):
    """Has no density at most points, as a histogram."""

    def score_samples(self, X):
        return np.where(abs(X - self.mean).max(axis=1) < 1, 0.0, -np.inf)


def test_score__without_density_is_infinite_and_counted():
    results = simulate(experiment(), model=Bounded)
    assert np.isinf(results.metrics["nll"][:, 1:]).all()
    comparison = compare(results)
    assert comparison.reasons["no finite value"] == results.last
    assert sum(row.metric == "nll" for row in comparison.rows) == results.last
    assert [row["mean"] for row in comparison.to_dict()["points"] if row["metric"] == "nll"] == ["inf"] * results.last
    assert "nll" in summary(results)
    assert results.plot("nll").get_xlabel()


def test_score__is_missing_without_score_samples():
    results = simulate(experiment(), model=Global)
    assert np.isnan(results.metrics["nll"][:, 1:]).all()
    assert len(np.unique(results.sample("points", 0, 3))) == 80
    text = summary([results], None, [])
    assert "covariance" in text.lower()
    assert "no theory of it is known" in comparison_text(results, compare(results))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Silent, "sample must take rng or random_state, or the estimator must have a random_state"),
        (dict, "dict must have a method fit"),
        (functools.partial(Normal, 1, 2), "the factory failed: TypeError"),
        (3, "model must be a callable that returns an estimator, got an object of int: give its class, or"),
        ("nowhere.at.all:Model", "'nowhere.at.all:Model' cannot be imported: ModuleNotFoundError"),
        ("math:pi", "model.factory must be a callable, got 'math:pi', a float"),
        ("math", "model.factory must be a string as \"package.module:callable\", got 'math'"),
    ],
)
def test_model__wrong_factory_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        simulate(experiment(), model=model)


def test_model__is_needed_by_this_family_alone():
    with pytest.raises(
        InputError, match=r"model.factory must be given, or the estimator itself with model=..., got none"
    ):
        simulate(experiment())
    gaussian = Experiment.from_mapping(
        {**experiment().to_mapping(), "model": {"family": "gaussian", "estimator": "mle"}, "truth": {"sigma": 1.0}}
    )
    with pytest.raises(InputError, match="model must be absent: only the estimator family takes"):
        simulate(gaussian, model=Normal)


@pytest.mark.parametrize("keys", [{"name": "mix", "n_real": 9, "real": "fixed", "weight": 0.5}, {"discount": 0.5}])
def test_weights__need_a_fit_that_takes_them(keys):
    workflow = {"name": "accumulate", "keep_real": False, **keys}
    if workflow["name"] == "mix":
        del workflow["keep_real"]
    with pytest.raises(InputError, match=r"must be absent: the fit of .*:Global takes no sample_weight"):
        simulate(experiment(workflow=workflow), model=Global)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"factory": "a b"}, "model.factory must be a string as \"package.module:callable\", got 'a b'"),
        ({"parameters": {"a": float("inf")}}, "model.parameters.a must be true, false, text, a finite number"),
        ({"parameters": {"a": [1, {"b": None}]}}, r"model.parameters.a\[1\].b must be"),
        ({"parameters": {"1": 2}}, "model.parameters must be a table whose names are identifiers, got '1'"),
        ({"parameters": 3}, "model.parameters must be a table of names and values, got 3"),
    ],
)
def test_parameters__wrong_values_are_refused(model, message):
    with pytest.raises(InputError, match=message):
        experiment(model=model)


def test_parameters__are_values_of_the_experiment():
    made = experiment(model={"factory": NORMAL, "parameters": {"a": [1, 2.5], "b": {"c": True}}})
    assert Experiment.from_mapping(made.to_mapping()) == made
    assert made.with_values({"model.parameters.b.c": False}).model.parameters == {"a": [1, 2.5], "b": {"c": False}}


def test_name__is_that_of_the_factory():
    assert name_of(Normal) == NORMAL
    assert import_factory(NORMAL, None) is Normal
    assert name_of(functools.partial(Normal)) == "functools:partial"


MODULE = """
from fastcollapse.models.estimator.examples import Normal as Own
"""
TOML = f"""
[model]
family = "estimator"
factory = "own_estimators_{{number}}:Own"
parameters = {{{{unbiased = true}}}}
[truth]
normal_mixture = {{{{weights = [1.0], means = [0.0], covariances = [1.0]}}}}
[workflow]
name = "replace"
n_samples = 20
[run]
n_generations = 4
n_replicates = 2
seed = {SEED}
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return (file of an experiment, name of the module beside it), in another folder than the current one."""
    number, folder = abs(hash(str(tmp_path))), tmp_path / "study"
    folder.mkdir()
    (folder / f"own_estimators_{number}.py").write_text(MODULE)
    (folder / "my.toml").write_text(TOML.format(number=number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return folder / "my.toml", f"own_estimators_{number}"


def call(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(one) for one in arguments])
    return end.value.code


def test_results__import_no_code(written, capsys):
    file, module = written
    assert call("run", file, "-o", "out.h5") == 0
    assert Path("out.png").exists()
    del sys.modules[module]
    results, refused = (
        open_results("out.h5"),
        f"model.factory '{module}:Own' is named by a results file, which imports no code",
    )
    assert call("info", "out.h5") == call("check", "out.h5") == call("compare", "out.h5") == 0
    assert call("replay", "out.h5") == 2
    assert refused in capsys.readouterr().err
    for again in (replay, lambda results: simulate(results.experiment.with_values({"run.seed": 3}))):
        with pytest.raises(InputError, match=refused):
            again(results)
    assert module not in sys.modules
    # Given again, it is replayed.
    assert replay(results, model=Normal).different == ()
    assert replay(results, model=lambda unbiased: Normal()).different != ()
    sys.path.append(str(file.parent))
    assert call("replay", "out.h5", "--factory", f"{module}:Own") == 0
    assert module in sys.modules


def test_command__failure_says_what_is_kept_and_how_to_resume(written, capsys):
    file, module = written
    code = "from tests.models.estimator.test_model import Failing as Own\n"
    (file.parent / f"{module}.py").write_text(code)
    whole = simulate(Experiment.from_toml(file).with_values({"run.record": ["trajectory"]}))
    Failing.poisoned = whole.sample("points", 0, 3).copy()
    try:
        assert call("run", file, "-o", "out.h5") == 1
    finally:
        Failing.poisoned = None
    error = capsys.readouterr().err
    assert "error: the estimator of replicate 0 at generation 3: fit failed: ValueError: these points" in error
    assert f"keeps generations 0 to 2; to resume: fastcollapse run {file} --resume out.h5" in error
    assert call("run", "--resume", "out.h5") == 2
    assert "which imports no code" in capsys.readouterr().err
    assert call("run", file, "--resume", "out.h5") == 0
    np.testing.assert_array_equal(open_results("out.h5").metrics["mean"], whole.metrics["mean"])


@pytest.mark.parametrize("code", [{"model": Normal}, {}], ids=["given", "named"])
def test_extension__of_a_stopped_run_has_the_same_bits(tmp_path, code):
    model = {} if code else {"factory": NORMAL}
    sizes = [{"n_generations": 4, "n_replicates": 2}, {"n_generations": 6, "n_replicates": 3}]
    short, longer = (experiment(model=model, **size) for size in sizes)
    metrics = {"largest": lambda state: state["covariance"].max()}
    stopped = simulate(short, tmp_path / "a.h5", metrics=metrics, block=1, on_block=lambda so_far: True, **code)
    assert not stopped.finished
    got = simulate(longer, tmp_path / "a.h5", metrics=metrics, resume=True, **code)
    expected = simulate(longer, metrics=metrics, **code)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(got.metrics[name], values)


def test_same_call__without_the_model_asks_for_it(tmp_path):
    made = experiment()
    simulate(made, tmp_path / "out.h5", model=Normal)
    for options in ({}, {"resume": True}):
        with pytest.raises(InputError, match=r"absent here \(give model=, the code of the user\)"):
            simulate(made, tmp_path / "out.h5", **options)
