"""Reproduction of published figures in Python."""

import re

import pytest
from matplotlib.text import Text

import fastcollapse
from fastcollapse.api.reproduce import reproduce
from fastcollapse.errors import InputError

SMALL = {"run.n_replicates": 50}


def test_reproduce__returns_results_that_can_be_drawn():
    one = reproduce("sur-bern", SMALL)
    assert isinstance(one.cases[0], fastcollapse.Results)
    assert one.agrees
    assert str(one).startswith("sur-bern: ")
    assert one.plot().axes


def test_reproduce__of_a_list_writes_the_figures(tmp_path):
    made = reproduce(["sur-bern", "sur-uni"], {"run.n_replicates": 5}, tmp_path / "figures")
    assert [one.name for one in made] == ["sur-bern", "sur-uni"]
    names = [f"{name}{ending}" for name in ("sur-bern", "sur-uni") for ending in (".caption.txt", ".png")]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == names
    with pytest.raises(InputError, match=r"sur-bern\.(png|caption\.txt) already exists"):
        reproduce("sur-bern", SMALL, tmp_path / "figures")


def test_reproduce__keeps_results_from_which_it_redraws(tmp_path):
    first = reproduce("sur-bern", SMALL, tmp_path / "figures", keep=tmp_path / "kept")
    again = reproduce("sur-bern", SMALL, tmp_path / "figures", keep=tmp_path / "kept", overwrite=True)
    assert again.cases[0].path == tmp_path / "kept" / "sur-bern-case1.h5"
    assert (first.cases[1].metrics["support_size"] == again.cases[1].metrics["support_size"]).all()


def test_reproduce__of_a_changed_recipe_says_what_is_changed():
    figure = reproduce("sur-gau", {**SMALL, "workflow.n_samples": 20}).plot()
    texts = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
    assert any("changed: $n$ = 20 (published 10)" in text for text in texts)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("sur-ber", None, "got 'sur-ber' (did you mean 'sur-bern'?)"),
        ("sur-bern", {"run.n_replicates": 0}, "run.n_replicates must be at least 1, got 0"),
        ("sur-bern", {"run.n_replicate": 9}, "(did you mean 'n_replicates'?)"),
    ],
)
def test_reproduce__refuses_a_name_or_a_value_before_anything_runs(name, values, message):
    with pytest.raises(InputError, match=re.escape(message)):
        reproduce(name, values)
