"""Calls that are meant for a path of another kind; tests/api/test_experiment_source.py has the errors of all calls."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps.path_kinds import call_for, explained


def test_explained__names_what_is_meant_unless_the_kind_is_expected(tmp_path):
    (tmp_path / "a.toml").write_text("[run]\n")
    error, path = InputError("refused"), tmp_path / "a.toml"
    got = explained(error, path, (), {"experiment": "{path} of {owner}"}, lambda text: text[-6:])
    assert str(got) == "a.toml of a.toml"
    assert explained(error, path, ("experiment",), {}, str) is error


def test_call_for__names_a_similar_file(tmp_path):
    (tmp_path / "study.h5").write_text("")
    with (
        pytest.raises(InputError, match=r"^no such file \(did you mean 'study.h5'\?\)$"),
        call_for(tmp_path / "stuy.h5"),
    ):
        raise InputError("no such file")
    with pytest.raises(InputError, match=r"^no such file$"), call_for(tmp_path / "other.h5"):
        raise InputError("no such file")
