"""Signals in processes: a run stops, saves its generations, reports them, and exits with the status of the signal."""

import itertools
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fastcollapse import open_results
from fastcollapse.simulation.interrupts import SIGNALS, Interrupts, Stopped

ROOT = Path(__file__).parents[2]
TOML = """
[model]
family = "gaussian"
estimator = "mle"
[truth]
[workflow]
name = "replace"
n_samples = 100
[run]
n_generations = 2000000
n_replicates = 20
seed = 5
"""
# Runs the command line with some functions wrapped: each place sends the signal to its own process.
DRIVER = """
import os, sys, time
from fastcollapse.simulation import block_loop as loop, interrupts
from fastcollapse.cli import main as cli
from fastcollapse.models.gaussian.univariate import UnivariateGaussian
from fastcollapse.storage import hdf5_store as stores

kicked = []
def kick():
    if not kicked:
        kicked.append(1)
        os.kill(os.getpid(), int(sys.argv[1]))

def before(owner, name, act):
    inner = getattr(owner, name)
    def wrapped(*args, **kwargs):
        act(*args, **kwargs)
        return inner(*args, **kwargs)
    setattr(owner, name, wrapped)

place = sys.argv[2]
if place in ("first block", "kernel", "kernel, slow before"):
    import numba

    @numba.njit(nogil=True)
    def spin(n):
        total = 0.0
        for i in range(n):
            total += (i % 7) ** 0.5
        return total

    spin(1)
# On a busy machine a message or a commit may take seconds.
interrupts._MESSAGE_SECONDS = 3600.0
if place not in ("first block", "kernel"):
    interrupts.EXIT_AFTER = 3600.0
if place not in ("first block", "kernel", "kernel, slow before"):
    interrupts.SAVE_AFTER = 3000.0
{places}
cli.main(sys.argv[3:], prog_name="fastcollapse")
"""
PLACES = """
def first_block(self, state, first, *_):
    if first == 1:
        kick()
        spin(1 << 40)
def later_block(self, state, first, *_):
    if first > 1000:
        kick()
def checkpoint(*_, **__):
    kick()
def long_block(self, state, first, *_):
    if first > 200:
        kick()
        spin(1 << 40)
if place == "first block":
    before(UnivariateGaussian, "advance", first_block)
if place == "later block":
    before(UnivariateGaussian, "advance", later_block)
if place == "checkpoint":
    before(stores.Hdf5Store, "commit", lambda self, *_, **__: kick() if self._next > 100 else None)
if place == "collection":
    before(stores.Hdf5Store, "finish", checkpoint)
if place == "figure":
    import fastcollapse.analysis.figure_files
    before(fastcollapse.analysis.figure_files, "save_figure", checkpoint)
if place in ("kernel", "kernel, slow before"):
    before(UnivariateGaussian, "advance", long_block)
if place == "kernel, slow before":
    loop._SLOW_SECONDS = 0.0
    loop._COPY_BYTES_PER_SECOND = 1e15
"""


def run(folder, number, place, *arguments):
    """Run the command line in a process that sends itself a signal at a place; return status and the last line."""
    code = DRIVER.format(places=PLACES)
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(number)), place, "run", "run.toml", "-o", "out.h5", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run.toml").write_text(TOML)
    return tmp_path


def saved(folder):
    return open_results(folder / "out.h5").last


@pytest.mark.parametrize("number", SIGNALS)
def test_signal__in_the_first_block_leaves_nothing(folder, number):
    assert run(folder, number, "first block") == (128 + number, "error: interrupted, nothing was written")
    assert [path.name for path in folder.iterdir()] == ["run.toml"]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("place", ["later block", "checkpoint"])
def test_signal__is_deferred_until_the_block_is_committed(folder, number, place):
    status, message = run(folder, number, place)
    assert status == 128 + number
    last = saved(folder)
    assert f"keeps generations 0 to {last:,}" in message
    assert last > (1000 if place == "later block" else 100)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal__while_the_final_file_is_written_saves_all(folder, number):
    status, message = run(folder, number, "collection", "--set", "run.n_generations=500")
    assert status == 128 + number
    assert saved(folder) == 500
    assert "500" in message


@pytest.mark.parametrize("number", SIGNALS)
def test_signal__while_the_figure_is_drawn_names_the_finished_run(folder, number):
    got = run(folder, number, "figure", "--set", "run.n_generations=500")
    assert got == (128 + number, "error: interrupted, out.h5 holds the finished run")
    assert open_results(folder / "out.h5").complete


@pytest.mark.parametrize("number", SIGNALS)
def test_signal__during_a_kernel_that_does_not_end_ends_the_process(folder, number):
    """Python handlers do not run during a kernel; committed parts stay."""
    status, message = run(folder, number, "kernel")
    assert status == 128 + number
    assert message.startswith("error: interrupted")
    assert (folder / "out.h5.parts").is_dir()


def test_signal__during_a_slow_generation_keeps_those_before_it(folder):
    status, message = run(folder, signal.SIGTERM, "kernel, slow before")
    assert status == 143
    last = saved(folder)
    assert last >= 200
    assert f"keeps generations 0 to {last:,}" in message


def test_signal__twice_is_raised_at_once():
    with Interrupts() as interrupts:
        interrupts.deferring = True
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.received == signal.SIGINT
        with pytest.raises(Stopped) as first:
            interrupts.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert first.value.status == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_stopped__is_the_same_in_another_process():
    got = pickle.loads(pickle.dumps(Stopped(signal.SIGTERM)))
    assert (str(got), got.status) == ("interrupted by SIGTERM", 143)


def test_interrupts__leave_other_handlers_installed():
    got = []
    handler = signal.signal(signal.SIGINT, lambda *_: got.append(1))
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            assert (got, interrupts.received) == ([1], 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Interrupts((signal.SIGINT,), lambda: "never said") as interrupts:
            assert not interrupts.watched
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.received == 0
    finally:
        signal.signal(signal.SIGINT, handler)


def test_interrupts__outside_the_main_thread_do_nothing():
    found = []

    def enter():
        with Interrupts((signal.SIGINT,), lambda: "never said") as interrupts:
            found.append(interrupts.watched)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [False]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_blocks__grow_from_one_generation_and_never_past_what_was_measured(tmp_path):
    """The first block may compile, so nothing is known before the second."""
    from fastcollapse import Experiment, simulate

    (tmp_path / "run.toml").write_text(re.sub(r"n_generations = \d+", "n_generations = 3000", TOML))
    lengths = []
    simulate(Experiment.from_toml(tmp_path / "run.toml"), progress=lengths.append)
    assert lengths[0] == 1
    assert sum(lengths) == 3000
    assert all(after <= 4 * before for before, after in itertools.pairwise(lengths))
