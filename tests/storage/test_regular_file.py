"""Opening of regular files only."""

import pytest

from fastcollapse.storage.regular_file import open_regular, read_regular
from tests.storage import _hostile_files as hostile


def test_read__returns_bytes_up_to_a_limit(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert read_regular(tmp_path / "x", 3) == b"abc"
    with pytest.raises(ValueError, match="is larger than 0 MiB"):
        read_regular(tmp_path / "x", 2)
    (tmp_path / "link").symlink_to("x")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"abc"


@pytest.mark.parametrize("name", hostile.THINGS)
def test_open__neither_waits_nor_reads_other_things(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    hostile.THINGS[name](tmp_path / "x")
    with hostile.bounded(), pytest.raises((OSError, ValueError)):
        open_regular("x")
