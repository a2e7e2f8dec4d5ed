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
    with pytest.raises(InputError, match=r"sweep must be one of .*did you mean 'cot-gau'"):
        load_sweep("cot-guu")
