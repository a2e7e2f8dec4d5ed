"""The first minute: compiling with an empty cache, and the start of a run whose code is compiled.

Every run is a new process. The families are those of the registry; each runs the first case of its first shipped recipe
(a short run). The main job is `fastcollapse run`. Compiling is the processor time with an empty cache less that of the
same run with the cache that it has filled. The first generation is timed on the clock, from the start of the process.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from harness import figures, print_machine, save

from fastcollapse.datasets.shipped import recipes
from fastcollapse.models.registry import families
from fastcollapse.simulation.load_experiment import load_experiment

BENCH = "start"
MAIN_JOB = "wikitext2-unigram"
REPEATS = 5
# The child prints the time of its first generation, by the clock that all processes share.
CHILD = """
import dataclasses, sys, time
from fastcollapse import simulate
from fastcollapse.simulation.load_experiment import load_experiment
experiment = load_experiment(sys.argv[1]).cases()[0]
run = dataclasses.replace(experiment.run, n_generations=3, n_replicates=2)
times = []
simulate(dataclasses.replace(experiment, run=run), progress=lambda _: times.append(time.monotonic()))
print(times[0])
"""


def recipe_of() -> dict[str, str]:
    """Return the name of the first shipped recipe of each family of the registry, by family."""
    found: dict[str, str] = {}
    for name in sorted(recipes()):
        family = load_experiment(name).to_mapping()["model"]["family"]
        found.setdefault(family, name)
    missing = set(families()) - set(found)
    if missing:
        raise SystemExit(f"families without a recipe: {', '.join(sorted(missing))}")
    return {family: found[family] for family in families()}


def child(arguments: list[str], cache: str, folder: str) -> tuple[float, float, str]:
    """Run Python in a new process; return its processor time, its time by the clock, and its output."""
    environment = {**os.environ, "FASTCOLLAPSE_CACHE": cache}
    before, start = os.times(), time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=True
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, time.monotonic() - start, done.stdout


def first_generation(recipe: str, cache: str, folder: str) -> float:
    """Return the seconds from the start of a process to its first generation."""
    start = time.monotonic()
    return float(child(["-c", CHILD, recipe], cache, folder)[2]) - start


def measure(arguments: list[str], recipe: str, repeats: int = REPEATS) -> dict[str, float]:
    """Return the processor time with an empty cache and with a filled one, and the seconds to the first generation."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as folder:
        cold_s, _, _ = child(arguments, cache, folder)
        warm = [child(arguments, cache, folder) for _ in range(repeats)]
        first_generation(recipe, cache, folder)
        first = statistics.median(first_generation(recipe, cache, folder) for _ in range(repeats))
    warm_s = statistics.median(cpu for cpu, _, _ in warm)
    return {
        "cold_cpu_s": round(cold_s, 3),
        "warm_cpu_s": round(warm_s, 3),
        "compile_cpu_s": round(cold_s - warm_s, 3),
        "warm_s": round(statistics.median(seconds for _, seconds, _ in warm), 3),
        "first_generation_s": round(first, 3),
    }


def main() -> None:
    """Run the main job and every family, print their times and save them."""
    print_machine()
    main_job = ["-m", "fastcollapse", "run", "-o", "out.h5", "--overwrite"]
    rows = [figures(BENCH, "main job", **measure(main_job, MAIN_JOB))]
    for family, recipe in recipe_of().items():
        rows.append(figures(BENCH, family, recipe=recipe, **measure(["-c", CHILD, recipe], recipe)))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
