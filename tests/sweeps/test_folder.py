"""Sweep folder after kills, copies and damage."""

import fcntl
import json
import os
import shutil
from contextlib import ExitStack, suppress

import h5py
import pytest
from click.testing import CliRunner

from fastcollapse.cli import main as cli
from fastcollapse.errors import InputError, StoreError, UnreadableResults
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.storage import atomic_write
from fastcollapse.storage.pack import write_pack
from fastcollapse.sweeps.collect import collect_sweep, extract_point
from fastcollapse.sweeps.folder import SweepFolder, make_folder
from fastcollapse.sweeps.replicate_ranges import WorkUnit
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.worker import Task, Worker
from tests.sweeps._example_sweeps import folder_contents, small_sweep


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """An undisturbed sweep of six small points."""
    path = tmp_path_factory.mktemp("sweep") / "alone"
    run_sweep(small_sweep(), path)
    return path


MERGED = "000000-000005.h5"


class Killed(BaseException):
    pass


def killed(*_):
    raise Killed


@pytest.mark.parametrize("shards", [[(1, 1)], [(1, 2), (2, 2)]], ids=["the only merge", "a later merge"])
def test_kill__during_merge_does_not_block_later_merge(reference, tmp_path, monkeypatch, shards):
    *before, last = shards
    for shard in before:
        run_sweep(small_sweep(), tmp_path / "s", shard=shard)
    publish = atomic_write._publish
    with monkeypatch.context() as patched:
        patched.setattr(
            atomic_write, "_publish", lambda old, new, how: killed() if new.name == MERGED else publish(old, new, how)
        )
        with pytest.raises(Killed):
            run_sweep(small_sweep(), tmp_path / "s", shard=last)
    for name in (f".{MERGED}-0123456789ab.tmp", "000000-000005.merged.tmp", "000000-000005.merged"):
        (tmp_path / "s" / "packs" / name).write_bytes(b"half")  # left by a kill, the last ones by version 0.1
    run_sweep(small_sweep(), tmp_path / "s")
    assert folder_contents(tmp_path / "s") == folder_contents(reference)


@pytest.mark.parametrize("step", ["replace", "unlink"])
def test_kill__after_merge_does_not_block_later_merge(reference, tmp_path, monkeypatch, step):
    publish = atomic_write._publish

    def published(old, new, how):
        if step == "unlink":
            publish(old, new, how)
        if new.name == MERGED:
            killed()
        if step == "replace":
            publish(old, new, how)

    with monkeypatch.context() as patched:
        patched.setattr(atomic_write, "_publish", published)
        with pytest.raises(Killed):
            run_sweep(small_sweep(), tmp_path / "s")
    assert any(name.startswith("new-") for name in os.listdir(tmp_path / "s" / "packs"))
    run_sweep(small_sweep(), tmp_path / "s")
    assert folder_contents(tmp_path / "s") == folder_contents(reference)


def test_kill__of_writing_worker_leaves_no_permanent_files(reference, tmp_path):
    run_sweep(small_sweep(), tmp_path / "s")
    places = [(folder, name) for folder in ("packs", "points", "failed", "claims") for name in ("left", "written")]
    files = [tmp_path / "s" / folder / f".{name}.h5-0123456789ab.tmp" for folder, name in places]
    for path in files:
        path.write_bytes(b"half")
    with ExitStack() as stack:
        for path in files[1::2]:
            fcntl.flock(stack.enter_context(open(path, "r+b")), fcntl.LOCK_EX)
        run_sweep(small_sweep(), tmp_path / "s")
        assert [path.exists() for path in files] == [False, True] * 4
    run_sweep(small_sweep(), tmp_path / "s")
    assert folder_contents(tmp_path / "s") == folder_contents(reference)


def flip(path, name="data", within=0.5):
    """Flip one bit of a data set."""
    raw = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        one = file[name]
        raw[one.id.get_offset() + int(one.id.get_storage_size() * within)] ^= 1
    path.write_bytes(raw)


def files_of(path):
    return {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}


