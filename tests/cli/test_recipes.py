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


def test_reproduce__names_what_is_missing():
    assert call("reproduce").stderr == "error: give names of recipes, or --all\n"
    assert call("reproduce", "sur-uni", "--all").stderr == "error: give names of recipes or --all, not both\n"


def test_reproduce__of_a_file_names_the_command_that_is_meant(here):
    (here / "mine.toml").write_text("[truth]\nuniform = 5\n")
    result = call("reproduce", "mine.toml")
    words = "mine.toml is an experiment file without a section [sweep]: use `fastcollapse run mine.toml`"
    assert (result.exit_code, result.stderr) == (2, f"error: {words}\n")
    assert call("reproduce", "sur-unii").stderr.endswith("got 'sur-unii' (did you mean 'sur-uni'?)\n")


def test_reproduce__runs_a_name_once(here):
    result = call("reproduce", "sur-uni", "sur-uni", "-o", "figures")
    assert result.exit_code == 0, result.output
    assert "\n1 recipe, " in result.output
