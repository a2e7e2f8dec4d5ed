"""README, CONTRIBUTING and the pages of docs/: links have targets, and examples run unchanged."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastcollapse
from fastcollapse import Experiment, Sweep, simulate
from fastcollapse.analysis.records import comparison_record, run_record, status_record
from fastcollapse.cli.main import main
from fastcollapse.cli.theory import evaluation_record, function_record
from fastcollapse.config.capabilities import STAGES
from fastcollapse.datasets.recipe_files import shipped
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.simulation.parameter_table import parameters
from fastcollapse.sweeps.status import SweepStatus

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SWEEP = """
[model]
family = "gaussian"
estimator = "mle"
[truth]
sigma = 1.0
[workflow]
name = "replace"
[run]
n_generations = 10
n_replicates = 20
seed = 1
[sweep.grid]
"workflow.n_samples" = [10, 100]
"""
DOCS = ROOT / "docs"
NOT_PAGES = {"_build", "generated", "paper"}
PAGES = [README, ROOT / "CONTRIBUTING.md"]
PAGES += [path for path in sorted(DOCS.rglob("*.md")) if not NOT_PAGES & set(path.relative_to(DOCS).parts)]


def page_name(page):
    """Return the path of a page in the project, without its suffix."""
    return page.relative_to(ROOT).with_suffix("").as_posix()


def blocks(page, language=""):
    """Return the code blocks of a page in one language."""
    fences = re.findall(r"^```([^\n]*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [text for name, text in fences if name == language]


def anchors(page):
    """Return the anchors of the headings of a page, as on GitHub."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def theory_commands():
    """Return every command of the pages that evaluates, explains or lists theory functions."""
    lines = [line for page in PAGES for block in blocks(page) for line in block.splitlines()]
    found = {line.partition(" #")[0].strip() for line in lines if line.startswith("fastcollapse theory")}
    return sorted(found)


def tables():
    """Return the TOML examples of the pages, experiments and sweeps; files with a name have a test of their own."""
    found = [(page, i, text) for page in PAGES for i, text in enumerate(blocks(page, "toml"))]
    named = re.compile(r"# \w+\.toml\n")
    return [pytest.param(text, id=f"{page_name(page)} {i}") for page, i, text in found if not named.match(text)]


def links(page):
    """Return the links of a page to files of the project; generated pages exist in the site alone."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [link for link in found if not re.match(r"\w+:|generated/", link)]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links__lead_to_files_and_headings(page):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_pages__are_reached_from_readme():
    reached, pending = {README}, [README]
    while pending:
        page = pending.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)} & set(PAGES)
        pending += targets - reached
        reached |= targets
    assert set(PAGES) - reached == set()


def test_readme__is_short():
    lines = README.read_text().splitlines()
    assert len(lines) <= 120
    assert max(len(line) for line in lines) <= 160


def test_readme__python_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(README, "python")
    exec(text, {})
    assert capsys.readouterr().out == "1000 symbols at the start, 18.3 after 100 generations\n"


PYTHON = DOCS / "how_to" / "python.md"


def test_python_page__has_every_public_name():
    text = PYTHON.read_text()
    assert [name for name in fastcollapse.__all__ if not re.search(rf"`{name}\b", text)] == []


def test_python_page__scripts_run(tmp_path, monkeypatch):
    """From an experiment to the figure of a paper, a changed recipe, a sweep as a table, and every other example."""
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    (tmp_path / "study.toml").write_text(SWEEP)
    names = {}
    for text in blocks(PYTHON, "python"):
        exec(text.replace('reproduce("sur-gau")', 'reproduce("sur-gau", {"run.n_replicates": 20})'), names)
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in tmp_path.glob("*.png")} == {"sur-gau-20.png", "study.png"}
    assert names["comparison"].n_scored == names["comparison"].n_agreeing > 10
    assert names["frame"].metric.nunique() > 1
    assert names["matrix"].shape == (51, 300)


def test_theory_commands__are_found():
    assert len(theory_commands()) > 5


@pytest.mark.parametrize("command", theory_commands())
def test_theory_commands__run(command):
    result = CliRunner().invoke(main, shlex.split(command)[1:])
    assert (result.exit_code, result.exception) == (0, None)
    assert result.output


@pytest.mark.parametrize("text", tables())
def test_toml_examples__are_accepted(text):
    mapping = tomllib.loads(text)
    if "sweep" in mapping:
        assert len(Sweep(mapping)) > 1
    else:
        assert Experiment.from_mapping(mapping).json


def test_keys__are_documented():
    text = "".join(page.read_text() for page in PAGES)
    keys = [parameter.key for parameter in parameters()]
    assert [key for key in keys if not re.search(rf"`(\w+\.)?{key.rpartition('.')[2]}\b", text)] == []


def test_json__keys_of_each_command_are_documented():
    text = (DOCS / "reference" / "command_line.md").read_text()
    experiment = load_experiment("sur-gau", {"workflow.n_samples": 20, "run.n_generations": 2, "run.n_replicates": 3})
    results = simulate(experiment)
    sweep = Sweep({**experiment.to_mapping(), "sweep": {"grid": {"workflow.n_samples": [5]}}})
    status = SweepStatus(ROOT, sweep, frozenset(), {}, {}, frozenset())
    records = {
        "info": run_record(results),
        "compare": comparison_record(results, results.compare()),
        "status": status_record(status),
        "recipes": shipped()[0]._asdict(),
        "theory": {**evaluation_record("g_at", ["k=1"]), **function_record("g_at")},
    }
    for command, record in records.items():
        section = text.partition(f"\n### {command}\n")[2].partition("\n### ")[0]
        inner = [one for values in record.values() if isinstance(values, list) for one in values[:1]]
        keys = {key for table in (record, *inner) if isinstance(table, dict) for key in table}
        keys -= {"k", "g_at"}  # columns of the function
        assert {key for key in keys if f"`{key}`" not in section} == set(), command


def test_stages__of_each_family_are_documented():
    _, _, text = (DOCS / "explanation" / "families" / "index.md").read_text().partition("## What each family serves")
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text.partition("\n## ")[0], re.MULTILINE)
    got = {name: {"weights" if key == "weight" else key for key in re.findall(r"`(\w+)`", row)} for name, row in rows}
    served = {name: family_class(name).CAPABILITIES & STAGES for name in families()}
    assert got == {name: stages for name, stages in served.items() if stages}


@pytest.mark.parametrize("page", ["families/index", "profile"])
def test_families__are_in_the_tables_of_a_page(page):
    rows = re.findall(r"^\| (.*?) \|", (DOCS / "explanation" / f"{page}.md").read_text(), re.MULTILINE)
    assert set(families()) <= set(re.findall(r"`(\w+)`", " ".join(rows)))


def test_own_model__python_examples_run(capsys):
    pytest.importorskip("sklearn")
    names = {}
    for text in blocks(DOCS / "how_to" / "own_model.md", "python"):
        exec(text, names)
    assert capsys.readouterr().out.startswith("(3, 21)\n[")
    assert names["results"].metrics["mean"].shape == (2, 6, 2)
