"""Memory limits: smaller blocks and parts, refusal where a run does not fit, and equal numbers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families
from fastcollapse.simulation.execute import _sizes
from fastcollapse.simulation.memory_budget import (
    RESERVE,
    MemoryBudget,
    bytes_of,
    fit_budget,
    memory_of_kernels,
    parse_bytes,
    resident,
)
from tests._runs import run_with_truth
from tests.test_conformance import CASES, N_REPLICATES, assert_same, everything, experiment_of, model_of

ROOT = Path(__file__).parents[2]
PEAK = """
import json, re, sys
from fastcollapse import Experiment, simulate
sections, path, limit = json.loads(sys.argv[1])
simulate(Experiment.from_mapping(sections), path, memory_limit=limit, threads=1)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024)
"""
FIRST_OF = {param.values[0]: param.values for param in reversed(CASES)}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("2GB", 2 * 10**9),
        ("1.5 gib", 3 << 29),
        ("500MiB", 500 << 20),
        ("7k", 0),
        ("100", 100),
        (100, 100),
        (".5kB", 500),
    ],
)
def test_parse_bytes__reads_numbers_with_units(size, expected):
    if not expected:
        with pytest.raises(InputError, match=r"^memory_limit must be a size such as 2GB or 500MiB, got '7k'$"):
            parse_bytes(size)
    else:
        assert parse_bytes(size) == expected


@pytest.mark.parametrize(
    "size", ["", "GB", "-1GB", "1e9", "1 2", "2GBB", True, 1.5, None, "nan", "0", 0, -3, "1" * 400]
)
def test_parse_bytes__refuses_in_one_line(size):
    with pytest.raises(InputError, match=r"^memory_limit must be .*, got .*$"):
        parse_bytes(size)


def test_room_for__leaves_room_for_all_copies_and_says_what_it_needs():
    generation, state = 10**6, 10**8
    fixed = resident() + RESERVE + 2 * state
    for rest in (5 * generation + 10**7, 10**9, 10**12):
        room = fit_budget(fixed + rest, state, state, generation)
        assert room.block >= generation
        # The process may have grown a little since.
        assert 5 * room.block + 2 * room.part <= rest + 10**7
    with pytest.raises(
        InputError, match=r"at least [\d,]+ MB for this run, got 400 MB: 200 MB for its state, 5 MB for"
    ):
        fit_budget(400 * 10**6, state, state, generation)
    needed = int(re.search(r"least ([\d,]+) MB", refusal(state, generation))[1].replace(",", ""))
    assert fit_budget((needed + 10) * 10**6, state, state, generation) != MemoryBudget()


def refusal(state, generation):
    with pytest.raises(InputError) as error:
        fit_budget(10**6, state, state, generation)
    return str(error.value)


@pytest.mark.parametrize("family", families())
def test_limit__changes_no_number(tmp_path, tables, monkeypatch, family):
    """For every family, the smallest accepted limit: blocks and parts of one generation."""
    _, case, workflow = FIRST_OF[family]
    experiment = experiment_of(family, case, workflow, tables)
    expected = everything(simulate(experiment))
    seen = []
    monkeypatch.setattr(
        "fastcollapse.simulation.execute.fit_budget", lambda *sizes: seen.append(sizes) or MemoryBudget(1, 1)
    )
    limited = simulate(experiment, tmp_path / "out.h5", memory_limit="3GB")
    assert_same(everything(limited), expected)
    limit, state, saved, generation = seen[0]
    assert limit == 3 * 10**9
    assert 0 < saved <= state * 2
    assert generation > 0
    # The state of one replicate tells that of all, up to what replicates share.
    model = model_of(experiment, load_truth(experiment.truth, tables))
    assert N_REPLICATES * _sizes(model, 0)[0] >= bytes_of(model.initial(N_REPLICATES, 1))


def test_limit__is_refused_without_a_file():
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": 10},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {"n_generations": 2, "n_replicates": 2},
        }
    )
    with pytest.raises(InputError, match=r"^memory_limit must have a file to write to: in memory all"):
        simulate(experiment, memory_limit="1GB")


def test_limit__that_is_too_small_leaves_no_file(tmp_path):
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": 10},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {"n_generations": 2, "n_replicates": 2},
        }
    )
    with pytest.raises(InputError, match=r"^memory_limit must be at least [\d,]+ MB for this run, got 100 MB: "):
        simulate(experiment, tmp_path / "out.h5", memory_limit="100MB")
    assert list(tmp_path.iterdir()) == []


def peak(folder, sections, n_generations, limit):
    """Return the peak memory of a process in bytes."""
    sections = {**sections, "run": {**sections["run"], "n_generations": n_generations}}
    path = folder / f"{n_generations} {limit}.h5"
    call = [sys.executable, "-c", PEAK, json.dumps([sections, str(path), limit])]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    path.unlink()
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak")
@pytest.mark.parametrize("family", ["words", "gaussians"])
def test_peak__does_not_grow_with_the_horizon_and_stays_below_the_limit(tmp_path, family):
    """Long horizons are in bench/bench_memory.py."""
    words = {
        "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 10**6}},
        "workflow": {"name": "replace", "n_samples": 2 * 10**8},
        "run": {"n_replicates": 1, "seed": 1, "record": ["metrics", "trajectory"]},
    }
    gaussians = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {},
        "workflow": {"name": "replace", "n_samples": 100},
        "run": {"n_replicates": 1000, "seed": 1, "record": ["log_sigma"]},
    }
    sections, short, limit = {"words": (words, 60, "800MB"), "gaussians": (gaussians, 50_000, "600MB")}[family]
    peak(tmp_path, sections, 2, None)  # compiles
    # At the short horizon both copies of 256 MB are not full yet.
    assert peak(tmp_path, sections, 4 * short, None) < 1.1e9
    assert peak(tmp_path, sections, short, limit) < parse_bytes(limit)
    assert peak(tmp_path, sections, 4 * short, limit) < parse_bytes(limit)


def test_bytes_of__counts_an_array_once():
    one = np.zeros((4, 4))
    assert bytes_of([one, one[1:], {"a": one.T}]) == one.nbytes
    assert bytes_of((1, "x", None, np.float64(3))) == 0


@pytest.mark.parametrize(("cause", "expected"), [(MemoryError("no"), MemoryError), (None, SystemError)])
def test_memory_of_kernels__raises_the_cause_of_numba(cause, expected):
    with pytest.raises(expected), memory_of_kernels():
        raise SystemError("returned a result with an exception set") from cause


SPECTRUM = {
    "model": {"engine": "spectrum"},
    "truth": {"uniform": 40},
    "run": {"n_generations": 5, "n_replicates": 4, "seed": 3, "record": ["metrics", "trajectory"]},
}


def ragged_experiments(folder):
    """Return small experiments of every family that records samples, under every workflow that it serves."""
    found = [
        experiment_of(family, case, workflow, folder)
        for family, case, workflow in (param.values for param in CASES)
        if family in ("kde", "estimator")
    ]
    for workflow in (
        {"name": "replace"},
        {"name": "accumulate", "keep_real": True},
        {"name": "mix", "n_real": 5, "real": "fresh"},
    ):
        found.append(Experiment.from_mapping(SPECTRUM | {"workflow": {"n_samples": 60, **workflow}}))
    return found


def test_sample_bytes__bound_the_recorded_samples_of_every_family(tables):
    """The limit and the estimate count them; they are as tight as a third of the budget."""
    seen = set()
    for experiment in ragged_experiments(tables):
        model = model_of(experiment, truth := load_truth(experiment.truth, tables))
        results = run_with_truth(experiment, truth)
        (name,) = results.reader.header.samples
        largest = max(
            results.sample(name, r, t).nbytes for r in range(results.n_replicates) for t in results.generation[1:]
        )
        assert largest <= model.sample_bytes() <= 3 * largest, experiment.json
        seen.add(type(model).__name__)
        silent = model_of(experiment.with_values({"run.record": ["metrics"]}), truth)
        assert silent.sample_bytes() == 0
    assert seen == {"Kde", "Estimator", "SpectrumDiscrete"}


def test_limit__has_room_for_the_samples_of_a_generation(tmp_path):
    sections = {
        "model": {"family": "kde", "bandwidth": 0.3},
        "truth": {"shape": "moons", "n_test": 1},
        "workflow": {"name": "replace", "n_samples": 100_000},
        "run": {"n_generations": 2, "n_replicates": 100, "seed": 1, "record": ["second_moment"]},
    }
    needed = []
    for record in (["second_moment"], ["second_moment", "trajectory"]):
        experiment = Experiment.from_mapping(sections).with_values({"run.record": record})
        with pytest.raises(InputError) as error:
            simulate(experiment, tmp_path / "out.h5", memory_limit=1)
        needed.append(int(re.search(r"([\d,]+) MB for one generation", str(error.value))[1].replace(",", "")))
    assert needed[0] <= 1
    assert needed[1] == pytest.approx(5 * 100 * 100_000 * 2 * 8 / 1e6, rel=0.01)
