"""Bibliography: an entry for every paper that the project names, with true keys."""

import re
import unicodedata
from pathlib import Path

import fastcollapse
from fastcollapse.datasets.bibliography import DATA, entries, keys_in, strings_in
from fastcollapse.datasets.shipped import data_folder, recipes, sweeps

ROOT = Path(fastcollapse.__file__).parents[1]


def field(entry, name):
    found = re.search(rf"^  {name} = \{{(.*)\}},?$", entry, re.MULTILINE)
    return found and found[1]


def test_entries__are_all_of_the_file_and_have_the_fields_that_every_style_needs():
    text = (data_folder() / "references.bib").read_text()
    assert len(entries()) == len(re.findall(r"^@", text, re.MULTILINE)) > 50
    for entry in entries().values():
        assert all(field(entry, name) for name in ("title", "author", "year"))
        assert entry.count("{") == entry.count("}")
        assert (field(entry, "eprint") is None) == (field(entry, "archivePrefix") is None)


def test_keys__are_the_first_author_the_year_and_a_letter():
    for key, entry in entries().items():
        surname = field(entry, "author").partition(",")[0]
        plain = unicodedata.normalize("NFKD", re.sub(r"[^A-Za-z]", "", surname)).lower()
        assert re.fullmatch(rf"{plain}{field(entry, 'year')}[a-z]?", key), key
    for number, key in ((field(entry, "eprint"), key) for key, entry in entries().items()):
        assert number is None or field(entries()[key], "year") == f"20{number[:2]}"


def test_entries__have_every_paper_that_the_project_names():
    files = [*(ROOT / "fastcollapse").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *recipes().values()]
    files += [*sweeps().values(), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data" / "README.md"]
    named = {(number, path.name) for path in files for number in re.findall(r"arXiv:(\d{4}\.\d{5})", path.read_text())}
    assert len(named) > 30
    assert [pair for pair in named if not keys_in(pair[0])] == []


def test_keys_in__finds_papers_once_and_ignores_other_numbers():
    assert keys_in("arXiv:2412.17646 and arXiv:2404.05090, again 2412.17646, not 9912.34567 or 0.5") == [
        "suresh2024",
        "seddik2024",
    ]
    assert keys_in("our own choice") == []


def test_data__has_entries():
    for _, keys in DATA.values():
        assert set(keys) <= entries().keys()
    assert {name for name in DATA if name.endswith(".gz")} <= {path.name for path in data_folder().glob("*.gz")}


def test_strings_in__walks_tables_and_lists():
    assert list(strings_in({"a": ["x", {"b": "y"}], "c": 1, "d": None})) == ["x", "y"]
