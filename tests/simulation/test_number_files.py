"""Numbers of an experiment in files: every key that takes a list, the record of the numbers, and refusals."""

import dataclasses
import json

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.api.results import open_results
from fastcollapse.config.fields import ValidationErrors, list_depth
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import Run
from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families, family
from fastcollapse.simulation.number_files import NumberFiles, with_numbers
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.run_plan import plan_run

SECTIONS = {
    **{f"{part} of {name}": getattr(family(name), part) for name in families() for part in ("PARAMETERS", "TRUTH")},
    **WORKFLOWS,
    "run": Run,
    "sampling": Sampling,
}


def fields_of(cls):
    """Yield the fields of a section and of its tables, each with its section."""
    for field in dataclasses.fields(cls):
        yield cls, field
        if isinstance(field.metadata["check"], TableField):
            yield from fields_of(field.metadata["check"].cls)


FIELDS = {f"{name}: {field.name}": (cls, field) for name, top in SECTIONS.items() for cls, field in fields_of(top)}
LISTS = {name: given for name, given in FIELDS.items() if list_depth(given[1].metadata["check"]) > 0}
# These take the path of a file themselves: their arrays may be large, and a results file does not have them as text.
OWN_FILES = ("covariance", "probabilities", "reward")


def accepts(check, value):
    try:
        check(value)
    except ValidationErrors:
        return False
    return True


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("ending", ["npy", "npz", "csv"])
def test_every_list_of_numbers__may_be_a_file(tmp_path, name, ending):
    cls, field = LISTS[name]
    check = field.metadata["check"]
    values = np.ones((2,) * min(list_depth(check), 2), np.int64)  # a table has at most two dimensions
    path = tmp_path / f"x.{ending}"
    if ending == "npy":
        np.save(path, values)
    elif ending == "npz":
        np.savez(path, values)
    else:
        np.savetxt(path, values, delimiter=",")
    filled, paths = with_numbers(cls, {field.name: "x." + ending}, NumberFiles(tmp_path), "here")
    assert paths == {f"here.{field.name}": f"x.{ending}"}
    assert np.array_equal(filled[field.name], values)
    if accepts(check, values.tolist()):  # a share of 1 is refused by some
        assert check(filled[field.name]) == check(values.tolist())


@pytest.mark.parametrize("name", FIELDS)
def test_every_key_that_takes_a_list_of_numbers__takes_a_file(name):
    _, field = FIELDS[name]
    check = field.metadata["check"]
    lists = ([1, 1], [0.5, 0.5], [[1.0]], [[[1.0]]])
    if list_depth(check) <= 0 and any(accepts(check, value) for value in lists):
        assert field.name in OWN_FILES
        assert accepts(check, "x.npy")


GAUSSIAN = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"mean": "mean.npy", "covariance": "cov.csv"},
    "workflow": {"name": "replace", "n_samples": "sizes.npz:n"},
    "run": {"n_generations": 3, "n_replicates": 2, "seed": 5},
}
MEAN, COVARIANCE, SIZES = np.array([1.0, -2.5, 0.0]), np.diag([1.0, 2.0, 0.5]) + 0.1, np.array([20, 30, 40])


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "mean.npy", MEAN)
    rows = "\n".join(f"{i};{';'.join(map(repr, row.tolist()))}" for i, row in enumerate(COVARIANCE))
    (tmp_path / "cov.csv").write_text(f";0;1;2\n{rows}\n")  # as pandas writes it
    np.savez(tmp_path / "sizes.npz", n=SIZES, other=SIZES[:1])
    return tmp_path


def test_experiment__has_the_numbers_of_its_files(folder):
    experiment = Experiment.from_mapping(GAUSSIAN, folder)
    lists = {
        **GAUSSIAN,
        "truth": {"mean": MEAN, "covariance": COVARIANCE, "dimension": 3},
        "workflow": {"name": "replace", "n_samples": SIZES},
    }
    assert experiment == Experiment.from_mapping(lists)
    assert experiment.digest == Experiment.from_mapping(lists).digest
    assert experiment.truth.dimension == 3
    assert set(experiment.inputs) == {"mean.npy", "cov.csv", "sizes.npz"}
    changed = experiment.with_values({"truth.mean": [0.0, 0.0, 0.0], "run.seed": 6})
    assert set(changed.inputs) == {"cov.csv", "sizes.npz"}


