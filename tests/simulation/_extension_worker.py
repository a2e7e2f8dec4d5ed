"""Extension of a run, killed at a chosen disk operation.

`python -m tests.simulation._extension_worker FOLDER STEP` tries every STEP-th operation. A forked process performs the
earlier operations and is killed at this operation, or in the middle of a write. The toy family is NumPy alone, so that
a process can be forked and a trial takes milliseconds.
"""

import shutil
import signal
import sys
from pathlib import Path

import numpy as np

from fastcollapse import Experiment, open_results, simulate
from fastcollapse.models import register
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.simulation.run_plan import run_at
from fastcollapse.storage import hdf5_store
from tests.storage._crash_worker import KillAtOperation, run_forked

SIZES = {"short": (4, 2), "long": (7, 3)}


def experiment(size):
    n_generations, n_replicates = SIZES[size]
    return Experiment.from_mapping(
        {
            "model": {"family": "toy"},
            "workflow": {"name": "accumulate", "n_samples": 3, "keep_real": True},
            "run": {
                "n_generations": n_generations,
                "n_replicates": n_replicates,
                "seed": 11,
                "record": ["metrics", "trajectory"],
            },
        }
    )


def extend(path):
    simulate(experiment("long"), path, resume=True, block=1)


def assert_numbers(results, expected):
    """Assert that a run is the first generations and replicates of the expected one."""
    n_replicates, last = results.n_replicates, results.last
    for name, values in expected.metrics.items():
        np.testing.assert_array_equal(results.metrics[name], values[:n_replicates, : last + 1])
    for replicate in range(n_replicates):
        for generation in range(last + 1):
            got, points = (one.sample("points", replicate, generation) for one in (results, expected))
            np.testing.assert_array_equal(got, points)


def trial(path, short, expected, at, halfway):
    """Kill an extension at one operation, check what is left and extend again; return whether the operation exists."""
    shutil.copy(short, path)

    def killed(_):
        KillAtOperation(at, halfway)
        extend(path)

    status, _ = run_forked(killed)
    assert status in (0, signal.SIGKILL), status
    found = check_run(path)  # the old run, or a longer one, is never lost
    assert found.finished
    assert found.last >= SIZES["short"][0]
    assert_numbers(found, expected)
    left = run_at(path)
    assert_numbers(left, expected)
    outcome = run_forked(lambda _: extend(path))
    assert outcome == (0, []), outcome
    done = check_run(path)
    assert (done.last, done.n_replicates, done.finished) == (*SIZES["long"], True)
    assert_numbers(done, expected)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    return status != 0


def main(folder, step):
    hdf5_store.Hdf5Store.__init__.__defaults__ = (1, 0.0)  # a part after each generation
    for size in SIZES:
        run_forked(lambda _, size=size: simulate(experiment(size), Path(folder) / f"{size}.h5"))
    expected, n_killed = open_results(Path(folder) / "long.h5"), 0
    for halfway in (False, True):
        at = 1
        while True:
            trials = Path(folder) / f"{halfway}-{at}"
            trials.mkdir()
            if not trial(trials / "out.h5", Path(folder) / "short.h5", expected, at, halfway):
                break
            n_killed, at = n_killed + 1, at + int(step)
    print(n_killed)


if __name__ == "__main__":
    families = Path(sys.argv[1]) / "families" / "toy"
    shutil.copytree(Path(__file__).parents[1] / "toy_family", families)
    register(families)
    main(*sys.argv[1:])
