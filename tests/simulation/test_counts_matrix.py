"""Counts as a sparse matrix and as a dense array of xarray."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation import xarray_dataset as module
from fastcollapse.simulation.counts_matrix import counts_matrix
from fastcollapse.simulation.experiment import Experiment
from tests.simulation._small_results import make_results


def run(**changes):
    mapping = {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 4, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
    }
    return simulate(Experiment.from_mapping(mapping | changes))


def test_counts_matrix__row_0_is_the_real_data():
    np.testing.assert_array_equal(counts_matrix(make_results(), 0).toarray(), [[2, 1, 0], [1, 2, 0]])
    np.testing.assert_array_equal(counts_matrix(make_results(), 1).toarray(), [[2, 1, 0], [3, 0, 0]])


def test_counts_matrix__of_a_law_has_an_empty_row_0():
    got = counts_matrix(run(), 1)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got.sum(axis=1), [0, 20, 20, 20, 20])


def test_counts_matrix__of_weights_has_floats():
    workflow = {"name": "mix", "n_samples": 20, "n_real": 5, "real": "fresh", "weight": 0.5}
    got = counts_matrix(run(workflow=workflow), 0)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got.sum(axis=1), [0, 1, 1, 1, 1])


def test_counts_matrix__needs_recorded_counts():
    record = {"n_generations": 4, "n_replicates": 2, "seed": 1}
    with pytest.raises(InputError, match=r'run.record must contain "trajectory" for counts'):
        counts_matrix(run(run=record), 0)
    with pytest.raises(InputError, match=r'run.record must contain "trajectory" for to_xarray\(trajectory=True\)'):
        run(run=record).to_xarray(trajectory=True)


def test_to_xarray__has_dense_counts_up_to_a_size(monkeypatch):
    pytest.importorskip("xarray")
    results = run()
    counts = results.to_xarray(trajectory=True).counts
    assert counts.dims == ("replicate", "generation", "symbol")
    assert "law" in counts.comment
    for replicate in range(2):
        np.testing.assert_array_equal(counts[replicate], counts_matrix(results, replicate).toarray())
    assert "counts" not in results.to_xarray()
    monkeypatch.setattr(module, "_DENSE_BYTES", 100)
    with pytest.raises(InputError, match=r"counts\[2, 5, 5\]; counts_matrix\(replicate\) is sparse"):
        results.to_xarray(trajectory=True)
