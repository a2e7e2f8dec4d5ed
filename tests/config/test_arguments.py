"""Wrong arguments of public calls are refused in one line."""

from pathlib import Path

import numpy as np
import pytest

import fastcollapse
from fastcollapse.config.arguments import check_function, check_mapping, check_path, paths_as_text
from fastcollapse.errors import InputError

EXPERIMENT = {
    "truth": {"uniform": 5},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 3, "n_replicates": 5, "seed": 1},
}
CALLS = {
    "open_results": (lambda: fastcollapse.open_results(None), "path must be a path, got None"),
    "open_sweep": (lambda: fastcollapse.open_sweep(5), "path must be a path, got 5"),
    "load_truth": (lambda: fastcollapse.load_truth({"uniform": 5}), "load_truth takes a section"),
    "recipes": (lambda: fastcollapse.recipes(5), "source must be a part of the source as text, got 5"),
    "reproduce": (lambda: fastcollapse.reproduce(5), "names must be a name or a list of names"),
    "precompile": (lambda: fastcollapse.precompile(5), "families must be names of families, got 5"),
    "from_toml": (lambda: fastcollapse.Experiment.from_toml(5), "path of an experiment file must be a path, got 5"),
    "with_values": (
        lambda: fastcollapse.Experiment.from_mapping(EXPERIMENT).with_values(5),
        "values must be a mapping",
    ),
    "path": (lambda: fastcollapse.simulate(EXPERIMENT, 5), "path must be a path, got 5"),
    "on_block": (lambda: fastcollapse.simulate(EXPERIMENT, on_block=5), "on_block must be a function, got 5"),
    "progress": (
        lambda: fastcollapse.simulate(EXPERIMENT, progress=5),
        "progress must be True, False or a function, got 5",
    ),
    "progress of replay": (
        lambda: fastcollapse.replay(fastcollapse.simulate(EXPERIMENT), progress=5),
        "progress must be",
    ),
    "progress of a sweep": (lambda: fastcollapse.run_sweep("golden-ratio", "s", progress=5), "progress must be True"),
    "shard": (lambda: fastcollapse.run_sweep("golden-ratio", "s", shard=2), "shard must be two whole numbers"),
    "threads": (lambda: fastcollapse.simulate(EXPERIMENT, threads="a"), "threads must be a whole number, got 'a'"),
    "save": (lambda: fastcollapse.simulate(EXPERIMENT).save(5), "path must be a path, got 5"),
    "report": (lambda: fastcollapse.simulate(EXPERIMENT).report(5), "path must be a path, got 5"),
    "axes": (lambda: fastcollapse.simulate(EXPERIMENT).plot("survival", 5), "axes must be Axes of matplotlib, got 5"),
}


@pytest.mark.parametrize("name", CALLS)
def test_call__with_a_wrong_argument_is_refused(name):
    call, message = CALLS[name]
    with pytest.raises(InputError, match=message):
        call()


def test_checks__return_what_they_are_given():
    assert check_path("path", "a") == Path("a")
    assert check_function("progress", len) is len
    assert check_function("progress", None) is None
    assert check_mapping("values", EXPERIMENT) is EXPERIMENT


def test_paths__of_data_files_may_be_path_objects(tmp_path):
    np.save(tmp_path / "p.npy", [0.25, 0.75])
    (tmp_path / "a.txt").write_text("a b c a")
    for truth in ({"probabilities": tmp_path / "p.npy"}, {"text": [tmp_path / "a.txt"]}):
        assert fastcollapse.simulate({**EXPERIMENT, "truth": truth}).finished
    assert paths_as_text({"truth": {"text": [Path("a")]}}) == {"truth": {"text": ["a"]}}
