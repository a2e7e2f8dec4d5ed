"""Tidy tables of metrics."""

import sys

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.data_frame import data_frame
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.simulation.optional_packages import extra

pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def results():
    values = {
        "model.downstream.generations": [0, 3],
        "model.downstream.n_samples": 40,
        "truth.dimension": 10,
        "workflow.n_samples": 40,
        "run.n_generations": 3,
        "run.n_replicates": 2,
    }
    return simulate(load_experiment("dfk-ridge").with_values(values))


def test_data_frame__has_a_row_for_each_replicate_and_generation(results):
    frame = data_frame(results)
    assert list(frame.columns) == [
        "replicate",
        "generation",
        "generator_error",
        "generator_norm",
        "generator_alignment",
    ]
    assert len(frame) == 2 * 4
    for row in frame.itertuples():
        assert row.generator_error == results.metrics["generator_error"][row.replicate, row.generation]


def test_data_frame__of_further_dimensions_has_a_row_for_each_entry(results):
    frame = data_frame(results, "test_error")
    dims = results.variables["test_error"].dims
    assert list(frame.columns) == ["replicate", "generation", *dims, "test_error"]
    values = results.metrics["test_error"]
    assert len(frame) == values.size
    got = frame[(frame.replicate == 1) & (frame.generation == 3)]
    np.testing.assert_array_equal(got.test_error, values[1, 3].ravel())
    assert set(got.ridge) == set(results.coordinates["ridge"].values)


def test_data_frame__refuses_unknown_names_and_mixed_dimensions(results):
    with pytest.raises(InputError, match=r"metrics must be of .*, got 'test_eror' \(did you mean 'test_error'\?\)"):
        data_frame(results, "test_eror")
    with pytest.raises(
        InputError, match="metrics must have the same further dimensions, got: generator_error has none; test_error has"
    ):
        data_frame(results, ["generator_error", "test_error"])


def test_extra__is_named_where_it_is_missing(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"to_dataframe must have pandas: pip install 'fastcollapse\[pandas\]'"):
        data_frame(results)
    with extra("xarray", "a test"):
        pass
