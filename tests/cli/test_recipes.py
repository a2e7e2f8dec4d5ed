"""Commands of recipes: output, figures and refusals."""

import re

from tests.cli._commands import call


def test_recipes__are_listed_with_a_description():
    result = call("recipes")
    assert re.search(r"^wikitext2-unigram +Unigram model", result.output, re.MULTILINE)


def test_reproduce__prints_a_line_and_draws(here):
    result = call("reproduce", "sur-uni", "-o", "figures")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("sur-uni: Unique words of a unigram model; 10 generations x 5 replicates; ")
    assert re.search(
        r"\n1 recipe, [0-9.]+ s of simulation, [0-9.]+ s of compiling, figures in figures\n$", result.output
    )
    assert (here / "figures" / "sur-uni.png").exists()
    again = call("reproduce", "sur-uni", "-o", "figures")
    assert again.exit_code == 2
    assert "figures/sur-uni.png already exists" in again.stderr
    for arguments in (["reproduce"], ["reproduce", "sur-uni", "--all"]):
        assert "give recipe names or --all, not both" in call(*arguments).stderr
