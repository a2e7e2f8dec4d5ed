"""A writer that has lost its folder: it stops, and no file ever has a generation twice."""

import errno
import fcntl
import os
import shutil

import h5py
import numpy as np
import pytest

from fastcollapse.errors import StoreError, UnreadableResults
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.part_files import part_path, parts_folder
from fastcollapse.storage.parts_folder import writer_of
from fastcollapse.storage.readers import check_file, open_file
from tests.storage._stored_runs import FORGOTTEN, STATE, block_of, make_header, make_run

HEADER = make_header()
RUN = make_run(HEADER)


def write(store, first, stop):
    for t in range(first, stop):
        store.append(block_of(HEADER, RUN, t, t + 1))
        store.commit(STATE, force=True)


def finish(store, first):
    write(store, first, 8)
    assert_whole(store.finish({"forgotten": FORGOTTEN}))


def assert_whole(got):
    assert got.n_committed == HEADER.n_generations
    np.testing.assert_array_equal(got.metrics["entropy"], RUN[1]["entropy"])


def remove_folder(path):
    shutil.rmtree(parts_folder(path))


def remove_files(path):
    for one in parts_folder(path).iterdir():
        one.unlink()


@pytest.mark.parametrize("remove", [remove_folder, remove_files])
def test_store__stops_at_its_next_part_if_its_folder_was_taken(tmp_path, remove):
    path = tmp_path / "out.h5"
    lost = Hdf5Store(HEADER, path)
    write(lost, 0, 3)
    remove(path)
    with pytest.raises(StoreError, match=r"out\.h5\.parts: is no longer the folder of this run: it was removed"):
        write(lost, 3, 4)
    with Hdf5Store(HEADER, path) as other:
        write(other, 0, 2)
        words = rf"out\.h5\.parts: is no longer the folder of this run: process {os.getpid()} on .* writes to it"
        with pytest.raises(StoreError, match=words):
            write(lost, 4, 5)
        with pytest.raises(StoreError, match=words):
            lost.finish({"forgotten": FORGOTTEN})
        lost.close()  # leaves the files and the lock of the other
        assert writer_of(path) is not None
        finish(other, 2)
    assert_whole(check_file(path))
    assert [one.name for one in tmp_path.iterdir()] == ["out.h5"]


def test_store__stops_if_it_has_committed_nothing_and_its_folder_was_taken(tmp_path):
    path = tmp_path / "out.h5"
    lost = Hdf5Store(HEADER, path)
    lost.commit(STATE, force=True)
    remove_folder(path)
    with Hdf5Store(HEADER, path) as other:
        write(other, 0, 2)
        lost.close()
        finish(other, 2)
    assert_whole(check_file(path))


def test_resume__twice_without_file_locks_writes_every_generation_once(tmp_path, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unknown)
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, path) as store:
        write(store, 0, 3)
    first = Hdf5Store(HEADER, path, resume=True)
    write(first, 3, 5)
    second = Hdf5Store(HEADER, path, resume=True)
    assert second.next_generation == 5
    with pytest.raises(StoreError, match=r"is no longer the folder of this run"):
        write(first, 5, 6)
    write(second, 5, 6)
    with pytest.raises(StoreError, match=r"is no longer the folder of this run"):
        finish(first, 6)
    first.close()
    finish(second, 6)
    second.close()
    assert_whole(check_file(path))
    assert [one.name for one in tmp_path.iterdir()] == ["out.h5"]


def test_finish__takes_only_the_parts_that_it_knows(tmp_path):
    """Another process has written the next part, and this one has the same generations in memory."""
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, tmp_path / "other.h5") as other:
        write(other, 0, 6)
        with Hdf5Store(HEADER, path) as store:
            write(store, 0, 3)
            shutil.copy(part_path(other.parts, 4), part_path(store.parts, 4))
            for t in range(3, 8):
                store.append(block_of(HEADER, RUN, t, t + 1))
            assert_whole(store.finish({"forgotten": FORGOTTEN}))
    assert_whole(check_file(path))


def test_finish__has_exactly_the_generations_of_the_run(tmp_path):
    with Hdf5Store(HEADER, tmp_path / "out.h5") as store:
        write(store, 0, 6)
        with pytest.raises(
            StoreError, match=r"out\.h5: cannot be written: it must have generations 0 to 7 once, got 6"
        ):
            store.finish({})
        part = store._written[-1]
        store._written.append(part)  # as if a part were read twice
        with pytest.raises(UnreadableResults, match="starts at generation 5 instead of 6"):
            store.finish({})
    assert open_file(tmp_path / "out.h5").n_committed == 5


@pytest.mark.parametrize(
    ("n_generations", "words"),
    [(6, "its generations must be of 0 to 6, got 0 to 7"), (8, "it has generations 0 to 7 instead of 0 to 8")],
)
def test_reader__refuses_more_or_fewer_generations_than_the_run_has(tmp_path, n_generations, words):
    path = tmp_path / "out.h5"
    with Hdf5Store(HEADER, path) as store:
        finish(store, 0)
    with h5py.File(path, "r+") as file:
        file.attrs.modify("n_generations", np.int64(n_generations))
    with pytest.raises(UnreadableResults, match=rf"out\.h5: is damaged: {words}"):
        open_file(path)
