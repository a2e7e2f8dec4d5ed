"""The page of a report, from a template of Jinja2."""

import functools
import operator
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from fastcollapse.analysis.html_report.sections import Section, section_of
from fastcollapse.config.output_paths import RESULTS, check_output_file, make_output_parent, names_in
from fastcollapse.errors import InputError
from fastcollapse.simulation.provenance import provenance
from fastcollapse.storage.atomic_write import Rename, remove_abandoned, write_bytes
from fastcollapse.sweeps.manifest import MANIFEST

PAGES = (".html", ".htm")


def page_of(sections: Sequence[Section]) -> str:
    """Return one self-contained page of HTML: it loads nothing from elsewhere, and its tables sort by a click."""
    sources = list(dict.fromkeys(section.source for section in sections if section.source))
    bibtex = functools.reduce(operator.or_, (section.citations for section in sections)).bibtex()
    version = provenance()["packages"]["fastcollapse"]
    return _template().render(sections=sections, sources=sources, bibtex=bibtex, version=version)


def sections_at(path: Path) -> list[Section]:
    """Return the section of a results file or a sweep, or the sections of all results files in a folder.

    Raises
    ------
    InputError
        The folder has no results file, or a file cannot be read.
    """
    if not path.is_dir() or (path / MANIFEST).exists():
        return [section_of(path)]
    found = [path / name for name in names_in(path) if Path(name).suffix in RESULTS]
    if not found:
        raise InputError(f"report must have a results file, a sweep, or a folder of them, got {path}: it has no .h5")
    return [section_of(file) for file in found]


def write_page(text: str, path: Path, replace: bool = False) -> None:
    """Write a page into a new file.

    Raises
    ------
    InputError
        The path has another ending, exists, or is in a folder that does not exist or cannot be written.
    StoreError
        The file cannot be written.
    """
    check_page_path(path, replace)
    make_output_parent(path, "report")
    remove_abandoned(path.parent, path.name)
    write_bytes(path, text.encode(), Rename(replace=replace))


def check_page_path(path: Path, replace: bool = False) -> None:
    """Refuse a path at which no page can be written; see `write_page`."""
    check_output_file(path, PAGES, "report")
    if path.exists() and not replace:
        raise InputError(f"report must be a new file, got {path}: it exists")


@functools.cache
def _template() -> Template:
    """Return the compiled template; values are escaped, except figures."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(text)
