"""Loading of experiments by name or path."""

import pytest

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
    with pytest.raises(InputError, match=r"^recipe must be one of .* or a \.toml file, got 'sur-unii' \(did you mean"):
        load_experiment("sur-unii")


@pytest.mark.parametrize("key", ["truth", "truth.zipf_mandelbrot", "truth.zipf_mandelbrot.size"])
def test_load_experiment__refuses_the_keys_of_the_cases(path, key):
    with pytest.raises(InputError, match=f"^{key} is set by the cases of the recipe: edit a copy of .*cases.toml"):
        load_experiment(path, {key: 5})
    with pytest.raises(InputError, match=r"^recipe\.title can only be changed in an experiment file"):
        load_experiment(path, {"recipe.title": "other"})
    assert load_experiment(path, {"truth.zipf_mandelbrot.a": 2.0}).truth.to_mapping()["zipf_mandelbrot"]["a"] == 2.0
