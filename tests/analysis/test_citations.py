"""Citations of runs, sweeps and files: what is cited, and what each entry is for."""

import gzip
import re

import pytest

from fastcollapse import Experiment, cite, open_sweep, run_sweep, simulate
from fastcollapse.analysis.citations import Citations, citations_of, citations_of_file
from fastcollapse.datasets.shipped import recipes, sweeps

SWEEP = """
[recipe]
title = "The tail of a refitted Gaussian"
source = "arXiv:2410.16713"
panels = ["tail"]
[model]
family = "gaussian"
estimator = "mle"
[truth]
sigma = 1.0
[workflow]
name = "replace"
[run]
n_generations = 2
n_replicates = 3
seed = 1
[sweep.grid]
"workflow.n_samples" = [5, 10]
"""
SMALL = {"run.n_generations": 5, "run.n_replicates": 4}


def recipe_run(name, **values):
    return simulate(Experiment.from_toml(recipes()[name]).with_values({**SMALL, **values}))


def test_run_of_a_recipe__cites_its_source_and_the_theory_of_its_panels():
    citations = citations_of(recipe_run("sur-gau"))
    source = "recipe: arXiv:2412.17646, figure of Theorem 3"
    theory = "theory: bounds of the tail of the deviation"
    assert citations.purposes == {"suresh2024": [source, theory], "bertrand2023": [theory]}


def test_run_with_other_values__is_after_the_source():
    citations = citations_of(recipe_run("sur-gau", **{"workflow.n_samples": 20}))
    assert citations.purposes["suresh2024"][0] == (
        "recipe: after arXiv:2412.17646, figure of Theorem 3, changed: n_samples = 20 (published 10)"
    )


def test_run_without_a_recipe__cites_its_theory_alone():
    mapping = {"truth": {"uniform": 3}, "workflow": {"name": "replace", "n_samples": 9}}
    results = simulate(Experiment.from_mapping({**mapping, "run": {"n_generations": 2, "n_replicates": 3, "seed": 1}}))
    assert list(citations_of(results).purposes) == ["suresh2024"]


def text_run(path):
    mapping = {"truth": {"text": str(path)}, "workflow": {"name": "replace", "n_samples": 50}}
    return simulate(Experiment.from_mapping({**mapping, "run": {"n_generations": 1, "n_replicates": 2, "seed": 1}}))


def test_data__is_cited_if_its_bytes_are_the_shipped_ones(tmp_path):
    name = "wikitext2_sample.txt.gz"
    data = ["data: WikiText-2, a sample"]
    assert citations_of(text_run(f"data/{name}")).purposes["merity2016"] == data
    (tmp_path / name).write_bytes(gzip.compress(b"other words of the same name, and more words"))
    assert "merity2016" not in citations_of(text_run(tmp_path / name)).purposes


@pytest.mark.parametrize(
    ("recipe", "keys"),
    [
        ("mnist-rbf", {"lecun1998"}),
        ("dd-uci", {"dey2024", "street1993", "efron2004", "pedregosa2011"}),
        ("sur-ngr", {"suresh2024", "merity2016"}),
        ("sur-bern", {"suresh2024"}),
    ],
)
def test_file__cites_its_source_and_data(recipe, keys):
    assert citations_of_file(recipes()[recipe]).purposes.keys() == keys


def test_shipped_files__with_a_source_cite_a_paper():
    for path in (*recipes().values(), *sweeps().values()):
        citations = citations_of_file(path)
        assert citations.purposes or "arXiv" not in path.read_text(), path.name
        assert not citations.unknown, path.name


def test_sweep__cites_what_its_points_draw_upon(tmp_path):
    (tmp_path / "study.toml").write_text(SWEEP)
    run_sweep(tmp_path / "study.toml", tmp_path / "sweep")
    text = open_sweep(tmp_path / "sweep").cite()
    assert text == cite(tmp_path / "sweep")
    assert re.findall(r"^@\w+\{(\w+)", text, re.MULTILINE) == [
        "fastcollapse",
        "kazdan2024",
        "suresh2024",
        "bertrand2023",
    ]
    assert re.findall(r"^@\w+\{(\w+)", cite(tmp_path / "study.toml"), re.MULTILINE) == ["fastcollapse", "kazdan2024"]


def test_bibtex__names_a_source_that_has_no_entry():
    citations = Citations(["1.0"])
    citations.add_source("A. Author, private letter to b@c\nof 1999")
    assert citations.bibtex().splitlines()[-1] == (
        "% recipe: A. Author, private letter to b(at)c of 1999 (no entry is known)"
    )


def test_bibtex__has_versions_of_both_and_each_purpose_once():
    one, other = Citations(["1.0"]), Citations(["1.1", "1.0"])
    for citations in (one, other):
        citations.add(["dey2024"], "theory: a")
    other.add(["dey2024"], "theory: b")
    text = (one | other).bibtex()
    assert "version = {1.0 and 1.1}" in text
    assert re.findall("^% .*", text, re.MULTILINE) == ["% the program", "% theory: a", "% theory: b"]
