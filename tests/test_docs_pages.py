"""The site: every public name, command and key is on a page, and every page is in the navigation."""

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

import fastcollapse
from fastcollapse.cli.main import main
from fastcollapse.config.sections import Recipe
from fastcollapse.models.registry import families
from fastcollapse.simulation.parameter_table import described_metrics, parameters
from fastcollapse.sweeps.sweep_section import SweepSection

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))
import docstrings  # noqa: E402
import reference_pages  # noqa: E402

GENERATED = reference_pages.pages()


def public_names():
    """Return the dotted name of every public function and class of the package."""
    names = [f"fastcollapse.{name}" for name in fastcollapse.__all__]
    for package in ("config", "datasets", "models", "sweeps"):
        module = import_module(f"fastcollapse.{package}")
        names += [f"fastcollapse.{package}.{name}" for name in module.__all__ if name not in fastcollapse.__all__]
    for topic in import_module("fastcollapse.theory").__all__:
        module = import_module(f"fastcollapse.theory.{topic}")
        names += [f"{module.__name__}.{name}" for name in module.__all__]
    for family in families():
        module = import_module(f"fastcollapse.models.{family}.metrics")
        functions = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        own = [name for name in functions if vars(module)[name].__module__ == module.__name__]
        names += [f"{module.__name__}.{name}" for name in own if not name.startswith("_")]
    return names


def documented(pages):
    """Return the dotted names that the directives of pages document."""
    return set(re.findall(r"^\.\. auto(?:function|class|data):: (\S+)$", "\n".join(pages.values()), re.MULTILINE))


def test_public_names__are_on_a_page():
    names = public_names()
    assert len(names) > 250
    assert set(names) - documented(GENERATED) == set()


def test_public_names__a_page_without_one_is_noticed():
    pages = {name: text.replace(".. autofunction:: fastcollapse.replay\n", "") for name, text in GENERATED.items()}
    assert set(public_names()) - documented(pages) == {"fastcollapse.replay"}


def test_classes__show_all_public_members():
    text = GENERATED["reference/generated/api.rst"]
    for name in ("Results", "SweepResults", "Experiment", "Sweep"):
        section = text.partition(f".. autoclass:: fastcollapse.{name}\n")[2].partition("\n..")[0]
        assert ":members:" in section
        assert ":inherited-members:" in section


@pytest.mark.parametrize("family", families())
def test_keys__of_each_family_are_on_its_page(family):
    text = GENERATED[f"reference/generated/keys_{family}.md"]
    keys = [parameter.key for parameter in parameters(family)]
    assert [key for key in [*keys, *described_metrics(family)] if f"| `{key}` |" not in text] == []
    assert f"[`{family}`](keys_{family}.md)" in GENERATED["reference/generated/keys.md"]


@pytest.mark.parametrize("section", [Recipe, SweepSection])
def test_keys__of_sections_without_a_family_are_in_the_index(section):
    text = GENERATED["reference/generated/keys.md"]
    assert [field.name for field in fields(section) if f"| `{section.section}.{field.name}` |" not in text] == []


def test_commands__are_all_on_one_page():
    text = (DOCS / "reference" / "commands.md").read_text()
    assert ".. click:: fastcollapse.cli.main:main\n" in text
    assert ":nested: full\n" in text
    assert [name for name, command in main.commands.items() if command.hidden or not command.help] == []


def pages_on_disk():
    """Return the pages of the site without suffix, those that are generated too."""
    paths = [path.relative_to(DOCS) for path in DOCS.rglob("*.md")]
    paths = [path for path in paths if path.parts[0] not in {"_build", "paper"} and "generated" not in path.parts]
    return {path.with_suffix("").as_posix() for path in paths} | {re.sub(r"\.\w+$", "", name) for name in GENERATED}


def entries(page, text, pages):
    """Return the pages that the toctrees of a page lead to."""
    bodies = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    bodies += re.findall(r"^\.\. toctree::\n((?:\n|   .*\n)+)", text, re.MULTILINE)
    found = set()
    for line in "\n".join(bodies).splitlines():
        name = re.sub(r".*<(.*)>", r"\1", line.strip())
        if name and not name.startswith(":"):
            pattern = (Path(page).parent / name).as_posix()
            found |= {one for one in pages if Path(one).match(pattern) and one.count("/") == pattern.count("/")}
    return found


def test_pages__are_in_the_navigation():
    pages = pages_on_disk()
    texts = {re.sub(r"\.\w+$", "", name): text for name, text in GENERATED.items()}
    reached, pending = {"index"}, ["index"]
    while pending:
        page = pending.pop()
        text = texts.get(page) or (DOCS / f"{page}.md").read_text()
        new = entries(page, text, pages) - reached
        reached |= new
        pending += new
    assert pages - reached == set()


def test_docstrings__sections_become_lists():
    text = docstrings.as_rst(inspect.getdoc(fastcollapse.theory.mixing.weighted_errors))
    assert ":Parameters:\n    - ``weight``: w, the weight of the real data" in text
    assert ":Returns:\n    float64 [T]" in text
    assert "`arXiv:2502.18049 <https://arxiv.org/abs/2502.18049>`__" in text
    assert ".. rubric:: Examples\n\n>>> weighted_errors(" in text


def test_docstrings__markup_in_formulas_is_escaped():
    assert docstrings.as_rst("Return e_t_ * |z| of `a_*`.") == r"Return e_t\_ \* \|z\| of ``a_*``."
    assert docstrings.as_rst("A law:\n\n    x_1 * y\n\nand more.") == "A law:\n\n::\n\n    x_1 * y\n\nand more."


class Resources(HTMLParser):
    """The addresses of scripts, styles, fonts, images and frames of a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Take what a browser fetches by itself; links that a reader follows are left out."""
        values = dict(attributes)
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed", "object"}:
            self.found += [values[key] for key in ("src", "srcset", "data", "poster") if values.get(key)]
        elif tag == "link" and not {"next", "prev", "index", "search", "canonical"} & set(values["rel"].split()):
            self.found.append(values["href"])


@pytest.mark.slow
def test_site__builds_without_warnings_and_needs_no_network(tmp_path):
    for package in ("myst_nb", "pydata_sphinx_theme", "sphinx_click", "sphinx_design", "sphinxcontrib.bibtex"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-d", tmp_path / "doctrees"]
    command += ["-D", f"nb_execution_cache_path={tmp_path / 'notebooks'}"]
    done = subprocess.run([*command, DOCS, tmp_path / "html"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = [page for page in (tmp_path / "html").rglob("*.html") if "_static" not in page.parts]
    assert len(pages) > 50
    outside = set()
    for page in pages:
        resources = Resources()
        resources.feed(page.read_text())
        outside |= {(page.name, address) for address in resources.found if re.match(r"(\w+:)?//", address)}
        for address in resources.found:
            path = address.partition("?")[0].partition("#")[0]
            assert re.match(r"(\w+:)?//|data:", address) or (page.parent / path).exists(), (page.name, address)
    assert outside == set()
    styles = "".join(path.read_text() for path in (tmp_path / "html").rglob("*.css"))
    assert re.findall(r"(?:url\(['\"]?|@import ['\"])(?:\w+:)?//[^)'\"]*", styles) == []
    shown = (tmp_path / "html" / "reference" / "commands.html").read_text()
    assert "\N{EN DASH}" not in shown  # options of examples can be copied
    for name, command in main.commands.items():
        assert f'id="fastcollapse-{name}"' in shown, name
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        assert [
            option for option in options if f'id="cmdoption-fastcollapse-{name}-{option.lstrip("-")}"' not in shown
        ] == []
