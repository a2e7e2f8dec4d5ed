"""Atomic writing: whole files under their names, on every file system, and no temporary file for ever."""

import ctypes
import errno
import fcntl
import os
import stat
import zlib

import numpy as np
import pytest

from fastcollapse.errors import StoreError, UnreadableResults
from fastcollapse.storage import atomic_write
from fastcollapse.storage.atomic_write import Rename, new_file, remove_abandoned, write_bytes, write_new
from fastcollapse.storage.checksums import Extent, Unchecked
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.readers import check_file
from tests.storage._stored_runs import FORGOTTEN, fill, make_header, make_run


def refused(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


def refused_thread(*_):
    raise RuntimeError("can't start new thread")


def noting(seen):
    """Return a trailer that notes the extents of a file."""

    def trailer(extents):
        seen.extend(extents)
        return b"end"

    return trailer


def poor_file_system(monkeypatch, without):
    """Take operations away, as FAT, FUSE or a network file system do."""

    def renameat2(*_):
        ctypes.set_errno(errno.EINVAL)
        return -1

    fsync = os.fsync

    def fsync_of_files(fd):
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(fd)

    changes = {
        "renameat2": (atomic_write, "_renameat2", renameat2),
        "link": (os, "link", refused(errno.EPERM)),
        "fsync": (os, "fsync", fsync_of_files),
        "fallocate": (os, "posix_fallocate", refused(errno.EOPNOTSUPP)),
        "locks": (fcntl, "flock", refused(errno.ENOLCK)),
    }
    for name in without:
        monkeypatch.setattr(*changes[name])


@pytest.mark.parametrize(
    "without",
    [["renameat2"], ["renameat2", "link"], ["fsync"], ["renameat2", "link", "fsync", "fallocate", "locks"]],
    ids=" ".join,
)
def test_file_system__without_an_operation_holds_a_run(tmp_path, monkeypatch, without):
    poor_file_system(monkeypatch, without)
    header, path = make_header(), tmp_path / "out.h5"
    for seed in (0, 1):
        with Hdf5Store(header, path, part_bytes=1, overwrite=seed == 1) as store:
            fill(store, make_run(header, seed), range(8), range(8)).finish({"forgotten": FORGOTTEN})
        got = check_file(path).metrics["entropy"]
        assert got.tobytes() == make_run(header, seed)[1]["entropy"].tobytes()
        assert [one.name for one in tmp_path.iterdir()] == ["out.h5"]


@pytest.mark.parametrize("without", [[], ["renameat2"], ["renameat2", "link"]], ids=" ".join)
def test_write__never_replaces_a_file_that_it_may_not_replace(tmp_path, monkeypatch, without):
    poor_file_system(monkeypatch, without)
    path = tmp_path / "x"
    path.write_bytes(b"mine")
    with pytest.raises(StoreError, match="x: already exists and is not replaced"):
        write_bytes(path, b"new", Rename())
    assert path.read_bytes() == b"mine"
    write_bytes(path, b"new", Rename(replace=True))
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_write__other_errors_of_a_folder_are_errors(tmp_path, monkeypatch):
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: refused(errno.EIO)() if stat.S_ISDIR(os.fstat(fd).st_mode) else fsync(fd)
    )
    with pytest.raises(StoreError, match=r"x: cannot be made by renaming: Input/output error"):
        write_bytes(tmp_path / "x", b"new", Rename())
    assert list(tmp_path.iterdir()) == []


def test_write__leaves_nothing_if_its_check_fails(tmp_path):
    def check():
        raise StoreError("lost")

    with pytest.raises(StoreError, match="lost"):
        write_bytes(tmp_path / "x", b"new", Rename(check=check))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("without", ["nothing", "threads", "long writes"])
def test_write__of_large_arrays_has_their_checksums(tmp_path, monkeypatch, without):
    """Chunks are summed by a thread while they are written; a process may have no thread, a disk may write less."""
    pwrite = os.pwrite
    if without == "threads":
        monkeypatch.setattr(atomic_write.ThreadPoolExecutor, "submit", refused_thread)
    if without == "long writes":
        monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:1_000_003], at))
    rng = np.random.default_rng(7)
    arrays = [rng.integers(0, 99, n).astype(np.int32) for n in (10, 2_500_000, 0, 3)]
    content, seen = b"".join(array.tobytes() for array in arrays), []
    head = np.arange(64, dtype=np.uint8)
    write_new(tmp_path / "x", 64 + len(content), [(0, head)], [(64, arrays)], noting(seen), Rename())
    assert (tmp_path / "x").read_bytes() == head.tobytes() + content + b"end"
    assert seen == [Extent(64, len(content), zlib.crc32(content))]


def test_write__of_arrays_of_another_file_compares_their_checksums(tmp_path):
    rng = np.random.default_rng(8)
    arrays = [rng.integers(0, 99, n) for n in (700_000, 5)]
    stored = [Unchecked(a, zlib.crc32(a.tobytes()), tmp_path / "part", f"data{i}") for i, a in enumerate(arrays)]
    content, seen = b"".join(array.tobytes() for array in arrays), []

    def write(name, chunks):
        write_new(tmp_path / name, len(content), [], [(0, chunks)], noting(seen), Rename())

    write("x", stored)
    assert (tmp_path / "x").read_bytes() == content + b"end"
    assert seen == [Extent(0, len(content), zlib.crc32(content))]
    with pytest.raises(UnreadableResults, match="part: is damaged: checksum mismatch in data1"):
        write("y", [stored[0], stored[1]._replace(crc=stored[1].crc ^ 1)])
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_abandoned__files_are_removed_and_files_being_written_stay(tmp_path):
    left, other = tmp_path / ".x-0123456789ab.tmp", tmp_path / ".y-0123456789ab.tmp"
    mine = tmp_path / ".x-notes.tmp"
    for path in (left, other, mine):
        path.write_bytes(b"half")
    seen = []

    def during_write():
        remove_abandoned(tmp_path, "x")
        seen.extend(sorted(one.name for one in tmp_path.iterdir()))

    write_bytes(tmp_path / "x", b"new", Rename(check=during_write))
    written = [name for name in seen if name.startswith(".x-") and name != mine.name]
    assert len(written) == 1
    assert written != [left.name]
    assert sorted(one.name for one in tmp_path.iterdir()) == [mine.name, other.name, "x"]
    remove_abandoned(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    remove_abandoned(tmp_path / "missing")


def test_abandoned__files_are_old_where_there_are_no_locks(tmp_path, monkeypatch):
    poor_file_system(monkeypatch, ["locks"])
    old, recent = tmp_path / ".x-0123456789ab.tmp", tmp_path / ".x-0123456789ac.tmp"
    for path in (old, recent):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    remove_abandoned(tmp_path, "x")
    assert [one.name for one in tmp_path.iterdir()] == [recent.name]


def fail(_):
    raise ValueError("not a digit")


def test_new_file__appears_at_its_end_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    with new_file(path) as file:
        file.write(b"one,")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"one,two"
    with pytest.raises(ValueError, match="not a digit"), new_file(tmp_path / "other.csv") as file:
        file.write(b"one," + bytes(map(fail, "2")))
    with pytest.raises(StoreError, match=r"table\.csv: already exists and is not replaced"), new_file(path) as file:
        file.write(b"three")
    assert path.read_bytes() == b"one,two"
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]
