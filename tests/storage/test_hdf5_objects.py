"""Objects of an HDF5 file. Hostile objects are in test_hostile_files.py."""

import warnings

import h5py
import numpy as np
import pytest

from fastcollapse import open_results
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.storage.hdf5_file import read_file
from tests.cli._commands import call
from tests.storage import _hostile_files as hostile


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a small finished run."""
    folder = tmp_path_factory.mktemp("made")
    hostile.make_run(folder)
    return folder


def compressed(source, path):
    """Write a copy as `h5repack -f SHUF -f GZIP=4 -f FLET` does, with data sets of one chunk."""
    with h5py.File(source) as old, h5py.File(path, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name, item):
            if isinstance(item, h5py.Group):
                new.create_group(name)
            elif item.id.get_offset() is not None:
                new.create_dataset(name, data=item[()], chunks=True, compression=4, shuffle=True, fletcher32=True)
            else:
                return
            for key, value in item.attrs.items():
                if key not in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"):
                    new[name].attrs[key] = value

        old.visititems(copy)


def test_compressed_copy__has_same_content(made, tmp_path):
    compressed(made / "good.h5", tmp_path / "copy.h5")
    got, expected = read_file(tmp_path / "copy.h5"), read_file(made / "good.h5")
    assert got.arrays.keys() == expected.arrays.keys()
    for name, values in expected.arrays.items():
        np.testing.assert_array_equal(got.arrays[name], values)
    assert got.attributes["/"] == expected.attributes["/"]


def test_file_without_checksums__is_read_with_a_warning_and_fails_check(made, tmp_path, monkeypatch):
    monkeypatch.chdir(made)
    path = tmp_path / "copy.h5"
    compressed(made / "good.h5", path)
    assert open_results(path).last == hostile.T
    with pytest.warns(UserWarning, match="has no checksums: another tool has rewritten it, and its numbers cannot be"):
        check_run(path, checksums_required=False)
    assert "has no checksums" in hostile.refused("check", path)
    assert call("info", path).exit_code == 0
    monkeypatch.setattr(warnings, "filters", [])
    warnings.simplefilter("always")
    for arguments in (["compare", path], ["plot", path, "-o", tmp_path / "new.png"], ["replay", path]):
        answer = call(*arguments)
        assert answer.exit_code == 0, answer.output
        assert "warning: " in answer.stderr, arguments


def test_attributes__are_those_of_python(made, tmp_path):
    def edit(file):
        file.attrs.update({"a": np.array([7]), "b": np.array([b"x"]), "c": "ü", "d": [1, 2], "e": np.float32(0.5)})

    hostile.edited(made / "good.h5", tmp_path / "x.h5", edit)
    got = read_file(tmp_path / "x.h5").attributes["/"]
    assert [got["a"], got["b"], got["c"], got["e"]] == [7, "x", "ü", 0.5]
    assert type(got["a"]) is int
    np.testing.assert_array_equal(got["d"], [1, 2])