def test_run__records_numbers_and_hashes_and_is_replayed_without_its_files(folder):
    results = simulate(Experiment.from_mapping(GAUSSIAN, folder), folder / "x.h5")
    for name in ("mean.npy", "cov.csv", "sizes.npz"):
        (folder / name).unlink()
    results = open_results(folder / "x.h5")
    assert set(results.inputs) == {"mean.npy", "cov.csv", "sizes.npz"}
    assert results.experiment.truth.mean == tuple(MEAN)
    assert not replay(results).different
    assert plan_run(results.experiment, folder / "x.h5", "resume").is_finished


def test_changed_file__refuses_a_resume(folder):
    simulate(Experiment.from_mapping(GAUSSIAN, folder), folder / "x.h5")
    np.save(folder / "mean.npy", MEAN + 1)
    changed = Experiment.from_mapping(GAUSSIAN, folder)
    with pytest.raises(InputError, match=r"truth\.mean is .* there, .* here; data file 'mean\.npy' has changed"):
        plan_run(changed, folder / "x.h5", "resume")
    np.save(folder / "mean.npy", MEAN.astype(np.float32))  # other bytes of the same numbers
    with pytest.raises(InputError, match=r"experiment: data file 'mean\.npy' has changed"):
        plan_run(Experiment.from_mapping(GAUSSIAN, folder), folder / "x.h5", "resume")


def test_toml__reads_files_beside_it(folder, monkeypatch):
    text = """
model = { family = "gaussian", estimator = "mle" }
truth = { mean = "mean.npy" }
workflow = { name = "replace", n_samples = 20 }
run = { n_generations = 3, n_replicates = 2 }
"""
    (folder / "x.toml").write_text(text)
    monkeypatch.chdir(folder.parent)
    assert Experiment.from_toml(folder / "x.toml").truth.mean == tuple(MEAN)


def test_large_covariance__is_recorded(tmp_path):
    np.save(tmp_path / "cov.npy", np.eye(150) + 1 / 3)
    given = {**GAUSSIAN, "truth": {"covariance": "cov.npy"}, "workflow": {"name": "replace", "n_samples": 200}}
    given["run"] = {"n_generations": 1, "n_replicates": 1, "seed": 1}
    simulate(Experiment.from_mapping(given, tmp_path), tmp_path / "x.h5")
    np.testing.assert_array_equal(open_results(tmp_path / "x.h5").experiment.truth.covariance, np.eye(150) + 1 / 3)


