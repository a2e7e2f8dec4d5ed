"""Runs, resumes, replays and sweeps of texts that are several files: what was read is recorded and compared."""

import json

import numpy as np
import pytest
import xarray

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.recipe_plan import plan_recipe
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import same_truth
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.sweeps import collect_sweep
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep

MAPPING = {
    "truth": {"text": ["b.txt", "more/*.txt"]},
    "workflow": {"name": "replace", "n_samples": "truth"},
    "run": {"n_generations": 3, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
}
CHANGED = r"data file 'more/\*\.txt' has changed \(SHA-256 .*\): restore it"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more").mkdir()
    for name in ("b", "more/c", "more/d"):
        (tmp_path / f"{name}.txt").write_text(f"one two two three {name}\n" * 5)
    return tmp_path


def test_run__records_every_file_and_the_names_of_a_pattern(folder):
    results = simulate(Experiment.from_mapping(MAPPING), "a.h5")
    assert sorted(results.inputs) == ["b.txt", "more/*.txt", "more/c.txt", "more/d.txt"]
    assert results.truth.total == 15 * 4 + 5 * 5  # the path more/c is two words
    one = simulate(Experiment.from_mapping(MAPPING | {"truth": {"text": ["b.txt", "more/d.txt", "more/c.txt"]}}))
    for name, values in one.metrics.items():
        assert values.tobytes() == results.metrics[name].tobytes()


def test_replay__needs_none_of_the_files(folder):
    simulate(Experiment.from_mapping(MAPPING), "a.h5")
    for path in folder.glob("**/*.txt"):
        path.unlink()
    assert replay(open_results("a.h5")).different == ()


def test_resume__with_another_file_in_the_folder_is_refused(folder):
    experiment = Experiment.from_mapping(MAPPING)
    simulate(experiment, "a.h5")
    assert simulate(experiment, "a.h5", resume=True).complete
    (folder / "more" / "e.txt").write_text("four")
    with pytest.raises(InputError, match=CHANGED):
        simulate(experiment, "a.h5", resume=True)


def test_sweep__refuses_points_of_another_pattern(folder):
    swept = {**MAPPING, "sweep": {"grid": {"truth.text": ["b.txt", ["b.txt", "more/*.txt"]]}}}
    del swept["truth"]
    sweep = Sweep(swept)
    assert run_sweep(sweep, folder / "s").succeeded
    inputs = json.loads((folder / "s" / "sweep.json").read_text())["inputs"]
    assert sorted(inputs) == ["b.txt", "more/*.txt", "more/c.txt", "more/d.txt"]
    (folder / "more" / "e.txt").write_text("four")
    with pytest.raises(InputError, match=CHANGED):
        run_sweep(sweep, folder / "s")


def test_sweep__of_sentences_is_collected(folder):
    swept = {**MAPPING, "model": {"family": "ngram"}, "sweep": {"grid": {"model.order": [2, 3]}}}
    sweep = Sweep(swept)
    assert run_sweep(sweep, folder / "s").succeeded
    collect_sweep(folder / "s", folder / "s.h5")
    collected, own = open_sweep(folder / "s.h5").results(1), SweepFolder(folder / "s").results(1)
    assert same_truth(collected.truth, own.truth)
    for name, values in collected.metrics.items():
        assert values.tobytes() == own.metrics[name].tobytes()
    (folder / "b.txt").write_text("four")
    with pytest.raises(InputError, match=r"data file 'b\.txt' has changed"):
        open_sweep(folder / "s.h5").results(1)


def test_file__of_sentences_is_read_by_xarray(folder):
    experiment = Experiment.from_mapping({**MAPPING, "model": {"family": "ngram", "order": 2}})
    results = simulate(experiment, "a.h5")
    with xarray.open_dataset("a.h5") as expected:
        xarray.testing.assert_identical(results.to_xarray(), expected)
    with xarray.open_dataset("a.h5", group="truth") as truth:
        assert dict(truth.sizes) == {"position": 85, "sentence": 15, "label_byte": 18, "label_bound": 8}
        assert {truth[name].dtype for name in ("token", "sentence_length")} == {np.dtype(np.int32)}


def test_resume__of_sentences_needs_none_of_the_files(folder):
    experiment = Experiment.from_mapping({**MAPPING, "model": {"family": "ngram", "order": 2}})
    expected = simulate(experiment)

    def store(header):
        return Hdf5Store(header, folder / "a.h5", part_bytes=1, part_seconds=0)

    n_calls = iter(range(1))
    with pytest.raises(StopIteration):
        execute(plan_run(experiment, store=store), block=1, progress=lambda _: next(n_calls))
    assert open_results("a.h5").last in (1, 2)
    for path in folder.glob("**/*.txt"):
        path.unlink()
    _, (plan,) = plan_recipe(None, folder / "a.h5", "resume")
    assert plan.action == "resume"
    results = execute(plan)
    assert results.complete
    for name, values in expected.metrics.items():
        assert values.tobytes() == results.metrics[name].tobytes()
