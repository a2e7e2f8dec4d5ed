"""Joining of replicates: the numbers of an unsplit run, in one rename."""

import numpy as np
import pytest

from fastcollapse import Experiment, open_results, simulate
from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.joined_replicates import add_replicates, join_replicates

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 3, "n_replicates": 3, "seed": 1, "record": ["metrics", "trajectory"]},
    }
)


def parts(tmp_path, **changed):
    """Write replicate 0, and replicates 1 and 2, and return the paths."""
    paths = tmp_path / "a.h5", tmp_path / "b.h5"
    for path, first, n, values in ((paths[0], 0, 1, {}), (paths[1], 1, 2, changed)):
        run = {"run.n_replicates": n, **values}
        simulate(EXPERIMENT.with_values(run), path, first_replicate=first)
    return paths


def test_join__has_the_numbers_of_the_whole_run(tmp_path):
    expected = simulate(EXPERIMENT)
    readers = [open_results(path).reader for path in parts(tmp_path)]
    joined = join_replicates(readers, EXPERIMENT.json, "", EXPERIMENT.digest)
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(joined.metrics[name], values)
    for replicate in range(3):
        for got, wanted in zip(joined.counts(replicate, 2), expected.counts(replicate, 2), strict=True):
            np.testing.assert_array_equal(got, wanted)
    assert joined.state is None


def test_add__replaces_the_file_and_removes_the_other(tmp_path):
    path, part = parts(tmp_path)
    add_replicates(path, part, EXPERIMENT.json, "", EXPERIMENT.digest)
    assert [one.name for one in tmp_path.iterdir()] == ["a.h5"]
    results = open_results(path)
    assert (results.digest, results.n_replicates) == (EXPERIMENT.digest, 3)
    assert results.provenance["added"][0]["first_replicate"] == 1
    np.testing.assert_array_equal(results.forgotten, simulate(EXPERIMENT).forgotten)


def test_add__refuses_a_run_of_another_length_and_damage(tmp_path):
    path, part = parts(tmp_path, **{"run.n_generations": 2})
    before = path.read_bytes()
    with pytest.raises(UnreadableResults, match=r"b.h5: n_generations must be that of .*a.h5"):
        add_replicates(path, part, EXPERIMENT.json, "", EXPERIMENT.digest)
    raw = bytearray(part.read_bytes())
    raw[len(raw) // 2] ^= 1
    part.write_bytes(raw)
    with pytest.raises(UnreadableResults):
        add_replicates(path, part, EXPERIMENT.json, "", EXPERIMENT.digest)
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.h5", "b.h5"]
