"""Single HDF5 file, written in one call and read as memory maps."""

import numpy as np

from fastcollapse.storage.hdf5_file import read_file, write_file
from fastcollapse.storage.layout import memory_array


def test_file__round_trips_arrays_and_attributes(tmp_path):
    arrays = [memory_array("a", np.arange(6.0).reshape(2, 3)), memory_array("deep/b", np.arange(4, dtype=np.int64))]
    write_file(tmp_path / "x.h5", arrays, {"/": {"format": "fastcollapse", "format_version": np.int64(1), "word": "ü"}})
    content = read_file(tmp_path / "x.h5")
    assert content.attributes["/"]["word"] == "ü"
    for expected in arrays:
        np.testing.assert_array_equal(content.arrays[expected.name], next(iter(expected.chunks())))
