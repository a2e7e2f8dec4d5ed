"""Packs of small runs, and runs that start in memory and move to a file."""

import h5py
import numpy as np
import pytest

from fastcollapse import open_results
from fastcollapse.errors import StoreError, UnreadableResults
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.storage.pack import Pack, write_pack, write_run
from fastcollapse.storage.part_files import parts_folder
from fastcollapse.storage.readers import open_file
from fastcollapse.storage.spill_store import SPILL_BYTES, SPILL_SECONDS, SpillStore
from tests.storage._stored_runs import FORGOTTEN, STATE, block_of, fill, make_header, make_run
from tests.storage.test_hdf5_store import assert_equal


def memory(trajectory, labels, seed=1, cuts=(3,)):
    header = make_header(trajectory=trajectory, labels=labels)
    run = make_run(header, seed)
    return header, run, fill(MemoryStore(header), run, set(cuts), set()).finish({"forgotten": FORGOTTEN})


@pytest.mark.parametrize("trajectory", [False, True])
@pytest.mark.parametrize("labels", [False, True])
def test_pack__round_trips(tmp_path, trajectory, labels):
    made = {number: memory(trajectory, labels, seed=number) for number in (4, 2, 9)}
    write_pack(tmp_path / "p.h5", [(number, reader) for number, (_, _, reader) in made.items()])
    pack = Pack(tmp_path / "p.h5", checked=True)
    assert list(pack) == [4, 2, 9]
    for number, (header, run, _) in made.items():
        got = pack.reader(number)
        assert_equal(got, header, run, FORGOTTEN)
        assert pack.digest(number) == header.digest
        assert got.header.provenance == header.provenance
        assert got.header.truth.labels == header.truth.labels


def test_pack__stores_common_truth_once(tmp_path):
    reader = memory(False, True)[2]
    sizes = []
    for n in (1, 100):
        write_pack(tmp_path / f"{n}.h5", [(number, reader) for number in range(n)])
        with h5py.File(tmp_path / f"{n}.h5") as file:
            sizes.append(file["data"].size)
    assert sizes[0] == sizes[1]  # all arrays of identical runs are shared


def test_pack__damage_is_detected(tmp_path):
    write_pack(tmp_path / "p.h5", [(0, memory(False, False)[2])])
    with h5py.File(tmp_path / "p.h5") as file:
        at = file["data"].id.get_offset()
    raw = bytearray((tmp_path / "p.h5").read_bytes())
    raw[at] ^= 1
    (tmp_path / "p.h5").write_bytes(raw)
    with pytest.raises(UnreadableResults, match="checksum mismatch in data"):
        Pack(tmp_path / "p.h5", checked=True)


def test_pack__is_distinguished_from_results_file(tmp_path):
    reader = memory(False, False)[2]
    write_pack(tmp_path / "p.h5", [(0, reader)])
    write_run(tmp_path / "r.h5", reader)
    with pytest.raises(UnreadableResults, match=r"p\.h5: is a pack, not the results of one run"):
        open_results(tmp_path / "p.h5")
    with pytest.raises(UnreadableResults, match=r"r\.h5: is not a pack"):
        Pack(tmp_path / "r.h5")
    with pytest.raises(StoreError, match="already exists"):
        write_pack(tmp_path / "p.h5", [(0, reader)])


@pytest.mark.parametrize("trajectory", [False, True])
def test_write_run__bytes_equal_file_of_store(tmp_path, trajectory):
    header, run, reader = memory(trajectory, True)
    write_run(tmp_path / "a.h5", reader)
    with Hdf5Store(header, tmp_path / "b.h5") as store:
        fill(store, run, {4}, set()).finish({"forgotten": FORGOTTEN})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_spill__short_run_leaves_no_file(tmp_path):
    header = make_header()
    run = make_run(header, 1)
    with SpillStore(header, tmp_path / "out.h5") as store:
        got = fill(store, run, {3, 5}, {3, 5}).finish({"forgotten": FORGOTTEN})
    assert_equal(got, header, run, FORGOTTEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["late", "large"])
def test_spill__long_or_large_run_has_file_with_parts(tmp_path, monkeypatch, what):
    name, value = {"late": ("SPILL_SECONDS", 0.0), "large": ("SPILL_BYTES", 1)}[what]
    monkeypatch.setattr(f"fastcollapse.storage.spill_store.{name}", value)
    header = make_header()
    run = make_run(header, 1)
    with SpillStore(header, tmp_path / "out.h5") as store:
        fill(store, run, {3}, {3})
        assert open_file(tmp_path / "out.h5").n_committed == 0
        got = store.finish({"forgotten": FORGOTTEN})
    assert_equal(got, header, run, FORGOTTEN)
    assert_equal(open_file(tmp_path / "out.h5"), header, run, FORGOTTEN)
    assert not parts_folder(tmp_path / "out.h5").exists()


def test_spill__interrupt_keeps_work_of_over_one_second(tmp_path, monkeypatch):
    header = make_header()
    run = make_run(header, 1)
    for worth, kept in ((1.0, False), (0.0, True)):
        monkeypatch.setattr("fastcollapse.storage.spill_store._SAVE_SECONDS", worth)
        with SpillStore(header, tmp_path / "out.h5") as store:
            store.append(block_of(header, run, 0, 1))
            store.append(block_of(header, run, 1, 3))
            store.commit(STATE, force=True)
        assert parts_folder(tmp_path / "out.h5").exists() == kept
    assert SPILL_SECONDS > 0
    assert SPILL_BYTES > 0
    assert np.all(open_file(tmp_path / "out.h5").metrics["entropy"] == run[1]["entropy"][:, :3])
