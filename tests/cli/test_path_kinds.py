"""A command that is given the path of something else names the command that is meant."""

import re
import shutil

import pytest

from fastcollapse.storage.part_files import part_path, parts_folder
from tests.cli._commands import TOML, call, files_in

SWEEP = TOML.replace("n_generations = 15", "n_generations = 2") + '[sweep.grid]\n"workflow.n_samples" = [5, 6]\n'
STATUS = "study is the folder of a sweep: use `fastcollapse status study`, or `fastcollapse collect study --point N`"
COLLECTED = "study.h5 is a collected sweep: use `fastcollapse plot study.h5`, or `fastcollapse collect DIR --point N`"
RESULTS = "small.h5 is the results file of a run: use `fastcollapse info small.h5`"
RUN = "small.toml is an experiment file without a section [sweep]: use `fastcollapse run small.toml`"
SWEEP_FILE = "sweep.toml is an experiment file with a section [sweep]: use `fastcollapse sweep sweep.toml`"
PART = "is a part of a sweep: use `fastcollapse status study`, or `fastcollapse collect study --point N`"
MEANT = {
    **{f"{command} study": STATUS for command in ("info", "profile", "replay", "run --resume", "run", "sweep")},
    **{
        f"{command} study.h5": COLLECTED
        for command in ("info", "profile", "replay", "status", "collect", "run", "sweep")
    },
    **{f"{command} small.h5": RESULTS for command in ("status", "collect", "run", "sweep")},
    **{f"{c} small.toml": RUN for c in ("info", "compare", "replay", "plot", "status", "collect", "sweep")},
    "run --resume small.toml": RUN,
    **{
        f"{c} sweep.toml": SWEEP_FILE
        for c in ("info", "compare", "replay", "plot", "check", "status", "collect", "run")
    },
    "info sur-gau": "sur-gau is the name of a recipe: use `fastcollapse run sur-gau`",
    "sweep sur-gau": "sur-gau is the name of a recipe: use `fastcollapse run sur-gau`",
    "run sur-gau.toml": "sur-gau.toml does not exist; sur-gau is a recipe: use `fastcollapse run sur-gau`",
    "run forgetting": "forgetting is the name of a sweep: use `fastcollapse sweep forgetting`",
    "sweep forgetting.toml": "forgetting is a sweep: use `fastcollapse sweep forgetting`",
    "info study/sweep.json": f"study/sweep.json {PART}",
    "run study/sweep.json": f"study/sweep.json {PART}",
    "check study/points": f"study/points {PART}",
    "info small.png": "small.png is a figure: use `fastcollapse info small.h5`",
    "info begun.h5.parts": "begun.h5.parts is a part of an unfinished run: use `fastcollapse info begun.h5`",
    "status begun.h5": "begun.h5 is the results file of a run",
    "info small": "small: no such file (did you mean 'small.h5'?)",
    "info smal.h5": "smal.h5: no such file (did you mean 'small.h5'?)",
    "run smal.toml": "experiment file 'smal.toml' does not exist (did you mean 'small.toml'?)",
    "status studdy": "studdy must be the folder of a sweep, got no such folder (did you mean 'study'?)",
    "status .": ". must be the folder of a sweep, got one without sweep.json",
}


@pytest.fixture(scope="module")
def made(ran, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for name in ("small.toml", "small.h5", "small.png"):
        shutil.copyfile(ran[0] / name, folder / name)
    (folder / "sweep.toml").write_text(SWEEP)
    assert call("sweep", folder / "sweep.toml", "-o", folder / "study", "--jobs", 1).exit_code == 0
    assert call("collect", folder / "study", "-o", folder / "study.h5").exit_code == 0
    parts_folder(folder / "begun.h5").mkdir()
    shutil.copyfile(folder / "small.h5", part_path(parts_folder(folder / "begun.h5"), 0))
    return folder


@pytest.mark.parametrize("command", MEANT)
def test_command__given_something_else_names_the_command_for_it(command, made, monkeypatch):
    monkeypatch.chdir(made)
    before = files_in(made)
    result = call(*command.split())
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert re.match(f"error: .*{re.escape(MEANT[command])}", result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert files_in(made) == before


def test_command__given_what_it_takes_keeps_its_own_error(made, tmp_path, monkeypatch):
    """Damage, and a refused value, are not hidden by a hint."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made / "study", "study")
    (tmp_path / "study" / "sweep.json").write_text('{\n"format": }')
    damaged = bytearray((made / "small.h5").read_bytes())
    damaged[-200:-100] = bytes(100)
    (tmp_path / "small.h5").write_bytes(damaged)
    (tmp_path / "small.toml").write_text(TOML)
    (tmp_path / "sweep.toml").write_text(SWEEP.replace("[5, 6]", "[]"))
    expected = {
        "status study": "study/sweep.json: is damaged: it is not JSON: line 2, at '}' in '\"format\": }'",
        "check small.h5": "small.h5: is damaged",
        "run small.toml --set run.seed=-1": "run.seed must be at least 0, got -1",
        "run sur-gau --set run.seed=-1": "run.seed must be at least 0, got -1",
        "sweep sweep.toml": 'sweep.grid."workflow.n_samples" must be a list of values, got []',
    }
    for command, words in expected.items():
        result = call(*command.split())
        assert result.exit_code == 2
        assert words in result.stderr, command


def test_sweep__says_that_its_folder_is_new(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = call("sweep", made / "sweep.toml", "-o", "studdy", "--jobs", 1)
    assert (first.exit_code, first.stderr) == (0, "studdy: a new sweep of 2 points\n")
    again = call("sweep", made / "sweep.toml", "-o", "studdy", "--jobs", 1)
    assert (again.exit_code, again.stderr) == (0, "")
