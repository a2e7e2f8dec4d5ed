"""Recognition and resume of runs whose data files have changed, moved or disappeared."""

import gzip
import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.simulation.recipe_plan import plan_recipe
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.layout import root_attributes

ROWS = np.array([[1.0, 2, 0], [0, 1, 1], [2, 0, 1], [1, 1, 1], [3, 1, 2], [0, 2, 5]])
WORDS = "the cat and the dog and the bird\n" * 4
REPLACE = {"name": "replace", "n_samples": 4}
RIDGE = {"family": "ridge", "ridge": 0.1, "designs": "independent", "sigma": 0.5}
KERNEL = {"family": "kernel_ridge", "kernel": "rbf", "scale": 0.5, "sigma": 0.5, "ridge": 0.05}
# Model and truth, data files, and the index of the file that changes with its new content.
CASES = {
    "text": ({}, {"text": "a.txt"}, {"a.txt": WORDS}, "a.txt", WORDS + "a bird\n"),
    "packed text": ({}, {"text": "a.txt.gz"}, {"a.txt.gz": gzip.compress(WORDS.encode())}, "a.txt.gz", b""),
    "counts": ({}, {"counts": "a.csv"}, {"a.csv": "word,count\na,5\nb,7\n"}, "a.csv", "word,count\na,5\nb,8\n"),
    "rows": (
        {**RIDGE, "sampler": "raw"},
        {"rows": "x.csv", "design": "rows"},
        {"x.csv": ROWS},
        "x.csv",
        ROWS[[0, 1, 2, 3, 5, 4]],
    ),
    "covariance": (RIDGE, {"covariance": "c.csv"}, {"c.csv": ROWS.T @ ROWS}, "c.csv", 2 * ROWS.T @ ROWS),
    "labels": (
        KERNEL,
        {"images": "x.csv", "labels": "y.csv", "n_test": 2},
        {"x.csv": ROWS, "y.csv": np.arange(6.0)},
        "y.csv",
        np.array([0, 1, 2, 3, 4.0, 5.5]),
    ),
    "images": (
        KERNEL,
        {"images": "x.csv", "labels": "y.csv", "n_test": 2},
        {"x.csv": ROWS, "y.csv": np.arange(6.0)},
        "x.csv",
        ROWS + np.eye(6)[:, :3] * [0.01, 0, 0],
    ),
}


def write(path, content):
    if isinstance(content, np.ndarray):
        np.savetxt(path, content, delimiter=",")
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture(params=CASES)
def case(request, tmp_path):
    """An experiment, the data file that changes, and its new content."""
    model, truth, files, changing, content = CASES[request.param]
    for name, old in files.items():
        write(tmp_path / name, old)
    if request.param == "packed text":
        content = gzip.compress(WORDS.encode(), 1, mtime=5)  # the same words
    run = {"n_generations": 6, "n_replicates": 2, "seed": 1}
    made = {"model": model, "truth": truth, "workflow": REPLACE, "run": run}
    return Experiment.from_mapping(made, base=tmp_path), tmp_path / changing, content


def stop(_):
    os.kill(os.getpid(), signal.SIGINT)


def refused(path, wording):
    return pytest.raises(InputError, match=rf"{wording}.*data file '{path.name}' has changed \(SHA-256 .*restore it")


def test_results__have_the_hash_of_every_data_file(case, tmp_path):
    experiment, _, _ = case
    simulate(experiment, tmp_path / "a.h5")
    found = open_results(tmp_path / "a.h5")
    expected = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in experiment.truth.files}
    assert found.inputs == simulate(experiment).inputs == expected
    assert root_attributes(found.reader.header)["inputs"].count(":") == len(expected)


def test_results__without_data_files_have_no_hashes():
    made = {"truth": {"uniform": 5}, "workflow": REPLACE, "run": {"n_generations": 1, "n_replicates": 1}}
    found = simulate(Experiment.from_mapping(made))
    assert found.inputs == {}
    assert "inputs" not in root_attributes(found.reader.header)


def test_results__have_the_hashes_of_shipped_data():
    run = {"n_generations": 1, "n_replicates": 1, "seed": 1}
    made = {"truth": {"text": "data/wikitext2_sample.txt.gz"}, "workflow": REPLACE, "run": run}
    assert list(simulate(Experiment.from_mapping(made)).inputs) == ["data/wikitext2_sample.txt.gz"]


def test_finished_run__of_other_data_is_not_recognised(case, tmp_path):
    experiment, file, content = case
    before, path = file.read_bytes(), tmp_path / "a.h5"
    simulate(experiment, path)
    assert plan_run(experiment, path, "reuse").is_finished
    write(file, content)
    with refused(file, r"already exists \(another experiment: "):
        plan_run(experiment, path, "reuse")
    with refused(file, "a.h5 holds another experiment: "):
        plan_run(experiment, path, "resume")
    numbered, plans = plan_recipe(experiment, path, "reuse", numbered=True)
    assert (numbered.name, plans[0].action) == ("a-2.h5", "start")
    file.write_bytes(before)
    assert plan_run(experiment, path, "reuse").is_finished


def test_stopped_run__is_not_resumed_with_other_data(case, tmp_path):
    experiment, file, content = case
    before, path = file.read_bytes(), tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        simulate(experiment, path, block=1, progress=stop)
    write(file, content)
    with refused(file, "a.h5 holds another experiment: "):
        simulate(experiment, path, resume=True)
    file.write_bytes(before)
    resumed = simulate(experiment, path, resume=True)
    assert resumed.complete
    assert set(resumed.inputs) == set(experiment.truth.files)


def test_resume__without_the_experiment_compares_too(case, tmp_path, monkeypatch):
    experiment, file, content = case
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        simulate(experiment, "a.h5", block=1, progress=stop)
    write(file, content)
    if experiment.family == "discrete":  # the truth is in the results file
        assert plan_recipe(None, Path("a.h5"), "resume")[1][0].action == "resume"
    else:
        with refused(file, "a.h5 holds another experiment: "):
            plan_recipe(None, Path("a.h5"), "resume")


def test_finished_run__is_recognised_by_the_bytes_alone(case, tmp_path):
    """A symbolic link to a copy is the same data, and a run whose data files are gone is recognised by a resume."""
    experiment, file, _ = case
    path = tmp_path / "a.h5"
    simulate(experiment, path)
    file.rename(tmp_path / "moved")
    assert plan_run(experiment, path, "resume").is_finished
    file.symlink_to(tmp_path / "moved")
    assert plan_run(experiment, path, "reuse").is_finished
