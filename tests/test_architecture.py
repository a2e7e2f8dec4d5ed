"""Architecture rules, read from the sources: import layers, one importer for Numba and h5py, tests for all modules."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fastcollapse.models.registry import families

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fastcollapse"
TESTS = ROOT / "tests"

# Entry of the package -> entries it may import. A folder is one entry; so is a file at the root.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "variables": set(),
    "config": {"errors"},
    "theory": {"errors"},
    "kernels": {"errors"},
    "datasets": {"config", "errors"},
    "models": {"config", "datasets", "errors", "kernels", "variables"},
    "storage": {"config", "datasets", "errors", "variables"},
    "simulation": {"config", "datasets", "errors", "kernels", "models", "storage", "theory", "variables"},
    "sweeps": {"config", "datasets", "errors", "kernels", "models", "simulation", "storage", "variables"},
    "analysis": {"config", "datasets", "errors", "models", "simulation", "storage", "sweeps", "theory", "variables"},
    "api": {"analysis", "config", "datasets", "errors", "simulation", "storage", "sweeps"},
    "cli": {
        "__init__",
        "analysis",
        "api",
        "config",
        "datasets",
        "errors",
        "kernels",
        "simulation",
        "storage",
        "sweeps",
        "theory",
    },
    "__init__": {"api", "config", "datasets", "errors", "models", "simulation", "sweeps", "theory"},
    "__main__": {"cli", "simulation"},
}
MAX_LEVELS = 11
THIRD_PARTY_HOMES = {
    "numba": {
        *(f"kernels/{name}.py" for name in ("numba_settings", "code_cache", "compile_log", "single_link", "jit")),
        *("kernels/float_bits.py", "kernels/random/streams.py", "kernels/linalg/scipy_routines.py"),
    },
    "llvmlite": {
        *("kernels/single_link.py", "kernels/float_bits.py"),
        *("kernels/random/streams.py", "kernels/linalg/scipy_routines.py"),
    },
    "h5py": {"storage/hdf5_file.py", "storage/hdf5_objects.py"},
}
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def entry_of(module):
    """Return the entry of the package root that a dotted module belongs to."""
    parts = module.removesuffix(".__init__").split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def module_named(name):
    """Return the file of the module or package that a dotted name is, or that contains it."""
    while name and name not in MODULES and f"{name}.__init__" not in MODULES:
        name = name.rpartition(".")[0]
    return name if name in MODULES else f"{name}.__init__"


DYNAMIC = ("import_module", "__import__", "find_spec")


def _literal_start(node):
    """Return the literal text at the start of an argument."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def imports_of(path):
    """Return the dotted names that a file imports: at its top, in functions, for types, and dynamically by name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in DYNAMIC:
                start = _literal_start(node.args[0])
                assert start.partition(".")[0] in ("fastcollapse", "tests"), f"{path}: what {called} may import"
                found.append(start.rstrip("."))
    return found


def ours(path):
    """Return the modules of the package that a file imports."""
    names = [name for name in imports_of(path) if name == "fastcollapse" or name.startswith("fastcollapse.")]
    return {module_named(name) for name in names}


def _is_inside(path, other):
    return MODULES[other].name == "__init__.py" and path.is_relative_to(MODULES[other].parent)


def edges(group):
    """Return the import graph of groups: group(module) -> name, or None for excluded modules."""
    graph = {}
    for module, path in MODULES.items():
        here = group(module)
        if here is not None:
            # A dynamic import names the folder to search, often its own.
            others = {other for other in ours(path) if not _is_inside(path, other)}
            graph.setdefault(here, set()).update(group(other) for other in others)
    return {here: others - {here, None} for here, others in graph.items()}


def levels(graph):
    """Return the nodes of a graph by level, starting with those without imports; raise AssertionError for a cycle."""
    found, graph = [], dict(graph)
    while graph:
        free = {node for node, others in graph.items() if not others & set(graph)}
        assert free, f"a circle among {sorted(graph)}"
        found.append(free)
        graph = {node: others for node, others in graph.items() if node not in free}
    return found


def breaches(path, entry):
    """Return the forbidden imports of a file."""
    return sorted({entry_of(module) for module in ours(path)} - ALLOWED[entry] - {entry})


def test_root__has_folders_and_three_files():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py", "variables.py"}
    entries = [path for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "py.typed")]
    assert len(entries) <= 15
    assert {path.stem for path in entries} - {"py"} == set(ALLOWED)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports__follow_layers(path):
    entry = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert breaches(path, entry) == []


def test_imports__table_of_layers_has_no_cycle():
    levels(ALLOWED)
    assert len(levels(edges(entry_of))) <= MAX_LEVELS


def test_imports__have_no_cycle_among_folders_and_files():
    levels(edges(lambda module: module))
    levels(edges(lambda module: ".".join(MODULES[module].relative_to(PACKAGE).parent.parts) or module))


def test_imports__breach_is_detected(tmp_path):
    wrong = tmp_path / "new.py"
    for text in (
        "def f():\n    from fastcollapse.simulation.replay import replay\n",
        "from importlib import import_module\nimport_module(f'fastcollapse.simulation.{name}')\n",
        "if TYPE_CHECKING:\n    import fastcollapse.simulation.execute\n",
    ):
        wrong.write_text(text)
        assert breaches(wrong, "theory") == ["simulation"]
    wrong.write_text("import importlib\nimportlib.import_module(name)\n")
    with pytest.raises(AssertionError, match="what import_module may import"):
        breaches(wrong, "theory")
    with pytest.raises(AssertionError, match="a circle among"):
        levels({"a": {"b"}, "b": {"a"}, "c": set()})


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports__numba_and_h5py_have_one_importer(path):
    for module in imports_of(path):
        homes = THIRD_PARTY_HOMES.get(module.split(".")[0])
        assert homes is None or name_of(path) in homes


def hook_probes(path):
    """Return the lines that look whether an object has an attribute; a system error may have a reason or not."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            of_error = isinstance(node.args[0], ast.Name) and node.args[0].id == "error" if node.args else False
            is_probe = node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)
            found += [node.lineno] if is_probe and not of_error else []
    return found


