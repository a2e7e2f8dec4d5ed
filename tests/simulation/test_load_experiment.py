"""Loading of experiments by name or path."""

import pytest

from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment

CASES = """
[recipe]
title = "Two sizes"
[truth]
zipf_mandelbrot = { a = 1.0, b = 2.7, size = 60 }
[workflow]
name = "replace"
n_samples = 10
[run]
n_generations = 5
n_replicates = 3
[[recipe.cases]]
"truth.zipf_mandelbrot.size" = 20
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "cases.toml").write_text(CASES)
    return tmp_path / "cases.toml"


def test_load_experiment__by_name_and_by_path(path):
    assert load_experiment("wikitext2-unigram", {"run.seed": 3}).run.seed == 3
    assert load_experiment(path) == load_experiment(str(path)) == Experiment.from_toml(path)


def test_load_experiment__unknown_name_has_a_hint():
    with pytest.raises(
        InputError, match=r"^recipe must be a name that .*, or a \.toml file, got 'sur-unii' \(did you mean"
    ):
        load_experiment("sur-unii")


@pytest.mark.parametrize("key", ["truth", "truth.zipf_mandelbrot", "truth.zipf_mandelbrot.size"])
def test_load_experiment__refuses_the_keys_of_the_cases(path, key):
    with pytest.raises(InputError, match=f"^{key} is set by the cases of the recipe: edit a copy of .*cases.toml"):
        load_experiment(path, {key: 5})
    with pytest.raises(InputError, match=r"^recipe\.title can only be changed in an experiment file"):
        load_experiment(path, {"recipe.title": "other"})
    assert load_experiment(path, {"truth.zipf_mandelbrot.a": 2.0}).truth.to_mapping()["zipf_mandelbrot"]["a"] == 2.0


def test_load_experiment__values_supply_keys_that_the_file_lacks(tmp_path):
    path = tmp_path / "part.toml"
    path.write_text('[truth]\nuniform = 20\n[workflow]\nname = "replace"\n[run]\nn_generations = 5\n')
    with pytest.raises(InputError, match=r"^workflow.n_samples is required: .*; run.n_replicates is required"):
        load_experiment(path)
    with pytest.raises(InputError, match=r"^run.n_replicates is required: [^;]*$"):
        load_experiment(path, {"workflow.n_samples": 9})
    whole = load_experiment(path, {"workflow.n_samples": 9, "run.n_replicates": 2})
    assert (whole.workflow.n_samples, whole.run.n_replicates, whole.text) == (9, 2, path.read_text())
    path.write_text("")
    values = {"truth.uniform": 9, "workflow.name": "replace", "workflow.n_samples": 9, "run.n_generations": 1}
    assert load_experiment(path, {**values, "run.n_replicates": 1}).truth.uniform == 9


def test_load_experiment__values_do_not_replace_a_section_that_is_no_table(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("run = 5\n[truth]\nuniform = 20\n[workflow]\nname = 'replace'\nn_samples = 9\n")
    with pytest.raises(InputError, match=r"^run must be a table of keys and values, got 5$"):
        load_experiment(path, {"run.n_generations": 1, "run.n_replicates": 1})


@pytest.mark.parametrize("values", [{"run.seed": 5}, {"workflow.name": "accumulate", "workflow.keep_real": True}])
@pytest.mark.parametrize("name", ["sur-uni", "sur-2a", "dfk-ridge", "dd-logistic", "cot-lin"])
def test_load_experiment__values_in_the_file_or_in_the_experiment_are_the_same(name, values):
    plain = Experiment.from_toml(recipes()[name])
    cases = {key for case in plain.recipe.cases or () for key in case}
    if not cases & set(values):
        assert load_experiment(name, values) == plain.with_values(values)