@pytest.mark.parametrize(
    "copy", [collect_sweep, lambda folder, path: extract_point(folder, 2, path)], ids=["collect", "extract"]
)
def test_damage__is_not_copied_into_new_file(reference, tmp_path, copy):
    shutil.copytree(reference, tmp_path / "s")
    copy(SweepFolder(tmp_path / "s"), tmp_path / "whole.h5")
    flip(tmp_path / "s" / "packs" / "000000-000005.h5")
    with pytest.raises(UnreadableResults, match=r"000000-000005\.h5: is damaged: checksum mismatch in data"):
        copy(SweepFolder(tmp_path / "s"), tmp_path / "out.h5")
    assert sorted(os.listdir(tmp_path)) == ["s", "whole.h5"]


def test_damage__of_point_file_is_not_copied(tmp_path):
    sweep = small_sweep(run={"record": ["metrics", "trajectory"]}, sweep={"grid": {"workflow.n_samples": [5, 6]}})
    run_sweep(sweep, tmp_path / "s", shard=(1, 1))
    folder, path = SweepFolder(tmp_path / "s"), tmp_path / "s" / "points" / "000001.h5"
    flip(path, "trajectory/data")
    collect_sweep(folder, tmp_path / "out.h5")  # has no trajectories
    with pytest.raises(UnreadableResults, match="checksum mismatch in trajectory/data"):
        extract_point(folder, 1, tmp_path / "point.h5")
    flip(path, "entropy")
    with pytest.raises(UnreadableResults, match="entropy"):
        collect_sweep(folder, tmp_path / "again.h5")
    assert sorted(os.listdir(tmp_path)) == ["out.h5", "s"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("data", "checksum mismatch in data"), ("index", "its index cannot be decoded")],
    ids=["data", "index"],
)
def test_damage__of_pack_is_not_merged(tmp_path, name, words):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    pack = tmp_path / "s" / "packs" / "000000-000005.h5"
    flip(pack, name)
    before = files_of(tmp_path / "s" / "packs")
    result = CliRunner().invoke(cli.main, ["check", str(tmp_path / "s")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    with pytest.raises(UnreadableResults, match=rf"000000-000005\.h5: is damaged: {words}"):
        run_sweep(small_sweep(), tmp_path / "s")
    after = files_of(tmp_path / "s" / "packs")
    assert after.items() >= before.items()
    # Points computed before the damage was found are saved.
    assert (len(after) > len(before)) == (name == "data")


def test_damage__of_partial_result_is_not_joined(tmp_path):
    sweep = small_sweep(run={"record": ["metrics", "trajectory"]}, sweep={"grid": {"workflow.n_samples": [5]}})
    run_sweep(sweep, tmp_path / "s", shard=(1, 2))
    flip(tmp_path / "s" / "points" / "000000-1of2.h5", "entropy")
    assert run_sweep(sweep, tmp_path / "s", shard=(2, 2)).failed == 1
    folder = SweepFolder(tmp_path / "s")
    assert (folder.done(), len(folder.split())) == (set(), 1)
    assert folder.failures()[0]["error"].endswith("000000-1of2.h5: is damaged: checksum mismatch in entropy")


def damaged_manifests():
    """Yield damaged content of a manifest, and the expected message."""
    yield "", "is not JSON"
    yield '{"format": "fastcollapse-sw', "is not JSON"
    yield "[]", "format is missing"
    for key in ("format", "format_version", "digest", "seed", "mapping", "base", "text"):
        yield {key: None}, f"{key} is missing"
    for key, value in (("format_version", "x"), ("format", 3), ("seed", True), ("mapping", []), ("base", 7)):
        yield {key: value}, f"{key} must be "
    yield {"mapping": {}}, r"must have the section \[sweep.grid\]"


@pytest.mark.parametrize("command", ["status", "sweep"])
@pytest.mark.parametrize(("change", "words"), list(damaged_manifests()))
def test_manifest__damage_is_one_line(reference, tmp_path, change, words, command):
    shutil.copytree(reference, tmp_path / "s")
    path = tmp_path / "s" / "sweep.json"
    if not isinstance(change, str):
        made = json.loads(path.read_text())
        ((key, value),) = change.items()
        made = {k: v for k, v in made.items() if k != key} if value is None else made | change
        change = json.dumps(made)
    path.write_text(change)
    with pytest.raises(InputError, match=rf"sweep\.json: is damaged.*{words}"):
        SweepFolder(tmp_path / "s") if command == "status" else run_sweep(small_sweep(), tmp_path / "s")


def test_manifest__refuses_other_files(tmp_path):
    (tmp_path / "sweep.json").write_text('{"format": "other"}')
    with pytest.raises(InputError, match=r"must be the folder of a sweep, got one whose sweep\.json is something else"):
        SweepFolder(tmp_path)
    (tmp_path / "folder").mkdir()
    words = {"folder": r"one without sweep\.json", "sweep.json": "a file", "none": "no such folder"}
    for name, got in words.items():
        with pytest.raises(InputError, match=f"{name} must be the folder of a sweep, got {got}$"):
            SweepFolder(tmp_path / name)


def test_folder__copy_without_empty_folders_is_complete(reference, tmp_path):
    for done in (True, False):
        path = tmp_path / str(done)
        make_folder(path, small_sweep())
        if done:
            run_sweep(small_sweep(), path)
            for name in ("points", "measured.jsonl"):
                (path / "claims" / name).unlink()
        for name in ("points", "packs", "failed", "claims"):
            with suppress(OSError):
                (path / name).rmdir()
        assert sorted(os.listdir(path)) == (["packs", "sweep.json"] if done else ["sweep.json"])
        for command in ("status", "check"):
            assert CliRunner().invoke(cli.main, [command, str(path)], catch_exceptions=False).exit_code == 0
        assert run_sweep(small_sweep(), path).done == (0 if done else 6)
        assert SweepFolder(path).check() == 6


def test_folder__ignores_numbers_beyond_sweep(reference, tmp_path):
    shutil.copytree(reference, tmp_path / "s")
    for name in ("points/000099.h5", "points/000099-1of2.h5", "failed/000099.json", "claims/000099-1of2"):
        (tmp_path / "s" / name).write_text("{}")
    write_pack(tmp_path / "s" / "packs" / "other.h5", [(99, SweepFolder(reference).results(0).reader)])
    folder = SweepFolder(tmp_path / "s")
    assert (folder.done(), folder.failures(), folder.running()) == (set(range(6)), {}, {})
    assert (folder.begun(), folder.split(), folder.check()) == (set(), {}, 6)
    result = CliRunner().invoke(cli.main, ["status", str(tmp_path / "s")], catch_exceptions=False)
    assert result.exit_code == 0
    assert "missing  0" in result.stdout
    again = run_sweep(small_sweep(), tmp_path / "s")
    assert (again.total, again.earlier, again.done) == (6, 6, 0)
    assert collect_sweep(folder, tmp_path / "s.h5") == 6


def test_failure__unreadable_record_has_unknown_cause(tmp_path):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    (tmp_path / "s" / "failed" / "000003.json").write_text("[]")
    assert SweepFolder(tmp_path / "s").failures() == {3: {}}
    result = CliRunner().invoke(cli.main, ["status", str(tmp_path / "s")], catch_exceptions=False)
    assert result.exit_code == 1
    assert "truth.uniform = 20): unknown" in result.stderr
    assert run_sweep(small_sweep(), tmp_path / "s").known_failures == 1
    assert run_sweep(small_sweep(), tmp_path / "s", retry=True).succeeded


@pytest.mark.parametrize("record", [["metrics"], ["metrics", "trajectory"]], ids=["a pack", "a file"])
def test_worker__writes_nothing_into_a_folder_that_another_sweep_has_taken(reference, tmp_path, record):
    """The folder is removed and made again while a worker computes its points."""
    sweep = small_sweep(run={"record": record})
    make_folder(tmp_path / "s", sweep)
    worker = Worker(SweepFolder(tmp_path / "s"), None, Interrupts(()))
    shutil.rmtree(tmp_path / "s")
    task = Task(str(tmp_path / "s"), (WorkUnit(0),), 10.0)
    other = small_sweep(run={"seed": 8, "record": record})
    make_folder(tmp_path / "s", other)
    with worker._interrupts, pytest.raises(StoreError, match="/s: was removed or is the folder of another sweep now"):
        worker.run(task)
    assert SweepFolder(tmp_path / "s").done() == set()
    run_sweep(other, tmp_path / "s")
    assert SweepFolder(tmp_path / "s").check() == 6
