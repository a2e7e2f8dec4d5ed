"""Commands x environments x files: every call ends in a known exit status, prints no traceback and spoils no file.

The combinations are pairwise: every command with every file, every command with every environment, and nearly every
environment with every file. A seeded part is in the ordinary suite; all of them are `slow`.
"""

import gzip
import hashlib
import os
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from fastcollapse.storage.part_files import part_path, parts_folder
from tests.cli._commands import call

ROOT = Path(__file__).parents[2]
SEED = 14
# Combinations in the ordinary suite: in this process, and in a process of their own.
N_HERE, N_CHILDREN = 32, 8
# A call that takes longer waits for something that never comes, for example for the writer of a pipe.
SECONDS = 300
STATUSES = {0, 1, 2}
# What Python, HDF5, OpenMP and the kernel print when something has ended that should not.
UNWANTED = ("Traceback", "Error: ", "Exception ignored", "Fatal Python error", "HDF5-DIAG", "OMP: ", "core dumped")

EXPERIMENT = """
[truth]
uniform = 20
[workflow]
name = "replace"
n_samples = 30
[run]
n_generations = 5
n_replicates = 2
seed = 1
"""
SWEEP = EXPERIMENT + '[sweep.grid]\n"workflow.n_samples" = [5, 6]\n'

# Name -> words of the command. FILE is a file of the library. A command that simulates needs compiled kernels.
COMMANDS = {
    "run": "run FILE -o out.h5",
    "run into": "run s.toml -o FILE",
    "run over": "run s.toml -o FILE --overwrite",
    "run resume": "run --resume FILE",
    "run resume with": "run s.toml --resume FILE",
    "run text": "run s.toml --set truth.text=FILE -o out.h5",
    "run counts": "run s.toml --set truth.counts=FILE -o out.h5",
    "run set": "run s.toml --set FILE -o out.h5",
    "info": "info FILE",
    "check": "check FILE",
    "plot": "plot FILE -o out.png",
    "plot beside": "plot FILE",
    "plot into": "plot a.h5 -o FILE",
    "plot over": "plot FILE --over n_samples --fix uniform=20 --generation 2 -o out.pdf",
    "compare": "compare FILE",
    "compare json": "compare FILE --json",
    "info json": "info FILE --json",
    "export": "export FILE -o out.csv",
    "export beside": "export FILE",
    "export into": "export a.h5 -o FILE",
    "export output": "export FILE -o -",
    "export parquet": "export FILE -o out.parquet",
    "profile": "profile FILE",
    "cite": "cite FILE",
    "replay": "replay FILE",
    "text": "text FILE",
    "sweep": "sweep FILE -o out --jobs 1",
    "sweep into": "sweep w.toml -o FILE --jobs 1",
    "sweep shard": "sweep FILE -o out --shard 1/2 --jobs 1",
    "sweep slurm": "sweep FILE -o out --slurm 2",
    "status": "status FILE",
    "status json": "status FILE --json",
    "collect": "collect FILE -o out.h5",
    "collect beside": "collect FILE",
    "collect into": "collect study -o FILE",
    "collect point": "collect FILE --point 1 -o out.h5",
    "reproduce": "reproduce FILE",
    "reproduce set": "reproduce sur-gau --set FILE",
    "new": "new FILE",
    "new family": "new poisson",
    "keys": "keys FILE",
    "keys of nothing": "keys",
    "theory": "theory FILE",
    "theory argument": "theory g_at k=FILE",
    "recipes": "recipes",
    "recipes json": "recipes --json",
    "recipes name": "recipes FILE",
    "recipes source": "recipes --source FILE",
    "recipes copy": "recipes sur-gau --copy FILE",
    "recipes copy new": "recipes sur-gau --copy copy.toml",
    "precompile": "precompile FILE",
    "precompile family": "precompile poisson",
    "help": "--help",
    "help of run": "run --help",
    "version": "--version",
    "nothing": "",
    "no command": "rnu s.toml",
    "no option": "info a.h5 --nothing",
    "theory list": "theory",
    "theory explained": "theory survival_bounds",
    "theory table": "theory g_at k=1..3",
    "theory refused": "theory survival_bounds p0=2 n=5 k=1",
    "reproduce nothing": "reproduce",
    "run refused": "run s.toml --set run.n_replicates=0 -o out.h5",
    "run key": "run s.toml --set n_samples=5 -o out.h5",
    "run threads": "run s.toml --threads 0 -o out.h5",
    "run many threads": "run s.toml --threads 100000 -o out.h5",
    "run memory": "run s.toml --memory-limit 1kB -o out.h5",
    "run seed": "run s.toml --seed -1 -o out.h5",
    "run default": "run s.toml",
    "run deep": "run s.toml -o none/out.h5",
    "collect no point": "collect study --point 9",
    "sweep options": "sweep w.toml --slurm 2 --jobs 2",
}
SIMULATING = {
    name for name, words in COMMANDS.items() if words.split()[:1] in (["run"], ["replay"], ["sweep"], ["precompile"])
}


