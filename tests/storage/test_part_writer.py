"""Merged parts: the same run in fewer files, after a kill too."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage import part_writer
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.part_files import PartFile, listed_parts
from fastcollapse.storage.part_writer import MERGED_BYTES, WrittenPart, n_to_merge
from fastcollapse.storage.readers import check_file, open_file
from tests.storage._stored_runs import FORGOTTEN, block_of, make_header, make_run

HEADER = make_header(n_generations=30)
RUN = make_run(HEADER)


@pytest.fixture(autouse=True)
def _few_parts(monkeypatch):
    monkeypatch.setattr(part_writer, "PARTS_PER_MERGE", 3)


def write(store, first, stop):
    for t in range(first, stop):
        store.append(block_of(HEADER, RUN, t, t + 1))
        store.commit({"state": np.full(3, t)}, force=True)


def names(path):
    return [(part.first, part.last) for part in listed_parts(path.with_name(path.name + ".parts"))]


def test_parts__are_merged_at_several_levels_and_hold_the_same_run(tmp_path):
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, path) as store:
        write(store, 0, 14)
        assert names(path) == [(0, 0), (1, 9), (10, 12), (13, 13), (14, 14)]
        got = open_file(path)
        assert got.n_committed == 13
        np.testing.assert_array_equal(got.metrics["entropy"], RUN[1]["entropy"][:, :14])
        np.testing.assert_array_equal(got.state["state"], np.full(3, 13))
    assert check_file(path).n_committed == 13
    with Hdf5Store(HEADER, path, resume=True) as store:
        assert store.next_generation == 14
        write(store, 14, 18)  # the parts of the earlier process stay as they are
        assert names(path)[4:] == [(14, 14), (15, 17), (18, 18)]
        write(store, 18, 31)
        store.finish({"forgotten": FORGOTTEN})
    with Hdf5Store(HEADER, tmp_path / "other.h5") as store:
        for first, stop in ((0, 1), (1, 31)):
            store.append(block_of(HEADER, RUN, first, stop))
        store.finish({"forgotten": FORGOTTEN})
    assert path.read_bytes() == (tmp_path / "other.h5").read_bytes()


def test_merge__that_was_killed_leaves_parts_that_are_read_once(tmp_path, monkeypatch):
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(part_writer.Path, "unlink", lambda *_, **__: None)
            write(store, 0, 5)
        assert names(path) == [(0, 0), (1, 3), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert check_file(path).n_committed == 4
    with Hdf5Store(HEADER, path, resume=True) as store:
        assert names(path) == [(0, 0), (1, 3), (4, 4), (5, 5)]
        assert store.next_generation == 5


def test_merge__on_a_full_disk_leaves_the_parts_and_is_tried_again(tmp_path, monkeypatch):
    path = tmp_path / "out.h5"
    write_part = part_writer.write_part

    def full(file, *more):
        if file.name.count("-") == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_part(file, *more)

    with Hdf5Store(HEADER, path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(part_writer, "write_part", full)
            write(store, 0, 4)
        assert names(path) == [(n, n) for n in range(5)]
        write(store, 4, 5)
        assert names(path) == [(0, 0), (1, 5)]
        assert open_file(path).n_committed == 4


def test_merge__does_not_copy_damaged_data(tmp_path):
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, path) as store:
        write(store, 0, 2)
        damaged = listed_parts(store.parts)[2].path
        raw = bytearray(damaged.read_bytes())
        raw[raw.index(RUN[1]["entropy"][0, 1].tobytes())] ^= 1
        damaged.write_bytes(raw)
        write(store, 2, 4)
        assert names(path) == [(n, n) for n in range(5)]
        with pytest.raises(UnreadableResults, match=r"part-00002.h5: is damaged: checksum mismatch in entropy"):
            check_file(path)


def damage(path, values):
    raw = bytearray(path.read_bytes())
    at = raw.index(values.tobytes())
    assert raw.count(values.tobytes()) == 1
    raw[at] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(("what", "dtype"), [("indices", "u2"), ("data", "u1"), ("data", "u4")])
def test_copy__of_damaged_rows_is_refused(tmp_path, what, dtype):
    """Rows are compared while they are copied; also those that the copy writes in a wider type, and merged ones."""
    path = tmp_path / "out.h5"
    generation = 2 if dtype == "u1" else 20
    with Hdf5Store(HEADER, path) as store:
        write(store, 0, generation + 1)
        dense = RUN[0][generation - 1]
        values = {"indices": np.nonzero(dense)[1], "data": dense[dense > 0]}[what].astype(dtype)
        damage(listed_parts(store.parts)[-1].path, values)
        last = names(path)[-1]
        write(store, generation + 1, 31)
        assert last in names(path)  # it was not merged
        with pytest.raises(UnreadableResults, match=rf"{last[0]:05d}.*: is damaged: checksum mismatch in .*/{what}"):
            store.finish({"forgotten": FORGOTTEN})
        assert not path.exists()
        assert [one.name for one in tmp_path.iterdir()] == ["out.h5.parts"]


def parts_of(sizes):
    return [WrittenPart(PartFile(n, n, Path("x")), size) for n, size in enumerate(sizes, 1)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1, 1], 0),
        ([1, 1, 1], 3),
        ([1, None, 1, 1], 0),
        ([MERGED_BYTES, 1, 1, 1], 3),
        ([MERGED_BYTES, MERGED_BYTES, MERGED_BYTES], 0),
    ],
)
def test_merge__takes_small_parts_of_this_process(sizes, expected):
    assert n_to_merge(parts_of(sizes)) == expected
