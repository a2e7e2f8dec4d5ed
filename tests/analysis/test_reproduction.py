"""Recipes of published figures: each loads, runs at a small size, and has a title and a line of agreement."""

import dataclasses

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis import reproduction
from fastcollapse.analysis.agreement import Agreement
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.report import summary
from fastcollapse.analysis.reproduction import Reproduction, reproduce
from fastcollapse.datasets.recipe_files import shipped
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
PUBLISHED = sorted(one.name for one in shipped() if one.kind == "recipe" and one.source)


def reduced(case):
    """Return a case with few replicates and generations."""
    # Lists have an entry for each generation.
    listed = any(isinstance(value, tuple) for value in vars(case.workflow).values())
    last, n_replicates = case.run.n_generations if listed else min(case.run.n_generations, 12), 8
    if case.family == "ngram":  # a whole text in each generation
        last, n_replicates = 3, 2
    values = {"run.n_generations": last, "run.n_replicates": n_replicates}
    downstream = getattr(case.model, "downstream", None)
    if downstream is not None and downstream.generations != "all":
        values["model.downstream.generations"] = [t for t in downstream.generations if t <= last]
    return case.with_values(values)


@pytest.mark.parametrize("name", PUBLISHED)
def test_recipe__runs_and_draws(name):
    experiment = Experiment.from_toml(recipes()[name])
    if getattr(experiment.truth, "data", None) is not None or experiment.model.names_code:
        pytest.importorskip("sklearn")
    assert experiment.recipe.title
    # At most 3 cases here: the first, the last and one between.
    cases = [reduced(case) for case in experiment.cases()]
    chosen = sorted({0, len(cases) // 2, len(cases) - 1})
    text = experiment.text if len(cases) == 1 else select_cases(experiment, chosen)
    done = [simulate(dataclasses.replace(cases[k], text=text)) for k in chosen]
    figure = draw(done)
    assert experiment.recipe.title in figure.get_suptitle()
    words = summary(done, 1.0)
    assert "generation" in words
    # Fewer generations may leave out generations of downstream fits, which changes the recipe.
    is_changed = ", changed: downstream.generations" in words
    assert ("Note: " in words) == (experiment.recipe.note is not None and not is_changed)


def select_cases(experiment, chosen):
    """Return the text of a recipe with the chosen cases only."""
    head, *cases = experiment.text.split("[[recipe.cases]]")
    return "[[recipe.cases]]".join([head, *(cases[k] for k in chosen)])


def test_reproduce__prints_title_size_and_agreement():
    [one] = reproduce(["sur-zipf"])
    line = one.line()
    assert line.startswith(
        "sur-zipf: Zipf-Mandelbrot laws lose their rare symbols; 2 cases x 10 generations x 200 replicates;"
    )
    assert "scores, largest |z|" in line
    assert (
        "; the simulation agrees with exact theory in 1 of 2 metrics (symbols alive (%)); not compared: of first; "
        in line
    )
    assert line.endswith(" s of compiling")
    # 16 dependent scores: 5 is passed by chance once in 100,000 runs.
    assert one.agrees


def test_reproduce__compiling_is_no_simulation(monkeypatch):
    """A clock that only compiling moves: no second of it counts as simulation."""
    now = [0.0]

    def compile_slowly(cases):
        assert len(cases) == 2
        now[0] += 100.0

    monkeypatch.setattr(reproduction, "precompile", compile_slowly)
    monkeypatch.setattr(reproduction.time, "perf_counter", lambda: now[0])
    [one] = reproduce(["sur-gmm0"])
    assert (one.compile_seconds, one.seconds) == (100.0, 0.0)
    assert "; 0.00 s after 100.00 s of compiling" in one.line()


def test_reproduce__goes_on_from_kept_results(tmp_path, monkeypatch):
    values = {"run.n_replicates": 20}
    [first] = reproduce(["sur-bern"], values, tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["sur-bern-case1.h5", "sur-bern-case2.h5"]
    (tmp_path / "kept" / "sur-bern-case2.h5").unlink()
    [again] = reproduce(["sur-bern"], values, tmp_path / "kept")
    monkeypatch.setattr(reproduction, "precompile", None)  # nothing is compiled where nothing runs
    [kept] = reproduce(["sur-bern"], values, tmp_path / "kept")
    for one in (again, kept):
        for got, expected in zip(one.cases, first.cases, strict=True):
            np.testing.assert_array_equal(got.metrics["support_size"], expected.metrics["support_size"])
    assert kept.compile_seconds == 0.0
    assert 0 <= kept.seconds < 1e6
    with pytest.raises(InputError, match=r"run\.n_replicates is 20 there, 30 here"):
        list(reproduce(["sur-bern"], {"run.n_replicates": 30}, tmp_path / "kept"))


def test_reproduce__of_kept_results_has_the_present_text_of_the_recipe(tmp_path):
    recipe = Experiment.from_toml(recipes()["sur-gau"])
    text = recipe.text.replace(recipe.recipe.title, "Another title")
    old = dataclasses.replace(recipe, text=text).with_values({"run.n_replicates": 20})
    assert simulate(old, tmp_path / "sur-gau.h5").recipe.title == "Another title"
    [kept] = reproduce(["sur-gau"], {"run.n_replicates": 20}, tmp_path)
    assert kept.cases[0].recipe.title == recipe.recipe.title


def test_reproduce__refuses_unknown_recipe():
    with pytest.raises(InputError, match=r"recipe must be a name that .*, got 'sur-brn' .did you mean 'sur-bern'"):
        list(reproduce(["sur-brn"]))


def test_cases__inherit_unset_values():
    first, second = Experiment.from_toml(recipes()["sur-bern"]).cases()
    # Cases are independent: each has a seed of its own.
    assert second.run == dataclasses.replace(first.run, seed=first.run.seed + 1)
    assert first.truth.probabilities == (0.001, 0.999)
    assert second.workflow.n_samples == 100
    assert first.digest != second.digest


@pytest.mark.parametrize("name", ["mnist-rbf", "mnist-poly"])
def test_digits_recipe__runs_and_draws(name):
    """Fewer and smaller samples of the same digits: the errors grow with the generations."""
    experiment = Experiment.from_toml(recipes()[name])
    values = {
        "run.n_generations": 5,
        "run.n_replicates": 2,
        "workflow.n_samples": 200,
        "model.spectrum_rows": 200,
        "model.downstream.n_samples": [100, 800],
        "model.downstream.ridge": [1e-4, 1e-2],
        "model.downstream.generations": [0, 5],
        "truth.n_test": 500,
    }
    results = simulate(experiment.with_values(values))
    words = summary([results], 1.0)
    assert "asymptotic" in words
    assert draw([results]).get_suptitle().startswith(experiment.recipe.title)
    errors = results.metrics["test_error"][:, [0, 5]].mean(axis=0)
    assert (errors[1, :, 0] > errors[0, :, 0]).all()
    assert (results.metrics["generator_error"][:, 5] > results.metrics["generator_error"][:, 1]).all()


def test_recipe__numbers_equal_plain_run():
    experiment = Experiment.from_toml(recipes()["sur-uni"])
    plain = dataclasses.replace(experiment, recipe=None, text="")
    assert plain.digest == experiment.digest
    got, expected = simulate(experiment), simulate(plain)
    np.testing.assert_array_equal(got.metrics["support_size"], expected.metrics["support_size"])


def test_agrees__is_none_without_a_score():
    def agrees(*agreements):
        return Reproduction("a", [], 0.0, 0.0, agreements).agrees

    assert agrees() is None
    assert agrees(Agreement("H", 0, (0.0, ""), (), {"no theory": 3})) is None
    assert agrees(Agreement("H", 3, (1.0, "generation 1"), ()))
    assert agrees(Agreement("H", 3, (6.0, "generation 1"), ("generation 1",))) is False
