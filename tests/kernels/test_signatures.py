"""Signatures of kernels: at most eight parameters if uncompiled code uses the kernel."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "fastcollapse"
MOST_PARAMETERS = 8
DECORATORS = {"kernel", "parallel_kernel", "expanded"}


def is_compiled(node):
    """Whether a node is a function compiled by a decorator of `kernels/jit.py`."""
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(one, ast.Name) and one.id in DECORATORS for one in node.decorator_list
    )


def uncompiled_names(tree):
    """Return the names that code outside of compiled functions reads."""
    found, stack = set(), [tree]
    while stack:
        for node in ast.iter_child_nodes(stack.pop()):
            if isinstance(node, ast.Name):
                found.add(node.id)
            if not is_compiled(node):
                stack.append(node)
    return found


def module_of(path, root):
    return ".".join(path.relative_to(root.parent).with_suffix("").parts)


def long_signatures(root):
    """Return the kernels with too many parameters that uncompiled code of a package uses, as module.name."""
    trees = {module_of(path, root): ast.parse(path.read_text()) for path in root.rglob("*.py")}
    n_parameters = {
        f"{module}.{node.name}": len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
        for module, tree in trees.items()
        for node in tree.body
        if is_compiled(node)
    }
    used = set()
    for module, tree in trees.items():
        names = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        used |= {names[name] for name in uncompiled_names(tree) & set(names)}
    return sorted(name for name in used if n_parameters.get(name, 0) > MOST_PARAMETERS)


def test_kernels__have_at_most_eight_parameters_where_python_calls_them():
    assert long_signatures(PACKAGE) == []


def test_inner_kernels__with_more_parameters_give_the_reason():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if is_compiled(node) and len(node.args.args) > MOST_PARAMETERS:
                docstring = " ".join((ast.get_docstring(node) or "").split())
                assert "more than eight arguments, because" in docstring.lower(), f"{path.name}: {node.name}"


def test_long_signatures__are_detected(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    nine = ", ".join("abcdefghi")
    (package / "kernels.py").write_text(
        f"@kernel\ndef inner({nine}): pass\n"
        f"@kernel\ndef outer(a):\n    inner({nine})\n"
        f"@parallel_kernel\ndef called({nine}): pass\n"
        f"@kernel\ndef passed({nine}): pass\n"
        "@kernel\ndef short(a, b, c, d, e, f, g, h): pass\n"
    )
    (package / "model.py").write_text(
        "from package.kernels import called as other, outer, passed, short\n"
        "def advance():\n    outer(1)\n    other(1)\n    short(1)\n    loop = passed\n    loop(1)\n"
        f"@kernel\ndef here({nine}): pass\n"
        "def train():\n    return lambda: here(1)\n"
    )
    assert long_signatures(package) == ["package.kernels.called", "package.kernels.passed", "package.model.here"]
