"""The rules of the code's shape, read from the sources: imports go one way, one importer for Numba and
h5py, a test beside each subject."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fastcollapse.models.base import families

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fastcollapse"
TESTS = ROOT / "tests"

# Layer -> layers it may import, beside itself. A folder is one layer. `_jit -> rng -> kernels -> models
# -> loop -> simulation -> leaves`;
# workflows, metrics and theory know no model; models know no storage, metric or theory; theory knows no
# simulation.
ALLOWED = {
    "errors": set(),
    "parameters": {"errors"},
    "sizes": {"parameters"},
    "workflows": {"parameters", "sizes"},
    "sections": {"parameters"},
    "experiment": {"errors", "parameters", "sections", "workflows"},
    "arrays": {"errors", "parameters"},
    "datasets": {"arrays", "errors", "parameters", "sections"},
    "blas": set(),
    "_jit": {"errors"},
    "rng": {"_jit"},
    "kernels": {"_jit", "rng"},
    "variables": set(),
    "models": {"_jit", "blas", "errors", "kernels", "parameters", "rng", "sections", "variables"},
    "metrics": {"variables"},
    "theory": {"errors"},
    "storage": {"datasets", "errors", "variables"},
    "results": {"datasets", "errors", "experiment", "parameters", "sections", "storage", "variables"},
    "recorded": {"datasets", "errors", "experiment", "parameters", "results"},
    "provenance": set(),
    "interrupts": set(),
    "finite": {"variables"},
    "memory": {"errors"},
    "loop": {"errors", "finite", "interrupts", "memory", "models", "storage", "variables"},
    "simulation": {
        "_jit",
        "blas",
        "datasets",
        "errors",
        "experiment",
        "interrupts",
        "loop",
        "memory",
        "metrics",
        "models",
        "provenance",
        "recorded",
        "results",
        "sections",
        "storage",
        "variables",
    },
    "executors": {"errors"},
    "sweeps": {
        "_jit",
        "datasets",
        "errors",
        "executors",
        "experiment",
        "interrupts",
        "parameters",
        "provenance",
        "results",
        "simulation",
        "storage",
        "variables",
    },
}
# Imported only while types are checked: these may look ahead.
TYPES_ONLY: set[tuple[str, str]] = set()
THIRD_PARTY_HOMES = {
    "numba": {"_jit.py", "rng.py", "kernels/fortran.py"},
    "llvmlite": {"rng.py", "kernels/fortran.py"},
    "h5py": {"storage/hdf5.py"},
}
# Leaves that only the command line reaches may be tested through it.
BEHIND_THE_COMMAND_LINE = {
    "drawing",
    "formulas",
    "plots",
    "progress",
    "report",
    "running",
    "tables",
    "verdicts",
    "views",
    "sweep_panels",
    "sweep_plots",
}
# Tested by those who use them: contracts, checks, parts of the store, the block loop (conformance,
# verification, replay).
TESTED_ELSEWHERE = {
    "__init__",
    "_jit",
    "base",
    "blas",
    "checks",
    "errors",
    "files",
    "layout",
    "loop",
    "memory",
    "parameters",
    "provenance",
    "simulation",
    "sizes",
    "variables",
}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports_of(path):
    """Return (dotted module, imported for types only?) of every import of a file, lazy ones too."""
    found = []

    def visit(node, types_only):
        for child in ast.iter_child_nodes(node):
            inside = types_only or _is_type_checking(node)
            if isinstance(child, ast.Import):
                found.extend((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: imports are absolute"
                # `from fastcollapse import x` may name a module or a public name.
                if child.module == "fastcollapse":
                    found.extend((f"fastcollapse.{alias.name}", inside) for alias in child.names)
                elif child.module is not None:
                    found.append((child.module, inside))
            visit(child, inside)

    visit(ast.parse(path.read_text()), False)
    return found


def layers_imported(path):
    for module, types_only in imports_of(path):
        parts = module.split(".")
        if parts[0] == "fastcollapse" and len(parts) > 1 and (PACKAGE / parts[1]).with_suffix("").name:
            known = (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists()
            if known:
                yield parts[1], types_only


def breaches(path):
    """Return the layers that a file imports and must not."""
    layer = layer_of(path)
    if layer == "__init__" or layer not in ALLOWED:
        return []
    found = []
    for other, types_only in layers_imported(path):
        allowed = ALLOWED[layer] | {layer}
        if other not in allowed or ((layer, other) in TYPES_ONLY and not types_only):
            found.append(other)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports__go_one_way(path):
    assert breaches(path) == []


def test_imports__table_is_itself_one_way():
    edges = {
        layer: {other for other in others if (layer, other) not in TYPES_ONLY} for layer, others in ALLOWED.items()
    }
    while edges:
        free = [layer for layer, others in edges.items() if not others & set(edges)]
        assert free, f"a circle among {sorted(edges)}"
        for layer in free:
            del edges[layer]


def test_imports__a_breach_is_seen(tmp_path, monkeypatch):
    wrong = tmp_path / "theory" / "new.py"
    wrong.parent.mkdir()
    wrong.write_text("def f():\n    from fastcollapse.simulation.simulate import simulate\n")
    monkeypatch.setitem(globals(), "layer_of", lambda path: "theory")
    assert breaches(wrong) == ["simulation"]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports__numba_and_h5py_have_one_home(path):
    for module, _ in imports_of(path):
        homes = THIRD_PARTY_HOMES.get(module.split(".")[0])
        assert homes is None or name_of(path) in homes


def test_imports__nothing_imports_a_leaf():
    for path in SOURCES:
        if layer_of(path) in ALLOWED or layer_of(path) == "__init__":
            for other, types_only in layers_imported(path):
                assert other in ALLOWED or types_only, f"{name_of(path)} imports the leaf {other}"


def test_kernels__name_no_model():
    for path in (PACKAGE / "kernels").glob("*.py"):
        assert not any(f"models.{family}" in path.read_text() for family in families())


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_tests__stand_beside_their_subject(path):
    if path.stem not in TESTED_ELSEWHERE:
        relative = path.relative_to(PACKAGE)
        test = TESTS / relative.with_name(f"test_{path.name}")
        direct = test.exists()
        # A subject may share the test of its neighbour, whose sources then name it.
        words = f"{path.parent.name}.{path.stem} import"
        shared = any(words in other.read_text() for other in test.parent.glob("test_*.py"))
        if path.stem in BEHIND_THE_COMMAND_LINE:
            shared = shared or (TESTS / "test_cli.py").exists()
        assert direct or shared, f"{test.relative_to(ROOT)} is missing"


def test_families__have_a_twin_and_a_test():
    for family in families():
        assert (TESTS / "naive" / f"{family}.py").exists()
        assert (TESTS / "models" / f"test_{family}.py").exists()


def unverified(words):
    """Return the functions of the theory that a text does not name."""
    from fastcollapse.cli.theory import formulas

    return [name for name in formulas() if not re.search(rf"\b{name}\b", words)]


def test_theory__every_function_has_a_row_of_verification():
    words = ""
    for path in sorted(TESTS.glob("test_verification*.py")):
        text = path.read_text()
        # What is imported only is not used.
        words += text[text.index("\nZ_LIMIT") :]
    assert unverified(words) == []
    assert unverified(words.replace("phi(1)", "1")) == ["phi"]


def test_public_names__at_most_fifteen():
    import fastcollapse

    assert 0 < len(fastcollapse.__all__) <= 15
    assert len(set(fastcollapse.__all__)) == len(fastcollapse.__all__)
    for name in fastcollapse.__all__:
        assert hasattr(fastcollapse, name)


def in_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout


def test_public_names__stay_themselves_whatever_was_imported_before():
    # A submodule called as a public name would take its place once it is imported.
    code = (
        "import fastcollapse, types\n"
        "for _ in range(2):\n"
        "    for name in fastcollapse.__all__:\n"
        "        assert not isinstance(getattr(fastcollapse, name), types.ModuleType), name\n"
        "from fastcollapse import *\n"
        "assert callable(simulate)\n"
    )
    in_new_process(code)


def test_import__of_the_package_is_light():
    heavy = in_new_process(
        "import sys, fastcollapse, fastcollapse.simulation.experiment\n"
        "print(sorted({'numba', 'scipy', 'h5py', 'matplotlib', 'xarray', 'numpy'} & set(sys.modules)))"
    )
    assert heavy.strip() == "[]"


def test_packages__are_all_installed():
    listed = configparser.ConfigParser()
    listed.read(ROOT / "setup.cfg")
    names = set(listed["options"]["packages"].split())
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert found <= names


def test_layout__names_every_kernel_file():
    words = (ROOT / "CONTRIBUTING.md").read_text()
    files = [path.name for path in (PACKAGE / "kernels").glob("*.py") if path.name != "__init__.py"]
    assert [name for name in files if not re.search(rf"(?<!\w){re.escape(name)}", words)] == []
