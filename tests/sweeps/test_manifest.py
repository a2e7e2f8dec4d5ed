"""Data files of a sweep: recorded in the manifest and compared by every shard, worker and reader."""

import hashlib
import json

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.sweeps import truth_cache
from fastcollapse.sweeps.collect import collect_sweep, extract_point
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.executors import SerialExecutor
from fastcollapse.sweeps.folder import SweepFolder, make_folder
from fastcollapse.sweeps.manifest import check_folder, read_manifest
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.replicate_ranges import WorkUnit, concatenate_ranges
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.worker import Task, run_task
from tests.cli._commands import call
from tests.sweeps._example_sweeps import mapping

CHANGED = r"data file 'a\.txt' has changed \(SHA-256 .* recorded, .* now\): restore it, or compute anew"


def corpus_sweep(base, **truth):
    """Return a sweep of four points over a corpus."""
    made = mapping(sweep={"grid": {"workflow.n_samples": [5, 6, 7, 8]}})
    made["truth"] = truth or {"text": "a.txt"}
    return Sweep(made, base=base)


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A corpus in the folder of the sweep, and an empty cache of truths, as in a new process."""
    monkeypatch.setattr(truth_cache, "_truths", {})
    path = tmp_path / "a.txt"
    path.write_text("one two two three")
    return path


def without_inputs(folder):
    """Make a manifest that of version 0.1."""
    file = folder / "sweep.json"
    manifest = json.loads(file.read_text())
    del manifest["inputs"]
    file.write_text(json.dumps(manifest))


def test_manifest__has_the_data_files_of_all_points(tmp_path, text):
    np.savetxt(tmp_path / "c.csv", np.eye(2), delimiter=",")
    (tmp_path / "b.csv").write_text("word,count\na,5\nb,7\n")
    regression = {"ridge": 0.1, "designs": "independent", "sigma": 0.5, "family": "ridge"}
    grid = {
        "workflow.n_samples": [5, 6],
        "truth": [{"text": "a.txt"}, {"counts": "b.csv"}, {"text": "missing.txt"}, {"uniform": 4}],
        "run.n_generations": [2, 3],
    }
    words = Sweep({**mapping(sweep={"grid": grid}), "truth": {}}, base=tmp_path)
    assert words.data_files() == ["a.txt", "b.csv", "missing.txt"]
    made = make_folder(tmp_path / "s", words)
    expected = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.txt", "b.csv")}
    assert made.inputs == read_manifest(tmp_path / "s")["inputs"] == expected
    zipped = {"model": [regression, {"family": "poisson"}], "truth": [{"covariance": "c.csv"}, {"rate": 1.0}]}
    families = Sweep({**mapping(sweep={"zip": zipped}), "truth": {}, "workflow": {"name": "replace", "n_samples": 5}})
    assert families.data_files() == ["c.csv"]
    numbers = Sweep(mapping())
    assert numbers.data_files() == []
    assert make_folder(tmp_path / "n", numbers).inputs == {}


def test_shard__of_other_data_is_refused(tmp_path, text):
    sweep, before = corpus_sweep(tmp_path), text.read_text()
    run_sweep(sweep, tmp_path / "s", shard=(1, 2))
    text.write_text("one two three three")
    for check in (check_folder, lambda path, sweep: run_sweep(sweep, path, shard=(2, 2))):
        with pytest.raises(InputError, match=rf"output must be a folder of the same data, got .*: {CHANGED}"):
            check(tmp_path / "s", sweep)
    assert SweepFolder(tmp_path / "s").done() == {0, 2}
    text.write_text(before)
    assert run_sweep(sweep, tmp_path / "s", shard=(2, 2)).done == 2
    text.unlink()  # nothing is left to read
    assert run_sweep(sweep, tmp_path / "s").done == 0


def test_finished_sweep__of_other_data_is_not_recognised(tmp_path, text):
    run_sweep(corpus_sweep(tmp_path), tmp_path / "s")
    text.write_text("one two three three")
    with pytest.raises(InputError, match=CHANGED):
        run_sweep(corpus_sweep(tmp_path), tmp_path / "s")


@pytest.mark.parametrize("n_ranges", [1, 2])
def test_worker__of_other_data_reports_a_failure(tmp_path, text, monkeypatch, n_ranges):
    """Every executor calls `run_task`, perhaps on another machine."""
    folder = make_folder(tmp_path / "s", corpus_sweep(tmp_path))
    text.write_text("one two three three")
    monkeypatch.setattr(truth_cache, "_truths", {})
    report = run_task(Task(str(folder.path), (WorkUnit(0, 0, n_ranges), WorkUnit(1)), 60.0), 1)
    assert (report.done, report.failed) == (0, 2)
    errors = [record["error"] for record in folder.failures().values()]
    assert len(errors) == 2
    assert all(error.startswith("data file 'a.txt' has changed (SHA-256 ") for error in errors)


def test_points__of_different_data_are_refused_without_a_manifest_of_data(tmp_path, text, monkeypatch):
    sweep = corpus_sweep(tmp_path)
    run_sweep(sweep, tmp_path / "s", shard=(1, 2))
    without_inputs(tmp_path / "s")
    text.write_text("one two three three")
    monkeypatch.setattr(truth_cache, "_truths", {})
    run_sweep(sweep, tmp_path / "s", shard=(2, 2))  # as before: no data file is recorded
    for use in (
        lambda folder: collect_sweep(folder, tmp_path / "s.h5"),
        lambda folder: folder.check(),
        lambda folder: [folder.results(index) for index in range(4)],
    ):
        with pytest.raises(UnreadableResults, match=rf"holds point 1 of other data than the sweep: {CHANGED}"):
            use(SweepFolder(tmp_path / "s"))
    assert not (tmp_path / "s.h5").exists()
    result = call("check", tmp_path / "s")
    assert result.exit_code == 2
    assert "data file 'a.txt' has changed" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_collected__records_the_data_of_its_points(tmp_path, text):
    sweep = corpus_sweep(tmp_path)
    run_sweep(sweep, tmp_path / "s")
    recorded = SweepFolder(tmp_path / "s").inputs
    without_inputs(tmp_path / "s")
    collect_sweep(tmp_path / "s", tmp_path / "s.h5")
    extract_point(tmp_path / "s", 1, tmp_path / "one.h5")
    assert open_results(tmp_path / "one.h5").inputs == recorded
    assert open_sweep(tmp_path / "s.h5").results(0).inputs == recorded
    text.write_text("three one two two")  # other bytes with the same counts
    with pytest.raises(InputError, match=rf"s\.h5: {CHANGED}"):
        open_sweep(tmp_path / "s.h5").results(0)


def test_ranges__of_different_data_are_not_concatenated(tmp_path, text):
    experiment = corpus_sweep(tmp_path)[0].experiment
    units = [WorkUnit(0, k, 2) for k in range(2)]
    readers = []
    for unit, words in zip(units, ("one two two three", "one two three three"), strict=True):
        text.write_text(words)
        path = tmp_path / f"{unit.name}.h5"
        simulate(unit.experiment(experiment), path, first_replicate=unit.replicates(5).start)
        readers.append(open_results(path).reader)
    with pytest.raises(UnreadableResults, match=rf"000000-2of2\.h5: holds replicates of other data: {CHANGED}"):
        concatenate_ranges(experiment, readers)


@pytest.mark.parametrize("inputs", [[], {"a.txt": 3}, "a.txt"])
def test_manifest__with_malformed_data_files_is_refused(tmp_path, text, inputs):
    make_folder(tmp_path / "s", corpus_sweep(tmp_path))
    file = tmp_path / "s" / "sweep.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "inputs": inputs}))
    with pytest.raises(InputError, match=r"sweep\.json: is damaged: inputs must be (a table|a SHA-256)"):
        read_manifest(tmp_path / "s")


NUMBERS = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"covariance": "cov.npy"},
    "workflow": {"name": "replace"},
    "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
    "sweep": {"grid": {"workflow.n_samples": np.array([9, 10]), "truth.mean": [0.0, "mean.csv"]}},
}


def test_numbers_of_files__are_recorded_so_that_a_copy_needs_no_file(tmp_path):
    np.save(tmp_path / "cov.npy", np.eye(2))
    (tmp_path / "mean.csv").write_text("x,y\n1,2\n")
    sweep = Sweep(NUMBERS, tmp_path)
    assert run_sweep(sweep, tmp_path / "s", SerialExecutor()).succeeded
    manifest = read_manifest(tmp_path / "s")
    assert set(manifest["inputs"]) == set(manifest["numbers"]) == {"cov.npy", "mean.csv"}
    before = (tmp_path / "cov.npy").read_bytes()
    np.save(tmp_path / "cov.npy", 2 * np.eye(2))
    with pytest.raises(InputError, match=r"of the same data, got .*data file 'cov\.npy' has changed"):
        run_sweep(Sweep(NUMBERS, tmp_path), tmp_path / "s", SerialExecutor())
    (tmp_path / "cov.npy").write_bytes(before)
    assert run_sweep(Sweep(NUMBERS, tmp_path), tmp_path / "s", SerialExecutor()).earlier == 4
    collect_sweep(tmp_path / "s", tmp_path / "s.h5")
    for name in ("cov.npy", "mean.csv"):
        (tmp_path / name).unlink()
    for opened in (SweepFolder(tmp_path / "s"), open_sweep(tmp_path / "s.h5")):
        results = opened.results(3)
        assert results.experiment.truth.mean == (1.0, 2.0)
        assert set(results.inputs) == {"cov.npy", "mean.csv"}