REFUSED = {
    "missing": ({}, {}, "truth.covariance must be a file, got 'cov.npy': no such file"),
    "not finite": ({"cov.npy": [[1.0, np.nan]]}, {}, "truth.covariance must be an array of finite numbers, got"),
    "not symmetric": ({"cov.npy": [[1.0, 0.5], [0.2, 1.0]]}, {}, "truth.covariance must be symmetric, got"),
    "not definite": ({"cov.npy": [[1.0, 2.0], [2.0, 1.0]]}, {}, "truth.covariance must be positive definite, got"),
    "not square": ({"cov.npy": [[1.0, 0.5]]}, {}, "truth.covariance must have truth.dimension = 1 rows and columns"),
    "one number": ({"cov.npy": [1.0]}, {}, "truth.covariance[0] must be a list"),
    "three dimensions": ({"cov.npy": np.ones((2, 2, 2))}, {}, "truth.covariance must be a matrix of numbers, got 2 x"),
    "objects": ({"cov.npy": np.array([[{}]])}, {}, "truth.covariance must be numbers in an idx, .npy"),
    "dimension": ({"cov.npy": np.eye(2)}, {"dimension": 3}, "truth.covariance must have truth.dimension = 3 rows"),
    "mean": ({"cov.npy": np.eye(2)}, {"mean": [1, 2, 3]}, "truth.mean must be a number or a list of truth."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_files__are_refused_in_one_line_with_the_name(tmp_path, case):
    files, truth, message = REFUSED[case]
    for name, values in files.items():
        np.save(tmp_path / name, np.array(values), allow_pickle=True)
    given = {**GAUSSIAN, "truth": {"covariance": "cov.npy", **truth}, "workflow": {"name": "replace", "n_samples": 9}}
    with pytest.raises(InputError) as caught:
        Experiment.from_mapping(given, tmp_path)
    text = str(caught.value)
    assert text.startswith(message)
    assert "\n" not in text
    assert case == "mean" or "'cov.npy'" in text


def test_several_arrays__must_be_named(folder):
    with pytest.raises(InputError, match=r"workflow\.n_samples must name one of its arrays \(n, other\)"):
        Experiment.from_mapping({**GAUSSIAN, "workflow": {"name": "replace", "n_samples": "sizes.npz"}}, folder)


def test_whole_numbers__are_needed_for_sizes(folder):
    np.save(folder / "n.npy", [10.0, 10.5])
    with pytest.raises(InputError, match=r"n_samples\[1\] must be a whole number.*got 10\.5 \(in 'n\.npy'\)"):
        Experiment.from_mapping({**GAUSSIAN, "workflow": {"name": "replace", "n_samples": "n.npy"}}, folder)


def test_recorded_experiment__reads_no_file(folder):
    numbers = NumberFiles.recorded({}, {})
    with pytest.raises(InputError, match=r"truth\.mean must have its numbers recorded, got the path 'mean\.npy'"):
        Experiment.from_mapping(GAUSSIAN, folder, numbers=numbers)


def test_python_mapping__may_hold_arrays():
    given = {
        "model": {"family": "kde", "bandwidth": np.array([0.1, 0.2])},
        "truth": {"normal_mixture": {"weights": np.array([0.5, 0.5]), "means": np.eye(2), "covariances": np.ones(2)}},
        "workflow": {"name": "replace", "n_samples": np.array([5, 6])},
        "run": {"n_generations": np.int64(2), "n_replicates": 1, "seed": np.uint64(3)},
    }
    experiment = Experiment.from_mapping(given)
    assert Experiment.from_mapping(json.loads(experiment.json)) == experiment
    assert isinstance(experiment.truth, Section)


@pytest.mark.parametrize(
    ("truth", "dimension"),
    [
        ({"mean": [1, 2]}, 2),
        ({"sigma": [1, 2, 3]}, 3),
        ({"covariance": np.eye(4)}, 4),
        ({}, 1),
        ({"mean": 2.0}, 1),
        ({"mean": [1, 2], "dimension": 2}, 2),
    ],
)
def test_gaussian__dimension_follows_from_the_data(truth, dimension):
    given = {**GAUSSIAN, "truth": truth, "workflow": {"name": "replace", "n_samples": 9}}
    experiment = Experiment.from_mapping(given)
    assert experiment.truth.dimension == experiment.to_mapping()["truth"]["dimension"] == dimension


def test_regressions__dimension_follows_from_the_coefficients():
    common = {"workflow": {"name": "replace", "n_samples": 9}, "run": {"n_generations": 1, "n_replicates": 1}}
    ridge = {"model": {"family": "ridge", "designs": "independent", "sigma": 1.0}, "truth": {"w0": [1, 2, 3]}, **common}
    assert Experiment.from_mapping(ridge).truth.load().dimension == 3
    glm = {"model": {"family": "glm", "response": "gaussian"}, "truth": {"rows": 50, "coefficients": [1, 2]}, **common}
    assert Experiment.from_mapping(glm).truth.dimension == 2
    glm["truth"]["dimension"] = 3
    with pytest.raises(InputError, match=r"truth\.coefficients must have 3 entries, one an input, got 2"):
        Experiment.from_mapping(glm)
