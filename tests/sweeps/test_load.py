"""Sweeps by name or path, with changed values."""

import pytest

from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.sweeps.load import load_sweep
from fastcollapse.sweeps.points import Sweep


def test_load__finds_shipped_sweeps_and_files():
    path = sweeps()["cot-gau"]
    assert load_sweep("cot-gau").digest == load_sweep(path).digest == Sweep.from_toml(path).digest


def test_load__changes_values():
    assert load_sweep("cot-gau", {"run.seed": 5})[0].experiment.run.seed != load_sweep("cot-gau")[0].experiment.run.seed


def test_load__refuses_an_unknown_name():
    with pytest.raises(InputError, match=r"sweep must be a name that .*did you mean 'cot-gau'"):
        load_sweep("cot-guu")


def test_load__values_supply_keys_that_the_file_lacks(tmp_path):
    path = tmp_path / "part.toml"
    path.write_text(
        '[truth]\nuniform = 20\n[workflow]\nname = "replace"\n[run]\nn_generations = 5\nseed = 1\n'
        '[sweep.grid]\n"workflow.n_samples" = [5, 6]\n'
    )
    with pytest.raises(InputError, match=r"^run.n_replicates is required"):
        load_sweep(path)
    assert load_sweep(path, {"run.n_replicates": 2})[1].experiment.run.n_replicates == 2
    with pytest.raises(InputError, match=r"^workflow.n_samples must be left to the sweep, which varies it$"):
        load_sweep(path, {"workflow.n_samples": 2})