class Environment(NamedTuple):
    """Variables (None: unset), redirections and limits of the shell, and whether the folder is read-only."""

    variables: Mapping[str, str | None] = MappingProxyType({})
    shell: str = ""
    redirection: str = ""
    read_only: bool = False


ENVIRONMENTS = {
    "plain": Environment(),
    "no threads": Environment({"NUMBA_NUM_THREADS": "0"}),
    "threads word": Environment({"NUMBA_NUM_THREADS": "two"}),
    "no jit": Environment({"NUMBA_DISABLE_JIT": "1"}),
    "no such layer": Environment({"NUMBA_THREADING_LAYER": "nonsense"}),
    "tbb": Environment({"NUMBA_THREADING_LAYER": "tbb"}),
    "notebook": Environment({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}),
    "no such backend": Environment({"MPLBACKEND": "nonsense"}),
    "C": Environment({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "ascii": Environment({"PYTHONIOENCODING": "ascii"}),
    "optimised": Environment({"PYTHONOPTIMIZE": "2"}),
    "no columns": Environment({"COLUMNS": "0", "LINES": "0"}),
    "columns word": Environment({"COLUMNS": "wide"}),
    "no home": Environment({"HOME": None}),
    "home nowhere": Environment({"HOME": "/nonexistent"}),
    "no cache": Environment({"FASTCOLLAPSE_CACHE": "/proc/none"}),
    "no temporary folder": Environment({"TMPDIR": "/nonexistent"}),
    "warnings as errors": Environment({"PYTHONWARNINGS": "error::UserWarning"}),
    "no standard input": Environment(redirection="<&-"),
    "no standard output": Environment(redirection=">&-"),
    "no standard error": Environment(redirection="2>&-"),
    "no streams": Environment(redirection="<&- >&- 2>&-"),
    "full output": Environment(redirection=">/dev/full"),
    "full error": Environment(redirection="2>/dev/full"),
    "few descriptors": Environment(shell="ulimit -n 64"),
    "read-only folder": Environment(read_only=True),
}
# Environments in which kernels are compiled anew, or run without compilation: seconds or minutes for each run.
SLOW_KERNELS = {"no jit", "no home", "home nowhere", "no cache", "optimised"}


def make_library(folder):
    """Write a file of every kind into a folder."""
    (folder / "s.toml").write_text(EXPERIMENT)
    (folder / "w.toml").write_text(SWEEP)
    for words in ("run s.toml -o a.h5", "sweep w.toml -o study --jobs 1", "collect study -o study.h5"):
        done = call(*(folder / word if word in PATHS else word for word in words.split()))
        assert done.exit_code == 0, done.output
    whole = (folder / "a.h5").read_bytes()
    parts_folder(folder / "begun.h5").mkdir()
    shutil.copyfile(folder / "a.h5", part_path(parts_folder(folder / "begun.h5"), 0))
    shutil.copyfile(next((folder / "study" / "packs").glob("*.h5")), folder / "pack.h5")
    (folder / "words.csv").write_text("word,count\nthe,20\nof,12\nand,9\n")
    with gzip.open(folder / "text.txt.gz", "wt") as file:
        file.write("one two two three three three " * 20)
    (folder / "cut.txt.gz").write_bytes((folder / "text.txt.gz").read_bytes()[:-9])
    (folder / "empty.h5").write_bytes(b"")
    (folder / "empty.toml").write_bytes(b"")
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (folder / "flipped.h5").write_bytes(whole[:3000] + bytes(byte ^ 255 for byte in whole[3000:3100]) + whole[3100:])
    (folder / "garbage.h5").write_bytes(random.Random(SEED).randbytes(5000))
    (folder / "garbage.toml").write_bytes(random.Random(SEED).randbytes(500))
    (folder / "wrong.toml").write_text(EXPERIMENT.replace("= 30", "= = 30"))
    (folder / "folder.h5").mkdir()
    (folder / "unreadable.h5").write_bytes(whole)
    (folder / "dangling.h5").symlink_to("nowhere")
    (folder / "loop.h5").symlink_to("loop.h5")


PATHS = {"s.toml", "w.toml", "a.h5", "study", "study.h5"}
FILES = [
    "a.h5", "s.toml", "w.toml", "study", "study.h5", "pack.h5", "begun.h5", "begun.h5.parts", "study/sweep.json",
    "words.csv", "text.txt.gz", "cut.txt.gz", "empty.h5", "empty.toml", "cut.h5", "flipped.h5", "garbage.h5",
    "garbage.toml", "wrong.toml", "folder.h5", "fifo.h5", "missing.h5", "unreadable.h5", "dangling.h5", "loop.h5",
    "sur-gau", "/dev/null", "", ".", "a.h5/inside.h5", "x" * 300, "two\nlines.h5",
]  # fmt: skip


class Combination(NamedTuple):
    """A command with a file, in an environment."""

    command: str
    file: str
    environment: str

    @property
    def arguments(self):
        """Words of the command line."""
        return [self.file if word == "FILE" else word.replace("=FILE", f"={self.file}") for word in self.words]

    @property
    def words(self):
        """Words of the command."""
        return COMMANDS[self.command].split()

    @property
    def is_quick(self):
        """Whether it runs in this process: nothing can make it wait, or change the process."""
        return self.environment == "plain" and self.file != "fifo.h5"

    def __str__(self):
        return f"{self.command}-{self.file[:20]}-{self.environment}"


def takes_file(command):
    """Whether a command takes a file of the library."""
    return "FILE" in COMMANDS[command]


def combinations():
    """Return the combinations: each pair is covered by the environment, or the file, that covers most new pairs."""
    chance = random.Random(SEED)
    todo = {(one, e) for e in ENVIRONMENTS for one in (*COMMANDS, *FILES)}
    found = []

    def add(command, file, environment):
        found.append(Combination(command, file, environment))
        todo.difference_update({(command, environment), (file, environment)})

    def allowed(command):
        return [e for e in ENVIRONMENTS if command not in SIMULATING or e not in SLOW_KERNELS]

    for command in COMMANDS:
        for file in FILES if takes_file(command) else ():
            some = allowed(command)
            chance.shuffle(some)
            add(command, file, max(some, key=lambda e: ((command, e) in todo) + ((file, e) in todo)))
    for command in COMMANDS:
        for environment in allowed(command):
            if (command, environment) in todo:
                add(command, chance.choice(FILES) if takes_file(command) else "", environment)
    return found


ALL = combinations()


def sample():
    """Return the seeded part of the ordinary suite."""
    chance = random.Random(SEED)
    here = [Combination(c.command, c.file, "plain") for c in ALL if c.file != "fifo.h5"]
    kernels = SIMULATING | SLOW_KERNELS
    children = [c for c in ALL if not c.is_quick and not kernels & {c.command, c.environment}]
    return chance.sample(here, N_HERE) + chance.sample(children, N_CHILDREN)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    make_library(folder)
    return folder


def digests(folder):
    """Return path -> SHA-256 of the files of the library, without those that a sweep or a resumed run changes."""
    changing = ("claims", "begun.h5.parts")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(changing) & set(path.relative_to(folder).parts)
    }


def in_child(combination, folder):
    """Return exit status, standard output and standard error of a combination in a process that a shell starts."""
    environment = ENVIRONMENTS[combination.environment]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment.variables}
    words = shlex.join([sys.executable, "-m", "fastcollapse", *combination.arguments])
    script = f"{environment.shell or ':'}; exec {words} {environment.redirection}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check(combination, library, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    shutil.copytree(library, folder, symlinks=True)
    os.mkfifo(folder / "fifo.h5")
    (folder / "unreadable.h5").chmod(0)
    before = digests(library)
    try:
        if ENVIRONMENTS[combination.environment].read_only:
            folder.chmod(0o555)
        if combination.is_quick:
            monkeypatch.chdir(folder)
            result = call(*combination.arguments)
            status, output, errors = result.exit_code, result.stdout, result.stderr
            assert isinstance(result.exception, SystemExit | None), repr(result.exception)
        else:
            status, output, errors = in_child(combination, folder)
    finally:
        folder.chmod(0o755)
        (folder / "unreadable.h5").chmod(0o600)
    shown = f"{shlex.join(combination.arguments)!r} in {combination.environment}: {status}\n{output}\n{errors}"
    for words in UNWANTED:
        assert words not in output + errors, shown
    assert status in STATUSES, shown
    lines = [line for line in errors.split("\n") if line.startswith("error: ")]
    assert all(line.isprintable() for line in lines), shown
    assert len(lines) <= (status > 0), shown
    if status == 2 and "2>" not in ENVIRONMENTS[combination.environment].redirection:
        assert errors.endswith(f"{lines[-1]}\n"), shown
    replaced = {"a.h5", "a.png", combination.file} if "--overwrite" in combination.words else set()
    after = digests(folder)
    changed = {path for path, digest in before.items() if after.get(path) != digest} - replaced
    assert not changed, shown


@pytest.mark.parametrize("combination", sample(), ids=str)
def test_sample__ends_in_a_known_status_without_a_traceback(combination, library, tmp_path, monkeypatch):
    check(combination, library, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("combination", ALL, ids=str)
def test_all__end_in_a_known_status_without_a_traceback(combination, library, tmp_path, monkeypatch):
    check(combination, library, tmp_path, monkeypatch)


def test_combinations__are_pairwise_and_the_same_each_time():
    assert combinations() == ALL
    commands = {(c.command, c.file) for c in ALL if takes_file(c.command)}
    assert commands == {(command, file) for command in COMMANDS if takes_file(command) for file in FILES}
    kernels = {(command, e) for command in SIMULATING for e in SLOW_KERNELS}
    assert {(c.command, c.environment) for c in ALL} == {(c, e) for c in COMMANDS for e in ENVIRONMENTS} - kernels
    covered = {(c.file, c.environment) for c in ALL if takes_file(c.command)}
    assert len(covered) > 0.75 * len(FILES) * len(ENVIRONMENTS)
