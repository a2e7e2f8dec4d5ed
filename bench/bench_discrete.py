"""Recursive resampling of a large vocabulary, against NumPy: Zipf-Mandelbrot (1, 2.7), 1e6 symbols, n = 1e7, replace.

fastcollapse computes all six metrics and the extinction time of every symbol. The NumPy loops only count the live
symbols, so the ratios are lower bounds. Peers: (i) `Generator.multinomial` on live symbols only (expert code); (ii) the
same on the full vector; (iii) every token drawn by `Generator.choice` and counted, as in the notebook of
arXiv:2412.17646.

The trajectory in a file is also compared with a plain write of the same bytes to a new file in the same folder. A live
symbol is timed in memory and, with 100 replicates of 1e4 symbols one after the other, in the cache.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness import figures, header, paired, row, save, seconds

from fastcollapse import Experiment, load_truth
from fastcollapse.kernels.jit import max_threads
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.run_plan import plan_run

BENCH = "discrete"
N_SYMBOLS = 10**6
TOKENS_PER_SYMBOL = 10
N_TOKENS = TOKENS_PER_SYMBOL * N_SYMBOLS
# Symbols and replicates of the runs that time a live symbol: as many symbols in the cache and in memory.
SIZES = {"in the cache": (10**4, 100), "in memory": (10**6, 1)}
PAIRS = 5


def experiment(
    n_generations: int, record: str, n_symbols: int = N_SYMBOLS, n_replicates: int = 1, n_tokens: int = N_TOKENS
) -> Experiment:
    """Return the experiment of the benchmark."""
    return Experiment.from_mapping(
        {
            "truth": {"zipf_mandelbrot": {"a": 1, "b": 2.7, "size": n_symbols}},
            "workflow": {"name": "replace", "n_samples": n_tokens},
            "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 1, "record": [record]},
        }
    )


def numpy_live(p: np.ndarray, n_generations: int, keep: bool = False) -> list:
    """Peer (i): multinomial over live symbols; `keep` collects the live symbols and counts of every generation."""
    rng = np.random.default_rng(1)
    symbols = np.arange(p.shape[0], dtype=np.int32)
    kept = []
    for _ in range(n_generations):
        counts = rng.multinomial(N_TOKENS, p)
        live = counts > 0
        symbols = symbols[live]
        counts = counts[live]
        p = counts / N_TOKENS
        kept.append((symbols, counts) if keep else symbols.shape[0])
    return kept


def numpy_full(p: np.ndarray, n_generations: int) -> list[int]:
    """Peer (ii): multinomial over the full vector."""
    rng = np.random.default_rng(1)
    support = []
    for _ in range(n_generations):
        counts = rng.multinomial(N_TOKENS, p)
        p = counts / N_TOKENS
        support.append(np.count_nonzero(counts))
    return support


def numpy_tokens(p: np.ndarray, n_generations: int) -> list[int]:
    """Peer (iii): every token drawn and counted."""
    rng = np.random.default_rng(1)
    support = []
    for _ in range(n_generations):
        counts = np.bincount(rng.choice(N_SYMBOLS, size=N_TOKENS, p=p), minlength=N_SYMBOLS)
        p = counts / N_TOKENS
        support.append(np.count_nonzero(counts))
    return support


def _write_plain(path: Path, content: bytes, synced: bool) -> None:
    with open(path, "xb", buffering=0) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        if synced:
            os.fsync(file)


def recording(threads: int, folder: Path, n_generations: int = 100, n_symbols: int = N_SYMBOLS) -> dict:
    """Return the medians of the seconds of a run without and with a trajectory in a file, and of a plain write of that
    file, called in turn; removing the files is not timed.
    """
    metrics, trajectory = (experiment(n_generations, one, n_symbols) for one in ("metrics", "trajectory"))
    truth = load_truth(metrics.truth)
    path = folder / "out.h5"
    execute(plan_run(trajectory, path, truth=truth), threads=threads)
    content = path.read_bytes()
    path.unlink()
    calls = {
        "simulation_s": lambda: execute(plan_run(metrics, truth=truth), threads=threads),
        "recorded_s": lambda: execute(plan_run(trajectory, path, truth=truth), threads=threads),
        "plain_write_s": lambda: _write_plain(path, content, synced=False),
        "plain_write_fsync_s": lambda: _write_plain(path, content, synced=True),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(PAIRS + 1):  # the first simulation may compile
        for name, call in calls.items():
            times[name].append(seconds(call))
            path.unlink(missing_ok=True)
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    added = medians["recorded_s"] - medians["simulation_s"]
    return {
        "threads": threads,
        "bytes": len(content),
        **{name: round(value, 6) for name, value in medians.items()},
        "added_to_simulation": round(added / medians["simulation_s"], 2),
        "added_to_plain_write": round(added / medians["plain_write_s"], 2),
        "added_to_plain_write_fsync": round(added / medians["plain_write_fsync_s"], 2),
    }


def ns_per_live_symbol(n_symbols: int, n_replicates: int, n_generations: int = 100) -> float:
    """Return the nanoseconds of one thread for a live symbol and generation, the median of several runs."""
    one = experiment(n_generations, "metrics", n_symbols, n_replicates, TOKENS_PER_SYMBOL * n_symbols)
    truth = load_truth(one.truth)
    live = execute(plan_run(one, truth=truth), threads=1).metrics["support_size"][:, :-1].sum()
    times = [seconds(lambda: execute(plan_run(one, truth=truth), threads=1)) for _ in range(PAIRS)]
    return 1e9 * statistics.median(times) / float(live)


def _memory() -> float:
    """Return the peak bytes for a symbol of the 100 generations, in a new process after compilation and loading."""
    code = """
