"""Results as an xarray data set."""

import sys
from hashlib import sha256

import numpy as np
import pytest
import xarray

from fastcollapse import Results
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.errors import InputError
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.variables import Variable
from tests.simulation._small_results import make_results


def test_to_xarray__is_what_xarray_reads_from_the_file(tmp_path):
    got = make_results(tmp_path / "out.h5").to_xarray().drop_vars("symbol")  # labels are in another group
    with xarray.open_dataset(tmp_path / "out.h5") as expected:
        xarray.testing.assert_identical(got, expected)
        for name in expected.variables:
            assert set(expected[name].attrs) == {"long_name", "units"}, name
            assert got[name].dtype == expected[name].dtype


def test_to_xarray__takes_memory_in_proportion_to_its_labels(tmp_path):
    labels = ("a" * 100_000, *(f"w{i}" for i in range(199)))
    truth = CategoricalDistribution(labels, np.ones(200, np.int64), np.full(200, 1 / 200), "a test")
    header = Header(
        "{}", "", sha256(b"{}").hexdigest(), {"version": "0"}, 1, 0, {"entropy": Variable("entropy")}, truth, False
    )
    store = MemoryStore(header)
    store.append(Block(0, {"entropy": np.ones((1, 1))}, None))
    dataset = Results(store.finish({"forgotten": np.full((1, 200), -1)})).to_xarray()
    assert dataset.symbol.nbytes < 100_000
    assert tuple(dataset.symbol.values) == labels
    assert dataset.sel(symbol="w7").forgotten == -1
    dataset.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as got:
        assert tuple(got.symbol.values) == labels


def test_to_xarray__says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InputError, match="pip install"):
        make_results().to_xarray()
