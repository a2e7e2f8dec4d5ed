"""Commands in hostile environments: closed and full streams, signals during imports, settings of other programs."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from fastcollapse import open_results
from fastcollapse.analysis.matplotlib_settings import drawing
from fastcollapse.cli.streams import OutputFailed
from fastcollapse.errors import InputError
from fastcollapse.models.registry import family
from tests.cli._commands import call

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-m", "fastcollapse"]
TOML = """
[model]
family = "poisson"
[truth]
rate = 2.0
[workflow]
name = "replace"
n_samples = 100
[run]
n_generations = 3
n_replicates = 2
seed = 1
"""


def shell(folder, command, **settings):
    """Run a shell command in which `fastcollapse` is the command line; a line about compiling is left out."""
    script = f'fastcollapse() {{ exec {" ".join(PYTHON)} "$@"; }}\n{command}'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    done.stderr = re.sub("^compiling the kernels of .*\n", "", done.stderr, flags=re.MULTILINE)
    return done


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "s.toml").write_text(TOML)
    return tmp_path


FULL = "error: standard output cannot be written: No space left on device; a.h5 holds the finished run\n"
STREAMS = {
    "2>&-": (0, "Over generations", ""),
    "<&- >&- 2>&-": (0, "", ""),
    ">/dev/full": (1, "", FULL),
    ">/dev/full 2>/dev/full": (1, "", ""),
}


@pytest.mark.parametrize("streams", STREAMS)
def test_run__with_closed_and_full_streams_keeps_what_is_computed(folder, streams):
    status, words, message = STREAMS[streams]
    got = shell(folder, f"fastcollapse run s.toml -o a.h5 {streams}")
    assert got.returncode == status
    assert words in got.stdout
    assert got.stderr == message
    assert open_results(folder / "a.h5").complete
    assert (folder / "a.png").stat().st_size > 0


@pytest.mark.parametrize("command", ["theory", "--help", ""])
def test_command__whose_output_is_lost_fails(folder, command):
    got = shell(folder, f"fastcollapse {command} >/dev/full")
    expected = (1, "error: standard output cannot be written: No space left on device\n")
    assert (got.returncode, got.stderr) == expected


def test_error__that_cannot_be_shown_has_its_status(folder):
    assert shell(folder, "fastcollapse nothing 2>/dev/full").returncode == 2


def test_pipe__whose_reader_has_ended_is_no_message(folder):
    read, write = os.pipe()
    os.close(read)
    got = subprocess.run([*PYTHON, "theory"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (got.returncode, got.stderr) == (1, "")


def test_output_failed__names_the_reason():
    full, pipe = OSError(errno.ENOSPC, "No space left"), OSError(errno.EPIPE, "Broken pipe")
    assert str(OutputFailed(full)) == "standard output cannot be written: No space left"
    assert (OutputFailed(full).reader_has_ended, OutputFailed(pipe).reader_has_ended) == (False, True)


SETTINGS = {
    "MATPLOTLIBRC": "tex",
    "TERM": "odd",
    "COLUMNS": "0",
    "TMPDIR": "/nonexistent",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
}


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no_backend"])
def test_run__with_settings_of_other_programs_is_complete(folder, backend):
    (folder / "tex").mkdir()
    (folder / "tex" / "matplotlibrc").write_text("text.usetex: True\n")
    got = shell(folder, "fastcollapse run s.toml -o é.h5", MPLBACKEND=backend, **SETTINGS)
    assert (got.returncode, got.stderr) == (0, "")
    assert "Files: \\xe9.h5" in got.stdout
    assert (folder / "é.png").stat().st_size > 0


def test_matplotlibrc__that_cannot_be_read_keeps_the_summary(folder):
    (folder / "matplotlibrc").write_bytes(b"\xff\xfe")
    got = shell(folder, "fastcollapse run s.toml -o a.h5")
    assert got.returncode == 1
    assert "Over generations" in got.stdout
    assert "matplotlibrc must be a file that matplotlib can read" in got.stderr
    got = shell(folder, "fastcollapse plot a.h5 -o b.png")
    assert got.returncode == 2
    assert "Traceback" not in got.stderr


def test_drawing__keeps_a_backend_that_is_valid():
    code = """
import os
from fastcollapse.analysis.matplotlib_settings import drawing

@drawing
def draw():
    import matplotlib

    assert not matplotlib.rcParams["text.usetex"]
    return matplotlib.rcParams._get("backend")

