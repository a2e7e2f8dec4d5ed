"""Cache of loaded truths."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps import truth_cache
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.truth_cache import cached_truth
from tests.sweeps._example_sweeps import mapping, small_sweep


def test_truth__is_loaded_once(monkeypatch):
    monkeypatch.setattr(truth_cache, "_truths", {})
    sweep = small_sweep()
    first = cached_truth(sweep[0].experiment)
    assert cached_truth(sweep[2].experiment) is first
    assert cached_truth(sweep[1].experiment) is not first


def test_truth__missing_data_is_refused_before_folder_is_created(tmp_path):
    made = mapping(sweep={"grid": {"workflow.n_samples": [5, 6]}})
    made["truth"] = {"text": "none.txt"}
    with pytest.raises(InputError, match=r"truth\.text must be a file, got 'none\.txt': no such file"):
        run_sweep(Sweep(made, base=tmp_path), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_truth__of_other_bytes_is_loaded_again(tmp_path):
    text = tmp_path / "a.txt"
    made = mapping(sweep={"grid": {"workflow.n_samples": [5, 6]}})
    made["truth"] = {"text": "a.txt"}
    for name, words, size in (("old", "one two two", 2), ("new", "one two three", 3)):
        text.write_text(words)
        run_sweep(Sweep(made, base=tmp_path), tmp_path / name)
        assert SweepFolder(tmp_path / name).results(0).truth.support_size == size


def test_truth__of_other_bytes_than_the_recorded_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("one two two")
    made = mapping(sweep={"grid": {"workflow.n_samples": [5, 6]}})
    made["truth"] = {"text": "a.txt"}
    experiment = Sweep(made, base=tmp_path)[0].experiment
    right = cached_truth(experiment).inputs
    assert cached_truth(experiment, right).inputs == right
    with pytest.raises(InputError, match=r"^data file 'a\.txt' has changed \(SHA-256 0123 recorded, .*restore it"):
        cached_truth(experiment, {"a.txt": "0123"})
