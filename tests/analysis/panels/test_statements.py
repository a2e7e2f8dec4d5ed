"""Papers of the panels: declared where a theory function that the panels call names them, and nowhere else."""

import ast
import functools
import sys
from pathlib import Path

import numpy as np
import pytest

import fastcollapse
from fastcollapse import simulate
from fastcollapse.analysis.panels import discrete_sources, ridge_sources
from fastcollapse.analysis.panels.registry import find_panels, panels_for, panels_of
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.datasets.bibliography import entries, keys_in
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.models.registry import families
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.sweeps.points import Sweep

PACKAGE = Path(fastcollapse.__file__).parent
# Papers of theory that are cited by their names.
NAMED = {"Chambers, Mallows and Stuck": "chambers1976"}
PANELS = {family: panels for family in families() if (panels := find_panels(family)) is not None}
DECLARED = {key for panels in PANELS.values() for one in panels.sources for key in one.keys}


@functools.cache
def sources():
    """Return (path, name) -> the keys that the docstring of a theory function names."""
    found = {}
    for path in (PACKAGE / "theory").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                keys = {*keys_in(text), *(key for name, key in NAMED.items() if name in text)}
                if keys:
                    found[str(path), node.name] = keys
    return found


def called_keys(function):
    """Return the keys that the theory functions name which a function calls."""
    called = set()

    def note(frame, event, _):
        if event == "call":
            called.add((frame.f_code.co_filename, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return set().union(*(sources().get(one, set()) for one in called))


def imported_keys():
    """Return the keys that the theory functions name which the panels import."""
    keys = {}
    for path in (PACKAGE / "analysis" / "panels").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastcollapse.theory."):
                file = PACKAGE.parent / Path(*node.module.split(".")).with_suffix(".py")
                for alias in node.names:
                    for key in sources().get((str(file), alias.name), ()):
                        keys.setdefault(key, f"{path.name}: {alias.name}")
    return keys


def test_statements__are_of_panels_and_entries_that_exist():
    assert PANELS["discrete"].sources is discrete_sources.SOURCES
    assert PANELS["ridge"].sources is ridge_sources.SOURCES
    for family, panels in PANELS.items():
        known = {**panels.panels, **panels.staged, **panels.sampled}
        for one in panels.sources:
            assert isinstance(one, Statement)
            assert set(one.keys) <= entries().keys()
            assert one.panels
            assert set(one.panels) <= known.keys(), (family, one)


def test_statements__have_every_paper_of_the_theory_of_panels():
    missing = {key: where for key, where in imported_keys().items() if key not in DECLARED}
    assert missing == {}


# Each family with statements, and each statement of one that has several workflows.
CASES = [
    *(
        "accumulate-collapses",
        "sur-bern",
        "sur-sed",
        "sur-uni",
        "curation",
        "heat-death",
        "sur-gau",
        "sur-2a",
        "mad-bias",
    ),
    *("verifier", "pathways", "dd-pathways", "crt-kde", "sur-gmm", "sur-gmm0", "sur-poi", "cot-lin", "cot-gau"),
    *("replace-accumulate", "dfk-ridge", "dfk-overparametrised", "finetune-collapsed", "garg-mixed-labels"),
    *("strong-collapse", "accumulate-ratio", "bernoulli-forgetting"),
]


def reduced(case):
    """Return a case with few replicates and generations."""
    last = min(case.run.n_generations, 12)
    values = {"run.n_generations": last, "run.n_replicates": 3}
    if any(isinstance(value, tuple) for value in vars(case.workflow).values()):  # an entry for each generation
        values.pop("run.n_generations")
    down = getattr(case.model, "downstream", None)
    if down is not None and down.generations != "all":
        values["model.downstream.generations"] = [t for t in down.generations if t <= last]
    return case.with_values(values)


@pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
@pytest.mark.parametrize("name", CASES)
def test_statements__are_those_of_theory_that_the_panels_call(name):
    check_statements(Experiment.from_toml(recipes()[name]).cases())


@pytest.mark.parametrize("name", ["golden-ratio", "tale-of-tails", "contaminated"])
def test_statements__are_those_of_theory_that_the_panels_of_sweeps_call(name):
    sweep = Sweep.from_toml(sweeps()[name])
    check_statements([sweep[point].experiment for point in range(0, len(sweep), 6)])


def check_statements(cases):
    for case in cases:
        results = simulate(reduced(case))
        declared = {key for one in panels_for(results).statements(results) for key in one.keys}
        called = called_keys(lambda results=results: panels_of(results, np.arange(results.last + 1)))
        assert declared == called, case.workflow


RIDGE = {"model": {"family": "ridge", "designs": "independent", "sigma": 1.0}, "truth": {"dimension": 4}}
MIXED = {"weight": [0.2, 0.5, 0.8, 1.0], "ridge": [0.0]}
NEW_LABELS = {**RIDGE, "model": {**RIDGE["model"], "mixed_labels": MIXED}}
KDE = {"model": {"family": "kde", "bandwidth": 0.3}, "truth": {"shape": "moons"}}
REPLACE = {"name": "replace", "n_samples": 20}
ACCUMULATE = {"name": "accumulate", "n_samples": 20, "keep_real": False}
WEIGHTED = {"name": "mix", "n_samples": 20, "n_real": 20, "weight": 0.5}


@pytest.mark.parametrize(
    ("sections", "workflow", "keys"),
    [
        (RIDGE, {**WEIGHTED, "real": "fresh"}, {"he2025"}),
        (RIDGE, {**WEIGHTED, "real": "fixed"}, set()),
        (RIDGE, ACCUMULATE, set()),
        (RIDGE, REPLACE, {"dohmatob2024b"}),
        (NEW_LABELS, REPLACE, {"garg2025", "he2025"}),
        (KDE, REPLACE, {"kazdan2024"}),
        ({"truth": {"uniform": 3}}, REPLACE, {"suresh2024"}),
        ({"truth": {"uniform": 3}}, ACCUMULATE, set()),
    ],
)
def test_statements__hold_for_the_workflow_of_a_run(sections, workflow, keys):
    run = {"n_generations": 3, "n_replicates": 3, "seed": 1}
    case = Experiment.from_mapping({**sections, "workflow": workflow, "run": run})
    results = simulate(case)
    assert {key for one in panels_for(results).statements(results) for key in one.keys} == keys
    check_statements([case])
