"""CITATION.cff and the paper: required keys, the version of the package, and entries that exist."""

import re
from pathlib import Path

import fastcollapse
from fastcollapse.datasets.bibliography import entries

ROOT = Path(__file__).parents[1]


def test_citation_file__has_the_required_keys_and_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    values = dict(re.findall(r"^([\w-]+): *\"?(.*?)\"?$", text, re.MULTILINE))
    assert values["cff-version"] == "1.2.0"
    assert values["title"] == "fastcollapse"
    assert values["version"] == fastcollapse.__version__
    assert values["license"] == re.search(r"^license = (.*)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)[1]
    assert values["message"]
    assert re.search(r"^authors:\n  - name: \"The fastcollapse developers\"$", text, re.MULTILINE)
    assert not re.search(r"doi|orcid|affiliation|email|http", text)


def test_paper__cites_entries_that_exist():
    text = (ROOT / "docs" / "paper" / "paper.md").read_text()
    header, body = text.split("---\n", 2)[1:]
    file = re.search(r"^bibliography: (.*)$", header, re.MULTILINE)[1]
    assert (ROOT / "docs" / "paper" / file).resolve() == ROOT / "data" / "references.bib"
    cited = set(re.findall(r"@([a-z]+\d{4}[a-z]?)", body))
    assert len(cited) > 10
    assert cited <= entries().keys()
    assert 900 <= len(body.split()) <= 1300


def cells(text):
    """Return the words of the cells of all tables, without the first cell of a row."""
    rows = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    return [re.findall(r"[\d.,]*\d", cell) for row in rows for cell in row.split("|")[1:]]


def test_ratios__are_those_of_the_documentation():
    measured = {word for words in cells((ROOT / "docs/explanation/performance.md").read_text()) for word in words}
    for name in ("README.md", "docs/paper/paper.md"):
        rows = re.findall(r"^\|.*\| \d \| ([\d.,]+) \|$", (ROOT / name).read_text(), re.MULTILINE)
        assert len(rows) >= 4
        assert set(rows) <= measured, name
    assert "17.2" not in measured  # negative control: an older figure
