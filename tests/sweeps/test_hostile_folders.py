"""Folders of sweeps, packs and collected sweeps made to harm: refused in one line, at once and in little memory."""

import json
import re
import shutil
import zlib

import numpy as np
import pytest

from fastcollapse.sweeps import collect_sweep, run_sweep
from fastcollapse.sweeps.folder import SweepFolder
from tests.cli._commands import call
from tests.storage import _hostile_files as hostile
from tests.storage._hostile_files import DEEP
from tests.sweeps._example_sweeps import mapping, small_sweep

PACK = "packs/000000-000005.h5"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished sweep, and its collected file."""
    folder = tmp_path_factory.mktemp("made")
    run_sweep(small_sweep(), folder / "bad")
    collect_sweep(folder / "bad", folder / "bad.h5")
    return folder


@pytest.fixture
def bad(made, tmp_path, monkeypatch):
    """A copy of the finished sweep in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made / "bad", tmp_path / "bad")
    return tmp_path / "bad"


READERS = (["status", "bad"], ["check", "bad"], ["collect", "bad", "-o", "new.h5"], ["plot", "bad", "-o", "new.png"])


def assert_refused(words, commands=READERS, memory=True):
    for arguments in commands:
        line = hostile.refused(*arguments, memory=memory)
        assert re.search(words, line), (arguments, line)


def sparse_manifest(path):
    path.write_bytes(b'{"a": "')
    hostile.sparse()(path)


THINGS = {**hostile.THINGS, "sparse": sparse_manifest}


@pytest.mark.parametrize("name", THINGS)
def test_thing_with_name_of_manifest__is_refused(bad, name):
    (bad / "sweep.json").unlink()
    THINGS[name](bad / "sweep.json")
    words = "without sweep.json" if name == "dangling link" else r"sweep\.json: (is damaged: it is|cannot be read)"
    assert_refused(words, memory=name != "sparse")