from fastcollapse import load_truth, simulate
import bench_discrete
from bench_discrete import execute, plan_run
def kilobytes(name):
    return int(open("/proc/self/status").read().partition(name + ":")[2].split()[0])
small = bench_discrete.experiment(3, "metrics", n_symbols=20_000)
simulate(small)
experiment = bench_discrete.experiment(100, "metrics")
truth = load_truth(experiment.truth)
open("/proc/self/clear_refs", "w").write("5")
before = kilobytes("VmRSS")
execute(plan_run(experiment, truth=truth))
print((kilobytes("VmHWM") - before) * 1024)
"""
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=True).stdout) / N_SYMBOLS


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    metrics, few = experiment(100, "metrics"), experiment(5, "metrics")
    truth = load_truth(metrics.truth)
    p = truth.probabilities
    rows = []
    header()
    cases = sorted({1, max_threads()})
    for threads in cases:

        def ours(threads: int = threads) -> object:
            return execute(plan_run(metrics, truth=truth), threads=threads)

        ours_s, peer_s = paired(ours, lambda: numpy_live(p, 100), PAIRS)
        rows.append(row(BENCH, "100 generations, metrics", "NumPy multinomial, live (i)", threads, ours_s, peer_s))
        n_cells = N_SYMBOLS + float(ours().metrics["support_size"][0, 1:-1].sum())
        print(f"  {ours_s / n_cells * 1e9:.2f} ns per live symbol, {n_cells:.3g} live symbols in total")
        if threads == cases[-1]:
            full_s = seconds(lambda: numpy_full(p, 100))
            rows.append(row(BENCH, "100 generations, metrics", "NumPy multinomial, full (ii)", threads, ours_s, full_s))
        with tempfile.TemporaryDirectory() as folder:
            found = recording(threads, Path(folder))
        kept_s = seconds(lambda: numpy_live(p, 100, keep=True))
        case = "100 generations, trajectory in HDF5"
        rows.append(row(BENCH, case, "NumPy (i), kept in memory", threads, found["recorded_s"], kept_s))
        rows.append(figures(BENCH, "trajectory in HDF5, added", **found))
    few_s, tokens_s = paired(lambda: execute(plan_run(few, truth=truth)), lambda: numpy_tokens(p, 5), 1)
    rows.append(row(BENCH, "5 generations, metrics", "NumPy choice, every token (iii)", cases[-1], few_s, tokens_s))
    for where, (n_symbols, n_replicates) in SIZES.items():
        ns = ns_per_live_symbol(n_symbols, n_replicates)
        sizes = {"n_symbols": n_symbols, "n_replicates": n_replicates, "threads": 1}
        rows.append(figures(BENCH, f"a live symbol {where}", **sizes, ns=round(ns, 2)))
    rows.append(figures(BENCH, "peak memory, metrics", bytes_per_symbol=round(_memory(), 1)))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
