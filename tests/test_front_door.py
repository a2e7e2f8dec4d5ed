"""The names of the package are found: by `dir`, tab completion, `help`, and by attribute as the docs write them."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastcollapse
from fastcollapse.models.registry import families

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "datasets", "models", "sweeps", "theory")


def in_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout


def test_dir__has_the_public_names_before_they_are_imported():
    shown = in_new_process("import fastcollapse; print(*dir(fastcollapse))").split()
    assert {*fastcollapse.__all__, *PACKAGES, "__version__"} <= set(shown)
    assert [name for name in shown if name.startswith("_") and not name.startswith("__")] == []


def test_help__shows_the_names_and_the_example():
    shown = in_new_process("import fastcollapse; help(fastcollapse)")
    opening = fastcollapse.__doc__
    assert all(f"`{name}`" in opening or f"`models.{name}`" in opening for name in (*fastcollapse.__all__, *PACKAGES))
    example = [line for line in opening.splitlines() if line.startswith((">>>", "..."))]
    assert len(example) <= 10
    for line in opening.splitlines():
        assert line in shown


def test_packages__list_names_that_exist():
    for package in (fastcollapse, *(getattr(fastcollapse, name) for name in PACKAGES)):
        for name in dir(package):
            assert getattr(package, name) is not None or name in ("__cached__", "__path__")


def test_attributes__lead_to_topics_and_families():
    code = "import fastcollapse\nprint(fastcollapse.{}.__name__)"
    assert in_new_process(code.format("theory.discrete.survival_bounds")).strip() == "survival_bounds"
    assert in_new_process(code.format("models.gaussian.metrics.eigenvalues")).strip() == "eigenvalues"
    for family in families():
        if importlib.util.find_spec(f"fastcollapse.models.{family}.metrics"):
            assert getattr(fastcollapse.models, family).metrics.METRICS


def names_in_docs():
    """Return the dotted names of the package that the pages write."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    text = re.sub(r"^(from|import) .*", "", text, flags=re.MULTILINE)
    return sorted(set(re.findall(r"\bfastcollapse(?:\.[a-zA-Z_]\w*)+", text)))


# Names of files and of modules that only extensions import, by `from ... import`.
NOT_ATTRIBUTES = re.compile(
    r"fastcollapse\.(Truth|families\b|models\.(base|name|roles)\b|config\.\w+\.|simulation\.|variables)"
)


def test_attributes__are_those_of_the_docs():
    found = [name for name in names_in_docs() if not NOT_ATTRIBUTES.match(name)]
    assert len(found) > 10
    for name in found:
        value = fastcollapse
        for part in name.split(".")[1:]:
            value = getattr(value, part)


@pytest.mark.parametrize(
    ("package", "name", "expected"),
    [
        (fastcollapse, "simulat", "module 'fastcollapse' has no attribute 'simulat' (did you mean 'simulate'?)"),
        (fastcollapse, "xyz", "module 'fastcollapse' has no attribute 'xyz'"),
        (fastcollapse.theory, "discret", "module 'fastcollapse.theory' has no attribute 'discret' (did you mean 'disc"),
        (fastcollapse.models, "gausian", "has no attribute 'gausian' (did you mean 'gaussian'?)"),
        (fastcollapse.datasets, "load_trut", "has no attribute 'load_trut' (did you mean 'load_truth'?)"),
        (fastcollapse.sweeps, "run_swep", "has no attribute 'run_swep' (did you mean 'run_sweep'?)"),
    ],
)
def test_attributes__that_do_not_exist_name_the_nearest(package, name, expected):
    with pytest.raises(AttributeError, match=re.escape(expected)):
        getattr(package, name)
