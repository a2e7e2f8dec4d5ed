"""Shipped recipes and sweeps: found by name and by source, and refused with the nearest name alone."""

import pytest

from fastcollapse.datasets.recipe_files import find_shipped, shipped
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.errors import InputError


def test_shipped__lists_every_file_once_with_its_words():
    found = shipped()
    assert [(one.kind, one.name) for one in found] == [
        *(("recipe", name) for name in recipes()),
        *(("sweep", name) for name in sweeps()),
    ]
    by_name = {one.name: one for one in found if one.kind == "recipe"}
    assert by_name["sur-gau"].family == "gaussian"
    assert by_name["sur-gau"].source == "arXiv:2412.17646, figure of Theorem 3"
    assert by_name["wikitext2-unigram"].title == "A unigram model forgets its rare words"
    assert all(one.description for one in found)


def test_shipped__of_a_source_are_those_that_name_it():
    found = shipped("2402.07712")
    assert {one.name for one in found} >= {"dfk-ridge", "dfk-samples"}
    assert all("2402.07712" in one.source for one in found)
    assert shipped("ARXIV:2402.07712") == found
    for source, hint in (("2402.07713", r" \(did you mean '2402.07712'\?\)"), ("none", "; one is '2412.17646'")):
        with pytest.raises(InputError, match=rf"^source must be a part of .* of a recipe, got '{source}'{hint}$"):
            shipped(source)


def test_find_shipped__of_a_name_of_both_kinds():
    assert find_shipped("cot-gau").kind == "recipe"
    assert find_shipped("cot-gau", "sweep").kind == "sweep"
    assert find_shipped("forgetting").kind == "sweep"
    with pytest.raises(InputError, match=r"^sweep must be a name that `fastcollapse recipes` lists, got 'sur-gau'"):
        find_shipped("sur-gau", "sweep")
