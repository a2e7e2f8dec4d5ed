"""Cache of loaded truths."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps import truth_cache
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
