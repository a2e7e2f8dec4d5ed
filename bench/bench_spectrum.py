"""Count spectra against an array over the symbols, and a trillion tokens: CPU seconds and memory of a generation.

The truth is a Zipf law as counts of counts. Both engines run on one thread, in alternating pairs.
"""

import json
import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from harness import header, row, save

from fastcollapse.config.sections import ModelSection
from fastcollapse.config.workflows import Replace
from fastcollapse.datasets.count_spectrum import CountSpectrum
from fastcollapse.kernels.jit import set_threads
from fastcollapse.models.base import Model
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.spectrum_model import SpectrumDiscrete
from fastcollapse.simulation.memory_budget import resident

BENCH = "spectrum"
N_GENERATIONS = 5
PAIRS = 5


def zipf(n_symbols: int, n_tokens: int) -> CountSpectrum:
    """Return the classes of the counts floor(n / (i H)), i = 1..n_symbols, without an array over the symbols."""
    harmonic = np.log(n_symbols) + np.euler_gamma + 0.5 / n_symbols
    first = int(np.sqrt(n_tokens / harmonic))
    large = np.floor(n_tokens / (np.arange(1, first + 1) * harmonic)).astype(np.int64)
    small = np.arange(1, large[-1] + 1)
    # Number of symbols with at least each count.
    reach = np.minimum(n_symbols, np.floor(n_tokens / (small * harmonic))).astype(np.int64)
    numbers = reach[:-1] - reach[1:]
    counts, where = np.unique(np.concatenate([small[:-1], large]), return_inverse=True)
    sizes = np.bincount(where, np.concatenate([numbers, np.ones(first)]), len(counts)).astype(np.int64)
    return CountSpectrum(counts[sizes > 0], sizes[sizes > 0])


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def generations(model: Model, seed: int) -> float:
    """Return the CPU seconds of a run without its first generation, which touches its memory first."""
    state = model.initial(1, seed)
    model.advance(state, 1, 1, seed)
    start = cpu()
    model.advance(state, 2, N_GENERATIONS - 1, seed)
    return (cpu() - start) / (N_GENERATIONS - 1)


def trillion() -> None:
    """Print the CPU seconds of a generation of 1e9 words and 1e12 tokens, and the peak memory above the start."""
    generations(spectrum_of(zipf(1000, 10_000)), 1)  # compiled, or read from the cache
    truth = zipf(10**9, 10**12)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    start = resident()
    seconds = generations(spectrum_of(truth), 1)
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    print(json.dumps([seconds, (peak - start) / 1e6]))


def spectrum_of(truth: CountSpectrum) -> SpectrumDiscrete:
    """Return the model of a run of workflow replace with as many tokens as the truth has."""
    return SpectrumDiscrete(truth, ModelSection(), Replace(n_samples=truth.total).schedule(N_GENERATIONS, truth.total))


def main() -> None:
    """Run all cases."""
    set_threads(1)
    rows = []
    header()
    for n_symbols, n_tokens in ((10**6, 10**7), (10**6, 10**9), (10**7, 10**9)):
        truth = zipf(n_symbols, n_tokens)
        ours = spectrum_of(truth)
        schedule = Replace(n_samples=truth.total).schedule(N_GENERATIONS, truth.total)
        peer = Discrete(truth.expand(), ModelSection(), schedule)
        generations(ours, 0), generations(peer, 0)
        times = [(generations(ours, seed), generations(peer, seed)) for seed in range(PAIRS)]
        mine, other = (statistics.median(pair[i] for pair in times) for i in (0, 1))
        rows.append(row(BENCH, f"{n_symbols:.0e} symbols, {n_tokens:.0e} tokens", "per symbol", 1, mine, other))
    child = subprocess.run([sys.executable, __file__, "trillion"], capture_output=True, text=True, check=True)
    seconds, peak = json.loads(child.stdout)
    print(f"1e9 symbols, 1e12 tokens: {seconds:.2f} CPU s a generation, {peak:.0f} MB above the start")
    rows.append({"bench": BENCH, "case": "1e9 symbols, 1e12 tokens", "ours_s": round(seconds, 3), "MB": round(peak)})
    save(BENCH, rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["trillion"]:
        set_threads(1)
        trillion()
    else:
        main()