print(draw(), os.environ["MPLBACKEND"])
"""
    for backend, expected in (("pdf", "pdf"), ("TkAgg", "tkagg")):
        got = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": backend},
            capture_output=True,
            text=True,
            check=True,
        )
        assert got.stdout.split()[0].lower() == expected
        assert got.stdout.split()[1] == backend
    assert drawing(len)("abc") == 3


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_command__without_a_home_has_one_warning_whatever_python_is_told(folder, action):
    command = (
        f"env -u FASTCOLLAPSE_CACHE -u XDG_CACHE_HOME HOME=/proc/none {' '.join(PYTHON)} run s.toml --set truth.rate=-1"
    )
    got = shell(folder, command, PYTHONWARNINGS=f"{action}::RuntimeWarning")
    assert got.returncode == 2
    warning, error = got.stderr.splitlines()
    assert re.fullmatch(r"warning: compiled code is not kept \(/proc/none.*\); set FASTCOLLAPSE_CACHE", warning)
    assert error.startswith("error: truth.rate must be above 0")


def test_warnings__are_each_one_line_of_a_command(here, monkeypatch):
    def warn(*_):
        for text in ("one", "two", "one"):
            warnings.filterwarnings("default")  # Python forgets what it has shown, as within the compiler
            warnings.warn(text, RuntimeWarning, stacklevel=1)
        raise InputError("three")

    monkeypatch.setattr("fastcollapse.simulation.load_experiment.load_experiment", warn)
    shown, filters = warnings.showwarning, list(warnings.filters)
    for _ in range(2):
        assert call("run", "small.toml").stderr == "warning: one\nwarning: two\nerror: three\n"
    assert (warnings.showwarning, warnings.filters) == (shown, filters)


@pytest.mark.parametrize("command", ["run s.toml", "sweep s.toml", "theory"])
def test_command__in_a_folder_that_was_removed_is_one_line(folder, command):
    got = shell(folder, f"mkdir gone && cd gone && rmdir ../gone && fastcollapse {command}")
    message = "error: the current folder must exist: No such file or directory\n"
    assert (got.returncode, got.stdout, got.stderr) == (2, "", message)


def test_command__without_descriptors_names_the_limit(here, monkeypatch):
    def fail(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("fastcollapse.simulation.load_experiment.load_experiment", fail)
    got = call("run", "small.toml")
    assert (got.exit_code, got.stderr) == (1, "error: not enough file descriptors (ulimit -n): Too many open files\n")


def test_command__may_open_as_many_files_as_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard, 256), hard))
    try:
        call("--help")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_theory__without_docstrings_is_listed(folder):
    for command in ("theory", "theory g_at k=1..3", "--help"):
        got = shell(folder, f"fastcollapse {command}", PYTHONOPTIMIZE="2")
        assert (got.returncode, got.stderr) == (0, "")


def test_settings_of_numba__are_refused_with_status_2(folder):
    got = shell(folder, "fastcollapse run s.toml -o a.h5", NUMBA_THREADING_LAYER="loom")
    assert got.returncode == 2
    assert re.fullmatch("error: NUMBA_THREADING_LAYER must be .*\n", got.stderr)


def test_threads__beyond_the_allowed_cores_name_the_limit(folder):
    core = min(os.sched_getaffinity(0))
    got = shell(folder, f"taskset -c {core} {' '.join(PYTHON)} run s.toml -o a.h5 --threads 2")
    message = "error: threads must be 1 (the cores that this process may use), got 2\n"
    assert (got.returncode, got.stderr) == (2, message)
    got = shell(folder, "fastcollapse run s.toml -o a.h5 --threads 2", NUMBA_NUM_THREADS="1")
    assert got.stderr == "error: threads must be 1 (NUMBA_NUM_THREADS), got 2\n"


# A finder that sends Ctrl-C when a module is imported; Python drops an exception in a destructor there.
IMPORTS = """
import os, runpy, signal, sys

module, how, where, *arguments = sys.argv[1:]
sys.argv[1:] = arguments

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            Dropped() if how == "dropped" else os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
if where == "module":
    runpy.run_module("fastcollapse", run_name="__main__", alter_sys=True)
elif where == "script":
    from fastcollapse.__main__ import main
    main()
else:
    runpy.run_path(where, run_name="__main__")
"""


@pytest.mark.parametrize(
    ("module", "how", "where"),
    [
        ("click", "raised", "module"),
        ("click", "raised", "script"),
        ("click", "dropped", str(ROOT / "cli.py")),
        ("numpy", "raised", str(ROOT / "cli.py")),
        ("numba", "dropped", "module"),
    ],
    ids=str,
)
def test_interrupt__within_an_import_is_one_line(folder, module, how, where):
    got = subprocess.run(
        [sys.executable, "-c", IMPORTS, module, how, where, "run", "s.toml", "-o", "a.h5"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (got.returncode, got.stdout, got.stderr) == (130, "", "error: interrupted\n")
    assert [path.name for path in folder.iterdir()] == ["s.toml"]


def test_interrupt__within_an_import_of_a_run_is_one_line(folder):
    got = subprocess.run(
        [sys.executable, "-c", IMPORTS, "matplotlib", "dropped", "module", "run", "s.toml", "-o", "a.h5"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (got.returncode, got.stderr.strip()) == (130, "error: interrupted, a.h5 holds the finished run")
    assert open_results(folder / "a.h5").complete


def test_end_of_a_file__is_not_taken_for_an_interrupt(here, monkeypatch):
    def fail(*_):
        raise EOFError("Ran out of input")

    monkeypatch.setattr("fastcollapse.simulation.load_experiment.load_experiment", fail)
    assert isinstance(call("run", "small.toml").exception, EOFError)


def test_interrupt__that_is_ignored_stays_ignored():
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import fastcollapse.__main__; "
        "print(repr(signal.getsignal(signal.SIGINT)))"
    )
    got = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert got.stdout == f"{signal.SIG_IGN!r}\n"


def test_run__whose_kernel_has_no_memory_ends_with_a_line(here, monkeypatch):
    """Numba raises SystemError from MemoryError for an array of a parallel kernel."""
    model = family("discrete")
    for cause, expected in (
        (MemoryError("Allocation failed"), "error: not enough memory: Allocation failed\n"),
        (None, ""),
    ):

        def advance(*arguments, cause=cause):
            raise SystemError("returned a result with an exception set") from cause

        monkeypatch.setattr(model, "advance", advance)
        result = call("run", "small.toml", "-o", "x.h5")
        assert (result.exit_code, result.stderr) == (1, expected)
        assert isinstance(result.exception, SystemError) == (cause is None)
