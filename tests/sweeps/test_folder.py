"""The folder of a sweep: what kills, copies and damage leave of it."""

import os
import shutil

import h5py
import pytest
from click.testing import CliRunner

from fastcollapse import cli
from fastcollapse.errors import UnreadableResults
from fastcollapse.storage import pack as packs
from fastcollapse.sweeps import folder as folders
from fastcollapse.sweeps.collect import collect, extract
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps.small import folder_contents, small


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A sweep of six small points, never disturbed."""
    path = tmp_path_factory.mktemp("sweep") / "alone"
    run_sweep(small(), path)
    return path


class Killed(BaseException):
    pass


def killed(*_):
    raise Killed


@pytest.mark.parametrize("shards", [[(1, 1)], [(1, 2), (2, 2)]], ids=["the only merge", "a later merge"])
def test_kill__in_a_merge_that_writes_stops_no_later_one(alone, tmp_path, monkeypatch, shards):
    *before, last = shards
    for shard in before:
        run_sweep(small(), tmp_path / "s", shard=shard)
    publish = packs.publish
    with monkeypatch.context() as patched:
        patched.setattr(packs, "publish", lambda old, new: killed() if "merged" in old.name else publish(old, new))
        with pytest.raises(Killed):
            run_sweep(small(), tmp_path / "s", shard=last)
    assert "000000-000005.merged.tmp" in os.listdir(tmp_path / "s" / "packs")
    run_sweep(small(), tmp_path / "s")
    assert folder_contents(tmp_path / "s") == folder_contents(alone)


@pytest.mark.parametrize("step", ["replace", "unlink"])
def test_kill__in_a_merge_that_has_written_stops_no_later_one(alone, tmp_path, monkeypatch, step):
    replace = os.replace
    with monkeypatch.context() as patched:
        if step == "replace":
            patched.setattr(os, "replace", lambda old, new: killed() if "merged" in str(old) else replace(old, new))
        else:
            patched.setattr(folders, "sync_folder", killed)
        with pytest.raises(Killed):
            run_sweep(small(), tmp_path / "s")
    assert any(name.startswith("new-") for name in os.listdir(tmp_path / "s" / "packs"))
    run_sweep(small(), tmp_path / "s")
    assert folder_contents(tmp_path / "s") == folder_contents(alone)


def test_kill__of_a_worker_that_writes_leaves_nothing_for_good(alone, tmp_path):
    run_sweep(small(), tmp_path / "s")
    old, recent = (tmp_path / "s" / "packs" / f"new-000003-{name}.h5.tmp" for name in ("old", "recent"))
    for path in (old, recent):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    run_sweep(small(), tmp_path / "s")
    assert (old.exists(), recent.exists()) == (False, True)
    recent.unlink()
    assert folder_contents(tmp_path / "s") == folder_contents(alone)


def flip(path, name="data", within=0.5):
    """Flip one bit of a data set."""
    raw = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        one = file[name]
        raw[one.id.get_offset() + int(one.id.get_storage_size() * within)] ^= 1
    path.write_bytes(raw)


def files_of(path):
    return {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}


@pytest.mark.parametrize("copy", [collect, lambda folder, path: extract(folder, 2, path)], ids=["collect", "extract"])
def test_damage__is_not_copied_into_a_new_file(alone, tmp_path, copy):
    shutil.copytree(alone, tmp_path / "s")
    copy(SweepFolder(tmp_path / "s"), tmp_path / "whole.h5")
    flip(tmp_path / "s" / "packs" / "000000-000005.h5")
    with pytest.raises(UnreadableResults, match=r"000000-000005\.h5: is damaged: data not as written"):
        copy(SweepFolder(tmp_path / "s"), tmp_path / "out.h5")
    assert sorted(os.listdir(tmp_path)) == ["s", "whole.h5"]


def test_damage__of_a_file_of_a_point_is_not_copied(tmp_path):
    sweep = small(run={"record": ["metrics", "trajectory"]}, sweep={"grid": {"workflow.n_samples": [5, 6]}})
    run_sweep(sweep, tmp_path / "s", shard=(1, 1))
    folder, path = SweepFolder(tmp_path / "s"), tmp_path / "s" / "points" / "000001.h5"
    flip(path, "trajectory/data")
    collect(folder, tmp_path / "out.h5")  # has no trajectories
    with pytest.raises(UnreadableResults, match="trajectory/data not as written"):
        extract(folder, 1, tmp_path / "point.h5")
    flip(path, "entropy")
    with pytest.raises(UnreadableResults, match="entropy"):
        collect(folder, tmp_path / "again.h5")
    assert sorted(os.listdir(tmp_path)) == ["out.h5", "s"]


@pytest.mark.parametrize("name", ["data", "index"])
def test_damage__of_a_pack_is_not_merged(tmp_path, name):
    run_sweep(small(), tmp_path / "s", shard=(1, 2))
    pack = tmp_path / "s" / "packs" / "000000-000005.h5"
    flip(pack, name)
    before = files_of(tmp_path / "s" / "packs")
    result = CliRunner().invoke(cli.main, ["check", str(tmp_path / "s")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    with pytest.raises(UnreadableResults, match=rf"000000-000005\.h5: is damaged: {name} not as written"):
        run_sweep(small(), tmp_path / "s")
    after = files_of(tmp_path / "s" / "packs")
    assert after.items() >= before.items()
    # What has been computed before the damage was seen is kept.
    assert (len(after) > len(before)) == (name == "data")


def test_damage__of_a_piece_is_not_joined(tmp_path):
    sweep = small(run={"record": ["metrics", "trajectory"]}, sweep={"grid": {"workflow.n_samples": [5]}})
    run_sweep(sweep, tmp_path / "s", shard=(1, 2))
    flip(tmp_path / "s" / "points" / "000000-1of2.h5", "entropy")
    assert run_sweep(sweep, tmp_path / "s", shard=(2, 2)).failed == 1
    folder = SweepFolder(tmp_path / "s")
    assert (folder.done(), len(folder.cut())) == (set(), 1)
    assert folder.failures()[0]["error"].endswith("000000-1of2.h5: is damaged: entropy not as written")