def family_tests(path):
    """Return the lines that compare something with the name of a family."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            values = {one.value for one in [node.left, *node.comparators] if isinstance(one, ast.Constant)}
            found += [node.lineno] if values & set(families()) else []
    return found


def test_families__hooks_are_not_probed():
    """Optional hooks have defaults."""
    for entry in ("simulation", "analysis"):
        for path in (PACKAGE / entry).rglob("*.py"):
            assert hook_probes(path) == [], path


def test_families__names_are_known_to_their_own_files_alone():
    for path in SOURCES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        is_own = set(parts) & set(families()) or parts[:2] == ("analysis", "panels")
        assert is_own or family_tests(path) == [], path


def test_families__probes_are_detected(tmp_path):
    wrong = tmp_path / "new.py"
    wrong.write_text("if hasattr(model, 'hook') or family == 'discrete':\n    pass\nx = getattr(model, 'hook', None)\n")
    assert sorted(hook_probes(wrong)) == [1, 3]
    assert family_tests(wrong) == [1]


def test_kernels__name_no_model():
    for path in (PACKAGE / "kernels").rglob("*.py"):
        assert not any(f"models.{family}" in path.read_text() for family in families())


def test_tests__import_every_module():
    """Every module has a test file of the same name, or a test imports it."""
    tests = [path for path in TESTS.rglob("*.py") if path != Path(__file__)]
    imported = {module for path in tests for module in ours(path)}
    text = "\n".join(path.read_text() for path in tests)  # code for other processes is text
    beside = {path.relative_to(TESTS).as_posix() for path in tests}
    for module, path in MODULES.items():
        mirror = path.relative_to(PACKAGE).with_name(f"test_{path.name}").as_posix()
        folder, _, name = module.rpartition(".")
        in_script = f"from {module} import" in text or f"from {folder} import {name}" in text
        # The test of a model also covers the other files of its family.
        of_family = (TESTS / path.relative_to(PACKAGE).parent / "test_model.py").exists()
        is_covered = module in imported or mirror in beside or in_script or of_family
        assert path.name in ("__init__.py", "__main__.py") or is_covered, module


def test_families__have_twin_and_test():
    for family in families():
        assert (TESTS / "naive" / f"{family}.py").exists()
        assert (TESTS / "models" / family / "test_model.py").exists()


def unverified(words):
    """Return the functions of the theory that a text does not name."""
    from fastcollapse.cli.theory import theory_functions

    return [name for name in theory_functions() if not re.search(rf"\b{name}\b", words)]


def test_theory__every_function_is_verified():
    words = ""
    for path in sorted((TESTS / "verification").glob("test_*.py")):
        text = path.read_text()
        # The imports at the top do not count as use.
        words += text[text.index("\nZ_LIMIT") :]
    assert unverified(words) == []
    assert unverified(words.replace("phi(", "(")) == ["phi"]


def test_public_names__are_few():
    import fastcollapse

    assert 0 < len(fastcollapse.__all__) <= 24
    assert len(set(fastcollapse.__all__)) == len(fastcollapse.__all__)
    for name in fastcollapse.__all__:
        assert hasattr(fastcollapse, name)


def in_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout


def test_public_names__do_not_depend_on_earlier_imports():
    # A submodule with the name of a public object would replace it when it is imported.
    code = (
        "import fastcollapse, types\n"
        "for _ in range(2):\n"
        "    for name in fastcollapse.__all__:\n"
        "        assert not isinstance(getattr(fastcollapse, name), types.ModuleType), name\n"
        "from fastcollapse import *\n"
        "assert callable(simulate)\n"
    )
    in_new_process(code)


def test_import__of_package_is_light():
    heavy = in_new_process(
        "import sys, fastcollapse, fastcollapse.simulation.experiment\n"
        "print(sorted({'numba', 'scipy', 'h5py', 'matplotlib', 'xarray', 'numpy'} & set(sys.modules)))"
    )
    assert heavy.strip() == "[]"


def test_layout__is_documented_in_guide():
    words = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in SOURCES if path.parent != PACKAGE}
    assert [name for name in sorted(folders) if not re.search(rf"(?<!\w){name}/", words)] == []
