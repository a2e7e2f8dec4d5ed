"""Tidy tables: each recorded number once, beside its metric, replicate, generation and coordinates."""

import numpy as np
import pytest

from fastcollapse import Experiment, Sweep, run_sweep, simulate
from fastcollapse.analysis import tidy_table
from fastcollapse.analysis.tidy_table import TidyTable
from fastcollapse.errors import InputError
from fastcollapse.sweeps import collect_sweep
from fastcollapse.sweeps.collected_results import open_sweep

RIDGE = {
    "model": {
        "family": "ridge",
        "designs": "independent",
        "sigma": 0.1,
        "downstream": {"n_samples": [30, 60], "ridge": [0.0, 0.1, 1.0]},
    },
    "truth": {"dimension": 10},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 2, "n_replicates": 3, "seed": 1},
}
SWEEP = {
    "model": {"family": "poisson"},
    "truth": {"rate": 1.0},
    "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    "workflow": {"name": "replace"},
    "sweep": {
        "grid": {"workflow": [{"name": "replace"}, {"name": "accumulate", "keep_real": True}]},
        "zip": {"workflow.n_samples": [10, 20], "truth.rate": [1.5, 2.5]},
    },
}


@pytest.fixture(scope="module")
def ridge():
    return simulate(Experiment.from_mapping(RIDGE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "study"
    run_sweep(Sweep(SWEEP), path)
    return path


def test_tidy_table__has_each_number_at_its_coordinates(ridge):
    table = TidyTable(ridge).whole()
    assert TidyTable(ridge).n_rows == len(table["value"]) == sum(values.size for values in ridge.metrics.values())
    assert list(table)[:3] == ["metric", "replicate", "generation"]
    assert list(table)[-1] == "value"
    n_checked = 0
    for name, values in ridge.metrics.items():
        rows = table["metric"] == name
        dims = ridge.variables[name].dims
        places = [np.searchsorted(ridge.coordinates[dim].values, table[dim][rows]) for dim in dims]
        got = values[table["replicate"][rows], table["generation"][rows], *places]
        np.testing.assert_array_equal(got, table["value"][rows])
        assert len(np.unique(np.ravel_multi_index((table["replicate"][rows], table["generation"][rows], *places),
                                                  values.shape))) == values.size  # fmt: skip
        assert all(np.isnan(table[dim][rows]).all() for dim in set(table) - {*dims, *list(table)[:3], "value"})
        n_checked += bool(dims)
    assert n_checked


def test_tidy_table__does_not_depend_on_its_blocks(ridge, monkeypatch):
    expected = TidyTable(ridge).whole()
    monkeypatch.setattr(tidy_table, "_BLOCK_ROWS", 7)
    got = TidyTable(ridge).whole()
    assert len(list(TidyTable(ridge).blocks())) > len(ridge.metrics)
    for name, column in expected.items():
        np.testing.assert_array_equal(got[name], column)


def test_tidy_table__of_a_sweep_has_points_and_parameters(folder):
    source = open_sweep(folder)
    table = TidyTable(source).whole()
    assert list(table)[:6] == ["point", "workflow", "n_samples", "truth_rate", "metric", "replicate"]
    for index in range(4):
        rows = table["point"] == index
        experiment = source.sweep[index].experiment
        assert set(table["workflow"][rows]) == {experiment.workflow.name}
        assert set(table["n_samples"][rows]) == {experiment.workflow.n_samples}
        assert set(table["truth_rate"][rows]) == {experiment.truth.rate}
        own = TidyTable(source.results(index)).whole()
        np.testing.assert_array_equal(table["value"][rows], own["value"])


def test_tidy_table__of_a_collected_file_is_that_of_its_folder(folder, tmp_path):
    collect_sweep(folder, tmp_path / "study.h5")
    got, expected = (TidyTable(open_sweep(path)).whole() for path in (tmp_path / "study.h5", folder))
    assert list(got) == list(expected)
    for name, column in expected.items():
        np.testing.assert_array_equal(got[name], column)


def test_tidy_table__needs_a_finished_point(tmp_path):
    from fastcollapse.sweeps.folder import make_folder

    empty = make_folder(tmp_path / "empty", Sweep(SWEEP).resolve_seed())
    with pytest.raises(InputError, match=r"a table must have finished points, got none in .*empty"):
        TidyTable(empty)


def test_tidy_table__parameter_named_as_a_dimension_has_its_whole_key(tmp_path):
    sweep = {**RIDGE, "sweep": {"grid": {"model.downstream.ridge": [[0.1], [1.0]], "workflow.n_samples": [50, 60]}}}
    run_sweep(Sweep(sweep), tmp_path / "study")
    table = TidyTable(open_sweep(tmp_path / "study"))
    assert [name for name in table.columns if "ridge" in name] == ["model_downstream_ridge", "ridge"]
    assert set(table.whole()["model_downstream_ridge"]) == {"[0.1]", "[1.0]"}
