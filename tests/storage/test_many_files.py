"""Hundreds of parts or of points with few file descriptors."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = """
import itertools, os, resource, sys
from fastcollapse.cli import main as cli
from fastcollapse.simulation.experiment import Experiment
from fastcollapse import open_results
from fastcollapse import simulate
from fastcollapse.storage import part_writer
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.part_files import listed_parts, parts_folder
from pathlib import Path

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def call(*arguments):
    try:
        cli.main([str(a) for a in arguments], prog_name="fastcollapse", standalone_mode=True)
    except SystemExit as ended:
        assert not ended.code, (arguments, ended.code)
"""
PARTS = """
Hdf5Store.__init__.__defaults__ = (1, 0.0)  # every commit writes a part
part_writer.PARTS_PER_MERGE = int(sys.argv[1])
path = Path("out.h5")
experiment = Experiment.from_mapping({
    "model": {"family": "poisson"}, "truth": {"rate": 5.0}, "workflow": {"name": "replace", "n_samples": 20},
    "run": {"n_generations": 310, "n_replicates": 2, "seed": 1, "record": ["rate"]}})
done = itertools.count(1)


class Killed(BaseException):
    pass


def progress(_):
    if next(done) == 302:
        raise Killed


try:
    simulate(experiment, path, block=1, progress=progress)
except Killed:
    pass
print(len(listed_parts(parts_folder(path))))
last = open_results(path).last
assert last >= 300, last
call("info", path)
call("check", path)
call("run", "--resume", path)
call("info", path)
call("check", path)
expected = simulate(experiment)
assert open_results(path).metrics["rate"].tobytes() == expected.metrics["rate"].tobytes()
"""
POINTS = """
from fastcollapse.sweeps.collect import collect_sweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep

sweep = Sweep({
    "truth": {"uniform": 4}, "workflow": {"name": "replace"},
    "run": {"n_generations": 2, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
    "sweep": {"grid": {"workflow.n_samples": list(range(1, 121))}}})
assert run_sweep(sweep, "s").done == 120
folder = SweepFolder(Path("s"))
assert len(folder.with_file()) == 120  # a trajectory is in a file of its own
call("check", "s")
assert collect_sweep(folder, "all.h5") == 120
call("check", "all.h5")
"""


def run(code, tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", START + code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_parts__300_are_run_resumed_and_read_with_64_descriptors(tmp_path):
    assert int(run(PARTS, tmp_path, str(10**9)).split()[0]) >= 300


def test_parts__of_a_long_run_are_merged(tmp_path):
    assert int(run(PARTS, tmp_path, "8").split()[0]) < 30


def test_points__120_with_files_are_run_and_collected_with_64_descriptors(tmp_path):
    run(POINTS, tmp_path)
