"""Precompilation: after it, no run of a family compiles a kernel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastcollapse import InputError, StoreError, precompile
from fastcollapse.kernels import code_cache
from fastcollapse.models import register
from fastcollapse.models.registry import families, unregister

ROOT = Path(__file__).parents[2]
MODULE = "fastcollapse.simulation.precompile"
# The runs of the conformance test and, cut short, those of the shipped recipes and sweeps, but for huge vocabularies.
# The discrete family also has counts of other sizes, and its other engine.
CHILD = """
import contextlib, dataclasses, sys, tempfile, warnings
from pathlib import Path

from fastcollapse import InputError, precompile, simulate
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.kernels.code_cache import CodeCache
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps import load_sweep
from tests.conftest import write_tables
from tests.test_conformance import CASES, experiment_of

warnings.simplefilter("ignore")
name, precompiled = sys.argv[1:]
if precompiled == "True":
    precompile([name])

needed = []
load = CodeCache.load_overload


def note(cache, signature, context):  # called for each signature that this process does not have yet
    needed.append(f"{cache._py_func.__qualname__}{signature}")
    return load(cache, signature, context)


CodeCache.load_overload = note


def run(experiment):
    results = simulate(experiment)
    for metric in results.metrics:
        results.metrics[metric]


def short(experiment):
    downstream = getattr(experiment.model, "downstream", None)
    generations, start = getattr(downstream, "generations", "all"), getattr(downstream, "start", None)
    n = 2 if generations == "all" else max(generations)
    n = max(n, start) if isinstance(start, int) else n
    n = max(n, getattr(experiment.workflow, "window", None) or 0)
    if any(isinstance(value, tuple) for value in vars(experiment.workflow).values()):  # one entry for each generation
        n = experiment.run.n_generations
    for n_replicates in (1, min(8, experiment.run.n_replicates)):
        values = {"run.n_generations": n, "run.n_replicates": n_replicates}
        run(experiment.with_values(values))


def others(experiment):
    if name != "discrete" or experiment.run.record != ("metrics",):
        return
    for size in (3 * 10**9, 5 * 10**9):
        run(experiment.with_values({"workflow.n_samples": size}))
        run(experiment.with_values({"workflow.n_samples": size, "run.record": ["metrics", "trajectory"]}))
    for record in (["entropy"], ["entropy", "trajectory"], ["entropy", "survival", "lost_mass"]):
        with contextlib.suppress(InputError):  # not every truth and workflow has them
            run(experiment.with_values({"model.engine": "spectrum", "run.record": record}))


with tempfile.TemporaryDirectory() as folder:
    write_tables(Path(folder))
    for param in CASES:
        if param.values[0] == name:
            for record in (["metrics"], ["metrics", "trajectory"]):
                for n_replicates in (1, 40):
                    experiment = experiment_of(*param.values, Path(folder), record=record, n_replicates=n_replicates)
                    run(experiment)
                    others(experiment)
for recipe in recipes():
    for case in load_experiment(recipe).cases() if recipe != "trillion" else ():
        if case.family == name and getattr(case.truth, "data", None) is None:  # without scikit-learn
            short(case)
for sweep in sweeps():
    points = load_sweep(sweep)
    if sweep != "tale-of-tails" and points[0].experiment.family == name:
        short(points[0].experiment)
print(len(needed), *needed, sep="\\n")
"""


def needed_by_runs(family, precompiled=True):
    """Return the kernels, with their signatures, that runs in a new process need beyond those of `precompile`."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, family, str(precompiled)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    n, *names = done.stdout.splitlines()
    assert len(names) == int(n)
    return names


def quick_and_slow():
    """Return the families; all but the quickest to compile are slow."""
    return [pytest.param(name, marks=[] if name == "poisson" else [pytest.mark.slow]) for name in families()]


@pytest.mark.parametrize("family", quick_and_slow())
def test_precompile__leaves_no_kernel_for_the_runs(family):
    assert needed_by_runs(family) == []


def test_precompile__negative_control_needs_kernels():
    assert len(needed_by_runs("poisson", precompiled=False)) >= 3


def test_precompile__second_call_compiles_nothing():
    seen = []
    first = precompile(["poisson", "mixture", "poisson"], seen.append)
    assert [done.family for done in first] == ["poisson", "mixture"]
    assert seen == first
    again = precompile("poisson")
    assert [done.n_compiled for done in again] == [0]
    assert again[0].folder.name == "compiled"


def test_precompile__names_the_nearest_family():
    with pytest.raises(InputError, match=r"family must be one of discrete, .*, got 'ridg' \(did you mean 'ridge'\?\)"):
        precompile(["poisson", "ridg"])


def test_precompile__without_names_is_of_all_families(monkeypatch):
    ran = []
    monkeypatch.setattr(f"{MODULE}._run_all", ran.append)
    assert [done.family for done in precompile()] == families()
    assert ran == families()


def test_precompile__where_code_cannot_be_kept_is_an_error(monkeypatch):
    def write_nothing(name):
        code_cache._warn_not_kept(OSError(28, "No space left on device", "/cache"))

    monkeypatch.setattr(f"{MODULE}._run_all", write_nothing)
    code_cache._warned.clear()
    message = r"compiled code is not kept \(/cache: No space left on device\); set FASTCOLLAPSE_CACHE"
    with pytest.raises(StoreError, match=message):
        precompile(["poisson"])


def test_precompile__checks_the_folder_first(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FASTCOLLAPSE_CACHE", str(tmp_path / "file"))
    monkeypatch.delattr(f"{MODULE}._run_all")
    with pytest.raises(StoreError, match=r"compiled code is not kept \(.*file.*\); set FASTCOLLAPSE_CACHE"):
        precompile(["poisson"])


def test_precompile__of_a_registered_family_needs_nothing_of_it():
    name = register(ROOT / "tests" / "toy_family")
    try:
        [done] = precompile([name])
    finally:
        unregister(name)
    assert (done.family, done.n_compiled) == ("toy_family", 0)


def test_precompile__of_a_family_that_serves_no_experiment_says_so(monkeypatch):
    monkeypatch.setattr(f"{MODULE}.example_experiments", lambda name: [{"truth": {}}])
    with pytest.raises(InputError, match="family poisson must have EXAMPLES: "):
        precompile(["poisson"])
