"""Recursive resampling of a large vocabulary, against NumPy: Zipf-Mandelbrot (1, 2.7), 1e6 symbols, n = 1e7, replace.

fastcollapse computes all six metrics and the extinction time of every symbol. The NumPy loops only count the live
symbols, so the ratios are lower bounds. Peers: (i) `Generator.multinomial` on live symbols only (expert code); (ii) the
same on the full vector; (iii) every token drawn by `Generator.choice` and counted, as in the notebook of
arXiv:2412.17646.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness import header, paired, row, save, seconds

from fastcollapse import Experiment, load_truth
from fastcollapse.kernels.jit import max_threads
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.simulate import execute

BENCH = "discrete"
N_SYMBOLS = 10**6
N_TOKENS = 10**7


def experiment(n_generations: int, record: str, n_symbols: int = N_SYMBOLS) -> Experiment:
    """Return the experiment of the benchmark."""
    return Experiment.from_mapping(
        {
            "truth": {"zipf_mandelbrot": {"a": 1, "b": 2.7, "size": n_symbols}},
            "workflow": {"name": "replace", "n_samples": N_TOKENS},
            "run": {"n_generations": n_generations, "n_replicates": 1, "seed": 1, "record": [record]},
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


def _print_memory() -> None:
    """Print the peak memory of the 100 generations, measured in a new process after compilation and loading."""
    code = """
from fastcollapse import Experiment, load_truth, simulate
import bench_discrete
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
    peak = int(subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=True).stdout)
    state = N_SYMBOLS * (8 + 4 + 4)
    print(f"  peak memory {peak / 1e6:.0f} MB, {peak / state:.2f} times the state (16 bytes: count, symbol, age)")


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    metrics, trajectory, few = experiment(100, "metrics"), experiment(100, "trajectory"), experiment(5, "metrics")
    truth = load_truth(metrics.truth)
    p = truth.probabilities
    rows = []
    header()
    cases = sorted({1, max_threads()})
    for threads in cases:

        def ours(threads: int = threads) -> object:
            return execute(plan_run(metrics, truth=truth), threads=threads)

        ours_s, peer_s = paired(ours, lambda: numpy_live(p, 100), 5)
        rows.append(row(BENCH, "100 generations, metrics", "NumPy multinomial, live (i)", threads, ours_s, peer_s))
        n_cells = N_SYMBOLS + float(ours().metrics["support_size"][0, 1:-1].sum())
        print(f"  {ours_s / n_cells * 1e9:.2f} ns per live symbol, {n_cells:.3g} live symbols in total")
        if threads == cases[-1]:
            full_s = seconds(lambda: numpy_full(p, 100))
            rows.append(row(BENCH, "100 generations, metrics", "NumPy multinomial, full (ii)", threads, ours_s, full_s))
        with tempfile.TemporaryDirectory() as folder:
            numbers = iter(range(1000))

            def recorded(threads: int = threads, folder: str = folder, numbers: object = numbers) -> object:
                path = Path(folder) / f"{next(numbers)}.h5"
                execute(plan_run(trajectory, path, truth=truth), threads=threads)
                path.unlink()
                return path

            stored_s, peer_s = paired(recorded, lambda: numpy_live(p, 100, keep=True), 5)
        case = "100 generations, trajectory in HDF5"
        rows.append(row(BENCH, case, "NumPy (i), kept in memory", threads, stored_s, peer_s))
        print(f"  recording adds {(stored_s - ours_s) / ours_s:.2f} times the simulation time")
    few_s, tokens_s = paired(lambda: execute(plan_run(few, truth=truth)), lambda: numpy_tokens(p, 5), 1)
    rows.append(row(BENCH, "5 generations, metrics", "NumPy choice, every token (iii)", cases[-1], few_s, tokens_s))
    _print_memory()
    save(BENCH, rows)


if __name__ == "__main__":
    main()
