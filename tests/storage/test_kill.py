"""Kills at any moment: only complete generations are left."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fastcollapse.errors import StoreError
from fastcollapse.storage.readers import open_file

ROOT = Path(__file__).parents[2]
# Known numbers: metric t + r, and t % 7 symbols with count t + r + 1.
RUN_CODE = """
import sys
from hashlib import sha256
import numpy as np
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.variables import CountRows, Variable

n_generations = int(sys.argv[2])
truth = CategoricalDistribution(None, None, np.full(8, 1 / 8), "a test")
metrics = {"m": Variable("m")}
header = Header("{}", "", sha256(b"{}").hexdigest(), {}, 2, n_generations, metrics, truth, True)
with Hdf5Store(header, sys.argv[1], part_bytes=1) as store:
    store.append(Block(0, {"m": np.array([[0.0], [1.0]])}, None))
    for t in range(1, n_generations + 1):
        n = t % 7
        rows = CountRows(np.array([0, n, 2 * n]), np.tile(np.arange(n), 2), np.repeat([t + 1, t + 2], n))
        store.append(Block(t, {"m": np.array([[t], [t + 1.0]])}, rows))
        store.commit({"state": np.full(3, t)})
    store.finish({"forgotten": np.full((2, 8), -1)})
"""


def kill(path, n_generations, seconds):
    """Return the exit status of a run that is killed `seconds` after its first commit."""
    process = subprocess.Popen([sys.executable, "-c", RUN_CODE, str(path), str(n_generations)], cwd=ROOT)
    try:
        first = path.with_name(f"{path.name}.parts") / "part-00001.h5"
        while not first.exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(seconds)
    finally:
        process.kill()
        process.wait()
    return process.returncode


def check(path, n_generations, status):
    got = open_file(path)
    last = got.n_committed
    assert 1 <= last <= n_generations
    assert (last == n_generations) or status == -signal.SIGKILL
    assert got.metrics["m"].shape == (2, last + 1)
    np.testing.assert_array_equal(got.metrics["m"], np.arange(last + 1) + np.array([[0.0], [1.0]]))
    for t in range(1, last + 1):
        for r in range(2):
            symbols, counts = got.counts(r, t)
            np.testing.assert_array_equal(symbols, np.arange(t % 7))
            np.testing.assert_array_equal(counts, np.full(t % 7, t + r + 1))
    if path.exists():
        assert last == n_generations
        np.testing.assert_array_equal(got.forgotten, np.full((2, 8), -1))
    else:
        np.testing.assert_array_equal(got.state["state"], np.full(3, last))


# 60 generations take about 0.1 s, so some runs are killed while they finish; 100,000 generations never finish.
@pytest.mark.parametrize(
    ("n_trials", "n_generations"),
    [(2, 100_000), (2, 60), *(pytest.param(60, n, marks=pytest.mark.slow) for n in (60, 100_000))],
)
def test_kill__leaves_complete_generations_only(tmp_path, n_trials, n_generations):
    waits = np.random.default_rng(n_generations).uniform(0, 0.2, n_trials)
    for i, seconds in enumerate(waits.tolist()):
        path = tmp_path / f"{i}.h5"
        check(path, n_generations, kill(path, n_generations, seconds))


def test_kill__check_detects_truncated_part(tmp_path):
    """Negative control: a part truncated as if it had been written in place."""
    path = tmp_path / "out.h5"
    kill(path, 100_000, 0.05)
    last = max(path.with_name("out.h5.parts").glob("part-*.h5"))
    last.write_bytes(last.read_bytes()[:-200])
    with pytest.raises((StoreError, AssertionError)):
        check(path, 100_000, -signal.SIGKILL)


@pytest.mark.parametrize("kind", ["new", "resume", "overwrite", "merge"])
@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_kill__at_every_disk_operation_is_recovered(tmp_path, kind, step):
    """A kill at each disk operation (parts, renames, final file), before it and in the middle of it.

    After each kill the committed generations are readable and the run resumes to the right numbers. An overwritten file
    keeps its name until the new file is complete. Parts are merged in pairs in the last kind.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage._crash_worker", str(tmp_path), kind, str(step)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 80 // step
