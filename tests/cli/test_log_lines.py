"""Lines of the log of the package on standard error: on a terminal and in a file."""

import logging

import pytest
from numba.core import event
from tqdm import tqdm

from fastcollapse.cli.log_lines import log_lines
from tests.cli._commands import call

LINE = "compiling the kernels of discrete (once; later runs load them)\n"
COMMANDS = {
    "run": ("run", "small.toml", "-o", "out.h5"),
    "reproduce": ("reproduce", "sur-uni"),
    "replay": ("replay", "done.h5"),
    "sweep": ("sweep", "sweep.toml", "-o", "out", "--jobs", 1),
}


@pytest.fixture
def compiling(monkeypatch):
    """Every run compiles a kernel and has waited for long."""
    monkeypatch.setattr("fastcollapse.kernels.compile_log._PATIENCE", 0.0)
    monkeypatch.setattr("fastcollapse.kernels.compile_log.compile_log._logged", set())
    from fastcollapse.simulation import execute as module

    run_blocks = module.run_blocks

    def compile_first(*arguments, **options):
        with event.trigger_event("numba:compile"):
            return run_blocks(*arguments, **options)

    monkeypatch.setattr(module, "run_blocks", compile_first)


@pytest.mark.parametrize("command", COMMANDS)
def test_command__says_once_that_it_compiles(here, ran, monkeypatch, request, command):
    (here / "done.h5").write_bytes((ran[0] / "small.h5").read_bytes())
    text = (here / "small.toml").read_text().replace("n_samples = 200", "")
    (here / "sweep.toml").write_text(f'{text}\n[sweep.grid]\n"workflow.n_samples" = [50, 60]\n')
    request.getfixturevalue("compiling")
    result = call(*COMMANDS[command])
    assert result.exit_code == 0, result.output
    assert result.stderr.count(LINE) == 1
    assert logging.getLogger("fastcollapse").handlers == []


def test_run__names_the_time_of_compiling(here, compiling):
    assert " s of compiling; the first " in call("run", "small.toml", "-o", "out.h5").stdout


def test_run__with_compiled_code_says_so(here):
    assert call("run", "small.toml", "-o", "first.h5").exit_code == 0
    result = call("run", "small.toml", "-o", "out.h5")
    assert "Time includes loading compiled code; the first " in result.stdout
    assert result.stderr == ""


def test_line__is_above_a_progress_bar(capsys):
    log = logging.getLogger("fastcollapse")
    with log_lines(), tqdm(total=3) as bar:
        log.info("a line")
        bar.update(1)
    assert any(part.strip() == "a line" for part in capsys.readouterr().err.replace("\r", "\n").split("\n"))
    log.info("lost")
    assert capsys.readouterr().err == ""
