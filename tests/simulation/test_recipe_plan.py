"""Plans of recipes with cases: extension and resume from the files of the cases alone."""

import shutil
from pathlib import Path

import pytest

from fastcollapse import Experiment, open_results, simulate
from fastcollapse.cli.main import main
from fastcollapse.errors import InputError
from fastcollapse.simulation.recipe_plan import plan_recipe, recorded_files
from tests.test_conformance import assert_same, everything

RECIPE = """
truth.uniform = 5
workflow = {name = "replace", n_samples = 5}
run = {n_generations = 4, n_replicates = 2, seed = 3}
[recipe]
title = "two sizes"
cases = [{"workflow.n_samples" = 10}, {"workflow.n_samples" = 20}]
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("two.toml").write_text(RECIPE)
    cases = Experiment.from_toml("two.toml").cases()
    for number, case in enumerate(cases, start=1):
        simulate(case, f"out-case{number}.h5")
    return cases


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main(["run", *arguments])
    return end.value.code


def test_extension__of_the_path_of_a_recipe_is_of_all_cases(recipe):
    assert run("--extend", "out.h5", "--set", "run.n_generations=6", "--set", "run.n_replicates=3") == 0
    for number, case in enumerate(recipe, start=1):
        larger = case.with_values({"run.n_generations": 6, "run.n_replicates": 3})
        got = open_results(f"out-case{number}.h5")
        assert_same(everything(got), everything(simulate(larger)))
        assert got.experiment_text == RECIPE
    assert run("--resume", "out.h5") == 0
    assert Path("out.png").exists()
    assert not Path("out.h5").exists()


def test_extension__of_the_file_of_a_case_is_of_this_case(recipe):
    before = Path("out-case1.h5").read_bytes()
    assert run("--extend", "out-case2.h5", "--set", "run.n_generations=6") == 0
    assert open_results("out-case2.h5").last == 6
    assert Path("out-case1.h5").read_bytes() == before


def test_resume__finishes_the_cases_that_were_stopped(recipe, capsys):
    Path("out-case2.h5").unlink()
    results = simulate(recipe[1], "out-case2.h5", block=1, on_block=lambda _: True)
    assert not results.finished
    path, plans = plan_recipe(None, Path("out.h5"), "resume")
    assert (path.name, [plan.action for plan in plans]) == ("out.h5", ["finished", "resume"])
    assert run("--resume", "out.h5") == 0
    assert open_results("out-case2.h5").finished


def test_files__of_a_run_without_cases_are_its_path(recipe):
    assert recorded_files(Path("other.h5")) == [Path("other.h5")]
    simulate(recipe[0], "out.h5")  # a run at the path is meant
    assert recorded_files(Path("out.h5")) == [Path("out.h5")]
    plain = Experiment.from_mapping(recipe[0].to_mapping())
    simulate(plain, "plain-case1.h5")  # it has no recipe
    assert recorded_files(Path("plain.h5")) == [Path("plain.h5")]


def test_files__of_more_than_nine_cases_have_two_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = ", ".join(f'{{"workflow.n_samples" = {n}}}' for n in range(10, 20))
    Path("ten.toml").write_text(RECIPE.partition("cases")[0] + f"cases = [{cases}]")
    for number, case in enumerate(Experiment.from_toml("ten.toml").cases(), start=1):
        simulate(case, f"out-case{number:02}.h5")
    assert [path.name for path in recorded_files(Path("out.h5"))][::9] == ["out-case01.h5", "out-case10.h5"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["workflow.n_samples=9"], "workflow.n_samples is set by the cases of the recipe: name the file of one case"),
        (["run.n_generations=2"], "out-case1.h5 holds another experiment: run.n_generations is 4 there, 2 here"),
    ],
)
def test_extension__refuses_other_values_before_any_case_is_run(recipe, capsys, settings, words):
    before = [path.read_bytes() for path in sorted(Path().glob("*.h5"))]
    assert run("--extend", "out.h5", *(part for one in settings for part in ("--set", one))) == 2
    assert words in capsys.readouterr().err
    assert [path.read_bytes() for path in sorted(Path().glob("*.h5"))] == before


def test_extension__names_the_case_whose_file_is_missing(recipe):
    Path("out-case2.h5").unlink()
    with pytest.raises(InputError, match=r"^out-case2.h5: no such file, case 2 of 2: name the recipe"):
        recorded_files(Path("out.h5"))
    shutil.rmtree("out-case2.h5.parts", ignore_errors=True)
    assert run("two.toml", "--extend", "out.h5") == 0  # the recipe has the experiment of the case
    assert open_results("out-case2.h5").finished
