"""Log of long compilations: one line for each family, while the compiler still works."""

import logging
import os
import subprocess
import sys
import threading

import pytest
from numba.core import event

from fastcollapse.kernels import compile_log as module
from fastcollapse.kernels.compile_log import CompileLog, compile_log, kernels_of

LINE = "compiling the kernels of discrete (once; later runs load them)"
CHILD = """
import logging
from fastcollapse.kernels import compile_log as module
from fastcollapse.kernels.jit import kernel
from functions import double

logging.basicConfig(level=logging.INFO, format="%(message)s")
module._PATIENCE = 0.0
with module.kernels_of("discrete"):
    print(double(1.0))
print(module.compile_log.n_compiled)
"""
FUNCTIONS = """
from fastcollapse.kernels.jit import kernel

@kernel
def add(x, y):
    return x + y

@kernel
def double(x):
    return add(x, x)
"""


class Lines(logging.Handler):
    """The lines of the log, and an event that is set at the first."""

    def __init__(self):
        super().__init__()
        self.texts, self.arrived = [], threading.Event()

    def emit(self, record):
        self.texts.append(record.getMessage())
        self.arrived.set()


@pytest.fixture
def lines():
    handler, log = Lines(), logging.getLogger("fastcollapse")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


def compile_once(log):
    log.on_start(None)
    log.on_end(None)


def test_line__arrives_while_the_compiler_works(lines, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    log = CompileLog()
    log.family = "discrete"
    log.on_start(None)
    assert lines.arrived.wait(60)
    log.on_end(None)
    compile_once(log)  # no second line of a family
    assert lines.texts == [LINE]
    assert log.n_compiled == 2


def test_line__counts_the_time_of_several_kernels(lines, monkeypatch):
    times = iter([0.0, 1.5, 10.0, 11.0, 20.0, 21.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(module, "_PATIENCE", 2.0)
    log = CompileLog()
    log.family = "discrete"
    for n_lines in (0, 0, 1):
        compile_once(log)
        assert len(lines.texts) == n_lines
    assert log.seconds == 3.5


def test_line__is_of_a_family_and_of_no_other_code(lines, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    log = CompileLog()
    for family in ("", "discrete", "", "ridge"):
        log.family = family
        compile_once(log)
    assert lines.texts == [LINE, LINE.replace("discrete", "ridge")]


def test_line__without_a_cache_promises_nothing(lines, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    monkeypatch.setattr(module, "CACHE_ROOT", None)
    log = CompileLog()
    log.family = "discrete"
    compile_once(log)
    assert lines.texts == ["compiling the kernels of discrete (their code is not kept)"]


def test_line__is_not_logged_for_short_compilations(lines, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 1e6)
    before = compile_log.n_compiled
    with kernels_of("discrete"), event.trigger_event("numba:compile"):
        pass
    assert compile_log.n_compiled == before + 1
    assert lines.texts == []


def test_functions_within_a_kernel__belong_to_it():
    log = CompileLog()
    event.register("numba:compile", log)
    try:
        with event.trigger_event("numba:compile"), event.trigger_event("numba:compile"):
            pass
        with pytest.raises(ValueError, match="wrong"), event.trigger_event("numba:compile"):
            raise ValueError("wrong")
    finally:
        event.unregister("numba:compile", log)
    assert log.n_compiled == 2


@pytest.mark.parametrize("single", ["1", "0"])
def test_line__is_logged_by_both_compilers_and_not_when_code_is_loaded(tmp_path, single):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    settings = {"FASTCOLLAPSE_SINGLE_LINK": single, "FASTCOLLAPSE_CACHE": str(tmp_path / "cache")}
    for expected in (("2.0\n1\n", f"{LINE}\n"), ("2.0\n0\n", "")):
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            env={**os.environ, **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, done.stderr) == expected
