"""Pages whose blocks run as written, one after the other, in an empty folder: files, commands and Python.

A block of TOML whose first line is `# NAME.toml` is the file of this name; `bash` is run; `python` blocks share names.
Blocks without a language are lines of what the commands print, except those that begin with a command.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(toml|bash|python|)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"make |pip |\$ ")
PAGES = [
    "tutorial/first_run",
    "tutorial/first_study",
    "tutorial/first_sweep",
    "how_to/own_text",
    "how_to/own_data",
    "how_to/export",
    "explanation/reproducibility",
]


@pytest.fixture
def environment(tmp_path):
    """Return an environment in which `fastcollapse` and `python` are those of this test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, arguments in (("python", ""), ("fastcollapse", "-m fastcollapse")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**os.environ, "PATH": path, "PYTHONPATH": python_path, "MPLBACKEND": "agg"}


def run(folder, text, environment):
    """Run the blocks of a page in a folder, and check the lines of output that it shows."""
    python, printed, shown = [], set(), set()
    for language, block in BLOCK.findall(text):
        if not language:
            shown |= set() if COMMAND.match(block) else {line.strip() for line in block.splitlines()}
            continue
        if language == "toml":
            name = re.match(r"# (\w+\.toml)\n", block)
            assert name, f"a file without a name: {block}"
            (folder / name[1]).write_text(block)
            continue
        if language == "python":
            python.append(block)
        command = ["bash", "-euc", block] if language == "bash" else [sys.executable, "-c", "\n".join(python)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        printed |= {line.strip() for line in done.stdout.splitlines()}
    assert shown - printed == set()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page__runs_as_written(page, tmp_path, environment):
    for package in ("pandas", "xarray"):
        pytest.importorskip(package)
    folder = tmp_path / "empty"
    folder.mkdir()
    run(folder, (ROOT / "docs" / f"{page}.md").read_text(), environment)
    assert list(folder.rglob("*.h5"))


def test_page__a_line_that_is_not_printed_is_noticed(tmp_path, environment):
    run(tmp_path, "```bash\necho ' 1  2'\n```\n\n```\n  1  2\n```\n\n```\nmake run\n```\n", environment)
    with pytest.raises(AssertionError, match="1  3"):
        run(tmp_path, "```bash\necho ' 1  2'\n```\n\n```\n  1  3\n```\n", environment)


def test_page__a_command_that_fails_is_noticed(tmp_path, environment):
    with pytest.raises(AssertionError, match=r"unknown\.toml"):
        run(tmp_path, "```bash\nls unknown.toml\n```\n", environment)
