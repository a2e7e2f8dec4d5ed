"""Overhead of sweeps: two processes against one, Dask, and very small points."""

import functools
import statistics
import tempfile
import time
from pathlib import Path

import harness

from fastcollapse import simulate
from fastcollapse.sweeps.executors import DaskExecutor, Executor, ProcessPool, SerialExecutor
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep

REPEATS = 5
# Number of long points, and the target duration of each in seconds.
N_LONG, LONG_SECONDS = 20, 1.0
# Numbers of tiny points. The cost of a point is the slope between the two, which excludes the start of the pool.
FEW, MANY = 200, 1000


def long_sweep(n_generations: int) -> Sweep:
    return Sweep(
        {
            "truth": {"uniform": 1000},
            "workflow": {"name": "accumulate", "n_samples": 1000, "keep_real": True},
            "run": {"n_generations": n_generations, "n_replicates": 50, "seed": 1, "record": ["entropy"]},
            "sweep": {"grid": {"truth.uniform": list(range(1000, 1000 + N_LONG))}},
        }
    )


def tiny_sweep(n_points: int) -> Sweep:
    return Sweep(
        {
            "model": {"family": "gaussian", "estimator": "mle"},
            "truth": {"sigma": 1.0},
            "workflow": {"name": "replace", "n_samples": 100},
            "run": {"n_generations": 10, "n_replicates": 3},
            # The sweep is over seeds: a new n_samples would add 1 to 4 ms for its table of chi variates.
            "sweep": {"grid": {"run.seed": list(range(n_points))}},
        }
    )


def long_enough() -> Sweep:
    """Return a sweep whose points take about one second on one thread."""
    n_generations = 2000
    for _ in range(3):
        experiment = long_sweep(n_generations)[0].experiment
        simulate(experiment, threads=1)
        run = functools.partial(simulate, experiment, threads=1)
        seconds = statistics.median(harness.seconds(run) for _ in range(3))
        n_generations = max(1000, int(n_generations * LONG_SECONDS / seconds))
    return long_sweep(n_generations)


def seconds_of(sweep: Sweep, executor: Executor) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        outcome = run_sweep(sweep, Path(folder) / "s", executor)
        assert outcome.done == len(sweep)
        return time.perf_counter() - start


def main() -> None:
    from distributed import Client, LocalCluster  # the extra `dask`

    rows = []
    harness.header()
    sweep = long_enough()
    one, two, here, dask = [], [], [], []
    for _ in range(REPEATS):
        one.append(seconds_of(sweep, ProcessPool(1, threads=1)))
        two.append(seconds_of(sweep, ProcessPool(2, threads=1)))
    # The cluster starts only here: an idle cluster takes a few percent of the cores.
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        seconds_of(tiny_sweep(FEW), DaskExecutor(client))  # imports
        for _ in range(REPEATS):
            here.append(seconds_of(sweep, SerialExecutor(threads=1)))
            dask.append(seconds_of(sweep, DaskExecutor(client)))
    case = f"{N_LONG} points of {LONG_SECONDS:g} s"
    rows.append(
        harness.row("sweep", f"{case}, 2 processes", "1 process", 1, statistics.median(two), statistics.median(one))
    )
    rows.append(
        harness.row("sweep", f"{case}, Dask", "this process", 1, statistics.median(dask), statistics.median(here))
    )
    slopes = []
    for _ in range(REPEATS):
        few, many = (seconds_of(tiny_sweep(n), ProcessPool(2, threads=1)) for n in (FEW, MANY))
        slopes.append((many - few) / (MANY - FEW))
    experiment = tiny_sweep(1)[0].experiment
    simulate(experiment, threads=1)
    bare = statistics.median(harness.seconds(lambda: simulate(experiment, threads=1)) for _ in range(200))
    tiny = statistics.median(slopes)
    rows.append(harness.row("sweep", "a tiny point, 2 processes", "simulate in memory", 1, tiny, bare))
    ratio = statistics.median(o / t for o, t in zip(one, two, strict=True))
    over = statistics.median(d / h for d, h in zip(dask, here, strict=True)) - 1
    print(f"efficiency of two processes {ratio / 2:.0%}, Dask {over:+.1%}, a tiny point {1e3 * tiny:.2f} ms")
    harness.save("sweep", rows)


if __name__ == "__main__":
    main()
