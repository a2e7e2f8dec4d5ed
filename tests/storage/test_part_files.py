"""Names of parts: merged parts take the place of single ones, and a gap ends the run."""

import os

from fastcollapse.storage.part_files import (
    REPLACES,
    consecutive_parts,
    is_replacing,
    listed_parts,
    note_replaced,
    part_path,
    parts_folder,
)
from tests.storage import _hostile_files as hostile


def test_parts__are_read_once_up_to_the_first_missing(tmp_path):
    names = [(0,), (1, 4), (1,), (2,), (3,), (4,), (5, 8), (9,), (11,)]
    for numbers in names:
        part_path(tmp_path, *numbers).touch()
    for other in ("part-00010.h5.tmp", "part-x.h5", "lock", ".part-00010.h5-0123456789ab.tmp"):
        (tmp_path / other).touch()
    got = [(part.first, part.last) for part in consecutive_parts(tmp_path)]
    assert got == [(1, 4), (5, 8), (9, 9)]
    assert len(listed_parts(tmp_path)) == len(names)
    assert part_path(tmp_path, 1, 64).name == "part-00001-00064.h5"
    assert consecutive_parts(tmp_path / "missing") == []


def test_replacing__is_known_until_the_file_is_another(tmp_path):
    path = tmp_path / "out.h5"
    assert not is_replacing(path)
    parts_folder(path).mkdir()
    path.write_bytes(b"old")
    assert not is_replacing(path)
    note_replaced(path, path)
    assert is_replacing(path)
    path.write_bytes(b"new")
    assert not is_replacing(path)
    path.unlink()
    assert not is_replacing(path)


def test_replacing__does_not_wait_for_a_pipe(tmp_path):
    path = tmp_path / "out.h5"
    parts_folder(path).mkdir()
    os.mkfifo(parts_folder(path) / REPLACES)
    with hostile.bounded(memory=False):
        assert not is_replacing(path)
    (parts_folder(path) / REPLACES).unlink()
    path.write_bytes(b"old")
    note_replaced(path, path)
    path.unlink()
    os.mkfifo(path)
    with hostile.bounded(memory=False):
        assert not is_replacing(path)
