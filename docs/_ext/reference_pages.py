"""Pages of the reference that are generated when the documentation is built: API, keys, and files of other folders.

`pages` needs no Sphinx, so that a quick test can look for every public name, command and key in them.
"""

import inspect
import os
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docstrings import as_rst, escape

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
FOLDER = "reference/generated"
# Files outside docs/ that are pages too: name of the page, and the file.
COPIES = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "file_format": "fastcollapse/storage/FORMAT.md",
    "shipped_data": "data/README.md",
}
GROUPS = {
    "Runs": ["simulate", "open_results", "Results", "plot", "compare", "replay", "check", "cite"],
    "Experiments": ["Experiment", "recipes", "reproduce", "load_truth"],
    "Truths": ["CategoricalDistribution", "CountSpectrum", "ZipfMandelbrotLaw"],
    "Sweeps": ["Sweep", "run_sweep", "open_sweep", "SweepResults"],
    "Errors": ["FastcollapseError", "InputError", "StoreError"],
    "Compiled code": ["precompile"],
}
PACKAGES = ["config", "datasets", "models", "sweeps"]


def pages() -> dict[str, str]:
    """Return the text of each generated page by its path in docs/."""
    found = {"api.rst": _api(), "metrics.rst": _metrics(), "keys.md": _keys_index(), "theory.rst": _theory_index()}
    found |= {f"theory_{topic}.rst": _theory(topic) for topic in _module("theory").__all__}
    found |= {f"{package}.rst": _package(package) for package in PACKAGES}
    found |= {f"keys_{family}.md": _keys(family) for family in _families()}
    found |= {f"{name}.md": (ROOT / source).read_text(encoding="utf-8") for name, source in COPIES.items()}
    has_papers = (ROOT / "data" / "references.bib").exists()
    found["bibliography.md"] = "# Papers\n" + ("\n```{bibliography}\n:all:\n```\n" if has_papers else "")
    return {f"{FOLDER}/{name}": text for name, text in found.items()}


def write() -> None:
    """Write the generated pages, those alone that differ, and remove others."""
    folder = DOCS / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = {DOCS / name: text for name, text in pages().items()}
    for path in set(folder.iterdir()) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def relinked(page: str, text: str) -> str:
    """Return the text of a page, given without suffix, with links to files outside docs/ leading to their copies."""
    names = {ROOT / source: DOCS / FOLDER / f"{name}.md" for name, source in COPIES.items()}
    sources = {f"{FOLDER}/{name}": ROOT / source for name, source in COPIES.items()}
    here = (DOCS / page).parent
    old = sources.get(page, DOCS / page).parent

    def link(match: re.Match[str]) -> str:
        path, hash_mark, anchor = match[2].partition("#")
        if not path or re.match(r"\w+:", path):
            return match[0]
        target = Path(os.path.normpath(old / path))
        target = names.get(target, target)
        if target.is_dir():
            return match[1]
        return f"[{match[1]}]({os.path.relpath(target, here)}{hash_mark}{anchor})"

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", link, text)


