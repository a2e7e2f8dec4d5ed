"""Index of the theory: each topic exports the functions of its modules, and all functions are documented."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastcollapse.theory
from fastcollapse.theory import (
    counterexamples,
    density,
    discrete,
    gaussian,
    language,
    mixing,
    regression,
    workflow_factors,
)

TOPICS = (counterexamples, density, discrete, gaussian, language, mixing, regression)
# A topic whose statements are those of another one, for other symbols.
BUILDS_ON = {language: (discrete,)}
ROOT = Path(fastcollapse.theory.__file__).parent


def public_functions(module):
    """Return the public functions that a module defines, by name."""
    members = inspect.getmembers(module, inspect.isfunction)
    return {name: f for name, f in members if f.__module__ == module.__name__ and not name.startswith("_")}


def modules_of(topic):
    paths = [path for path in sorted(Path(topic.__file__).parent.glob("*.py")) if path.stem != "__init__"]
    return [importlib.import_module(f"fastcollapse.theory.{path.parent.name}.{path.stem}") for path in paths]


FUNCTIONS = {name: getattr(topic, name) for topic in TOPICS for name in topic.__all__}


def test_topics__equal_folders():
    assert [path.parent.name for path in sorted(ROOT.glob("*/__init__.py"))] == [
        topic.__name__.rpartition(".")[2] for topic in TOPICS
    ]
    for topic in TOPICS:
        assert f"`{topic.__name__.rpartition('.')[2]}`" in fastcollapse.theory.__doc__


@pytest.mark.parametrize("topic", TOPICS)
def test_all__equals_public_functions_of_modules(topic):
    expected = {}
    for module in modules_of(topic):
        assert not expected.keys() & public_functions(module).keys()
        expected |= public_functions(module)
    shared = public_functions(workflow_factors)
    got = {name: getattr(topic, name) for name in topic.__all__}
    assert len(got) == len(topic.__all__)
    assert {name: f for name, f in got.items() if name not in shared} == expected
    assert all(got[name] is shared[name] for name in got.keys() & shared.keys())


def test_all__lists_each_function_in_one_topic():
    assert sum(len(topic.__all__) for topic in TOPICS) == len(FUNCTIONS)
    assert public_functions(workflow_factors).keys() <= FUNCTIONS.keys()


@pytest.mark.parametrize("topic", TOPICS)
def test_index__names_every_function(topic):
    names = re.findall(r"^    (\w.*)$", inspect.cleandoc(topic.__doc__), re.M)
    assert sorted(re.findall(r"\w+", " ".join(names))) == sorted(topic.__all__)


@pytest.mark.parametrize("topic", TOPICS)
def test_topics__import_only_the_topics_that_they_build_on(topic):
    other = [t.__name__ for t in TOPICS if t is not topic and t not in BUILDS_ON.get(topic, ())]
    for path in Path(topic.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not any(f"{node.module}.".startswith(f"{name}.") for name in other), path
                assert node.module != "fastcollapse.theory", path
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("fastcollapse.theory") for alias in node.names), path


def test_import__of_light_topics_does_not_load_heavy_parts_of_scipy():
    code = (
        "import sys, fastcollapse.theory.density, fastcollapse.theory.discrete, fastcollapse.theory.gaussian\n"
        "print(sorted({'scipy.stats', 'scipy.integrate', 'scipy.optimize'} & set(sys.modules)))"
    )
    got = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parents[1], check=True
    ).stdout
    assert got.strip() == "[]"


def explained(docstring, section):
    """Return the names explained in a section of a docstring: "a, b : meaning"."""
    match = re.search(rf"^{section}\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", inspect.cleandoc(docstring), re.S | re.M)
    heads = re.findall(r"^(\w+(?:, \w+)*) : ", match[1], re.M) if match else []
    return [name for head in heads for name in head.split(", ")]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_docstring__is_complete(name):
    function = FUNCTIONS[name]
    first, *rest = inspect.getdoc(function).splitlines()
    assert first.endswith(".")
    assert not rest or rest[0] == ""
    for section in ("Returns", "References", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in function_text(function), section
    shared = explained(sys.modules[function.__module__].__doc__, "Notation")
    own = explained(function.__doc__, "Parameters")
    assert sorted(own) == sorted(inspect.signature(function).parameters)
    pointer = re.search(r"^(\w+(?:, \w+)*) : see `Notation`", function_text(function), re.M)
    assert set(pointer[1].split(", ") if pointer else ()) <= set(shared)


def function_text(function):
    return inspect.getdoc(function) + "\n"
