"""Memory maps: no file descriptor, and pages that can be released."""

import os

import numpy as np
import pytest

from fastcollapse.storage.memory_map import forget_pages, map_file


def test_map__holds_no_descriptor_and_outlives_its_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 64)
    before = len(os.listdir("/proc/self/fd"))
    maps = []
    for _ in range(50):
        with open(path, "rb") as file:
            maps.append(map_file(file)[256:].reshape(-1, 256))
    assert len(os.listdir("/proc/self/fd")) == before
    path.unlink()
    for values in maps:
        forget_pages(values[3])
        np.testing.assert_array_equal(values, np.tile(np.arange(256), (63, 1)))
    with pytest.raises(ValueError, match="read-only"):
        maps[0][0] = 1


def test_map__refuses_an_empty_file_and_ignores_other_arrays(tmp_path):
    (tmp_path / "x").touch()
    with open(tmp_path / "x", "rb") as file, pytest.raises(ValueError, match="is empty"):
        map_file(file)
    forget_pages(np.zeros(3))
