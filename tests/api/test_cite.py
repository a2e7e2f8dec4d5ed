"""Citations in Python: of the package, results, paths and names."""

import re

import pytest

import fastcollapse
from fastcollapse import InputError, cite, open_results, simulate


def keys(text):
    return re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.h5"
    mapping = {"truth": {"uniform": 3}, "workflow": {"name": "replace", "n_samples": 9}}
    simulate({**mapping, "run": {"n_generations": 2, "n_replicates": 3, "seed": 1}}, path)
    return path


def test_cite__without_an_argument_is_the_package():
    text = cite()
    assert keys(text) == ["fastcollapse"]
    assert f"version = {{{fastcollapse.__version__}}}" in text
    assert "author = {{The fastcollapse developers}}" in text


def test_cite__takes_results_lists_paths_and_names(run, tmp_path):
    results = open_results(run)
    assert cite(results) == cite(run) == cite(str(run)) == results.cite()
    assert keys(cite([results, results])) == ["fastcollapse", "suresh2024"]
    assert keys(cite("sur-gau")) == ["fastcollapse", "suresh2024"]
    assert keys(cite("golden-ratio")) == ["fastcollapse", "he2025"]
    copy = tmp_path / "copy.toml"
    copy.write_text(fastcollapse.recipes()["cot-gau"].text)
    assert keys(cite(copy)) == ["fastcollapse", "kazdan2024"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("sur-gua", "cite must be given a name that `fastcollapse recipes` lists, or a file, got 'sur-gua' (did you"),
        ("nothing.h5", "nothing.h5: no such file"),
        ("nothing.toml", "experiment file 'nothing.toml' does not exist"),
        (3, "cite takes results, a path, or the name of a recipe, got 3"),
        ([], "cite takes results, a path, or the name of a recipe, got []"),
    ],
)
def test_cite__refuses_what_has_no_citation(what, message):
    with pytest.raises(InputError, match=re.escape(message)):
        cite(what)
