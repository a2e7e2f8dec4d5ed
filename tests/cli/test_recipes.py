"""Commands of recipes: output, figures and refusals."""

import json
import re
import tomllib

import pytest

from fastcollapse.analysis.panels.published import changed_texts, published
from fastcollapse.api.results import open_results
from fastcollapse.datasets.shipped import recipes
from tests.cli._commands import call, files_in


def test_recipes__are_listed_with_a_description():
    result = call("recipes")
    assert re.search(r"^wikitext2-unigram +Unigram model", result.output, re.MULTILINE)


def test_reproduce__prints_a_line_and_draws(here):
    result = call("reproduce", "sur-uni", "-o", "figures")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("sur-uni: A unigram model forgets its words; 10 generations x 5 replicates; ")
    assert re.search(
        r"\n1 recipe, [0-9.]+ s of simulation, [0-9.]+ s of compiling, figures in figures\n$", result.output
    )
    assert (here / "figures" / "sur-uni.png").exists()
    again = call("reproduce", "sur-uni", "-o", "figures")
    assert again.exit_code == 2
    assert "figures/sur-uni.png already exists" in again.stderr


def test_reproduce__keeps_results_and_redraws(here):
    first = call("reproduce", "sur-uni", "--keep", "kept", "-o", "figures")
    assert first.exit_code == 0, first.output
    assert files_in(here / "kept") == ["sur-uni.h5"]
    before = (here / "kept" / "sur-uni.h5").stat().st_mtime_ns
    again = call("reproduce", "sur-uni", "--keep", "kept", "-o", "figures", "--overwrite")
    assert again.exit_code == 0, again.output
    assert (here / "kept" / "sur-uni.h5").stat().st_mtime_ns == before
    assert not (here / "figures" / "index.md").exists()  # that of all recipes


def test_reproduce__names_what_is_missing():
    assert call("reproduce", "sur-uni", "--overwrite").stderr == "error: --overwrite needs --output\n"
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


def test_recipes__of_a_source_are_fewer():
    result = call("recipes", "--source", "2404.05090")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.stdout.splitlines() if line]
    assert names == ["seddik-contexts", "sur-sed", "Sweeps,", "partly-synthetic"]
    result = call("recipes", "--source", "2404.05091")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("got '2404.05091' (did you mean '2404.05090'?)\n")


def test_recipes__of_a_name_is_its_file():
    assert call("recipes", "sur-gau").stdout == recipes()["sur-gau"].read_text()
    sweep, recipe = (call("recipes", "cot-gau", *options).stdout for options in (["--sweep"], []))
    assert "sweep" in tomllib.loads(sweep)
    assert "sweep" not in tomllib.loads(recipe)


def test_recipes__as_json_have_the_same_names():
    listed = json.loads(call("recipes", "--json").stdout)
    names = [line.split()[0] for line in call("recipes").stdout.splitlines() if line and not line.endswith(":")]
    assert [one["name"] for one in listed] == names
    assert set(listed[0]) == {"name", "kind", "path", "description", "family", "title", "source", "note"}
    one = json.loads(call("recipes", "sur-gau", "--json").stdout)
    assert one["text"] == recipes()["sur-gau"].read_text()


LISTED = "a name that `fastcollapse recipes` lists"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["sur-gua"], f"recipe must be {LISTED}, got 'sur-gua' (did you mean 'sur-gau'?)"),
        (["--copy", "my.toml"], "--copy must be given with the NAME of a recipe"),
        (["--sweep"], "--sweep must be given with the NAME of a recipe"),
        (["sur-gau", "--source", "x"], "--source must be without the NAME of a recipe"),
        (["sur-gau", "--copy", "my.txt"], "copy must end in .toml, got my.txt"),
        (["sur-gau", "--copy", "small.toml"], "copy must be a new file, got small.toml: it exists"),
        (["sur-gau", "--copy", "no/a.toml"], "copy must be in a folder that exists, got no/a.toml: no does not exist"),
    ],
)  # fmt: skip
def test_recipes__refusals_are_one_line(options, message, here):
    result = call("recipes", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {message}\n")
    assert files_in(here) == ["small.toml"]


SHORT = ["--set", "run.n_generations=30", "--set", "run.n_replicates=20"]


def test_script__one_parameter_of_a_published_figure_changed(here):
    """By --set and in an edited copy: everything says what is changed, and shows nothing published."""
    result = call("recipes", "sur-gau", "--copy", "my.toml")
    assert result.stdout == "my.toml: a copy of sur-gau; to run it: fastcollapse run my.toml\n"
    text = (here / "my.toml").read_text()
    assert text == recipes()["sur-gau"].read_text()
    (here / "my.toml").write_text(text.replace("n_samples = 10\n", "n_samples = 20\n"))
    changed = "after arXiv:2412.17646, figure of Theorem 3, changed: n_samples = 20 (published 10)"
    for name, words in (("copy", ["my.toml"]), ("set", ["sur-gau", "--set", "workflow.n_samples=20"])):
        result = call("run", *words, *SHORT, "-o", f"{name}.h5", "--seed", "1")
        assert result.exit_code == 0, result.output
        assert changed_words(result.stdout) == changed
        for command in ("compare", "info"):
            assert changed_words(call(command, f"{name}.h5").stdout) == changed
        results = open_results(here / f"{name}.h5")
        assert changed_texts(published(results).changes) == ["n_samples = 20 (published 10)"]
        svg = call("plot", f"{name}.h5", "-o", f"{name}.svg")
        assert svg.exit_code == 0
    assert (open_results("copy.h5").metrics["log_sigma"] == open_results("set.h5").metrics["log_sigma"]).all()
    # Negative control: the same words of the unchanged recipe are those of the publication.
    result = call("run", "sur-gau", *SHORT, "-o", "plain.h5")
    assert changed_words(result.stdout) == "arXiv:2412.17646, figure of Theorem 3"
    assert "Note: The curve that the published figure" in result.stdout


def changed_words(output):
    """Return the source in the line of an output that has the title of the recipe."""
    [line] = [line for line in output.splitlines() if line.startswith("A refitted Gaussian loses its deviation, ")]
    return line.partition("its deviation, ")[2]


def test_reproduce__of_a_changed_recipe_says_what_is_changed(here):
    result = call("reproduce", "sur-uni", "--set", "workflow.n_samples=1000", "-o", "figures")
    assert result.exit_code == 0, result.output
    changed = 'after arXiv:2412.17646, unigram figure, changed: n_samples = 1000 (published "truth"); 10 generations'
    assert result.stdout.startswith(f"sur-uni: A unigram model forgets its words, {changed}")


def test_reproduce__refuses_values_before_anything_runs(here):
    result = call("reproduce", "sur-uni", "sur-gau", "--set", "model.estimator=mle", "-o", "figures")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: sur-uni: model.estimator belongs to model.family ")
    result = call("reproduce", "sur-gmm", "--set", "model.estimator=joint_ml")
    assert "model.estimator is set by the cases of the recipe" in result.stderr
    assert files_in(here) == ["small.toml"]
