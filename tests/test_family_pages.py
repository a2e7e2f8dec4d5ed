"""Pages of docs/explanation/families: sections, metrics, panels and recipes of each family, and its example."""

import re
import tomllib
from pathlib import Path

import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.analysis.panels.registry import find_panels
from fastcollapse.datasets.recipe_files import shipped
from fastcollapse.models.registry import families, family

ROOT = Path(__file__).parents[1]
EXPLANATION = ROOT / "docs" / "explanation"
SECTIONS = ["Law", "Parameters", "Metrics", "Theory", "Cost", "What is exact", "Example"]
PAGES = sorted(EXPLANATION.glob("families/*.md")) + sorted(EXPLANATION.glob("theory/*.md"))


def page(name):
    """Return the text of the page of a family."""
    return (EXPLANATION / "families" / f"{name}.md").read_text()


def example(name):
    """Return the experiment of the page of a family."""
    (text,) = re.findall(r"^```toml\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)
    return tomllib.loads(text)


@pytest.mark.parametrize("name", families())
def test_page__has_all_sections_in_order(name):
    headings = re.findall(r"^## (.*)", page(name), re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS


@pytest.mark.parametrize("name", families())
def test_page__names_all_metrics_and_panels(name):
    panels = find_panels(name)
    names = [*family(name).METRICS, *(panels.panels if panels else ())]
    old_names = ["both_ends"]  # of files of version 0.1
    assert [one for one in names if f"`{one}`" not in page(name) and one not in old_names] == []


@pytest.mark.parametrize("name", families())
def test_example__is_an_experiment_of_the_family(name):
    assert Experiment.from_mapping(example(name)).family == name


@pytest.mark.slow  # It compiles the kernels of all families.
@pytest.mark.parametrize("name", families())
def test_example__runs(name, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(ROOT)
    mapping = example(name)
    mapping["run"] |= {"n_generations": 2, "n_replicates": 2, "seed": 1}
    if "downstream" in mapping["model"]:
        mapping["model"]["downstream"]["generations"] = [0, 1]
    results = simulate(Experiment.from_mapping(mapping))
    assert set(results.metrics) <= set(family(name).METRICS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recipes__of_a_page_are_shipped(path):
    lines = re.findall(r"(?:[Rr]ecipes?|[Ss]weeps?) ((?:`[\w-]+`(?:, | and |; )?)+)", path.read_text())
    named = {name for line in lines for name in re.findall(r"`([\w-]+)`", line)}
    assert named <= {one.name for one in shipped()}
