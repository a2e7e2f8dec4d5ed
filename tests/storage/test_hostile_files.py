"""Files made to harm: every command refuses them in one line, at once and in little memory."""

import re
import shutil

import pytest

from fastcollapse import open_results
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.storage.checksums import SIGNATURE, read_checksums
from fastcollapse.sweeps.collected_results import open_sweep
from tests.cli._commands import call
from tests.storage import _hostile_files as hostile


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a small finished run."""
    folder = tmp_path_factory.mktemp("made")
    hostile.make_run(folder)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile.pipe(tmp_path / "pipe")
    return tmp_path


def commands(name):
    """Yield the command lines that read a results file."""
    yield ["check", name]
    yield ["info", name]
    yield ["compare", name]
    yield ["plot", name, "-o", "new.png"]
    yield ["replay", name]
    yield ["run", "--resume", name]


def begun(made, here):
    """Copy the parts of a run in progress."""
    shutil.copytree(made / "begun.h5.parts", here / "bad.h5.parts")
    return here / "bad.h5.parts"


def assert_refused(words, passes=(), memory=True):
    for arguments in commands("bad.h5"):
        if arguments[0] in passes:
            with hostile.bounded(memory):
                answer = call(*arguments)
            assert answer.exit_code in (0, 1), (arguments, answer.output)
            assert "Traceback" not in answer.output
            continue
        line = hostile.refused(*arguments, memory=memory)
        assert line.startswith("error: bad.h5"), line
        assert re.search(words, line), line


@pytest.mark.parametrize("name", hostile.EDITS)
def test_edited_file__is_refused_by_every_command(made, here, name):
    edit = hostile.EDITS[name]
    hostile.edited(made / "good.h5", here / "bad.h5", edit.change)
    assert_refused(edit.words, edit.passes)
    with hostile.bounded():
        for function in (open_results, check_run):
            if not edit.passes:
                with pytest.raises(InputError):
                    function("bad.h5")
        assert open_sweep("bad.h5") is None


def test_sealed_file__is_read(made, here):
    """The negative control: the edits are refused for what they change, not for how they are made."""
    hostile.edited(made / "good.h5", here / "bad.h5", lambda file: file.attrs.update({"note": "mine", "of": ["a"]}))
    shutil.copy(made / "counts.csv", here)
    for arguments in list(commands("bad.h5")):
        assert call(*arguments).exit_code == 0, arguments


@pytest.mark.parametrize("name", hostile.TABLES)
def test_table_of_checksums__is_refused_by_every_command(made, here, name):
    raw = (made / "good.h5").read_bytes()[: read_checksums(made / "good.h5").end]
    (here / "bad.h5").write_bytes(hostile.TABLES[name](raw))
    assert_refused("its table of checksums is inconsistent")


@pytest.mark.parametrize("name", hostile.THINGS)
def test_thing_with_name_of_file__is_refused_by_every_command(here, name):
    hostile.THINGS[name](here / "bad.h5")
    assert_refused("is a (folder|pipe or a device), not a file|cannot be read|no such file")


@pytest.mark.parametrize("start", [b"", SIGNATURE, b"text"])
def test_sparse_file__is_refused_by_every_command(here, start):
    hostile.sparse(start)(here / "bad.h5")
    assert_refused("is not an HDF5 file|is truncated or damaged", memory=False)


@pytest.mark.parametrize("part", ["part-00000.h5", "part-00001.h5"])
@pytest.mark.parametrize("name", hostile.THINGS)
def test_thing_with_name_of_part__is_refused_by_every_command(made, here, name, part):
    folder = begun(made, here)
    (folder / part).unlink()
    hostile.THINGS[name](folder / part)
    for arguments in commands("bad.h5"):
        line = hostile.refused(*arguments)
        assert line.startswith("error: bad.h5"), line


@pytest.mark.parametrize("name", hostile.PARTS)
def test_part__is_refused_by_every_command(made, here, name):
    folder, edit = begun(made, here), hostile.PARTS[name]
    part = folder / "part-00001.h5"
    hostile.edited(part, part, edit.change)
    for arguments in commands("bad.h5"):
        if arguments[0] not in edit.passes:
            assert re.search(edit.words, hostile.refused(*arguments)), arguments


@pytest.mark.parametrize("name", hostile.STATES)
def test_state__is_refused_by_resume(made, here, name):
    part = sorted(begun(made, here).glob("part-*"))[-1]
    hostile.edited(part, part, hostile.STATES[name].change)
    shutil.copy(made / "counts.csv", here)
    assert call("check", "bad.h5").exit_code == 0
    assert re.search(hostile.STATES[name].words, hostile.refused("run", "--resume", "bad.h5"))


def test_state__unchanged_is_resumed(made, here):
    """The negative control of the hostile states."""
    begun(made, here)
    shutil.copy(made / "counts.csv", here)
    assert call("run", "--resume", "bad.h5").exit_code == 0


@pytest.mark.parametrize("name", hostile.THINGS)
def test_thing_with_name_of_parts_folder_or_lock__is_no_run(made, here, name):
    if name != "folder":
        hostile.THINGS[name](here / "bad.h5.parts")
        assert_refused("no such file|cannot be read|must be a new file|exists and is not a folder")
        hostile.remove(here / "bad.h5.parts")
    lock = begun(made, here) / "lock"
    hostile.remove(lock)
    hostile.THINGS[name](lock)
    for command in ("check", "info", "compare"):
        with hostile.bounded():
            assert call(command, "bad.h5").exit_code == 0, command
    hostile.refused("run", "--resume", "bad.h5")


def test_lock__that_is_a_link_empties_no_file(made, here):
    folder = begun(made, here)
    (here / "mine.txt").write_text("mine")
    (folder / "lock").symlink_to(here / "mine.txt")
    (folder / "folder.tmp").mkdir()
    hostile.refused("run", "--resume", "bad.h5")
    assert (here / "mine.txt").read_text() == "mine"
