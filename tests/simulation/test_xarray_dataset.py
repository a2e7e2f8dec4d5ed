"""Results as an xarray data set."""

import sys

import pytest
import xarray

from fastcollapse.errors import InputError
from tests.simulation._small_results import make_results


def test_to_xarray__is_what_xarray_reads_from_the_file(tmp_path):
    got = make_results(tmp_path / "out.h5").to_xarray().drop_vars("symbol")  # labels are in another group
    with xarray.open_dataset(tmp_path / "out.h5") as expected:
        xarray.testing.assert_identical(got, expected)
        for name in expected.variables:
            assert set(expected[name].attrs) == {"long_name", "units"}, name
            assert got[name].dtype == expected[name].dtype


def test_to_xarray__says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InputError, match="pip install"):
        make_results().to_xarray()
