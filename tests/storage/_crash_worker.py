"""Run with known numbers, killed at a chosen disk operation.

`python -m tests.storage._crash_worker FOLDER KIND STEP` tries every STEP-th operation of a small run. A forked process
performs the earlier operations and is killed at this operation, or in the middle of a write. No compiled code is used,
so that a process can be forked and a trial takes milliseconds.
"""

import fcntl
import hashlib
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.errors import UnreadableResults
from fastcollapse.storage import atomic_write as files
from fastcollapse.storage import part_writer
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import Hdf5Store, clear_leftovers
from fastcollapse.storage.part_files import is_begun
from fastcollapse.storage.readers import check_data, open_file
from fastcollapse.variables import CountRows

N_GENERATIONS = 4
METRIC = "m"


def header_of(letter, n_generations=N_GENERATIONS):
    """Return the header of a run of two replicates over eight symbols; its numbers depend on the letter."""
    from fastcollapse.variables import Variable

    truth = CategoricalDistribution(None, None, np.full(8, 1 / 8), "a test")
    experiment = f'{{"letter": "{letter}"}}'
    digest = hashlib.sha256(experiment.encode()).hexdigest()
    return Header(experiment, "", digest, {}, 2, n_generations, {METRIC: Variable(METRIC)}, truth, True)


def offset_of(header):
    return 1000.0 * ord(header.experiment_json[-3])


def run(path, header, resume=False, overwrite=False, committed=lambda t: None):
    """Write a run with known numbers: metric t + r, and t % 7 symbols with count t + r + 1; one part per generation."""
    with Hdf5Store(header, path, part_bytes=1, resume=resume, overwrite=overwrite) as store:
        if store.state is None:
            store.append(Block(0, {METRIC: np.array([[0.0], [1.0]]) + offset_of(header)}, None))
        else:
            assert (store.state["state"] == store.next_generation - 1).all()
        for t in range(store.next_generation, header.n_generations + 1):
            n = t % 7
            rows = CountRows(np.array([0, n, 2 * n]), np.tile(np.arange(n), 2), np.repeat([t + 1, t + 2], n))
            store.append(Block(t, {METRIC: np.array([[t], [t + 1.0]]) + offset_of(header)}, rows))
            store.commit({"state": np.full(3, t)}, force=True)
            committed(t)
        store.finish({"forgotten": np.full((2, 8), -1)})


def check(path, header):
    """Return the last readable generation, after checking every number up to it."""
    got = open_file(path)
    assert got.header.digest == header.digest
    last = got.n_committed
    expected = np.arange(last + 1) + np.array([[0.0], [1.0]]) + offset_of(header)
    np.testing.assert_array_equal(got.metrics[METRIC], expected[:, : last + 1])
    for t in range(1, last + 1):
        for r in range(2):
            symbols, counts = got.counts(r, t)
            np.testing.assert_array_equal(symbols, np.arange(t % 7))
            np.testing.assert_array_equal(counts, np.full(t % 7, t + r + 1))
    if got.finished:
        assert last == header.n_generations
        np.testing.assert_array_equal(got.forgotten, np.full((2, 8), -1))
        check_data(path)
    return last


class KillAtOperation:
    """Kills this process before the operation `at`, or in the middle of it; without `at` it only counts operations."""

    def __init__(self, at=None, halfway=False):
        self.n, self.at, self.halfway = 0, at, halfway
        for owner, names in (
            (os, "open pwrite posix_fallocate fsync unlink rmdir mkdir replace rename link ftruncate close".split()),
            (fcntl, ["flock"]),
            (files, ["_renameat2"]),
        ):
            for name in names:
                setattr(owner, name, self.wrapped(getattr(owner, name), name))

    def wrapped(self, operation, name):
        def performed(*args, **kwargs):
            self.n += 1
            if self.n == self.at:
                if self.halfway and name == "pwrite":
                    operation(args[0], args[1][: len(args[1]) // 2], args[2])
                elif self.halfway:
                    with suppress(OSError):  # for example, there is no lock yet
                        operation(*args, **kwargs)
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*args, **kwargs)

        return performed


def run_forked(work):
    """Call a function in a forked process; return its wait status and the values that it reported."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        status = 1
        try:
            work(lambda value: os.write(write_end, f"{value}\n".encode()))
            status = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        reported = pipe.read().split()
    return os.waitpid(child, 0)[1], reported


def recover(path, header, overwrite):
    """Do the same as the command line for a path: reuse a finished run, resume, or start."""
    if os.path.lexists(path) and open_file(path).header.digest == header.digest:
        clear_leftovers(path, header.digest)
    elif is_begun(path):
        run(path, header, resume=True)
    else:
        run(path, header, overwrite=overwrite)


def trial(path, kind, at, halfway):
    """Kill a run at one operation, check the files and resume; return whether the operation existed."""
    old, new = header_of("a"), header_of("b")
    if kind == "overwrite":
        run(path, old)
    if kind == "resume":
        run_until(path, new, 2)

    def killed_run(report):
        KillAtOperation(at, halfway)
        run(path, new, resume=kind == "resume", overwrite=kind == "overwrite", committed=report)

    status, committed = run_forked(killed_run)
    assert status in (0, signal.SIGKILL), status
    at_least = max([int(t) for t in committed], default=2 if kind == "resume" else -1)
    assert_recoverable(path, old, new, kind, at_least)
    outcome = run_forked(lambda _: recover(path, new, kind == "overwrite"))
    assert outcome == (0, []), outcome
    assert check(path, new) == N_GENERATIONS
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    return status != 0


def run_until(path, header, last):
    """Write the parts of a run that stops after a generation."""

    def stopped(report):
        def leave(t):
            if t == last:
                os._exit(0)

        run(path, header, committed=leave)

    run_forked(stopped)


def assert_recoverable(path, old, new, kind, at_least):
    """Assert that committed generations are readable, and that the old file exists until the new one is complete."""
    last = -1
    try:
        last = check(path, old if kind == "overwrite" and _is(path, old) else new)
    except UnreadableResults as error:
        if not str(error).endswith(("no such file", "holds no complete part yet")):
            raise
    assert last >= at_least, (last, at_least)
    if kind == "overwrite" and not _is(path, new):
        assert check(path, old) == N_GENERATIONS


def _is(path, header):
    try:
        return open_file(path).header.digest == header.digest
    except UnreadableResults:
        return False


def main(folder, kind, step):
    if kind == "merge":
        part_writer.PARTS_PER_MERGE = 2
    n_killed = 0
    for halfway in (False, True):
        at = 1
        while True:
            folder_of_trial = Path(folder) / f"{kind}-{halfway}-{at}"
            folder_of_trial.mkdir()
            if not trial(folder_of_trial / "out.h5", kind, at, halfway):
                break
            n_killed, at = n_killed + 1, at + int(step)
    print(n_killed)


if __name__ == "__main__":
    main(*sys.argv[1:])
