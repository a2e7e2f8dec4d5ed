"""Replay in Python."""

import pytest

import fastcollapse
from fastcollapse.api.replay import replay
from fastcollapse.errors import InputError
from tests.api.test_experiment_source import MAPPING


def test_replay__of_results_and_of_a_path_is_identical(tmp_path):
    results = fastcollapse.simulate(MAPPING, tmp_path / "a.h5")
    for source in (results, tmp_path / "a.h5", fastcollapse.simulate(MAPPING)):
        outcome = replay(source)
        assert outcome.identical
        assert str(outcome).startswith("identical, bit for bit: ")


def test_replay__names_the_call_that_is_meant(tmp_path):
    with pytest.raises(InputError, match=r"'sur-uni' is the name of a recipe: use simulate\('sur-uni'\)"):
        replay("sur-uni")
    with pytest.raises(InputError, match="replay takes results or the path of their file, got 3"):
        replay(3)