MANIFESTS = {
    "deep": (DEEP, "is nested too deeply"),
    "900 deep": ('{"a":' * 900 + "1" + "}" * 900, "is nested too deeply"),
    "a list": ("[]", "format is missing"),
    "a number": ("1" * 5000, "is not JSON"),
    "half a letter": (r'{"format": "\ud800"}', "sweep.json: is damaged"),
    "no text": (b"\xff\xfe", "is not JSON"),
    "number of points": ({"n_points": 7}, "n_points is 7, its mapping has 6"),
    "number of points, text": ({"n_points": "6"}, "n_points must be a whole number of at least 1, got '6'"),
    "inputs": ({"inputs": []}, "inputs must be a table, got"),
    "version": ({"format_version": 9}, "has format version 9"),
    "seed": ({"seed": -1, "mapping": mapping(run={"seed": None})}, "is damaged"),
    "mapping": ({"mapping": {"sweep": []}}, "must have the section"),
    "no run": ({"mapping": {"sweep": {"grid": {"workflow.n_samples": [5]}}}}, "is damaged"),
    "run of text": ({"mapping": mapping() | {"run": "x"}}, "is damaged"),
    "grid": ({"mapping": mapping(sweep={"grid": []})}, "is damaged"),
    "huge grid": (
        {"mapping": mapping(sweep={"grid": {f"run.{key}": list(range(1, 1000)) for key in "abcdefgh"}})},
        "at most 1,000,000,000 points",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest__is_refused(bad, name):
    change, words = MANIFESTS[name]
    path = bad / "sweep.json"
    if isinstance(change, dict):
        change = json.dumps(json.loads(path.read_text()) | change)
    path.write_bytes(change if isinstance(change, bytes) else change.encode())
    assert_refused(words)


FAILURES = {
    **hostile.THINGS,
    "sparse": hostile.sparse(),
    "deep": lambda path: path.write_text(DEEP),
    "a list": lambda path: path.write_text("[1]"),
    "error, a table": lambda path: path.write_text('{"error": {"a": [1]}}'),
    "control characters": lambda path: path.write_text(r'{"error": "\u001b[2J"}'),
    "no text": lambda path: path.write_bytes(b"\xff"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure__is_counted(bad, name):
    (bad / PACK).unlink()
    FAILURES[name](bad / "failed" / "000003.json")
    with hostile.bounded(memory=name != "sparse"):
        answer = call("status", "bad")
    if name == "dangling link":
        assert answer.exit_code == 0
        return
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1), answer.output
    assert answer.stderr.strip().isprintable()
    assert SweepFolder(bad).failures().keys() == {3}


@pytest.mark.parametrize("name", hostile.THINGS)
@pytest.mark.parametrize("place", [PACK, "points/000002.h5"])
def test_thing_with_name_of_file__is_refused(bad, name, place):
    hostile.remove(bad / place)
    hostile.THINGS[name](bad / place)
    for arguments in READERS[1:]:
        with hostile.bounded():
            answer = call(*arguments)
        assert answer.exit_code in (0, 2), (arguments, answer.output, answer.exception)
        assert answer.exit_code == 2 or name == "dangling link" or place != PACK, (arguments, answer.output)
        assert answer.stderr.count("\n") == (answer.exit_code == 2)


@pytest.mark.parametrize("place", ["points", "packs", "failed", "claims"])
@pytest.mark.parametrize("name", ["pipe", "circle of links", "device"])
def test_thing_with_name_of_folder__is_one_line(bad, name, place):
    hostile.remove(bad / place)
    hostile.THINGS[name](bad / place)
    for arguments in READERS:
        with hostile.bounded():
            answer = call(*arguments)
        assert answer.exit_code in (0, 2), (arguments, answer.output, answer.exception)
        assert answer.stderr.count("\n") == (answer.exit_code == 2)


@pytest.mark.parametrize("name", hostile.THINGS)
@pytest.mark.parametrize("place", ["points", "000001-1of2"])
def test_thing_with_name_of_claim__is_one_line(bad, name, place):
    hostile.remove(bad / "claims" / place)
    hostile.THINGS[name](bad / "claims" / place)
    for arguments in READERS[:3]:
        with hostile.bounded():
            assert call(*arguments).exit_code == 0, arguments


def test_claims__that_are_a_link_write_to_no_file(made, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(made / "bad", bad)
    (bad / PACK).unlink()
    (bad / "claims" / "points").unlink(missing_ok=True)
    (tmp_path / "mine.txt").write_text("mine")
    (bad / "claims" / "points").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(OSError):
        SweepFolder(bad).claim(next(iter(_units())))
    assert (tmp_path / "mine.txt").read_text() == "mine"


def _units():
    from fastcollapse.sweeps.replicate_ranges import WorkUnit

    yield WorkUnit(0)


def index_edit(change):
    """Return the change of a pack whose index is the result of `change`."""

    def edit(file):
        index = json.loads(zlib.decompress(file["index"][()].tobytes()))
        made = change(index)
        packed = made if isinstance(made, bytes) else zlib.compress(json.dumps(made).encode())
        hostile.replaced(
            file, "index", lambda group, leaf: group.create_dataset(leaf, data=np.frombuffer(packed, "u1"))
        )

    return edit


def of_entry(**changes):
    return index_edit(lambda index: [{**index[0], **changes}, *index[1:]])


def of_array(*values):
    """Type, shape, offset and attributes of the first array of the first run."""

    def change(index):
        arrays = index[0]["arrays"]
        name = next(iter(arrays))
        given = [own if value is None else value for own, value in zip(arrays[name], values, strict=True)]
        return [{**index[0], "arrays": {**arrays, name: given}}, *index[1:]]

    return index_edit(change)


def of_root(**changes):
    def change(index):
        root = {**index[0]["groups"]["/"], **changes}
        return [{**index[0], "groups": {**index[0]["groups"], "/": root}}, *index[1:]]

    return index_edit(change)


_BOMB = zlib.compress(bytes(200 << 20), 9)
PACKS = {
    "bomb": (index_edit(lambda index: _BOMB), "its index cannot be decoded"),
    "deep": (index_edit(lambda index: zlib.compress(DEEP.encode())), "its index cannot be decoded"),
    "cut": (index_edit(lambda index: zlib.compress(json.dumps(index).encode())[:-20]), "its index cannot be decoded"),
    "a table": (index_edit(lambda index: {"a": 1}), "its index cannot be decoded"),
    "numbers": (index_edit(lambda index: [1, 2]), "its index cannot be decoded"),
    "number, negative": (of_entry(number=-1), "its index cannot be decoded"),
    "number, text": (of_entry(number="0"), "its index cannot be decoded"),
    "groups, a list": (of_entry(groups=[]), "its index cannot be decoded"),
    "groups of numbers": (of_entry(groups={"/": 3}), "its index cannot be decoded"),
    "arrays, a list": (of_entry(arrays=[]), "its index cannot be decoded"),
    "arrays of numbers": (of_entry(arrays={"entropy": 3}), "its index cannot be decoded"),
    "array, short": (of_entry(arrays={"entropy": ["<f8"]}), "its index cannot be decoded"),
    "no root": (of_entry(groups={}), "is damaged"),
    "objects": (of_array("|O8", None, None, None), "its index cannot be decoded"),
    "type": (of_array([1], None, None, None), "its index cannot be decoded"),
    "huge type": (of_array("<S999999999", None, None, None), "its index cannot be decoded"),
    "shape": (of_array(None, [2**62, 8], None, None), "names an array that is not in it"),
    "negative shape": (of_array(None, [-1], None, None), "its index cannot be decoded"),
    "shape, text": (of_array(None, "ab", None, None), "its index cannot be decoded"),
    "offset": (of_array(None, None, 10**12, None), "names an array that is not in it"),
    "negative offset": (of_array(None, None, -8, None), "its index cannot be decoded"),
    "offset, half": (of_array(None, None, 0.5, None), "its index cannot be decoded"),
    "attributes": (of_array(None, None, None, [1]), "its index cannot be decoded"),
    "root, generations": (of_root(n_generations=-1), "n_generations must be"),
    "root, provenance": (of_root(provenance="[]"), "provenance must be a table"),
    "root, digest": (of_root(digest="0" * 64), "is damaged: its digest"),
    "data of floats": (
        lambda file: hostile.replaced(file, "data", lambda group, leaf: group.create_dataset(leaf, data=np.zeros(9))),
        "data must have the type u1",
    ),
    "no data": (lambda file: file.pop("data"), "data is missing"),
    "no index": (lambda file: file.pop("index"), "index is missing"),
    "external data": (
        lambda file: hostile.replaced(
            file, "data", lambda group, leaf: group.create_dataset(leaf, (9,), "u1", external=[("pipe", 0, 9)])
        ),
        "data of data are in another file",
    ),
}


@pytest.mark.parametrize("name", PACKS)
def test_pack__is_refused(bad, name):
    edit, words = PACKS[name]
    hostile.edited(bad / PACK, bad / PACK, edit)
    assert_refused(rf"000000-000005\.h5: .*{words}", READERS[1:])
    with hostile.bounded():
        answer = call("status", "bad")
    assert answer.exit_code in (0, 2)
    assert "Traceback" not in answer.output


def of_sweep(change):
    def edit(file):
        manifest = change(json.loads(file.attrs["sweep"]))
        file.attrs["sweep"] = manifest if isinstance(manifest, str) else json.dumps(manifest)

    return edit


def of_data(name, values):
    return lambda file: hostile.replaced(file, name, lambda group, leaf: group.create_dataset(leaf, data=values))


COLLECTED = {
    "manifest, deep": (of_sweep(lambda _: DEEP), "sweep is nested too deeply"),
    "manifest, a list": (of_sweep(lambda _: []), "sweep must be a table"),
    "manifest, no JSON": (of_sweep(lambda _: "{"), "sweep is not JSON"),
    "manifest, seed": (of_sweep(lambda manifest: {**manifest, "seed": "x"}), "seed must be a whole number"),
    "manifest, base": (of_sweep(lambda manifest: {**manifest, "base": 3}), "base must be text, got 3"),
    "manifest, mapping": (of_sweep(lambda manifest: {**manifest, "mapping": {}}), "must have the section"),
    "manifest, points": (of_sweep(lambda manifest: {**manifest, "n_points": 9}), "n_points is 9"),
    "done, long": (of_data("done", np.ones(9, "i1")), "done must have the shape"),
    "done, text": (of_data("done", np.full((3, 2), b"x")), "done must have the type"),
    "checksums of data": (of_data("data_crc32", np.ones(1, "u4")), "data_crc32 must have the shape"),
    "virtual": (hostile.virtual("other.h5").change, "entropy must be contiguous"),
}
POINTS_OF_COLLECTED = {
    "metric, short": (of_data("entropy", np.zeros((3, 2, 2, 3))), "entropy is too short for point"),
    "metric, other sweep": (of_data("entropy", np.zeros((2, 3, 5, 7))), "entropy must have the shape"),
    "metric, further": (of_data("entropy", np.zeros((3, 2, 5, 7, 4))), "entropy must have the shape"),
    "no unit": (lambda file: file["entropy"].attrs.pop("units"), "units is missing"),
    "number as name": (lambda file: file["entropy"].attrs.create("long_name", 3), "long_name must be"),
}


@pytest.mark.parametrize("name", [*COLLECTED, *POINTS_OF_COLLECTED])
def test_collected_sweep__is_refused(made, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    edit, words = {**COLLECTED, **POINTS_OF_COLLECTED}[name]
    hostile.edited(made / "bad.h5", tmp_path / "bad.h5", edit)
    plot = ["plot", "bad.h5", "-o", "new.png", "--over", "n_samples"]
    commands = [plot] if name in POINTS_OF_COLLECTED else [["check", "bad.h5"], plot]
    assert_refused(rf"bad\.h5: .*{words}", commands)


def test_collected_sweep__rewritten_is_drawn(made, tmp_path, monkeypatch):
    """The negative control of the edits."""
    monkeypatch.chdir(tmp_path)
    hostile.edited(made / "bad.h5", tmp_path / "bad.h5", lambda file: file.attrs.update({"note": "mine"}))
    assert call("plot", "bad.h5", "-o", "new.png", "--over", "n_samples").exit_code == 0