def public_functions(module: ModuleType) -> list[str]:
    """Return the functions and classes that a module defines, without those that begin with an underscore."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]


def _module(name: str) -> ModuleType:
    return import_module(f"fastcollapse.{name}" if name else "fastcollapse")


def _families() -> list[str]:
    folder = ROOT / "fastcollapse" / "models"
    return sorted(path.parent.name for path in folder.glob("*/model.py"))


def _title(text: str, mark: str = "=") -> str:
    return f"{text}\n{mark * len(text)}\n\n"


def _summary(module: str, names: list[str]) -> str:
    lines = "".join(f"   {name}\n" for name in names)
    return f".. currentmodule:: {module}\n\n.. autosummary::\n   :nosignatures:\n\n{lines}\n"


def _entry(module: str, name: str) -> str:
    value = getattr(import_module(module), name)
    if isinstance(value, ModuleType):
        return ""
    if inspect.isclass(value):
        members = "" if issubclass(value, Exception) else "   :members:\n   :inherited-members:\n"
        return f".. autoclass:: {module}.{name}\n{members}\n"
    kind = "autofunction" if callable(value) else "autodata"
    return f".. {kind}:: {module}.{name}\n\n"


def _api() -> str:
    text = _title("Python names")
    text += "The names of the root. :doc:`Python <../../how_to/python>` shows how they work together.\n\n"
    for heading, names in GROUPS.items():
        text += _title(heading, "-") + _summary("fastcollapse", names)
        text += "".join(_entry("fastcollapse", name) for name in names)
    return text


def _package(name: str) -> str:
    module = f"fastcollapse.{name}"
    root = _module("").__all__
    names = list(_module(name).__all__)
    text = _title(module) + f".. automodule:: {module}\n   :no-index:\n\n"
    text += _summary(module, [f"~fastcollapse.{one}" if one in root else one for one in names])
    return text + "".join(_entry(module, one) for one in names if one not in root)


def _theory_index() -> str:
    module = _module("theory")
    text = _title("Theory functions") + (
        "Closed forms, bounds and exact laws by topic. :doc:`Theory <../../explanation/theory/index>` explains them, "
        "and the command ``fastcollapse theory`` lists and evaluates them.\n\n.. toctree::\n\n"
    )
    return text + "".join(f"   theory_{topic}\n" for topic in module.__all__)


def _theory(topic: str) -> str:
    module = f"fastcollapse.theory.{topic}"
    package = import_module(module)
    by_source: dict[str, list[str]] = {}
    for name in package.__all__:
        by_source.setdefault(getattr(package, name).__module__, []).append(name)
    first = inspect.getdoc(package) or ""
    text = _title(f"theory.{topic}") + first.splitlines()[0] + "\n\n" + _summary(module, list(package.__all__))
    for source, names in sorted(by_source.items()):
        first, _, rest = (inspect.getdoc(import_module(source)) or "").partition("\n")
        text += _title(escape(first.rstrip(".")), "-") + as_rst(rest) + "\n\n"
        text += "".join(_entry(module, name) for name in names)
    return text


def _metrics() -> str:
    text = _title("Metrics of the families")
    text += "Functions of the states that a run records, ``fastcollapse.models.FAMILY.metrics``.\n\n"
    for family in _families():
        module = f"fastcollapse.models.{family}.metrics"
        names = public_functions(import_module(module))
        text += _title(family, "-")
        if names:
            text += _summary(module, names) + "".join(_entry(module, name) for name in names)
        else:
            text += "The model computes its metrics itself.\n\n"
    return text


def _keys_index() -> str:
    from fastcollapse.config.sections import Recipe
    from fastcollapse.simulation.parameter_table import described_families, section_parameters
    from fastcollapse.sweeps.sweep_section import SweepSection

    shared = ((Recipe, "what a figure shows; no number depends on it"), (SweepSection, "the points of a sweep"))
    links = [
        f"* [`{name}`](keys_{name}.md): {escape(words)}."
        for name, words in described_families().items()
        if name in _families()
    ]
    return (
        "# Keys of an experiment file\n\nA page a family has all keys of its experiments, with values, defaults and "
        "meaning, and its metrics. It is what `fastcollapse keys FAMILY` prints.\n\n"
        "Sections that every family shares are explained in [the experiment file](../experiment_file.md), workflows "
        "and maps in [workflows](../../explanation/workflows.md).\n\n"
        + "\n".join(links)
        + "\n\n"
        + "".join(
            f"## `[{section.section}]`\n\nOptional: {words}.\n\n" + _key_table(section_parameters(section))
            for section, words in shared
        )
        + "```{toctree}\n:hidden:\n"
        + "".join(f"{name} <keys_{name}>\n" for name in _families())
        + "```\n"
    )


def _keys(family: str) -> str:
    from fastcollapse.simulation.parameter_table import described_metrics, parameters

    sections: dict[str, list[Any]] = {}
    for one in parameters(family):
        sections.setdefault(one.key.partition(".")[0], []).append(one)
    text = f'# Keys of `{family}`\n\nEvery key of an experiment file with `model.family = "{family}"`.\n\n'
    for section, rows in sections.items():
        text += f"## `[{section}]`\n\n" + _key_table(rows)
    rows = [(f"`{name}`", words) for name, words in described_metrics(family).items()]
    return text + "## Metrics\n\nNames for `run.record`.\n\n" + _table(("metric", "meaning"), rows)


def _key_table(rows: list[Any]) -> str:
    cells = [(f"`{one.key}`", one.help, one.kind, f"`{one.default}`") for one in rows]
    return _table(("key", "meaning", "values", "default"), cells)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *lines]) + "\n\n"


def _cell(text: str) -> str:
    """Return text for a cell of a table: bars are escaped, and outside of backticks other markup too."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_$<\[])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts).replace("|", r"\|").replace("\n", " ")
