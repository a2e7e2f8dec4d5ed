"""The folder of a sweep: what kills, copies and damage leave of it."""

import os

import pytest

from fastcollapse.storage import pack as packs
from fastcollapse.sweeps import folder as folders
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
