"""Shared parts of the benchmarks: the machine, paired medians, the printed table, and rows of the results.

The rows are in results.json, or in results-avx2.json where NUMBA_CPU_FEATURES has taken AVX-512 away. Each of these
files has one record "machine", that of its last benchmark.
"""

import functools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np

from fastcollapse.kernels.jit import max_threads
from fastcollapse.simulation.provenance import provenance

FOLDER = Path(__file__).parent
MACHINE = "machine"
# A copy of twice this size is far beyond the cache of most processors; of others it is eight times their cache.
_COPY_BYTES = 256 << 20
_COPIES = 7


def features_without_avx512() -> str:
    """Return the features of this processor with AVX-512 off, a value of NUMBA_CPU_FEATURES.

    Kernels are compiled again for it, into their own entries of the cache.
    """
    features = llvmlite.binding.get_host_cpu_features()
    return ",".join(f"{'+' if on and not name.startswith('avx512') else '-'}{name}" for name, on in features.items())


def avx512() -> str:
    """Return whether kernels are compiled for AVX-512: "used", "absent", or "off" by NUMBA_CPU_FEATURES."""
    if not llvmlite.binding.get_host_cpu_features().get("avx512f", False):
        return "absent"
    return "off" if "-avx512f" in (numba.config.CPU_FEATURES or "").split(",") else "used"


def bandwidth() -> float:
    """Return the bytes in a nanosecond that one thread reads and writes in a copy far beyond the cache, the median."""
    source = np.ones(max(_COPY_BYTES, 8 * _cache_bytes()), np.uint8)
    copy = np.ones_like(source)
    times = [seconds(lambda: np.copyto(copy, source)) for _ in range(_COPIES)]
    return 2 * source.nbytes / statistics.median(times) / 1e9


def _cache_bytes() -> int:
    """Return the size of the largest cache, or 0 if the system does not tell it."""
    sizes = [path.read_text().strip() for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    return max((int(size[:-1]) << {"K": 10, "M": 20}[size[-1]] for size in sizes if size[-1] in "KM"), default=0)


@functools.cache
def machine() -> dict:
    """Return what the benchmark runs on."""
    found = provenance()
    return {
        "processor": found["processor"],
        "core": llvmlite.binding.get_host_cpu_name(),
        "machine": found["machine"],
        "avx512": avx512(),
        "bandwidth_GB_s": round(bandwidth(), 1),
        "cores": max_threads(),
        "python": found["python"],
        **found["packages"],
        "created": found["created"],
    }


def print_machine() -> None:
    """Print what the benchmark runs on."""
    found = machine()
    versions = ", ".join(f"{name} {found[name]}" for name in ("python", *provenance()["packages"]))
    print(
        f"{found['processor']} ({found['core']}), {found['machine']}, {found['cores']} cores, "
        f"AVX-512 {found['avx512']}, copy {found['bandwidth_GB_s']} GB/s (read and written, one thread)\n{versions}",
        flush=True,
    )


def seconds(function: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], peer: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median seconds of both, called alternately in this process, after one call of `ours` to compile."""
    ours()
    times = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def row(bench: str, case: str, peer: str, threads: int, ours_s: float, peer_s: float) -> dict:
    """Print one row of results and return it."""
    result = {
        "bench": bench,
        "case": case,
        "peer": peer,
        "threads": threads,
        "ours_s": round(ours_s, 6),
        "peer_s": round(peer_s, 6),
        "ratio": round(peer_s / ours_s, 2),
    }
    print(f"{case:<44} {peer:<34} {threads:>7} {ours_s:>10.4f} {peer_s:>10.4f} {result['ratio']:>8.1f}", flush=True)
    return result


def figures(bench: str, case: str, **values: float | int | str) -> dict:
    """Print one row of numbers without a peer and return it."""
    shown = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )
    print(f"{case:<44} {shown}", flush=True)
    return {"bench": bench, "case": case, **values}


def header() -> None:
    """Print the machine and the header of the table."""
    print_machine()
    print(f"{'case':<44} {'peer':<34} {'threads':>7} {'ours s':>10} {'peer s':>10} {'ratio':>8}")


def save(bench: str, rows: list[dict]) -> None:
    """Replace the rows of one benchmark, and the record of the machine, in the file of results."""
    path = FOLDER / ("results-avx2.json" if avx512() == "off" else "results.json")
    kept = json.loads(path.read_text()) if path.exists() else []
    kept = [entry for entry in kept if entry["bench"] not in (MACHINE, bench)] + rows
    path.write_text(json.dumps([{"bench": MACHINE, **machine()}, *kept], indent=1) + "\n")


if __name__ == "__main__":
    print(features_without_avx512())
