"""Table of the attributes of a file."""

import json

import pytest

from fastcollapse.simulation.provenance import provenance
from fastcollapse.storage.attributes import PROVENANCE, RUN, RUN_OPTIONAL, VARIABLE, check_attributes, whole

ROOT = {
    "digest": "0" * 64,
    "experiment": "{}",
    "experiment_text": "a\nb\n",
    "provenance": json.dumps(provenance()),
    "n_generations": 3,
}


def test_check__decodes_known_attributes_and_ignores_others():
    got = check_attributes({**ROOT, "inputs": '{"a.txt": "%s"}' % ("f" * 64), "other": object()}, RUN, RUN_OPTIONAL)
    assert got.keys() == {*ROOT, "inputs"}
    assert got["provenance"]["packages"].keys() >= {"numpy"}
    assert got["inputs"] == {"a.txt": "f" * 64}


def test_check__names_what_is_wrong():
    with pytest.raises(KeyError, match="digest"):
        check_attributes({}, RUN)
    for key, value, words in (
        ("n_generations", 0, "n_generations must be a whole number of at least 1, got 0"),
        ("n_generations", True, "n_generations must be a whole number of at least 1, got True"),
        ("n_generations", 2**63, "n_generations must be a whole number of at least 1"),
        ("digest", "A" * 64, "digest must be a SHA-256 in hexadecimal"),
        ("provenance", '{"resumed": [{"after": 3}]}', "provenance: resumed must have the key created"),
        ("provenance", '{"n_cores": "x"}', "provenance: n_cores must be a whole number of at least 1, got 'x'"),
    ):
        with pytest.raises(ValueError, match=f"^is damaged: {words}"):
            check_attributes({**ROOT, key: value}, RUN)
    with pytest.raises(ValueError, match="attributes must be a table"):
        check_attributes([1], VARIABLE)


def test_provenance__keeps_unknown_keys():
    assert PROVENANCE({"n_cores": None, "cluster": [1]}) == {"n_cores": None, "cluster": [1]}


def test_whole__refuses_fractions():
    with pytest.raises(ValueError, match="a whole number of at least 0"):
        whole(0)(1.0)
