"""Table of the shipped recipes."""

import pytest

from fastcollapse.api.recipes import recipes
from fastcollapse.datasets.shipped import recipes as paths
from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError


def test_recipes__has_every_shipped_file():
    table = recipes()
    assert len(table) == len(paths()) + len(sweeps())
    assert [row.name for row in table if row.kind == "recipe"] == list(paths())
    lines = repr(table).splitlines()
    assert lines[0].split() == ["name", "kind", "family", "title", "source"]
    assert len(lines) == 1 + len(table)
    assert table._repr_html_().count("<tr>") == len(lines)


def test_recipes__are_found_by_name_and_by_source():
    table = recipes("2412.17646")
    assert all("2412.17646" in row.source for row in table)
    assert recipes()["sur-gau"].title == table["sur-gau"].title
    with pytest.raises(InputError, match=r"got 'sur-gua' \(did you mean 'sur-gau'\?\)"):
        recipes()["sur-gua"]


def test_to_dataframe__has_a_row_for_each_recipe():
    pytest.importorskip("pandas")
    frame = recipes().to_dataframe()
    assert frame.set_index("name").loc["sur-uni", "family"] == "discrete"
