"""Peak memory of long runs, by length of the run, with and without a memory limit.

Every run is a separate process; its peak is VmHWM of the operating system. Each job runs with all its generations and
with a tenth of them, without and with a limit. The jobs are: 1e7 words over 100 generations with the full trajectory (n
= 2e9, most words alive, about 6 GB), and 1e6 generations of 1,000 Gaussians with one metric (8 GB; all eight metrics
would need 130 GB of disk for parts and file together). If the disk cannot hold the file twice, the job has fewer
generations and prints a note.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import print_machine, save

BENCH = "memory"
CHILD = """
import json, os, re, sys
from fastcollapse import Experiment, simulate
from fastcollapse.simulation.memory_budget import resident
sections, path, limit = json.loads(sys.argv[1])
start = resident()
results = simulate(Experiment.from_mapping(sections), path, memory_limit=limit)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([start, peak, os.path.getsize(path), results.last]))
"""
WORDS = {
    "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 10**7}},
    "workflow": {"name": "replace", "n_samples": 2 * 10**9},
    "run": {"n_generations": 100, "n_replicates": 1, "seed": 1, "record": ["metrics", "trajectory"]},
}
GAUSSIANS = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {},
    "workflow": {"name": "replace", "n_samples": 100},
    "run": {"n_generations": 10**6, "n_replicates": 1000, "seed": 1, "record": ["log_sigma"]},
}
# Name, sections, bytes per generation on disk, limit.
JOBS = (("1e7 words", WORDS, 80_000_000, "2GB"), ("1,000 Gaussians", GAUSSIANS, 8000, "600MB"))


def peak(sections: dict, n_generations: int, limit: str | None) -> tuple[int, int, int, int]:
    """Return the initial and peak memory, the file size (all in bytes), and the number of generations of one run."""
    sections = {**sections, "run": {**sections["run"], "n_generations": n_generations}}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "out.h5")
        call = [sys.executable, "-c", CHILD, json.dumps([sections, path, limit])]
        return tuple(json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout))


def main() -> None:
    """Run every job and print its peak memory."""
    rows = []
    print_machine()
    print("peak memory (VmHWM) and file, MB")
    print(f"{'job':18}{'generations':>12}{'limit':>8}{'start':>8}{'peak':>8}{'file':>9}")
    for name, sections, a_generation, limit in JOBS:
        whole = sections["run"]["n_generations"]
        room = int(0.8 * shutil.disk_usage(tempfile.gettempdir()).free) // (2 * a_generation)
        for n_generations in (min(whole, room) // 10, min(whole, room)):
            for one in (None, limit):
                start, most, file, last = peak(sections, n_generations, one)
                sizes = f"{start / 1e6:8.0f}{most / 1e6:8.0f}{file / 1e6:9,.0f}"
                print(f"{name:18}{last:>12,}{one or '-':>8}{sizes}", flush=True)
                row = {"job": name, "n_generations": last, "limit": one, "start": start, "peak": most, "file": file}
                rows.append({"bench": BENCH, **row})
        if room < whole:
            print(f"{name}: the disk has room for {room:,} of {whole:,} generations")
    save(BENCH, rows)


if __name__ == "__main__":
    main()
