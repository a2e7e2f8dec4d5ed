"""Saving of results to a new file: equal bits, and nothing is replaced silently."""

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun, check_run
from fastcollapse.simulation.save_results import save_run
from fastcollapse.storage.hdf5_store import Hdf5Store
from tests.simulation._small_results import make_results

RUN = {"n_generations": 5, "n_replicates": 3, "seed": 1, "record": ["metrics", "trajectory"]}
REPLACE = {"name": "replace", "n_samples": 20}
EXPERIMENTS = {
    "counts": {"truth": {"uniform": 5}, "workflow": REPLACE, "run": RUN},
    "states": {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {"dimension": 2},
        "workflow": REPLACE,
        "run": RUN,
    },
    "weights": {
        "truth": {"uniform": 5},
        "workflow": {"name": "mix", "n_samples": 20, "n_real": 5, "real": "fresh", "weight": 0.5},
        "run": RUN,
    },
    "spectrum": {
        "model": {"engine": "spectrum"},
        "truth": {"uniform": 50},
        "workflow": REPLACE,
        "run": RUN | {"record": ["support_size", "trajectory"]},
    },
}


def assert_equal_bits(got, expected):
    for what in ("metrics", "states"):
        assert list(getattr(got, what)) == list(getattr(expected, what))
        for name, values in getattr(expected, what).items():
            assert np.asarray(getattr(got, what)[name]).tobytes() == np.asarray(values).tobytes(), name
    assert got.sample_names == expected.sample_names
    for name in expected.sample_names:
        for one, other in zip(got.sample_rows(name), expected.sample_rows(name), strict=True):
            np.testing.assert_array_equal(one, other)
    if expected.has_trajectory:
        for replicate in range(3):
            for generation in range(1, 6):
                for one, other in zip(
                    got.counts(replicate, generation), expected.counts(replicate, generation), strict=True
                ):
                    np.testing.assert_array_equal(one, other)
    assert got.experiment == expected.experiment
    assert got.provenance == expected.provenance
    assert got.digest == expected.digest
    np.testing.assert_array_equal(got.reader.forgotten, expected.reader.forgotten)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_save__has_equal_bits_from_memory_and_from_a_file(name, tmp_path):
    results = simulate(Experiment.from_mapping(EXPERIMENTS[name]))
    save_run(results, tmp_path / "one.h5")
    check_run(tmp_path / "one.h5")
    one = open_results(tmp_path / "one.h5")
    assert_equal_bits(one, results)
    save_run(one, tmp_path / "two.h5")
    assert (tmp_path / "two.h5").read_bytes() == (tmp_path / "one.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.h5", "two.h5"]


def test_save__replaces_only_on_request_also_its_own_file(tmp_path):
    path = tmp_path / "out.h5"
    results = make_results(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"out\.h5 already exists .*; overwrite it \(overwrite=True"):
        save_run(results, path)
    assert path.read_bytes() == before
    save_run(results, path, overwrite=True)
    assert path.read_bytes() == before
    check_run(path)
    other = tmp_path / "notes.h5"
    other.write_text("mine")
    with pytest.raises(InputError, match="notes"):
        save_run(results, other, overwrite=True)
    assert other.read_text() == "mine"


def test_save__refuses_other_endings_missing_folders_and_unfinished_runs(tmp_path):
    results = make_results()
    with pytest.raises(InputError, match=r"output must end in \.h5 or \.hdf5"):
        save_run(results, tmp_path / "out.csv")
    with pytest.raises(InputError, match="output must be in a folder that exists"):
        save_run(results, tmp_path / "none" / "out.h5")
    store = Hdf5Store(results.reader.header, tmp_path / "begun.h5")
    store.append(results.reader.blocks[0])
    store.commit({}, force=True)
    store.close()
    with pytest.raises(InputError, match="results must be finished to be saved, got generations 0 to 0 of"):
        save_run(RecordedRun(open_results(tmp_path / "begun.h5").reader), tmp_path / "copy.h5")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="unfinished run"):
            save_run(results, tmp_path / "begun.h5", overwrite)
